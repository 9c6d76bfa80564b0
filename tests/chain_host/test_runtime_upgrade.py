"""A runtime upgrade on a live chain, to the successor of the committed blob."""

import pytest

from chain_host.authoring import Sealed
from chain_host.chain import Chain
from chain_host.following import import_block
from chain_host.hashing import storage_prefix
from chain_host.next_runtime import next_runtime
from chain_host.overlay import Overlay
from chain_host.runtime_api import BAD_PROOF, Invalid
from chain_host.scale import read_compact
from chain_host.verify import verify_chain
from chain_host.world import World
from tests.chain_host.conftest import AIN, Bench
from tests.chain_host.processes import Client, Refused, running
from tests.chain_host.signing import Signing, remark, set_code, signer, sudo, transfer

# Which version's migrations ran last: frame_executive writes it just before it runs those of the next.
MIGRATED = storage_prefix("System", "LastRuntimeUpgrade")


@pytest.fixture(scope="module")
def second() -> bytes:
    return next_runtime()


def migrated(bench: Bench) -> int:
    """Version whose migrations have run."""
    return read_compact(bench.storage(MIGRATED) or b"")[0]


def upgrade(bench: Bench, code: bytes, nonce: int = 0) -> Sealed:
    return bench.seal(bench.signing.sign(signer(0), nonce, sudo(set_code(code))), after=500)


def test_the_new_code_is_in_force_from_the_next_block_and_its_migrations_run_in_it(bench: Bench, second, new_chain):
    old = bench.chain.api().version().spec_version
    follower: Chain = new_chain()
    before = bench.chain.head_hash

    sealed = upgrade(bench, second)
    assert bench.chain.api().version().spec_version == old + 1
    assert migrated(bench) == old
    blocks = [sealed.block, *(bench.seal(after=500).block for _ in range(3))]

    assert migrated(bench) == old + 1
    past = Overlay(bench.chain.state_at(before, bench.chain.store))
    assert bench.chain.runtimes.api(past).version().spec_version == old
    for block in blocks:
        import_block(follower, block)
    assert follower.state.values == bench.chain.state.values


def test_what_was_signed_for_the_old_version_is_refused_and_signed_anew_it_goes_in(bench: Bench, second):
    late = bench.signing.sign(signer(1), 0, transfer(signer(100).public, AIN))
    upgrade(bench, second)

    sealed = bench.seal(late, after=500)
    assert [why for _, why in sealed.refused] == [Invalid(False, BAD_PROOF)]
    assert sealed.included == ()

    version = bench.chain.api().version()
    anew = Signing(bench.chain.genesis_hash, version.spec_version, version.transaction_version)
    assert len(bench.seal(anew.sign(signer(1), 0, transfer(signer(100).public, AIN))).included) == 1


def test_the_same_version_again_and_an_older_one_are_refused(bench: Bench, second):
    first = bench.storage(b":code")
    assert first is not None
    for code in (first, second[: len(second) // 2], b""):
        nonce = bench.chain.api().nonce(signer(0).public)
        upgrade(bench, code, nonce)
        assert bench.storage(b":code") == first


@pytest.mark.real
def test_clients_are_told_and_the_host_serves_both_runtimes(tmp_path, world: World, cache, second):
    with running(tmp_path / "chain", cache=cache, world=world.directory) as host:
        with Client(host.url) as client, Client(host.url) as other:
            version = client.call("state_getRuntimeVersion")
            signing = Signing(host.genesis, version["specVersion"], version["transactionVersion"])
            subscription = other.call("state_subscribeRuntimeVersion")
            assert other.note()["params"]["result"]["specVersion"] == version["specVersion"]
            old_metadata = client.call("state_getMetadata")
            late = signing.sign(signer(3), 1, remark(b""))  # waits for a nonce that comes after the upgrade
            client.call("author_submitExtrinsic", "0x" + late.hex())
            watched = client.call("author_submitAndWatchExtrinsic", "0x" + sign(signing, second).hex())

            block = included(client, watched)
            told = other.note(timeout=60)["params"]
            assert (told["subscription"], told["result"]["specVersion"]) == (subscription, version["specVersion"] + 1)

            assert client.call("state_getRuntimeVersion") == told["result"]
            assert client.call("state_getRuntimeVersion", client.call("chain_getBlockHash", 0)) == version
            assert client.call("state_getMetadata", client.call("chain_getBlockHash", 0)) == old_metadata
            assert migrated_to(client, block) == version["specVersion"]
            with pytest.raises(Refused) as refused:
                client.call("author_submitExtrinsic", "0x" + signing.sign(signer(2), 0, remark(b"")).hex())
            assert refused.value.code == 1010
            anew = Signing(host.genesis, told["result"]["specVersion"], told["result"]["transactionVersion"])
            raw = anew.sign(signer(2), 0, remark(b""))
            assert included(client, client.call("author_submitAndWatchExtrinsic", "0x" + raw.hex()))
            assert migrated_to(client) == told["result"]["specVersion"]
        host.kill()

    with running(tmp_path / "chain", cache=cache, world=world.directory) as host:
        with Client(host.url) as client:
            assert client.call("state_getRuntimeVersion")["specVersion"] == version["specVersion"] + 1
        assert verify_chain(host.url, world=world.directory, cache=cache)["verified"]


def migrated_to(client: Client, *block: str) -> int:
    """Version whose migrations have run in the state after a block, the head without one."""
    stored = client.call("state_getStorage", "0x" + MIGRATED.hex(), *block)
    return read_compact(bytes.fromhex(stored[2:]))[0]


def sign(signing: Signing, code: bytes) -> bytes:
    return signing.sign(signer(0), 0, sudo(set_code(code)))


def included(client: Client, subscription: str) -> str:
    """Hash of the block that brought a watched extrinsic."""
    while True:
        params = client.note(timeout=60)["params"]
        if params["subscription"] == subscription and isinstance(params["result"], dict):
            return str(params["result"].get("inBlock") or params["result"].get("finalized"))
