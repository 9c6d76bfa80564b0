"""Several equal slots: winners, prices, truthfulness, and the vectors shared with the crate auction-math."""

import importlib.util
import json
from itertools import combinations
from pathlib import Path
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from ainur_node.domain.auction.single import Bidder, clear
from ainur_node.domain.auction.slots import clear_slots, sell
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount

ROOT = Path(__file__).parents[2]
GENESIS, TREE, BEACON = b"g" * 32, b"r" * 32, b"b" * 32

amounts = st.integers(0, 60).map(Amount)
bids = st.lists(st.tuples(amounts, st.integers(0, 9)), max_size=8)


def bidders_of(pairs: list[tuple[Amount, int]]) -> list[Bidder]:
    return [Bidder(AccountId(bytes([i + 1]) * 32), ask, 0, penalty) for i, (ask, penalty) in enumerate(pairs)]


def vectors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("auction_vectors", ROOT / "tools" / "auction_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shared_vectors_are_what_the_rule_gives() -> None:
    written = (ROOT / "tests" / "vectors" / "auctions.json").read_text("utf-8")
    assert vectors().text() == written
    assert len(json.loads(written)["random"]["chunks"]) == 40


@given(bids, amounts)
def test_one_slot_is_the_rule_of_a_single_task(pairs: list[tuple[Amount, int]], reserve: Amount) -> None:
    bidders = bidders_of(pairs)
    one = clear(GENESIS, TREE, BEACON, bidders, reserve)
    assert clear_slots(GENESIS, TREE, BEACON, bidders, reserve, 1) == (() if one is None else (one,))


@given(bids, amounts, st.integers(1, 4))
def test_the_cheapest_set_wins_and_no_price_is_below_its_ask(
    pairs: list[tuple[Amount, int]], reserve: Amount, slots: int
) -> None:
    bidders = bidders_of(pairs)
    sales = clear_slots(GENESIS, TREE, BEACON, bidders, reserve, slots)
    saved = sum(reserve - s.winner.adjusted for s in sales)
    best = max(
        sum(reserve - b.adjusted for b in chosen) for n in range(slots + 1) for chosen in combinations(bidders, n)
    )
    assert saved == best
    assert all(s.winner.ask <= s.price <= reserve - s.winner.penalty for s in sales)


@given(bids, amounts, st.integers(1, 4))
def test_each_winner_is_paid_what_the_others_lose_by_it(
    pairs: list[tuple[Amount, int]], reserve: Amount, slots: int
) -> None:
    bidders = bidders_of(pairs)

    def saved(among: list[Bidder]) -> int:
        return sum(reserve - s.winner.adjusted for s in clear_slots(GENESIS, TREE, BEACON, among, reserve, slots))

    for sale in clear_slots(GENESIS, TREE, BEACON, bidders, reserve, slots):
        others = [b for b in bidders if b is not sale.winner]
        assert sale.price - sale.winner.ask == saved(bidders) - saved(others)


@given(bids, amounts, st.integers(1, 4), st.integers(0, 70))
def test_no_ask_is_better_than_the_true_cost(
    pairs: list[tuple[Amount, int]], reserve: Amount, slots: int, other: int
) -> None:
    bidders = bidders_of(pairs)

    def gain(place: int, ask: int) -> int:
        cost, own = bidders[place].ask, bidders[place]
        changed = [*bidders]
        changed[place] = Bidder(own.provider, Amount(ask), 0, own.penalty)
        sold = clear_slots(GENESIS, TREE, BEACON, changed, reserve, slots)
        return sum(s.price - cost for s in sold if s.winner.provider == own.provider)

    for place, bidder in enumerate(bidders):
        assert gain(place, bidder.ask) >= gain(place, other)
        assert gain(place, bidder.ask) >= 0


def test_the_order_of_the_bidders_does_not_matter_but_the_tie_key_does() -> None:
    bidders = bidders_of([(Amount(5), 0)] * 4)
    sold = sell(bidders, Amount(9), 2, lambda who: bytes([9 - who[0]]))
    assert [s.winner.provider[0] for s in sold] == [4, 3]
    assert sold == sell(bidders[::-1], Amount(9), 2, lambda who: bytes([9 - who[0]]))


def test_a_winner_that_failed_leaves_as_if_it_had_never_bid() -> None:
    bidders = bidders_of([(Amount(1), 0), (Amount(2), 0), (Amount(3), 0), (Amount(5), 0)])
    failed = [bidders[0].provider]
    sold = clear_slots(GENESIS, TREE, BEACON, bidders, Amount(9), 2, failed)
    assert sold == clear_slots(GENESIS, TREE, BEACON, bidders[1:], Amount(9), 2)
    assert [s.price for s in sold] == [5, 5]
