"""Worlds and stores of the contract suites; the real chain is started once per run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from chain_world import RICH, World, memory_world, real_world

from ainur_node.storage.memory import MemoryStore
from ainur_node.storage.postgres import PostgresStore, open_store
from pallets_client.testing.host import HostProcess


@pytest.fixture(scope="session")
def real_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    host = HostProcess(tmp_path_factory.mktemp("chain"), RICH.account)
    try:
        world = real_world(host.url)
        yield world
        world.close()
    finally:
        host.close()


@pytest.fixture
def fresh_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A host of its own, for a walk of thousands of calls or a whole trial."""
    host = HostProcess(tmp_path_factory.mktemp("walk"), RICH.account)
    try:
        world = real_world(host.url)
        yield world
        world.close()
    finally:
        host.close()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose money adds up when the test is over."""
    chain: World = memory_world() if request.param == "memory" else request.getfixturevalue("real_chain")
    resident = chain.parties
    yield chain
    audit = chain.client.audit()
    assert audit.difference == 0
    chain.dismiss(resident)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
def store_dsn(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "memory" else request.getfixturevalue("dsn")


@pytest.fixture
async def store(store_dsn: str | None) -> AsyncIterator[MemoryStore | PostgresStore]:
    if store_dsn is None:
        yield MemoryStore()
        return
    async with open_store(store_dsn) as opened:
        yield opened
