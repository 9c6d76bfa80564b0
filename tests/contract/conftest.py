"""Worlds of the chain's contract suite; the real one is started once per run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chain_world import RICH, World, memory_world, real_world

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


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose money adds up when the test is over."""
    chain: World = memory_world() if request.param == "memory" else request.getfixturevalue("real_chain")
    yield chain
    audit = chain.client.audit()
    assert audit.difference == 0
