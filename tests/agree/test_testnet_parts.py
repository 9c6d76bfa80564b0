"""Settings, keys and genesis of a testnet of native validators."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import base58
import pytest

from pallets_client.keys import Sr25519, development_seed
from tools.agree.embedded import client_runtime, new_chain, start_of
from tools.agree.native import write_spec
from tools.testnet.settings import BadSettings, read
from tools.testnet.validators import SPEC_ID, genesis_patch, make_validators

FILE = Path(__file__).parents[2] / "configs/testnet/network.toml"


def test_the_committed_settings_describe_three_validators_and_three_daemons() -> None:
    settings = read(FILE)

    assert (settings.validators, settings.providers) == (3, 3)
    assert settings.name.lower().replace(" ", "_") == SPEC_ID
    assert all(count >= 1 for count in settings.tasks)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("validators = 3", "validators = 2"),
        ("validators = 3", "validators = 11"),
        ("validators = 3", ""),
        ("tasks = [2, 3, 2, 3]", "tasks = [2, 0, 2, 3]"),
        ("tasks = [2, 3, 2, 3]", "tasks = [2]"),
        ("[devnet]", "devnet"),
        ("task_seconds = 240", "task_seconds = 'long'"),
    ],
)
def test_settings_that_describe_no_testnet_are_refused(was: str, now: str, tmp_path: Path) -> None:
    text = FILE.read_text()
    assert was in text
    (tmp_path / "t.toml").write_text(text.replace(was, now))

    with pytest.raises(BadSettings):
        read(tmp_path / "t.toml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings):
        read(tmp_path / "none.toml")


def test_every_validator_has_fresh_keys_in_files_for_its_owner_only(tmp_path: Path) -> None:
    validators = make_validators(tmp_path, 3)
    for validator in validators:
        validator.write_keys()

    assert len({(each.aura_key, each.grandpa_key, each.address) for each in validators}) == 3
    first = validators[0]
    files = sorted((first.directory / "chains" / SPEC_ID / "keystore").iterdir())
    assert [file.name for file in files] == sorted(
        [b"aura".hex() + first.aura_key.hex(), b"gran".hex() + first.grandpa_key.hex()]
    )
    for file in (*files, first.directory / "node.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {json.loads(file.read_text()) for file in files} == {"0x" + first.aura.hex(), "0x" + first.grandpa.hex()}
    assert first.aura.hex() not in repr(first)
    assert len(base58.b58decode(first.address.rsplit("/", 1)[1])) == 38


def test_the_runtime_builds_the_genesis_of_the_validators(tmp_path: Path, compiled: Path) -> None:
    settings, faucet = read(FILE), Sr25519(development_seed("faucet")).account
    validators = make_validators(tmp_path, 3)

    start = start_of(compiled, settings.preset, genesis_patch(settings, validators, faucet))
    chain = new_chain(start, compiled)

    runtime = client_runtime(chain)
    assert chain.api().authorities() == [validator.aura_key for validator in validators]
    account = runtime.item("System", "Account")
    info = account.value(chain.state.get(account.key(faucet)))
    assert info["data"]["free"] == settings.faucet_ain * 10**12
    chain.store.close()


def test_two_testnets_never_share_a_genesis(tmp_path: Path, compiled: Path) -> None:
    settings, faucet = read(FILE), bytes(32)
    validators = make_validators(tmp_path, 3)

    hashes = {
        start_of(compiled, settings.preset, genesis_patch(settings, validators, faucet)).genesis.header.hash
        for _ in range(2)
    }

    assert len(hashes) == 2


def test_the_specification_leaves_the_genesis_to_the_runtime(tmp_path: Path, compiled: Path) -> None:
    settings = replace(read(FILE), validators=4)
    validators = make_validators(tmp_path, settings.validators)
    start = start_of(compiled, settings.preset, genesis_patch(settings, validators, bytes(32)))

    write_spec(tmp_path / "spec.json", name=settings.name, code=start.code, config=start.config)

    document = json.loads((tmp_path / "spec.json").read_text())
    assert document["id"] == SPEC_ID
    genesis = document["genesis"]["runtimeGenesis"]
    assert len(genesis["config"]["grandpa"]["authorities"]) == 4
    assert genesis["code"] == "0x" + start.code.hex()
