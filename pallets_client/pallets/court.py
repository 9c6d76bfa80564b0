"""The court of pallet escrow: cases, panels, arbiters, and the calls of parties and arbiters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pallets_client.records import Call

PALLET = "Escrow"
ROUND_SEATS = (5, 11, 23)
MAX_EXHIBITS = 8


class Party(IntEnum):
    """A side of a case."""

    PAYER = 0
    PAYEE = 1


@dataclass(frozen=True, slots=True)
class Side:
    """What one party put before the court; ``bond`` is on hold besides that of ``dispute``, appeals apart."""

    bond: int
    exhibits: tuple[bytes, ...]
    nonce: bytes
    opened: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a panel decided; ``output`` is zeros where nothing is replayed."""

    payee_bps: int
    output: bytes
    holds: bool


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal of ``by`` against a payee's share, with its bond on hold."""

    by: Party
    bond: int
    against: int


@dataclass(frozen=True, slots=True)
class Pleading:
    """The payer has until market time ``ends`` to plead."""

    ends: int


@dataclass(frozen=True, slots=True)
class Seeding:
    """The two blocks after ``block`` and the nonces opened by ``ends`` seed a draw."""

    block: int
    ends: int
    beacon: bytes | None


@dataclass(frozen=True, slots=True)
class Voting:
    """Commitments up to ``commit_end``, openings after it up to ``reveal_end``."""

    commit_end: int
    reveal_end: int


@dataclass(frozen=True, slots=True)
class Ruled:
    """There is a ruling; until ``ends`` it can be appealed when ``appealable``."""

    ends: int
    appealable: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Over; nothing is on hold or locked for it."""

    at: int


Phase = Pleading | Seeding | Voting | Ruled | Closed


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute before the court; ``price`` is the part in dispute, ``replay`` says that outputs are counted."""

    escrow: bytes
    milestone: int
    price: int
    ground: int
    replay: bool
    round: int
    redrawn: bool
    payer: Side
    payee: Side
    ruling: Ruling | None
    appeals: tuple[Appeal, ...]
    phase: Phase


@dataclass(frozen=True, slots=True)
class Waiting:
    """No vote yet."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A vote that only its arbiter can open."""

    commit: bytes


@dataclass(frozen=True, slots=True)
class Revealed:
    """An open vote."""

    output: bytes
    holds: bool
    payee_bps: int


@dataclass(frozen=True, slots=True)
class Denounced:
    """A leaked vote: it does not count, and the stake of its seats is gone."""


Vote = Waiting | Committed | Revealed | Denounced


@dataclass(frozen=True, slots=True)
class Seat:
    """An arbiter's seats in a panel, with its one vote."""

    arbiter: bytes
    seats: int
    vote: Vote


@dataclass(frozen=True, slots=True)
class Panel:
    """The arbiters of one round; ``unit`` is locked for each seat."""

    unit: int
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Arbiter:
    """Somebody who can be drawn; ``leaving`` is the market time from which it may withdraw."""

    stake: int
    locked: int
    slot: int | None
    units: int
    unit: int
    leaving: int | None


def respond(escrow: bytes, evidence: Sequence[bytes], nonce_commit: bytes) -> Call:
    """The payee answers a dispute with a bond, and opens a case."""
    return Call(PALLET, "respond", {"escrow": escrow, "evidence": list(evidence), "nonce_commit": nonce_commit})


def plead(case: bytes, evidence: Sequence[bytes], nonce_commit: bytes) -> Call:
    """The payer tops its bond up, and the draw begins."""
    return Call(PALLET, "plead", {"case": case, "evidence": list(evidence), "nonce_commit": nonce_commit})


def submit_evidence(case: bytes, exhibit: bytes) -> Call:
    """Add a hash to the own evidence, before votes may be known."""
    return Call(PALLET, "submit_evidence", {"case": case, "exhibit": exhibit})


def open_nonce(case: bytes, nonce: bytes) -> Call:
    """Open the next link of the own nonces, once two blocks are sealed after the draw began."""
    return Call(PALLET, "open_nonce", {"case": case, "nonce": nonce})


def draw(case: bytes) -> Call:
    """Draw the panel; anyone may."""
    return Call(PALLET, "draw", {"case": case})


def commit_vote(case: bytes, commit: bytes) -> Call:
    """Commit to a vote (``hashing.vote_commit``); by an arbiter with a seat."""
    return Call(PALLET, "commit_vote", {"case": case, "commit": commit})


def denounce_vote(case: bytes, arbiter: bytes, vote: Revealed, salt: bytes) -> Call:
    """Show a leaked vote before its time; anyone may, and gets a part of the stake."""
    return Call(PALLET, "denounce_vote", {"case": case, "arbiter": arbiter, **_opening(vote, salt)})


def reveal_vote(case: bytes, vote: Revealed, salt: bytes) -> Call:
    """Open the own vote. Never before ``commit_end``: even a refused call shows the opening to everybody."""
    return Call(PALLET, "reveal_vote", {"case": case, **_opening(vote, salt)})


def tally(case: bytes) -> Call:
    """Count the votes; anyone may."""
    return Call(PALLET, "tally", {"case": case})


def appeal(case: bytes) -> Call:
    """Ask a larger panel, for a larger bond; by a party."""
    return Call(PALLET, "appeal", {"case": case})


def execute(case: bytes) -> Call:
    """Carry the ruling out when it cannot be appealed any more; anyone may."""
    return Call(PALLET, "execute", {"case": case})


def default_ruling(escrow: bytes) -> Call:
    """Rule against the party that was silent; anyone may."""
    return Call(PALLET, "default_ruling", {"escrow": escrow})


def join_arbiters(stake: int) -> Call:
    """Become an arbiter, or add ``stake`` planck."""
    return Call(PALLET, "join_arbiters", {"stake": stake})


def leave_arbiters() -> Call:
    """Be drawn no more."""
    return Call(PALLET, "leave_arbiters", {})


def withdraw_arbiter() -> Call:
    """Have the stake back, after the unbonding time."""
    return Call(PALLET, "withdraw_arbiter", {})


def _opening(vote: Revealed, salt: bytes) -> dict[str, object]:
    return {"output": vote.output, "holds": vote.holds, "payee_bps": vote.payee_bps, "salt": salt}
