"""Pallets balances and sudo: transfers, and root's calls of a development chain."""

from __future__ import annotations

from pallets_client.pallets.shape import Variant
from pallets_client.records import Call


def transfer(dest: bytes, amount: int) -> Call:
    """Move planck and keep the sender alive; the receiver must end above the existential deposit."""
    return Call(
        "Balances",
        "transfer_keep_alive",
        {"dest": Variant("Id", {"0": dest}), "value": amount},
    )


def sudo(call: Call) -> Call:
    """Make a call as root; the caller must hold the sudo key."""
    return Call("Sudo", "sudo", {"call": call})


def batch_all(calls: tuple[Call, ...]) -> Call:
    """Several calls that all happen or none."""
    return Call("Utility", "batch_all", {"calls": calls})
