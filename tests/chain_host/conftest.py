"""One compiled runtime for the whole run, and chains of a test's own."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chain_host.authoring import Author, Sealed
from chain_host.chain import Chain
from chain_host.hashing import blake2_256
from chain_host.runtimes import Runtimes
from chain_host.store import Genesis, Keeping, Store
from chain_host.world import World, make_world, sealing_key, world_genesis
from tests.chain_host.processes import Client, Host, running
from tests.chain_host.signing import Signing, signer

AIN = 10**12
ACCOUNTS = 40


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("compiled")
    directory.chmod(0o700)
    return directory


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> World:
    """Accounts 0..39 have money, account 0 is sudo."""
    balances = {signer(i).ss58: 1_000 * AIN for i in range(ACCOUNTS)}
    return make_world(tmp_path_factory.mktemp("world"), balances, signer(0).ss58, cache=cache)


@pytest.fixture(scope="session")
def genesis(world: World, cache: Path) -> Genesis:
    return world_genesis(world, Runtimes(cache))


@dataclass
class Bench:
    """A chain in memory with its author, and a clock that the test moves."""

    chain: Chain
    author: Author
    signing: Signing
    now: int

    def seal(self, *extrinsics: bytes, after: int = 0) -> Sealed:
        self.now += after
        return self.author.seal([(blake2_256(x), x) for x in extrinsics], self.now)

    def storage(self, key: bytes) -> bytes | None:
        return self.chain.state.get(key)


@pytest.fixture
def new_chain(genesis: Genesis, cache: Path, tmp_path: Path) -> Iterator[Callable[..., Chain]]:
    """Makes chains of the world; in memory unless told to use the disk."""
    stores: list[Store] = []
    numbers = itertools.count()

    def make(*, on_disk: bool = False, **keeping: int) -> Chain:
        directory = tmp_path / f"chain{next(numbers)}" if on_disk else None
        store = Store(directory, keeping=Keeping(**keeping))
        stores.append(store)
        store.create(genesis)
        return Chain(store, cache)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def bench(new_chain: Callable[..., Chain], world: World) -> Bench:
    return bench_of(new_chain(), world)


def bench_of(chain: Chain, world: World) -> Bench:
    version = chain.api().version()
    signing = Signing(chain.genesis_hash, version.spec_version, version.transaction_version)
    author = Author(chain, sealing_key(world.directory))
    author.build_seconds = 60.0  # what a block holds is the test's choice, not the machine's
    return Bench(chain, author, signing, time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, world: World, cache: Path) -> Iterator[Host]:
    """A process that serves a fresh chain of the world."""
    with running(tmp_path_factory.mktemp("host") / "chain", cache=cache, world=world.directory) as process:
        yield process
        assert process.process.poll() is None, process.said()


@pytest.fixture
def client(host: Host) -> Iterator[Client]:
    with Client(host.url) as connection:
        yield connection


@pytest.fixture
def signing(host: Host, client: Client) -> Signing:
    version = client.call("state_getRuntimeVersion")
    return Signing(host.genesis, version["specVersion"], version["transactionVersion"])
