"""The two keys of a node, kept encrypted in its home: the account that pays and the node key that signs on the mesh."""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nacl.exceptions
from nacl.secret import SecretBox

from ainur_node.errors import ConfigError
from pallets_client.keys import NodeKey, Sr25519, new_seed

NODE_FILE = "node.key"
ACCOUNT_FILE = "account.json"
PASSPHRASE_FILE = "passphrase"  # noqa: S105 # a file name
PASSPHRASE_VARIABLE = "AINUR_PASSPHRASE_FILE"  # noqa: S105 # a variable name

MAX_FILE = 16 << 10
"""Bytes of a key or passphrase file: a planted file must not fill the memory."""
MAX_COST = 1 << 18
"""Largest scrypt N that is accepted from a file: a planted file must not cost more than 256 MiB and a second."""
_BLOCK = 8
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """Work that scrypt demands of whoever guesses a passphrase: ``n`` is a power of two, memory is n KiB."""

    n: int


INTERACTIVE = Cost(1 << 15)
"""32 MiB and about 0.1 s: for passphrases that people choose."""
DEVELOPMENT = Cost(1 << 10)
"""For worlds that live minutes: the passphrase is 256 random bits beside the keys, so stretching adds nothing."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Both secret seeds (32 bytes each) with their public halves."""

    node_seed: bytes = field(repr=False)
    account_seed: bytes = field(repr=False)
    node_key: bytes
    account: bytes


@dataclass(frozen=True, slots=True)
class Public:
    """What may be told to everybody."""

    node_key: bytes
    account: bytes


class KeystoreError(ConfigError):
    """The keys cannot be used as they are; ``code`` says which of the reasons it is."""

    def __init__(self, code: str, what: str, *, hint: str) -> None:
        super().__init__(what, hint=hint)
        self.code = code


def exists(home: Path) -> bool:
    """Whether this home has keys."""
    return (home / "keys" / NODE_FILE).exists() or (home / "keys" / ACCOUNT_FILE).exists()


def create(
    home: Path, *, cost: Cost = INTERACTIVE, account_seed: bytes | None = None, node_seed: bytes | None = None
) -> Keys:
    """Make the keys of a new home and store them encrypted; never replaces keys.

    The passphrase is read from the file that ``AINUR_PASSPHRASE_FILE`` names, else 256 random bits are written to
    ``keys/passphrase``. Raises KeystoreError.
    """
    if exists(home):
        raise KeystoreError("keys-exist", f"{home} has keys already", hint="use them, or name another home")
    directory = home / "keys"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    before = set(directory.iterdir())
    try:
        return _make(home, directory, cost, node_seed or new_seed(), account_seed or new_seed())
    except BaseException:
        # On a full disk: half a keystore would be in the way of the next attempt, and nothing of value is in it.
        for path in set(directory.iterdir()) - before:
            path.unlink()
        raise


def _make(home: Path, directory: Path, cost: Cost, node_seed: bytes, account_seed: bytes) -> Keys:
    phrase_file = directory / PASSPHRASE_FILE
    if PASSPHRASE_VARIABLE not in os.environ and not (phrase_file.exists() and phrase_file.stat().st_size):
        phrase_file.unlink(missing_ok=True)  # empty: somebody was killed while making it
        _write(phrase_file, secrets.token_hex(32).encode() + b"\n")
    phrase = _passphrase(home)
    node, account = NodeKey(node_seed), Sr25519(account_seed)
    # The account last: `exists` finds a half-made keystore by its first file, and nothing of value is lost with it.
    _write(directory / NODE_FILE, _seal("node", node.seed, node.public, phrase, cost))
    _write(directory / ACCOUNT_FILE, _seal("account", account.seed, account.account, phrase, cost))
    return Keys(node.seed, account.seed, node.public, account.account)


def load(home: Path) -> Keys:
    """Both keys of a home; raises KeystoreError when they are missing, exposed, damaged or otherwise locked."""
    phrase = _passphrase(home)
    node_seed, node_key = _open("node", home / "keys" / NODE_FILE, phrase)
    account_seed, account = _open("account", home / "keys" / ACCOUNT_FILE, phrase)
    if NodeKey(node_seed).public != node_key or Sr25519(account_seed).account != account:
        raise _broken(home / "keys", "a public key does not belong to its secret")
    return Keys(node_seed, account_seed, node_key, account)


def public(home: Path) -> Public:
    """The public halves, without the passphrase; raises KeystoreError."""
    parts = [_fields(kind, home / "keys" / name) for kind, name in (("node", NODE_FILE), ("account", ACCOUNT_FILE))]
    return Public(*(_hex(part, "public", home / "keys") for part in parts))


def _passphrase(home: Path) -> bytes:
    named = os.environ.get(PASSPHRASE_VARIABLE)
    path = Path(named) if named else home / "keys" / PASSPHRASE_FILE
    phrase = _read(path).strip()
    if not phrase:
        raise KeystoreError("bad-passphrase", f"{path} is empty", hint="write the passphrase on its first line")
    return phrase


def _seal(kind: str, seed: bytes, public_half: bytes, phrase: bytes, cost: Cost) -> bytes:
    salt = secrets.token_bytes(16)
    # The kind is sealed in as well, so that one file cannot stand in for the other.
    sealed = SecretBox(_stretch(phrase, salt, cost.n)).encrypt(kind.encode().ljust(8, b"\0") + seed)
    document = {
        "version": _VERSION,
        "kind": kind,
        "public": public_half.hex(),
        "kdf": {"name": "scrypt", "n": cost.n, "r": _BLOCK, "p": 1, "salt": salt.hex()},
        "cipher": "xsalsa20-poly1305",
        "sealed": sealed.hex(),
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _open(kind: str, path: Path, phrase: bytes) -> tuple[bytes, bytes]:
    fields = _fields(kind, path)
    kdf = fields["kdf"]
    cost = kdf.get("n") if isinstance(kdf, dict) else None
    if not isinstance(kdf, dict) or type(cost) is not int or not 2 <= cost <= MAX_COST or cost & (cost - 1):
        raise _broken(path, "its key derivation is not one of ours")
    key = _stretch(phrase, _hex(kdf, "salt", path, size=16), cost)
    try:
        clear = SecretBox(key).decrypt(_hex(fields, "sealed", path, size=80))
    except nacl.exceptions.CryptoError as error:
        raise KeystoreError(
            "bad-passphrase",
            f"the passphrase does not open {path}",
            hint=f"point {PASSPHRASE_VARIABLE} at the file with the right passphrase",
        ) from error
    if clear[:8].rstrip(b"\0") != kind.encode():
        raise _broken(path, "it holds another kind of key")
    return clear[8:], _hex(fields, "public", path)


def _fields(kind: str, path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(_read(path))
    except ValueError as error:
        raise _broken(path, "it is not JSON") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION or document.get("kind") != kind:
        raise _broken(path, f"it is no {kind} key of version {_VERSION}")
    if not {"public", "kdf", "cipher", "sealed"} <= document.keys() or document["cipher"] != "xsalsa20-poly1305":
        raise _broken(path, "fields are missing")
    return document


def _hex(fields: Mapping[str, object], name: str, path: Path, *, size: int = 32) -> bytes:
    try:
        value = bytes.fromhex(str(fields.get(name)))
    except ValueError as error:
        raise _broken(path, f"{name} is not hexadecimal") from error
    if len(value) != size:
        raise _broken(path, f"{name} should have {size} bytes")
    return value


def _stretch(phrase: bytes, salt: bytes, n: int) -> bytes:
    return hashlib.scrypt(phrase, salt=salt, n=n, r=_BLOCK, p=1, dklen=32, maxmem=256 * _BLOCK * n)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise KeystoreError(
                    "keys-exposed", f"others may read {path}", hint=f"close it: chmod 600 {path}, and consider new keys"
                )
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise KeystoreError("no-keys", f"there is no {path}", hint="make keys with: ainur init") from error
    except OSError as error:
        raise KeystoreError("no-keys", f"{path} cannot be read: {error.strerror}", hint="check its owner") from error
    if len(data) > MAX_FILE:
        raise _broken(path, f"it has more than {MAX_FILE} bytes")
    return data


def _broken(path: Path, why: str) -> KeystoreError:
    return KeystoreError("keys-broken", f"{path} cannot be used: {why}", hint="restore it from a backup")
