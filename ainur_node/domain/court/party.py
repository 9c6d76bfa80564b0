"""What a party of a dispute does next: answer, plead, open its nonce, appeal, and poke a court that waits for somebody.

The one rule behind all of it: whoever is silent where only it can act loses (docs/adr/0009-court.md), so an act of
one's own comes before any poke, and a poke comes once the chain's clock is surely past the deadline.
"""

from dataclasses import dataclass
from enum import StrEnum

from ainur_node.domain.court.docket import (
    LAST_ROUND,
    SEED_BLOCKS,
    Closed,
    Docket,
    Pleading,
    Role,
    Ruled,
    Seeding,
    Unanswered,
    Voting,
)

GRACE = {Role.PAYER: 1_000, Role.PAYEE: 4_000}
"""Market ms after a deadline before a party pokes: pokes are free only when they succeed, and one is enough.

What may be done before a deadline the payer does; the payee waits for the deadline, so that they do not race."""


class Move(StrEnum):
    """A call that a party makes."""

    RESPOND = "respond"
    PLEAD = "plead"
    OPEN_NONCE = "open_nonce"
    APPEAL = "appeal"
    DRAW = "draw"
    TALLY = "tally"
    EXECUTE = "execute"
    DEFAULT_RULING = "default_ruling"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before market time ``until``, or before something changes."""

    until: int


@dataclass(frozen=True, slots=True)
class Policy:
    """``stands``: this party's own replay is on its side. ``appeals``: rulings it appeals by itself, at most."""

    stands: bool = True
    appeals: int = 0


def next_move(docket: Docket, role: Role, policy: Policy, *, now: int, height: int) -> Move | Wait:
    """The next call of ``role`` at market time ``now`` and best block ``height``."""
    late = now - GRACE[role]
    match docket.phase:
        case Unanswered() as phase:
            return _unanswered(docket, phase, role, policy, now, late)
        case Pleading(ends=ends):
            if role is Role.PAYER:
                return Move.PLEAD if now <= ends else Wait(docket.until)
            return Move.DEFAULT_RULING if late > ends else Wait(ends + GRACE[role])
        case Seeding() as phase:
            return _seeding(phase, role, now, late, height)
        case Voting(commit_end=commit_end, reveal_end=reveal_end):
            counted = late > reveal_end or (role is Role.PAYER and late > commit_end and docket.all_open)
            return Move.TALLY if counted else Wait(reveal_end + GRACE[role])
        case Ruled(ends=ends, appealable=appealable):
            if late > ends or (role is Role.PAYER and (not appealable or docket.round >= LAST_ROUND)):
                return Move.EXECUTE
            if appealable and docket.round < LAST_ROUND and now <= ends and appeals(docket, role, policy):
                return Move.APPEAL
            return Wait(ends + GRACE[role])
        case Closed():
            return Wait(docket.until)


def _unanswered(docket: Docket, phase: Unanswered, role: Role, policy: Policy, now: int, late: int) -> Move | Wait:
    if role is Role.PAYEE:
        if policy.stands and phase.arbiters and now <= phase.answer_by:
            return Move.RESPOND
        return Wait(docket.until)
    if late > phase.answer_by and phase.sat:
        return Move.DEFAULT_RULING
    return Wait(phase.answer_by + GRACE[role] if phase.sat and late <= phase.answer_by else docket.until)


def _seeding(phase: Seeding, role: Role, now: int, late: int, height: int) -> Move | Wait:
    if height < phase.block + SEED_BLOCKS:
        return Wait(phase.ends)
    if role not in phase.opened and now <= phase.ends:
        return Move.OPEN_NONCE
    if len(phase.opened) == len(Role) and role is Role.PAYER:
        return Move.DRAW
    if late <= phase.ends:
        return Wait(phase.ends + GRACE[role])
    # Nobody can tell two silent sides apart: then the blocks alone seed the draw.
    return Move.DEFAULT_RULING if len(phase.opened) == 1 else Move.DRAW


def appeals(docket: Docket, role: Role, policy: Policy) -> bool:
    """Whether a party appeals by itself: the ruling is against its own replay, and it has not appealed so often."""
    mine = sum(by is role for by, _ in docket.appeals)
    lost = docket.decision is None or docket.decision.winner is not role
    return policy.stands and lost and mine < policy.appeals
