"""Winner and price of one task: the truthful single-slot rule, recomputable by anyone (docs/protocol.md §5)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ainur_node.domain.auction.rules import price_of
from ainur_node.domain.canonical import b32, tagged_hash
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount


class RowStatus(IntEnum):
    """What became of a commit; only REVEALED rows compete."""

    REVEALED = 0
    NOT_REVEALED = 1
    BAD_OPENING = 2
    INELIGIBLE = 3


@dataclass(frozen=True, slots=True)
class Bidder:
    """A revealed bid as the rule sees it: money in planck, score 0 to 10^6."""

    provider: AccountId
    ask: Amount
    quality: int
    penalty: int

    @property
    def adjusted(self) -> int:
        """The ask plus what the lower score costs."""
        return self.ask + self.penalty


@dataclass(frozen=True, slots=True)
class Sale:
    """The winner, what it is paid, and whose bid set the price (None: the reserve)."""

    winner: Bidder
    price: Amount
    second: int | None
    price_setter: AccountId | None


def tie_key(genesis: bytes, root: bytes, beacon: bytes, provider: AccountId) -> bytes:
    """Decides between equal bids; the beacon is the hash of the block of the close, which nobody could steer."""
    return tagged_hash(genesis, "ainur/tie/1", b32(root), b32(beacon), b32(provider))


def ranking(genesis: bytes, root: bytes, beacon: bytes, bidders: Sequence[Bidder], reserve: Amount) -> list[Bidder]:
    """Bidders at or below the reserve, best first; ties by :func:`tie_key`."""
    admissible = [b for b in bidders if b.adjusted <= reserve]
    return sorted(admissible, key=lambda b: (b.adjusted, tie_key(genesis, root, beacon, b.provider)))


def clear(
    genesis: bytes,
    root: bytes,
    beacon: bytes,
    bidders: Sequence[Bidder],
    reserve: Amount,
    failed: Collection[AccountId] = (),
) -> Sale | None:
    """The sale without the providers in ``failed``, or None when nobody is left at or below the reserve.

    Generalised Vickrey price: the least adjusted cost of the others, at most the reserve, minus the winner's own
    penalty; so it never depends on the winner's ask and is never below it.
    """
    ranked = [b for b in ranking(genesis, root, beacon, bidders, reserve) if b.provider not in failed]
    if not ranked:
        return None
    winner = ranked[0]
    runner_up = ranked[1] if len(ranked) > 1 else None
    second = runner_up.adjusted if runner_up else None
    return Sale(winner, price_of(winner.penalty, second, reserve), second, runner_up.provider if runner_up else None)
