"""A host that follows: blocks handed over by RPC, refused by name, taken up after a kill; and its pool."""

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain_host.authoring import SealingKey
from chain_host.block import Block, decode_block
from chain_host.errors import MalformedScale
from chain_host.hashing import blake2_256
from chain_host.rpc.ainur_methods import BAD_BLOCK
from chain_host.spec import raw_spec, spec_bytes
from chain_host.trie import ordered_root
from chain_host.world import sealing_key
from tests.chain_host.conftest import AIN, Bench
from tests.chain_host.processes import Client, Host, Refused, running
from tests.chain_host.signing import remark, signer, transfer
from tests.chain_host.test_chain_following import resealed

pytestmark = pytest.mark.real


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


@pytest.fixture(scope="module")
def spec(genesis, tmp_path_factory):
    file = tmp_path_factory.mktemp("spec") / "spec.json"
    file.write_bytes(spec_bytes(raw_spec(genesis.state, "Followed")))
    return file


@pytest.fixture
def start(tmp_path, cache, spec):
    """Starts the follower of one directory, again and again."""

    def run():
        return running(tmp_path / "follower", cache=cache, extra=("--follow", "--spec", str(spec)))

    return run


def handed(client: Client, block: Block) -> dict:
    return client.call("ainur_importBlock", hexed(block.encode()))


def work(bench: Bench, nonce: int) -> Block:
    return bench.seal(bench.signing.sign(signer(0), nonce, transfer(signer(100).public, AIN)), after=50).block


def test_a_follower_takes_good_blocks_tells_of_them_and_goes_on_after_a_kill(bench: Bench, start):
    first, second, third = (work(bench, nonce) for nonce in range(3))
    with start() as host, Client(host.url) as client:
        client.call("chain_subscribeNewHeads")
        client.note()
        assert handed(client, first)["imported"]
        assert client.note()["params"]["result"]["stateRoot"] == hexed(first.header.state_root)
        assert not handed(client, first)["imported"]
        assert handed(client, second) == {"imported": True, "number": 2, "hash": hexed(second.header.hash)}
        host.kill()

    with start() as host, Client(host.url) as client:
        assert client.call("ainur_hostStatus")["number"] == 2
        assert client.call("ainur_hostStatus")["follows"]
        said = client.call("ainur_importBlocks", [hexed(each.encode()) for each in (first, second, third)])
        assert (said["imported"], said["error"], said["number"]) == (1, None, 3)
        assert client.call("system_nodeRoles") == ["Full"]
        given_back = client.call("ainur_getBlocks", 1, 10)
        assert [decode_block(bytes.fromhex(each[2:])) for each in given_back["blocks"]] == [first, second, third]


def test_bad_blocks_are_refused_by_name_and_change_nothing(bench: Bench, start, world):
    honest = work(bench, 0)
    key = sealing_key(world.directory)
    stranger = Block(resealed(honest.header, SealingKey(bytes(32))), honest.extrinsics)
    bare, _signature = honest.header.unsealed()

    def signed(**changes: object) -> Block:
        return Block(resealed(replace(honest.header, **changes), key), honest.extrinsics)

    shorter = honest.extrinsics[:-1]
    missing = Block(resealed(replace(honest.header, extrinsics_root=ordered_root(list(shorter), 1)), key), shorter)
    future = honest.header.digest[0][:-8] + ((honest.header.slot or 0) + 10**6).to_bytes(8, "little")
    bad = {
        "no-seal": Block(bare, honest.extrinsics),
        "bad-seal": stranger,
        "unknown-parent": signed(parent=bytes(32)),
        "wrong-number": signed(number=7),
        "refused-by-the-runtime": missing,
        "slot-in-the-future": signed(digest=(future, *honest.header.digest[1:])),
        "no-slot": signed(digest=honest.header.digest[1:]),
    }
    with start() as host, Client(host.url) as client:
        before = client.call("ainur_hostStatus")
        for name, block in bad.items():
            with pytest.raises(Refused) as refused:
                handed(client, block)
            assert (refused.value.code, refused.value.data) == (BAD_BLOCK, name), str(refused.value)
        for raw in (b"", b"\0", honest.encode()[:-1], honest.encode() + b"\0", bytes(1000)):
            with pytest.raises(Refused) as refused:
                client.call("ainur_importBlock", hexed(raw))
            assert (refused.value.code, refused.value.data) == (BAD_BLOCK, "malformed")
        assert client.call("ainur_hostStatus") == before
        mixed = [hexed(honest.encode()), hexed(stranger.encode())]
        said = client.call("ainur_importBlocks", mixed)
        assert (said["imported"], said["error"]["data"]) == (1, "unknown-parent")


def test_an_author_takes_no_blocks(host: Host, client: Client, bench: Bench):
    with pytest.raises(Refused) as refused:
        handed(client, bench.seal().block)

    assert refused.value.data == "not-a-follower"


def test_extrinsics_wait_at_a_follower_until_a_block_brings_them(bench: Bench, start):
    mine = bench.signing.sign(signer(3), 0, remark(b"mine"))
    rival = bench.signing.sign(signer(4), 0, remark(b"rival"))
    theirs = bench.signing.sign(signer(4), 0, remark(b"theirs"))
    with start() as host, Client(host.url) as client:
        assert client.call("ainur_nextExtrinsics", 0, 0) == {"place": 0, "extrinsics": []}
        watched = client.call("author_submitAndWatchExtrinsic", hexed(mine))
        lost = client.call("author_submitAndWatchExtrinsic", hexed(rival))
        assert client.call("ainur_nextExtrinsics", 0, 5000)["extrinsics"] == [hexed(mine), hexed(rival)]
        place = client.call("ainur_nextExtrinsics", 1, 0)
        assert place == {"place": 2, "extrinsics": [hexed(rival)]}

        block = bench.seal(mine, theirs).block
        handed(client, block)

        told: dict[str, list] = {watched: [], lost: []}
        while len(told[watched]) < 3 or len(told[lost]) < 2:
            params = client.note()["params"]
            told[params["subscription"]].append(params["result"])
        block_hash = hexed(block.header.hash)
        assert told[watched] == ["ready", {"inBlock": block_hash}, {"finalized": block_hash}]
        assert told[lost] == ["ready", "invalid"]
        assert client.call("author_pendingExtrinsics") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_block_or_malformed(data: bytes):
    with contextlib.suppress(MalformedScale):
        assert decode_block(data).encode() == data


def test_a_block_survives_its_encoding(bench: Bench):
    block = work(bench, 0)

    assert decode_block(block.encode()) == block
    assert blake2_256(decode_block(block.encode()).header.encode()) == block.header.hash
    assert json.loads(json.dumps(hexed(block.encode()))) == hexed(block.encode())
