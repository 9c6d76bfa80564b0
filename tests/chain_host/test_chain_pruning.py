"""What is kept, what is dropped in bounded steps, and how a dropped thing is named; and states as specifications."""

import itertools
import json
import subprocess
import sys

import pytest

from chain_host import store as store_module
from chain_host.chain import Chain
from chain_host.errors import BodyDiscarded, StateDiscarded, StoreError, UnknownBlock, WorldError
from chain_host.spec import exported_spec, genesis_of_spec, read_spec, spec_bytes
from chain_host.store import Keeping, Store
from chain_host.world import open_follower
from tests.chain_host.conftest import AIN, Bench, bench_of
from tests.chain_host.signing import remark, signer, transfer


def test_bodies_beyond_the_window_are_gone_and_headers_stay(new_chain, world):
    bench = bench_of(new_chain(states=3, bodies=4), world)
    for nonce in range(10):
        bench.seal(bench.signing.sign(signer(0), nonce, remark(b"")), after=100)
    reader = bench.chain.store

    assert reader.oldest_body() == 7
    for number in range(11):
        assert reader.header(number) is not None
        if number < 7:
            with pytest.raises(BodyDiscarded, match=f"block {number} "):
                reader.block(number)
        else:
            assert len(reader.block(number).extrinsics) == 2


def test_without_a_setting_every_body_stays(bench: Bench):
    for _ in range(5):
        bench.seal(after=100)

    assert [bench.chain.store.block(number).header.number for number in range(6)] == list(range(6))


def test_a_smaller_window_is_reached_in_bounded_steps(new_chain, world, cache, monkeypatch):
    bench = bench_of(new_chain(on_disk=True), world)
    for _ in range(20):
        bench.seal(after=100)
    directory = bench.chain.store.directory
    bench.chain.store.close()
    monkeypatch.setattr(store_module, "PRUNED_AT_ONCE", 4)

    store = Store(directory, keeping=Keeping(states=2, bodies=2))
    try:
        again = bench_of(Chain(store, cache), world)
        again.now = bench.now
        oldest = []
        for _ in range(8):
            again.seal(after=100)
            oldest.append((store.oldest_state(), store.oldest_body()))
        assert [after[0] - before[0] for before, after in itertools.pairwise(oldest)][:3] == [4, 4, 4]
        assert oldest[-1] == (26, 27)
        counted = store._db.execute("SELECT count(DISTINCT number) FROM undo").fetchone()[0]
        assert counted == 2
    finally:
        store.close()


def worked(new_chain, world) -> Bench:
    bench = bench_of(new_chain(on_disk=True), world)
    for nonce in range(4):
        bench.seal(bench.signing.sign(signer(0), nonce, transfer(signer(100).public, AIN)), after=600)
    return bench


def test_an_exported_head_is_the_genesis_of_another_chain_with_the_same_state(new_chain, world, tmp_path, cache):
    bench = worked(new_chain, world)
    spec = exported_spec(bench.chain.store.directory)  # its chain is open all the while

    assert spec["properties"]["exportedFrom"]["number"] == 4
    name, genesis = genesis_of_spec(spec_bytes(spec))
    assert name == world.name
    assert genesis.header.state_root == bench.chain.head.state_root
    assert genesis.state == bench.chain.state.values
    assert set(spec) == {
        "name",
        "id",
        "chainType",
        "bootNodes",
        "telemetryEndpoints",
        "protocolId",
        "properties",
        "codeSubstitutes",
        "genesis",
    }

    file = tmp_path / "spec.json"
    file.write_bytes(spec_bytes(spec))
    chain, _name = open_follower(tmp_path / "other", spec=file, cache=cache)
    assert chain.state.root == bench.chain.head.state_root
    assert chain.api().nonce(signer(0).public) == 4
    chain.store.close()


def test_an_older_state_is_exported_as_it_was_and_a_dropped_one_refused(new_chain, world):
    bench = bench_of(new_chain(on_disk=True, states=3), world)
    roots = [bench.chain.head.state_root]
    for nonce in range(6):
        bench.seal(bench.signing.sign(signer(0), nonce, transfer(signer(100).public, AIN)), after=600)
        roots.append(bench.chain.head.state_root)
    directory = bench.chain.store.directory

    for number in (3, 4, 5, 6):
        assert genesis_of_spec(spec_bytes(exported_spec(directory, number)))[1].header.state_root == roots[number]
    with pytest.raises(StateDiscarded):
        exported_spec(directory, 2)
    with pytest.raises(UnknownBlock):
        exported_spec(directory, 7)


def test_a_damaged_state_is_not_exported(new_chain, world):
    bench = worked(new_chain, world)
    bench.chain.store._db.execute("UPDATE state SET value = x'00' WHERE key = (SELECT max(key) FROM state)")

    with pytest.raises(StoreError, match="root"):
        exported_spec(bench.chain.store.directory)


def test_what_is_no_specification_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no chain"):
        exported_spec(tmp_path)
    with pytest.raises(WorldError):
        read_spec(tmp_path / "nothing.json")
    for text in ("", "[]", "{}", '{"name":"x","genesis":{"raw":{"top":{"1":"0x"}}}}', '{"genesis":{"raw":{"top":[]}}}'):
        with pytest.raises(WorldError):
            genesis_of_spec(text.encode())
    with pytest.raises(WorldError, match="runtime code"):
        genesis_of_spec(b'{"name":"x","genesis":{"raw":{"top":{"0x00":"0x"}}}}')


@pytest.mark.real
def test_the_command_writes_a_file_that_the_command_reads(new_chain, world, tmp_path):
    bench = worked(new_chain, world)
    out = tmp_path / "spec.json"
    command = [sys.executable, "-m", "chain_host"]

    wrote = subprocess.run(
        [*command, "export", "--data", str(bench.chain.store.directory), "--out", str(out)],
        capture_output=True,
        check=True,
    )
    read = subprocess.run([*command, "spec", "--file", str(out)], capture_output=True, check=True)

    assert json.loads(wrote.stdout)["stateRoot"] == "0x" + bench.chain.head.state_root.hex()
    assert json.loads(read.stdout)["network_id"] == "0x" + world.network_id.hex()
    refused = subprocess.run(
        [*command, "export", "--data", str(bench.chain.store.directory), "--at", "99"], capture_output=True, check=False
    )
    assert refused.returncode == 1
    assert b"no block 99" in refused.stderr
