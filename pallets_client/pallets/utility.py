"""Pallet utility: several calls in one extrinsic, under one signature and one nonce."""

from __future__ import annotations

from collections.abc import Sequence

from pallets_client.errors import CallMalformed
from pallets_client.records import Call

PALLET = "Utility"
MAX_ITEMS = 256
"""Calls of one batch: a block holds several such batches, and a runtime takes thousands of calls in one."""


def batch_all(calls: Sequence[Call]) -> Call:
    """All of these calls or none: the first error undoes the others."""
    return _batch("batch_all", calls)


def force_batch(calls: Sequence[Call]) -> Call:
    """Each of these calls for itself; ``Included.items`` says by name what became of which."""
    return _batch("force_batch", calls)


def _batch(name: str, calls: Sequence[Call]) -> Call:
    if not 1 <= len(calls) <= MAX_ITEMS:
        raise CallMalformed(f"a batch has between 1 and {MAX_ITEMS} calls, not {len(calls)}")
    if any(call.pallet == PALLET for call in calls):
        raise CallMalformed("a batch in a batch: nobody could tell whose item an event is about")
    return Call(PALLET, name, {"calls": tuple(calls)})
