"""Accounts of the play: the rich ones of the presets, newcomers with little money, and every kind of signature."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import coincurve
import nacl.signing
import sr25519

from chain_host.hashing import blake2_256
from pallets_client.keys import NodeKey, development_seed

Scheme = Literal["sr25519", "ed25519", "ecdsa"]
_SIGNATURE = {"ed25519": b"\x00", "sr25519": b"\x01", "ecdsa": b"\x02"}  # variants of MultiSignature

# Mini-secrets of the well-known development accounts, derived by `//Name`: public, and for worlds without value.
WELL_KNOWN = {
    "Alice": "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
    "Bob": "398f0c28f98885e046333d4a41c19cee4c37368a9832c6502f6cfd182e2aef89",
    "Charlie": "bc1ede780f784bb6991a585e4f6e61522c14e1cae6ad0895fb57b9a205a8f938",
    "Dave": "868020ae0687dda7d57565093a69090211449845a7e11453612800b663307246",
    "Eve": "786ad0e2df456fe43dd1f91ebca22e235bc162e0bb8d53c633e8c85b2af68b7a",
    "Ferdie": "42438b7883391c05512a938e36c2df0131e088b3756d6aa7a755fbff19d2f842",
}
ALICE = bytes.fromhex(WELL_KNOWN["Alice"])


@dataclass(frozen=True)
class Person:
    """One who signs."""

    name: str
    seed: bytes
    scheme: Scheme = "sr25519"

    @cached_property
    def account(self) -> bytes:
        """32 bytes: the public key, or the hash of an ecdsa one."""
        match self.scheme:
            case "sr25519":
                return bytes(sr25519.pair_from_seed(self.seed)[0])
            case "ed25519":
                return bytes(nacl.signing.SigningKey(self.seed).verify_key)
            case "ecdsa":
                return blake2_256(coincurve.PrivateKey(self.seed).public_key.format(compressed=True))

    @cached_property
    def node_key(self) -> NodeKey:
        """The ed25519 key that this person's node would have."""
        return NodeKey(development_seed(f"node of {self.name}"))

    def sign(self, payload: bytes) -> bytes:
        """A MultiSignature, variant byte first."""
        match self.scheme:
            case "sr25519":
                signature = bytes(sr25519.sign(sr25519.pair_from_seed(self.seed), payload))
            case "ed25519":
                signature = bytes(nacl.signing.SigningKey(self.seed).sign(payload).signature)
            case "ecdsa":
                signature = coincurve.PrivateKey(self.seed).sign_recoverable(blake2_256(payload), hasher=None)
        return _SIGNATURE[self.scheme] + signature


def rich_people() -> tuple[Person, ...]:
    """Those whom the genesis presets endow; the first is root."""
    return tuple(Person(name, bytes.fromhex(seed)) for name, seed in WELL_KNOWN.items())


def newcomers(count: int) -> tuple[Person, ...]:
    """People without money, with signatures of every kind in turn."""
    schemes: tuple[Scheme, ...] = ("sr25519", "ed25519", "ecdsa")
    return tuple(
        Person(f"newcomer {number}", development_seed(f"newcomer {number}"), schemes[number % 3])
        for number in range(count)
    )
