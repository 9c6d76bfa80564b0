"""Keys at rest: what is written can be read by its owner only, and nothing else is taken for a key."""

import errno
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node import keystore
from ainur_node.keystore import DEVELOPMENT, KeystoreError


@pytest.fixture(autouse=True)
def _no_passphrase_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keystore.PASSPHRASE_VARIABLE, raising=False)


def test_keys_are_read_back_as_they_were_made(tmp_path: Path) -> None:
    made = keystore.create(tmp_path, cost=DEVELOPMENT)

    assert keystore.load(tmp_path) == made
    assert keystore.public(tmp_path) == keystore.Public(made.node_key, made.account)


def test_the_default_cost_is_accepted_back(tmp_path: Path) -> None:
    made = keystore.create(tmp_path)

    assert keystore.load(tmp_path) == made


def test_every_file_is_for_its_owner_alone_and_holds_no_seed(tmp_path: Path) -> None:
    made = keystore.create(tmp_path, cost=DEVELOPMENT)

    files = list((tmp_path / "keys").iterdir())
    assert {file.name for file in files} == {"node.key", "account.json", "passphrase"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    text = b"".join(file.read_bytes() for file in files)
    for seed in (made.node_seed, made.account_seed):
        assert seed not in text
        assert seed.hex().encode() not in text
        assert seed.hex() not in repr(made)


def test_keys_are_never_replaced(tmp_path: Path) -> None:
    made = keystore.create(tmp_path, cost=DEVELOPMENT)

    with pytest.raises(KeystoreError) as refusal:
        keystore.create(tmp_path, cost=DEVELOPMENT)

    assert refusal.value.code == "keys-exist"
    assert keystore.load(tmp_path) == made


def test_a_named_passphrase_file_is_used_and_none_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phrase = tmp_path / "secret"
    phrase.write_text("correct horse\n")
    phrase.chmod(0o600)
    monkeypatch.setenv(keystore.PASSPHRASE_VARIABLE, str(phrase))

    made = keystore.create(tmp_path / "home", cost=DEVELOPMENT)

    assert not (tmp_path / "home/keys/passphrase").exists()
    assert keystore.load(tmp_path / "home") == made
    phrase.write_text("wrong horse\n")
    with pytest.raises(KeystoreError) as refusal:
        keystore.load(tmp_path / "home")
    assert refusal.value.code == "bad-passphrase"


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    keystore.create(tmp_path, cost=DEVELOPMENT)
    (tmp_path / "keys/account.json").chmod(0o640)

    with pytest.raises(KeystoreError) as refusal:
        keystore.load(tmp_path)

    assert refusal.value.code == "keys-exposed"
    assert "chmod 600" in refusal.value.hint


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_full_disk_leaves_no_half_of_a_keystore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    write, left = keystore._write, [None] * written

    def until_full(path: Path, data: bytes) -> None:
        if not left:
            path.touch()
            raise OSError(errno.ENOSPC, "No space left on device")
        left.pop()
        write(path, data)

    monkeypatch.setattr(keystore, "_write", until_full)
    with pytest.raises(OSError, match="No space"):
        keystore.create(tmp_path, cost=DEVELOPMENT)
    monkeypatch.undo()

    assert list((tmp_path / "keys").iterdir()) == []
    assert keystore.create(tmp_path, cost=DEVELOPMENT) == keystore.load(tmp_path)


def test_an_empty_passphrase_of_somebody_killed_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "passphrase").touch()

    assert keystore.create(tmp_path, cost=DEVELOPMENT) == keystore.load(tmp_path)


def test_a_home_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError) as refusal:
        keystore.load(tmp_path)

    assert refusal.value.code == "no-keys"
    assert "ainur init" in refusal.value.hint


def test_one_key_file_cannot_stand_in_for_the_other(tmp_path: Path) -> None:
    keystore.create(tmp_path, cost=DEVELOPMENT)
    node = json.loads((tmp_path / "keys/node.key").read_text())
    (tmp_path / "keys/account.json").write_text(json.dumps(node | {"kind": "account"}))

    with pytest.raises(KeystoreError) as refusal:
        keystore.load(tmp_path)

    assert refusal.value.code == "keys-broken"


@pytest.mark.parametrize("n", [3, 1 << 30, -2, "1024", None, 1.5, True])
def test_a_planted_cost_is_not_worked_off(tmp_path: Path, n: object) -> None:
    keystore.create(tmp_path, cost=DEVELOPMENT)
    path = tmp_path / "keys/node.key"
    document = json.loads(path.read_text())
    document["kdf"]["n"] = n
    path.write_text(json.dumps(document))

    with pytest.raises(KeystoreError):
        keystore.load(tmp_path)


@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode()),
    )
)
def test_any_other_bytes_are_refused_as_no_key(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "keys").mkdir()
    for name, content in (("passphrase", b"x"), ("node.key", data), ("account.json", data)):
        (home / "keys" / name).write_bytes(content)
        (home / "keys" / name).chmod(0o600)

    with pytest.raises(KeystoreError):
        keystore.load(home)
