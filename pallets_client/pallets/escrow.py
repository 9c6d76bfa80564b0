"""Pallet escrow: the money of one awarded slot, from the award to its settlement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pallets_client.pallets.shape import Variant
from pallets_client.records import Call

PALLET = "Escrow"


class Settlement(IntEnum):
    """How an escrow ended."""

    PAID = 0
    AUTO = 1
    DECLINED = 2
    NOT_DELIVERED = 3
    GAVE_BACK = 4
    RULED = 5
    STALE = 6
    AGREED = 7


class Ground(IntEnum):
    """Why a payer disputes a delivery."""

    NOT_AVAILABLE = 0
    RECEIPT_INVALID = 1
    REPLAY_DIFFERS = 2
    SCHEMA_INVALID = 3
    CHECKER_FAILS = 4


@dataclass(frozen=True, slots=True)
class Funded:
    """Money is there, work is not."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The salted hash of the result is on chain since market time ``at``."""

    at: int
    delivery: bytes


@dataclass(frozen=True, slots=True)
class Disputed:
    """The payer refuses the delivery and holds ``bond``; decided by a ruling or stale after ``until``."""

    at: int
    ground: int
    bond: int
    case: bytes
    until: int
    delivery: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """Over; no money is held for it."""

    outcome: Settlement
    at: int


EscrowState = Funded | Delivered | Disputed | Settled


@dataclass(frozen=True, slots=True)
class Escrow:
    """An escrow; ``amount`` is the price p, ``fee`` what is burned on payment, ``source`` the auction."""

    source: bytes
    payer: bytes
    payee: bytes
    payout: bytes
    amount: int
    fee: int
    fee_bps: int
    paid_so_far: int
    splits: tuple[tuple[bytes, int], ...]
    milestones: tuple[int, ...]
    agent: bytes
    terms: bytes
    module: bytes
    class_: int
    capability: bytes
    perf_lock: int
    awarded_at: int
    start_by: int
    deliver_by: int
    review_within: int
    revealed: int
    state: EscrowState

    @property
    def held(self) -> int:
        """What this escrow holds of its payer as EscrowFunds."""
        if isinstance(self.state, Settled):
            return 0
        return self.amount + self.fee - self.paid_so_far - self._fee_of(self.paid_so_far)

    @property
    def current(self) -> tuple[int, int]:
        """Index and part of the price of the milestone in work; ``(0, what is not paid)`` without milestones."""
        total = 0
        for index, part in enumerate(self.milestones):
            total += part
            if total > self.paid_so_far:
                return index, part
        return 0, self.amount - self.paid_so_far

    def _fee_of(self, paid: int) -> int:
        return -(-paid * self.fee_bps // 10_000)


@dataclass(frozen=True, slots=True)
class Milestones:
    """Deal: deliver and pay in these parts, each after the first within ``deliver_within`` ms of the payment before."""

    parts: tuple[int, ...]
    deliver_within: int

    @property
    def variant(self) -> Variant:
        """As the chain encodes it."""
        return Variant("Milestones", {"parts": list(self.parts), "deliver_within": self.deliver_within})


@dataclass(frozen=True, slots=True)
class TopUp:
    """Deal: raise the price by ``amount`` planck."""

    amount: int

    @property
    def variant(self) -> Variant:
        """As the chain encodes it."""
        return Variant("TopUp", {"amount": self.amount})


@dataclass(frozen=True, slots=True)
class Split:
    """Deal: end it; the payee gets ``payee_bps`` of what is not paid yet."""

    payee_bps: int

    @property
    def variant(self) -> Variant:
        """As the chain encodes it."""
        return Variant("Split", {"payee_bps": self.payee_bps})


Deal = Milestones | TopUp | Split


@dataclass(frozen=True, slots=True)
class Proposal:
    """A deal that ``by`` offered; the other party may agree while the escrow's state stays."""

    by: bytes
    deal: Deal


def decline(escrow: bytes, reason: int) -> Call:
    """The payee will not do the work; before ``start_by``."""
    return Call(PALLET, "decline", {"escrow": escrow, "reason": reason})


def deliver(escrow: bytes, milestone: int, delivery: bytes) -> Call:
    """Put the salted delivery hash on chain; by payee or operator, before ``deliver_by``."""
    return Call(PALLET, "deliver", {"escrow": escrow, "milestone": milestone, "delivery": delivery})


def refund(escrow: bytes) -> Call:
    """Give the money back after ``deliver_by`` and burn the lock; anyone may."""
    return Call(PALLET, "refund", {"escrow": escrow})


def accept(escrow: bytes, milestone: int, *, verified: bool) -> Call:
    """Pay; ``verified`` says that the payer checked the result, and moves the score."""
    return Call(PALLET, "accept", {"escrow": escrow, "milestone": milestone, "verified": verified})


def auto_release(escrow: bytes) -> Call:
    """Pay what the payer left unanswered for the review window; anyone may."""
    return Call(PALLET, "auto_release", {"escrow": escrow})


def give_back(escrow: bytes) -> Call:
    """The payee returns the money of a delivery that it knows to be wrong."""
    return Call(PALLET, "give_back", {"escrow": escrow})


def dispute(escrow: bytes, milestone: int, ground: int, evidence: bytes) -> Call:
    """Refuse a delivery within the review window; holds half the price as a bond."""
    return Call(
        PALLET,
        "dispute",
        {"escrow": escrow, "milestone": milestone, "ground": ground, "evidence": evidence},
    )


def resolve(escrow: bytes, payee_bps: int) -> Call:
    """Rule on a dispute: that share of the price goes to the payee; root only."""
    return Call(PALLET, "resolve", {"escrow": escrow, "payee_bps": payee_bps})


def timeout_dispute(escrow: bytes) -> Call:
    """Split a dispute that nobody decided in time; anyone may."""
    return Call(PALLET, "timeout_dispute", {"escrow": escrow})


def forget(escrow: bytes) -> Call:
    """Drop a finished auction and its escrow when the tombstone time is over; anyone may.

    ``escrow`` is the escrow's id, or the auction's where no escrow was ever funded.
    """
    return Call(PALLET, "forget", {"escrow": escrow})


def propose(escrow: bytes, deal: Deal) -> Call:
    """Offer the other party a deal; replaces an earlier proposal."""
    return Call(PALLET, "propose", {"escrow": escrow, "deal": deal.variant})


def agree(escrow: bytes, deal: Deal) -> Call:
    """Agree to the very deal that the other party proposed."""
    return Call(PALLET, "agree", {"escrow": escrow, "deal": deal.variant})


def retract(escrow: bytes) -> Call:
    """Take the own proposal back."""
    return Call(PALLET, "retract", {"escrow": escrow})
