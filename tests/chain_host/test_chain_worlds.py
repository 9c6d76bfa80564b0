"""Worlds, their keys and files, and the commands that make, run and verify them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_host.chain import Chain
from chain_host.errors import RuntimeTrap, StoreError, WorldError
from chain_host.genesis import merge
from chain_host.hashing import blake2_128, storage_prefix
from chain_host.runtimes import Runtimes
from chain_host.ss58 import decode, encode
from chain_host.store import Store
from chain_host.world import KEY_FILE, WORLD_FILE, make_world, open_chain, read_world, sealing_key, world_genesis
from tests.chain_host.conftest import AIN
from tests.chain_host.processes import Client, running
from tests.chain_host.signing import Signing, remark, signer

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


def test_addresses_are_those_everybody_uses():
    assert decode(BOB).hex() == "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"
    assert encode(decode(BOB)) == BOB
    assert decode("0x" + decode(BOB).hex()) == decode(BOB)


@given(st.binary(min_size=32, max_size=32))
def test_any_account_survives_its_address(account: bytes):
    assert decode(encode(account)) == account


@pytest.mark.parametrize("text", ["", "5", BOB[:-1], BOB[:-1] + "z", BOB + "1", "0x12", "0xzz", "l" * 48, "ß" * 48])
def test_a_mistyped_address_is_refused(text: str):
    with pytest.raises(WorldError):
        decode(text)


def test_a_patch_merges_objects_replaces_the_rest_and_removes_with_null():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 3}

    assert merge(base, {"a": {"c": [9], "b": None}, "e": {"f": None}}) == {"a": {"c": [9]}, "d": 3, "e": {}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 3}


def test_two_worlds_are_different_chains_and_one_world_is_always_the_same(tmp_path: Path, cache: Path):
    first = make_world(tmp_path / "one", {BOB: AIN}, cache=cache)
    second = make_world(tmp_path / "two", {BOB: AIN}, cache=cache)

    assert first.genesis_hash != second.genesis_hash
    assert first.network_id != second.network_id
    assert world_genesis(read_world(tmp_path / "one"), Runtimes(cache)).header.hash == first.genesis_hash
    assert read_world(tmp_path / "one" / WORLD_FILE) == first


def test_a_world_has_the_money_the_network_id_and_the_parameters_it_was_given(tmp_path: Path, cache: Path):
    world = make_world(tmp_path, {BOB: 7 * AIN}, BOB, params={"feeBps": 123}, cache=cache)
    state = world_genesis(world, Runtimes(cache)).state

    account = decode(BOB)
    balance = state[storage_prefix("System", "Account") + blake2_128(account) + account][16:32]
    assert int.from_bytes(balance, "little") == 7 * AIN
    assert state[storage_prefix("Sudo", "Key")] == account
    assert state[storage_prefix("Market", "NetworkId")] == world.network_id
    assert world.config["market"]["params"]["feeBps"] == 123
    assert (123).to_bytes(2, "little") in state[storage_prefix("Market", "Params")]


def test_keys_and_world_are_private_and_never_overwritten(tmp_path: Path, cache: Path):
    world = make_world(tmp_path, cache=cache)

    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert sealing_key(tmp_path).public == world.author
    with pytest.raises(WorldError, match="already"):
        make_world(tmp_path, cache=cache)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, cache: Path):
    make_world(tmp_path, cache=cache)
    (tmp_path / KEY_FILE).chmod(0o644)

    with pytest.raises(WorldError, match="600"):
        sealing_key(tmp_path)


@pytest.mark.parametrize(
    ("balances", "options"),
    [
        ({BOB: 0}, {}),
        ({BOB: -1}, {}),
        ({BOB: 1.5}, {}),
        ({BOB: 1 << 128}, {}),
        ({"nobody": AIN}, {}),
        ({BOB: AIN}, {"sudo": "nobody"}),
    ],
)
def test_impossible_balances_and_accounts_are_refused(tmp_path: Path, cache: Path, balances, options):
    with pytest.raises(WorldError):
        make_world(tmp_path, balances, **options, cache=cache)
    assert not (tmp_path / WORLD_FILE).exists()


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "nonsense"},
        {"params": {"nonsense": 1}},
        {"patch": {"balances": {"balances": 7}}},
        {"params": {"feeBps": -1}},
    ],
)
def test_what_the_runtime_refuses_makes_no_world(tmp_path: Path, cache: Path, options):
    with pytest.raises(RuntimeTrap):
        make_world(tmp_path, {BOB: AIN}, **options, cache=cache)
    assert not (tmp_path / WORLD_FILE).exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["config"]["balances"]["balances"].append([encode(bytes(32)), AIN]),
        lambda d: d["config"]["market"]["params"].update(feeBps=9),
        lambda d: d.update(genesis="0x" + "11" * 32),
        lambda d: d.update(runtime="00" * 32),
    ],
)
def test_a_changed_world_file_is_noticed(tmp_path: Path, cache: Path, change):
    make_world(tmp_path, {BOB: AIN}, cache=cache)
    document = json.loads((tmp_path / WORLD_FILE).read_text())
    change(document)
    (tmp_path / WORLD_FILE).write_text(json.dumps(document))

    with pytest.raises(WorldError):
        world_genesis(read_world(tmp_path), Runtimes(cache))


@pytest.mark.parametrize("text", ["", "7", "[]", "{}", '{"format": 2}', '{"format": 1}', "[" * 50_000])
def test_a_broken_world_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / WORLD_FILE).write_text(text)

    with pytest.raises(WorldError):
        read_world(tmp_path)


def test_a_directory_of_another_chain_is_refused(tmp_path: Path, cache: Path):
    mine, other = make_world(tmp_path / "a", cache=cache), make_world(tmp_path / "b", cache=cache)
    open_chain(tmp_path / "data", mine, cache=cache).store.close()

    with pytest.raises(StoreError):
        open_chain(tmp_path / "data", other, cache=cache)
    open_chain(tmp_path / "data", mine, cache=cache).store.close()


def test_a_store_that_never_got_its_genesis_is_made_again(tmp_path: Path, world, cache: Path):
    Store(tmp_path / "data").close()

    chain = open_chain(tmp_path / "data", world, cache=cache)

    assert isinstance(chain, Chain)
    chain.store.close()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chain_host", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.real
def test_make_run_and_verify_from_the_command_line(tmp_path: Path, cache: Path):
    (tmp_path / "money.json").write_text(json.dumps({signer(0).ss58: 100 * AIN}))
    made = command(
        "genesis", "--dir", str(tmp_path / "w"), "--balances", str(tmp_path / "money.json"), "--cache", str(cache)
    )
    facts = json.loads(made.stdout)

    with running(tmp_path / "data", cache=cache, world=tmp_path / "w") as host:
        assert host.ready["genesis"] == facts["genesis"]
        with Client(host.url) as client:
            version = client.call("state_getRuntimeVersion")
            signing = Signing(host.genesis, version["specVersion"], version["transactionVersion"])
            for nonce in range(5):
                client.call("author_submitAndWatchExtrinsic", "0x" + signing.sign(signer(0), nonce, remark(b"")).hex())
                while not isinstance(client.note()["params"]["result"], dict):
                    pass
                client.note()
        verified = command("verify", "--url", host.url, "--world", str(tmp_path / "w"), "--cache", str(cache))
        unaided = command("verify", "--url", host.url, "--cache", str(cache))
        second = command("run", "--data", str(tmp_path / "data"), "--world", str(tmp_path / "w"), "--cache", str(cache))
        assert host.stop() == 0

    report = json.loads(verified.stdout)
    assert (verified.returncode, report["verified"], report["genesis"]) == (0, True, facts["genesis"])
    assert report["blocks"] >= 5
    assert report["extrinsics"] == report["blocks"] + 5
    assert json.loads(unaided.stdout)["verified"]
    assert second.returncode == 1
    assert "another process" in second.stderr


@pytest.mark.real
def test_verify_refuses_the_chain_of_another_world(tmp_path: Path, world, cache: Path, host):
    make_world(tmp_path, cache=cache)

    other = command("verify", "--url", host.url, "--world", str(tmp_path), "--cache", str(cache))

    assert other.returncode == 5
    assert json.loads(other.stdout)["verified"] is False


@pytest.mark.real
def test_a_port_in_use_and_no_chain_are_plain_errors(tmp_path: Path, cache: Path, host):
    port = host.url.rsplit(":", 1)[1]

    taken = command("run", "--data", str(tmp_path / "d"), "--port", port, "--cache", str(cache))
    nobody = command("verify", "--url", "ws://127.0.0.1:9", "--cache", str(cache))

    assert (taken.returncode, nobody.returncode) == (1, 1)
    assert "Traceback" not in taken.stderr + nobody.stderr
    assert "address already in use" in taken.stderr
