"""Extrinsics signed without a client library: fast, and independent of the code under test."""

from dataclasses import dataclass, field
from functools import cache

import sr25519

from chain_host.hashing import blake2_256
from chain_host.scale import blob, compact
from chain_host.ss58 import encode

BALANCES, TRANSFER_KEEP_ALIVE = 4, 3
SYSTEM, REMARK, SET_CODE, REMARK_WITH_EVENT = 0, 0, 2, 7
SUDO = 6


@dataclass(frozen=True)
class Signer:
    """An sr25519 account."""

    seed: bytes
    public: bytes = field(init=False)
    secret: bytes = field(init=False)

    def __post_init__(self) -> None:
        public, secret = sr25519.pair_from_seed(self.seed)
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "secret", secret)

    @property
    def ss58(self) -> str:
        return encode(self.public)


@cache
def signer(number: int) -> Signer:
    """The same few accounts in every test."""
    return Signer(blake2_256(b"test account %d" % number))


def transfer(to: bytes, amount: int) -> bytes:
    return bytes((BALANCES, TRANSFER_KEEP_ALIVE, 0)) + to + compact(amount)


def remark(data: bytes, *, event: bool = False) -> bytes:
    return bytes((SYSTEM, REMARK_WITH_EVENT if event else REMARK)) + blob(data)


def sudo(call: bytes) -> bytes:
    return bytes((SUDO, 0)) + call


def set_code(code: bytes) -> bytes:
    return bytes((SYSTEM, SET_CODE)) + blob(code)


@dataclass(frozen=True)
class Signing:
    """What a signature commits to beside the call."""

    genesis: bytes
    spec_version: int
    transaction_version: int

    def sign(
        self, by: Signer, nonce: int, call: bytes, *, tip: int = 0, era: tuple[bytes, bytes] | None = None
    ) -> bytes:
        """A signed extrinsic with its length prefix; `era` is (encoded era, hash of its birth block)."""
        mortality, birth = era or (b"\0", self.genesis)
        extra = mortality + compact(nonce) + compact(tip)
        versions = self.spec_version.to_bytes(4, "little") + self.transaction_version.to_bytes(4, "little")
        payload = call + extra + versions + self.genesis + birth
        signature = sr25519.sign((by.public, by.secret), blake2_256(payload) if len(payload) > 256 else payload)
        return blob(b"\x84\0" + by.public + b"\1" + signature + extra + call)


def mortal(period: int, current: int) -> bytes:
    """Two bytes of a mortal era of `period` (a power of two up to 4096) blocks from `current` on."""
    quantum = max(1, period >> 12)
    phase = current % period // quantum * quantum
    value = min(15, max(1, period.bit_length() - 2)) | phase // quantum << 4
    return value.to_bytes(2, "little")
