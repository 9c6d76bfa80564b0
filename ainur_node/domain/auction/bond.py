"""What a payer does about the bond of its own auction until it is free again: one look at the chain, one move."""

from dataclasses import dataclass

from ainur_node.domain.auction.standing import Standing


@dataclass(frozen=True, slots=True)
class Publish:
    """Answer the winner's demand with the transcript."""


@dataclass(frozen=True, slots=True)
class Release:
    """The time for challenges is over: take the bond back."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before market time ``until``, or before the auction changes; 0: no time is known."""

    until: int


@dataclass(frozen=True, slots=True)
class Over:
    """There is no bond any more."""


Move = Publish | Release | Wait | Over


def next_move(s: Standing, *, published: bool) -> Move:
    """What to do now; ``published``: this demand was answered, or cannot be."""
    if not s.bond:
        return Over()
    if s.live:
        return Wait(0)
    if s.demanded and s.now <= s.demanded and not published:
        return Publish()
    # A demand that ran out leaves time to prove it.
    end = max(s.until, s.demanded + s.challenge_within) if s.demanded else s.until
    return Release() if s.now > end else Wait(end)


def lost(before: Standing | None, after: Standing) -> bool:
    """Whether a bond that is gone, and that this node did not take back, was taken from it.

    Nobody may release it before the end of the window or while a demand is open; later somebody else may have.
    """
    return before is not None and (before.live or before.demanded > 0 or after.now <= before.until)
