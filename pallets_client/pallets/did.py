"""Pallet did: which ed25519 node key acts for which account."""

from __future__ import annotations

from dataclasses import dataclass

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
