"""One chain host for the client's tests, and a fresh funded account for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from proxy_node import ProxyNode

from pallets_client.client import ChainClient
from pallets_client.keys import Sr25519, development_seed
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Included
from pallets_client.testing.host import HostProcess

RICH = Sr25519(development_seed("rich"))
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    process = HostProcess(tmp_path_factory.mktemp("client-host"), RICH.account)
    yield process
    process.close()


@pytest.fixture(scope="session")
def bank(host: HostProcess) -> Iterator[Writer]:
    writer = Writer(host.url, RICH)
    yield writer
    writer.close()


@pytest.fixture
def client(host: HostProcess) -> Iterator[ChainClient]:
    reader = ChainClient(host.url)
    yield reader
    reader.close()


@pytest.fixture
def key(bank: Writer) -> Sr25519:
    """An account with 10 AIN."""
    fresh = Sr25519(development_seed(f"account {next(_numbers)}"))
    assert isinstance(bank.submit(balances.transfer(fresh.account, 10 * AIN), b"").result(30), Included)
    return fresh


@pytest.fixture
def proxy(host: HostProcess) -> Iterator[ProxyNode]:
    node = ProxyNode(host.url)
    yield node
    node.close()
