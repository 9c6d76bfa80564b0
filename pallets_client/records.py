"""Records that are not of one pallet: calls, accounts, blocks, events and outcomes of extrinsics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EXISTENTIAL_DEPOSIT = 10**9  # planck: one milli-AIN
AIN = 10**12  # planck


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a value: pallet and call name as in the metadata, arguments in their order.

    Arguments are ints, bools, bytes, None, other calls, records with the fields of the SCALE struct,
    or sequences of these; accounts and hashes are 32 bytes.
    """

    pallet: str
    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """Money of one account in planck; ``held`` by "Pallet::Reason", already taken out of ``free``."""

    nonce: int
    free: int
    held: Mapping[str, int]

    @property
    def spendable(self) -> int:
        """What a hold or a transfer that keeps the account alive may take."""
        return max(0, self.free - EXISTENTIAL_DEPOSIT)


@dataclass(frozen=True, slots=True)
class Head:
    """The best block."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block without its bodies; ``timestamp`` in milliseconds, None where no inherent says it."""

    number: int
    hash: bytes
    parent: bytes
    state_root: bytes
    timestamp: int | None
    extrinsic_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event: ``fields`` by the name in the metadata; ``extrinsic`` is an index or None for hooks."""

    pallet: str
    name: str
    fields: Mapping[str, Any]
    extrinsic: int | None


@dataclass(frozen=True, slots=True)
class Audit:
    """All money at one block; ``free`` excludes the sink. ``difference`` is 0 on an honest chain."""

    issuance: int
    free: int
    held: Mapping[str, int]
    sink: int
    difference: int
    block: bytes = b""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the outbox stores before the bytes leave: enough to look the extrinsic up after a crash.

    ``block`` is the head when it was signed, the first that cannot hold it; ``era_end_block`` the last
    that can. ``spec`` is the runtime that it was signed for, 0 when that is not known any more; ``tip`` in
    planck.
    """

    ref: bytes
    hash: bytes
    nonce: int
    block: int
    era_end_block: int
    raw: bytes = field(repr=False)
    call_name: str
    spec: int = 0
    tip: int = 0


@dataclass(frozen=True, slots=True)
class BatchItem:
    """What became of one call of a batch: ``error`` is empty when it succeeded, else "Pallet.Name"."""

    index: int
    error: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Included:
    """In a block and successful; ``items`` of a batch in the order of its calls, empty for any other call."""

    block_hash: bytes
    block_number: int
    index: int
    fee: int
    events: tuple[Event, ...]
    items: tuple[BatchItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """In a block, refused by a guard: the fee is gone, nothing else happened.

    ``error`` is "Pallet.Name" and ``doc`` the metadata's sentence about it.
    """

    block_hash: bytes
    block_number: int
    index: int
    error: str
    doc: str
    fee: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Never entered the pool, and can never enter a block: no money for the fee, or malformed."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """No block holds the extrinsic and none ever will: it can be signed anew.

    Its era is over, or a finalized block used its nonce for something else, or changed the runtime.
    """

    era_end_block: int


@dataclass(frozen=True, slots=True)
class StillPossible:
    """Not in a block so far, but the era is not over."""

    head: int


Outcome = Included | Failed | Refused | Expired
NEUTRAL_SCORE: Final = 500_000
