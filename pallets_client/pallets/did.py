"""Pallet did: which ed25519 node key acts for which account, who controls it, and what it vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pallets_client.hashing import u32, u64
from pallets_client.pallets.shape import Variant
from pallets_client.records import Call

PALLET = "Did"


@dataclass(frozen=True, slots=True)
class Did:
    """The binding of one account; ``since`` is market time."""

    node_key: bytes
    since: int
    active: bool


def create(node_key: bytes, proof: bytes) -> Call:
    """Bind the caller to a node key; ``proof`` is the key's signature over ``hashing.did_proof``."""
    return Call(PALLET, "create", {"node_key": node_key, "proof": proof})


def rotate(node_key: bytes, proof: bytes) -> Call:
    """Replace the caller's node key by another one."""
    return Call(PALLET, "rotate", {"node_key": node_key, "proof": proof})


def deactivate() -> Call:
    """End the binding; the key can be bound again by nobody else."""
    return Call(PALLET, "deactivate", {})


class KeyKind(IntEnum):
    """What a key signs or encrypts with."""

    ED25519 = 0
    SR25519 = 1
    X25519 = 2


class Purpose(IntEnum):
    """What a key may do for its DID."""

    AUTHENTICATION = 0
    ASSERTION = 1
    AGREEMENT = 2
    DELEGATION = 3


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key of 32 bytes to be listed; X25519 goes with AGREEMENT, the other kinds with the other purposes."""

    kind: KeyKind
    purpose: Purpose
    public: bytes


@dataclass(frozen=True, slots=True)
class Service:
    """Where a DID can be reached, and for what: 1 to 32 and 1 to 128 bytes of text."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a key asks for by signature: ``canonical`` bytes are signed, ``value`` travels in the extrinsic."""

    canonical: bytes
    value: Variant


def _text(value: str) -> bytes:
    return u32(len(value.encode())) + value.encode()


def _key(key: NewKey) -> dict[str, object]:
    kind, purpose = key.kind.name.capitalize(), key.purpose.name.capitalize()
    return {"kind": Variant(kind), "purpose": Variant(purpose), "public": key.public}


def _services(services: Sequence[Service]) -> list[dict[str, bytes]]:
    return [{"label": s.label.encode(), "address": s.address.encode()} for s in services]


def rotation(node_key: bytes, proof: bytes) -> Operation:
    """``rotate``, to be signed by an authentication key."""
    return Operation(b"\x00" + node_key + proof, Variant("Rotate", {"node_key": node_key, "proof": proof}))


def key_addition(key: NewKey, proof: bytes) -> Operation:
    """``add_key``, to be signed by an authentication key."""
    raw = bytes([1, key.kind, key.purpose]) + key.public + proof
    return Operation(raw, Variant("AddKey", {"key": _key(key), "proof": proof}))


def key_removal(number: int) -> Operation:
    """``remove_key``, to be signed by an authentication key."""
    return Operation(b"\x02" + u32(number), Variant("RemoveKey", {"id": number}))


def service_change(services: Sequence[Service]) -> Operation:
    """``set_services``, to be signed by an authentication or delegation key."""
    raw = b"".join(_text(s.label) + _text(s.address) for s in services)
    return Operation(b"\x03" + u32(len(services)) + raw, Variant("SetServices", {"services": _services(services)}))


def control_offer(to: bytes | None) -> Operation:
    """``propose_controller``, to be signed by an authentication key."""
    raw = b"\x04\x00" if to is None else b"\x04\x01" + to
    return Operation(raw, Variant("ProposeController", {"to": to}))


def deactivation() -> Operation:
    """``deactivate``, to be signed by an authentication key."""
    return Operation(b"\x05", Variant("Deactivate"))


def attestation(subject: bytes, schema: bytes, content: bytes, expires: int) -> Operation:
    """``attest``, to be signed by an assertion key; ``expires`` is market time."""
    fields = {"subject": subject, "schema": schema, "content": content, "expires": expires}
    return Operation(b"\x06" + subject + schema + content + u64(expires), Variant("Attest", fields))


def revocation(subject: bytes, schema: bytes) -> Operation:
    """``revoke_attestation``, to be signed by an assertion key."""
    return Operation(b"\x07" + subject + schema, Variant("Revoke", {"subject": subject, "schema": schema}))


def add_key(did: bytes, key: NewKey, proof: bytes) -> Call:
    """List another key; ``proof`` is its signature over ``hashing.did_key_proof`` (64 zeros for X25519)."""
    return Call(PALLET, "add_key", {"did": did, "key": _key(key), "proof": proof})


def remove_key(did: bytes, number: int) -> Call:
    """List a key no more."""
    return Call(PALLET, "remove_key", {"did": did, "id": number})


def set_services(did: bytes, services: Sequence[Service]) -> Call:
    """Replace the list of at most 8 services."""
    return Call(PALLET, "set_services", {"did": did, "services": _services(services)})


def propose_controller(did: bytes, to: bytes | None) -> Call:
    """Offer control to an account, or take the offer back."""
    return Call(PALLET, "propose_controller", {"did": did, "to": to})


def accept_control(did: bytes) -> Call:
    """Take the control that was offered, and the deposits with it."""
    return Call(PALLET, "accept_control", {"did": did})


def rotate_controlled(did: bytes, node_key: bytes, proof: bytes) -> Call:
    """``rotate`` of a DID that the caller controls."""
    return Call(PALLET, "rotate_controlled", {"did": did, "node_key": node_key, "proof": proof})


def deactivate_controlled(did: bytes) -> Call:
    """``deactivate`` of a DID that the caller controls."""
    return Call(PALLET, "deactivate_controlled", {"did": did})


def attest(issuer: bytes, subject: bytes, schema: bytes, content: bytes, expires: int) -> Call:
    """Vouch for a content hash about a subject (an account, or an agent's id) until market time ``expires``."""
    args = {"issuer": issuer, "subject": subject, "schema": schema, "content": content, "expires": expires}
    return Call(PALLET, "attest", args)


def revoke_attestation(issuer: bytes, subject: bytes, schema: bytes) -> Call:
    """Take back what the issuer vouched for."""
    return Call(PALLET, "revoke_attestation", {"issuer": issuer, "subject": subject, "schema": schema})


def clear_attestation(issuer: bytes, subject: bytes, schema: bytes) -> Call:
    """Drop an expired attestation; free for whoever makes the call."""
    return Call(PALLET, "clear_attestation", {"issuer": issuer, "subject": subject, "schema": schema})


def submit_did_call(
    did: bytes, operation: Operation, counter: int, expires: int, submitter: bytes, key: int, signature: bytes
) -> Call:
    """Carry out what key number ``key`` signed over ``hashing.did_call`` of ``operation.canonical``.

    ``counter`` is one more than the DID's, ``expires`` at most an hour of market time ahead.
    """
    call = {
        "did": did,
        "operation": operation.value,
        "counter": counter,
        "expires": expires,
        "submitter": submitter,
    }
    return Call(PALLET, "submit_did_call", {"call": call, "key": key, "signature": signature})
