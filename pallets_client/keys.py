"""Keys: sr25519 accounts that sign extrinsics, ed25519 node keys that sign messages, ss58 addresses."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.signing
import sr25519

from pallets_client.hashing import blake2_256, signed_message

SS58_FORMAT = 42
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class BadAddress(ValueError):  # noqa: N818  # named after what it refuses
    """Not an ss58 address of this chain."""


def new_seed() -> bytes:
    """32 random bytes from the operating system."""
    return secrets.token_bytes(32)


def ss58_encode(account: bytes, prefix: int = SS58_FORMAT) -> str:
    """Address of a 32-byte account under a one-byte prefix."""
    if len(account) != 32 or not 0 <= prefix < 64:
        raise BadAddress("an account has 32 bytes and the prefix is below 64")
    body = bytes([prefix]) + account
    data = body + _checksum(body)
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, rest = divmod(number, 58)
        digits.append(_ALPHABET[rest])
    zeros = len(data) - len(data.lstrip(b"\x00"))
    return "1" * zeros + "".join(reversed(digits))


def ss58_decode(address: str, prefix: int = SS58_FORMAT) -> bytes:
    """The 32-byte account of an address; raises BadAddress for any other text."""
    if not 32 <= len(address) <= 64:
        raise BadAddress("an address has 46 to 49 characters")
    number = 0
    for char in address:
        digit = _ALPHABET.find(char)
        if digit < 0:
            raise BadAddress(f"{char!r} is not a base58 character")
        number = number * 58 + digit
    try:
        data = number.to_bytes(35, "big")
    except OverflowError as exc:
        raise BadAddress("the address is too long") from exc
    if ss58_encode(data[1:33], prefix) != address:
        raise BadAddress("wrong checksum or another network's prefix")
    return data[1:33]


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]


@dataclass(frozen=True, slots=True)
class Sr25519:
    """An account key from a 32-byte seed; signs extrinsics and nothing else."""

    seed: bytes = field(repr=False)
    account: bytes = field(init=False)
    _secret: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise ValueError("a seed has 32 bytes")
        public, secret = sr25519.pair_from_seed(self.seed)
        object.__setattr__(self, "account", bytes(public))
        object.__setattr__(self, "_secret", bytes(secret))

    @property
    def ss58(self) -> str:
        """The account's address."""
        return ss58_encode(self.account)

    def sign(self, payload: bytes) -> bytes:
        """64-byte signature in Substrate's signing context."""
        return bytes(sr25519.sign((self.account, self._secret), payload))

    def verify(self, payload: bytes, signature: bytes) -> bool:
        """Whether this account signed the payload."""
        return bool(sr25519.verify(signature, payload, self.account))


@dataclass(frozen=True, slots=True)
class NodeKey:
    """An ed25519 node key from a 32-byte seed; signs domain-separated digests only."""

    seed: bytes = field(repr=False)
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "public", bytes(nacl.signing.SigningKey(self.seed).verify_key))

    def sign_digest(self, digest: bytes) -> bytes:
        """64-byte signature over ``"ainur/sig/1\\0" ‖ digest``."""
        return bytes(nacl.signing.SigningKey(self.seed).sign(signed_message(digest)).signature)


def verify_digest(public: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the node key ``public`` signed this digest; malformed keys and signatures are a no."""
    try:
        nacl.signing.VerifyKey(public).verify(signed_message(digest), signature)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError, nacl.exceptions.TypeError):
        return False
    return True


def development_seed(name: str) -> bytes:
    """Seed of a throw-away account of tests and development worlds, e.g. ``"alice"``; never secret."""
    return blake2_256(b"ainur/development-key\x00" + name.encode())
