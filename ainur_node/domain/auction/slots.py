"""Winners and prices of several equal slots, each bidder wanting one (docs/protocol.md §5.1, rule 2)."""

from collections.abc import Callable, Collection, Sequence

from ainur_node.domain.auction.rules import price_of
from ainur_node.domain.auction.single import Bidder, Sale, tie_key
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount


def sell(
    bidders: Sequence[Bidder],
    reserve: Amount,
    slots: int,
    tie: Callable[[AccountId], bytes],
    out: Collection[AccountId] = (),
) -> tuple[Sale, ...]:
    """At most ``slots`` sales, best bidder first; bidders in ``out`` are treated as if they had never bid.

    Every winner is paid the adjusted ask of the best bidder that does not win, at most the reserve, minus its own
    penalty: the highest ask with which it would still have won. So the price depends on no winner's ask (with unit
    demand this is Clarke's payment), and one slot gives the second-price rule. ``tie`` decides between equal bids.
    """
    competing = [b for b in bidders if b.adjusted <= reserve and b.provider not in out]
    ranked = sorted(competing, key=lambda b: (b.adjusted, tie(b.provider)))
    best_loser = ranked[slots] if len(ranked) > slots else None
    second = best_loser.adjusted if best_loser else None
    setter = best_loser.provider if best_loser else None
    return tuple(Sale(b, price_of(b.penalty, second, reserve), second, setter) for b in ranked[:slots])


def clear_slots(
    genesis: bytes,
    root: bytes,
    beacon: bytes,
    bidders: Sequence[Bidder],
    reserve: Amount,
    slots: int,
    failed: Collection[AccountId] = (),
) -> tuple[Sale, ...]:
    """The sales of an auction with that root and beacon, which the tie keys come from."""
    return sell(bidders, reserve, slots, lambda who: tie_key(genesis, root, beacon, who), failed)
