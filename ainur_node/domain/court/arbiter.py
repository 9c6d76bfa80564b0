"""What an arbiter does next in a case in which it has a seat, and how it judges what it found."""

from dataclasses import dataclass
from enum import StrEnum

from ainur_node.domain.canonical import b32, tagged_hash, u8, u16
from ainur_node.domain.court.docket import LAST_ROUND, Closed, Docket, Ruled, Voting
from ainur_node.domain.court.party import Wait

NOT_AVAILABLE, RECEIPT_INVALID, REPLAY_DIFFERS, SCHEMA_INVALID, CHECKER_FAILS = range(5)
ALL, NOTHING = 10_000, 0
POKE_AFTER = 10_000
"""Market ms after a deadline before an arbiter does what the parties left undone: its stake is locked until then."""


class Duty(StrEnum):
    """What is to be done."""

    JUDGE = "judge"
    COMMIT = "commit_vote"
    REVEAL = "reveal_vote"
    TALLY = "tally"
    EXECUTE = "execute"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote with its salt, stored before the commitment leaves; without the salt it can never be opened."""

    output: bytes
    holds: bool
    payee_bps: int
    salt: bytes

    def commit(self, genesis: bytes, case: bytes, round_: int, arbiter: bytes) -> bytes:
        """What ``commit_vote`` takes: bound to case, round and arbiter, so that nobody can copy it."""
        return tagged_hash(
            genesis,
            "ainur/vote/1",
            b32(case),
            u8(round_),
            b32(arbiter),
            b32(self.output),
            u8(int(self.holds)),
            u16(self.payee_bps),
            b32(self.salt),
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """What an arbiter saw. ``opened``: a bundle opens the delivery on chain; a fault is None when there is none.

    ``output`` is sha-256 of what the arbiter's own replay gave.
    """

    opened: bool
    output: bytes
    receipt_fault: str | None = None
    difference: str | None = None
    schema_fault: str | None = None
    had_output: bool = True


def judge(ground: int, found: Findings, salt: bytes, *, replay: bool) -> Ballot:
    """The vote that follows from the findings; a payee whose delivery nobody can open has delivered nothing."""
    holds = not found.opened
    match ground:
        case _ if holds:
            pass
        case 0:
            holds = not found.had_output
        case 1:
            holds = found.receipt_fault is not None
        case 2:
            holds = found.difference is not None
        case 3:
            holds = found.schema_fault is not None
        case _:
            # no task of this market has a checker: it cannot have failed
            holds = False
    output = found.output if replay else bytes(32)
    return Ballot(output, holds, NOTHING if holds else ALL, salt)


def next_duty(docket: Docket, me: bytes, ballot: Ballot | None, *, now: int, sealed: int) -> Duty | Wait:
    """The next duty at market time ``now``; ``sealed`` is that of the best block.

    A vote is opened only when a sealed block is past ``commit_end``: a call that is refused for being early would
    have shown the opening to everybody, and cost the stake.
    """
    match docket.phase:
        case Closed():
            return Duty.DONE
        case Ruled(ends=ends, appealable=appealable):
            over = ends if appealable and docket.round < LAST_ROUND else min(ends, now)
            return Duty.EXECUTE if now > over + POKE_AFTER else Wait(over + POKE_AFTER)
        case Voting(commit_end=commit_end, reveal_end=reveal_end):
            seat = docket.seat_of(me)
            if seat is not None and seat.vote == "waiting" and now <= commit_end:
                return Duty.JUDGE if ballot is None else Duty.COMMIT
            if seat is not None and seat.vote == "committed" and ballot is not None and sealed <= reveal_end:
                return Duty.REVEAL if sealed > commit_end else Wait(commit_end)
            return Duty.TALLY if now > reveal_end + POKE_AFTER else Wait(reveal_end + POKE_AFTER)
        case _:
            return Wait(docket.until)
