"""Provider records: signed, sequenced, of one world, with an end; and the frames that carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import msgspec
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from ainur_node.domain import canonical
from ainur_node.errors import Misbehaviour
from ainur_node.mesh import wire
from ainur_node.mesh.peers import MAX_ADDRESSES_PER_PEER

K = 20
MAX_RECORD_SECONDS = 24 * 3600
# A record may end this much later than our clock allows: clocks of honest nodes differ.
CLOCK_SKEW_SECONDS = 300
MAX_FIND_REQUEST = 128
MAX_FIND_ANSWER = 64 * 1024
MAX_PUT_REQUEST = 2 * 1024
MAX_PUT_ANSWER = 64

Addresses = Annotated[list[wire.Address], msgspec.Meta(max_length=MAX_ADDRESSES_PER_PEER)]
U64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`node` has the bytes named `key` until `until` (unix seconds); the highest `seq` of a node counts."""

    key: wire.Hash
    node: wire.Hash
    seq: U64
    until: U64
    addresses: Addresses
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A node that may know more; whether it is there shows when it is dialled."""

    node: wire.Hash
    addresses: Addresses


class Find(msgspec.Struct, frozen=True, kw_only=True):
    """Who has `key`, and who is nearer to it than you?"""

    v: wire.Version = wire.VERSION
    key: wire.Hash


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to Find."""

    v: wire.Version = wire.VERSION
    records: Annotated[list[Record], msgspec.Meta(max_length=K)]
    closer: Annotated[list[Contact], msgspec.Meta(max_length=K)]


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Keep this record of mine."""

    v: wire.Version = wire.VERSION
    record: Record


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to Put: whether the record is held now."""

    v: wire.Version = wire.VERSION
    kept: bool


def _digest(genesis: bytes, key: bytes, node: bytes, seq: int, until: int, addresses: Sequence[str]) -> bytes:
    return canonical.tagged_hash(
        genesis,
        "ainur/provider/1",
        canonical.b32(key),
        canonical.b32(node),
        canonical.u64(seq),
        canonical.u64(until),
        canonical.vec([canonical.text(a) for a in addresses]),
    )


def sign_record(node_seed: bytes, genesis: bytes, key: bytes, seq: int, until: int, addresses: Sequence[str]) -> Record:
    """A record of this node."""
    signer = SigningKey(node_seed)
    node = bytes(signer.verify_key)
    kept = list(addresses)[:MAX_ADDRESSES_PER_PEER]
    digest = _digest(genesis, key, node, seq, until, kept)
    signature = bytes(signer.sign(canonical.signing_bytes(digest)).signature)
    return Record(key=key, node=node, seq=seq, until=until, addresses=kept, signature=signature)


def check_record(record: Record, genesis: bytes, key: bytes | None, now: float) -> None:
    """Misbehaviour unless the record is of this world, about `key`, of its node, and neither over nor endless."""
    if key is not None and record.key != key:
        raise Misbehaviour("record about another key")
    if not now < record.until <= now + MAX_RECORD_SECONDS + CLOCK_SKEW_SECONDS:
        raise Misbehaviour(f"record with end {record.until} at {now:.0f}")
    digest = _digest(genesis, record.key, record.node, record.seq, record.until, record.addresses)
    try:
        VerifyKey(record.node).verify(canonical.signing_bytes(digest), record.signature)
    except (CryptoError, ValueError) as exc:
        raise Misbehaviour("record with a wrong signature") from exc


def place_of_node(node_key: bytes) -> int:
    """Where a node stands in the key space; hashed, so that neighbours of a key cannot be picked cheaply."""
    return int.from_bytes(hashlib.sha256(node_key).digest(), "big")


def place_of_key(key: bytes) -> int:
    """Where a key stands in the key space."""
    return int.from_bytes(hashlib.sha256(key).digest(), "big")
