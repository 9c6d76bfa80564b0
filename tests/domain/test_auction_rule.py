"""The single-task auction: winner and price against an oracle, and the promises that make it worth taking part in."""

from dataclasses import replace

import pytest
from domain_records import GENESIS, U128, b32
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ainur_node.domain.auction.rules import fee_of, price_of, reserve_of
from ainur_node.domain.auction.single import Bidder, Sale, clear, ranking, tie_key
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import MAX_BUDGET, Amount

ROOT, BEACON = b32("root"), b32("beacon")


def bidder(number: int, ask: int, penalty: int = 0) -> Bidder:
    return Bidder(AccountId(b32(f"provider {number}")), Amount(ask), 500_000, penalty)


def sold(bids: list[Bidder], reserve: int, failed: tuple[AccountId, ...] = ()) -> Sale | None:
    return clear(GENESIS, ROOT, BEACON, bids, Amount(reserve), failed)


def key(b: Bidder) -> bytes:
    return tie_key(GENESIS, ROOT, BEACON, b.provider)


def oracle(bids: list[Bidder], reserve: int) -> tuple[AccountId, int] | None:
    """Winner and price by trying every price: the highest ask at which the winner would still have won."""
    best: Bidder | None = None
    for b in bids:
        if b.ask + b.penalty > reserve:
            continue
        if best is None or (b.ask + b.penalty, key(b)) < (best.ask + best.penalty, key(best)):
            best = b
    if best is None:
        return None
    others = [b for b in bids if b.provider != best.provider]
    # A tie on price is decided by the key, but a critical value leaves it out: the price is where costs are equal.
    highest = next(
        ask
        for ask in range(reserve, -1, -1)
        if ask + best.penalty <= reserve and all(ask + best.penalty <= o.ask + o.penalty for o in others)
    )
    return best.provider, highest


small = st.integers(0, 12)
few_bids = st.lists(st.tuples(small, st.integers(0, 4)), max_size=5).map(
    lambda pairs: [bidder(i, ask, penalty) for i, (ask, penalty) in enumerate(pairs)]
)
# Low-order noise on large numbers: a float anywhere would round it away.
large = st.builds(lambda k, noise: k * 10**18 + noise, st.integers(0, 9), st.sampled_from([0, 1, 7, 123_456_789]))
# A reserve at which most sets of such bids end in a sale.
ample = large.map(lambda reserve: reserve + 9 * 10**18)
large_bids = st.lists(st.tuples(large, large), max_size=6).map(
    lambda pairs: [bidder(i, ask, penalty) for i, (ask, penalty) in enumerate(pairs)]
)


@given(few_bids, small)
@example([bidder(0, 5), bidder(1, 5)], 5)
@example([bidder(0, 5, 1)], 5)
@example([bidder(0, 4, 1)], 5)
@example([], 5)
def test_winner_and_price_are_those_of_the_oracle(bids: list[Bidder], reserve: int) -> None:
    sale = sold(bids, reserve)

    assert (None if sale is None else (sale.winner.provider, sale.price)) == oracle(bids, reserve)


@given(large_bids, ample)
def test_nobody_is_paid_less_than_they_asked_nor_more_than_the_reserve(bids: list[Bidder], reserve: int) -> None:
    sale = sold(bids, reserve)
    assume(sale is not None)

    assert sale is not None
    assert sale.winner.ask <= sale.price <= reserve - sale.winner.penalty
    assert type(sale.price) is int


@given(large_bids, ample, st.data())
def test_the_price_does_not_depend_on_the_winner_s_own_ask(
    bids: list[Bidder], reserve: int, data: st.DataObject
) -> None:
    sale = sold(bids, reserve)
    assume(sale is not None)
    assert sale is not None
    ask = Amount(data.draw(st.integers(0, sale.winner.ask)))

    lower = sold([replace(b, ask=ask) if b.provider == sale.winner.provider else b for b in bids], reserve)

    assert lower is not None
    assert (lower.winner.provider, lower.price) == (sale.winner.provider, sale.price)


@given(few_bids, small, st.data())
def test_no_deviation_from_the_true_cost_pays(bids: list[Bidder], reserve: int, data: st.DataObject) -> None:
    """For every bidder and every other ask (or none): what it earns beyond its cost never rises."""
    assume(bids)
    me = data.draw(st.sampled_from(bids))

    def earned(asked: list[Bidder]) -> int:
        sale = sold(asked, reserve)
        return sale.price - me.ask if sale is not None and sale.winner.provider == me.provider else 0

    truthful = earned(bids)
    others = [b for b in bids if b.provider != me.provider]

    assert truthful >= 0
    for ask in range(reserve + 2):
        assert earned([*others, replace(me, ask=Amount(ask))]) <= truthful


@given(few_bids, st.integers(6, 12), st.data())
def test_a_lower_ask_never_loses_what_a_higher_one_wins(bids: list[Bidder], reserve: int, data: st.DataObject) -> None:
    sale = sold(bids, reserve)
    assume(sale is not None)
    assert sale is not None

    for ask in range(sale.winner.ask):
        lower = [replace(b, ask=Amount(ask)) if b.provider == sale.winner.provider else b for b in bids]
        again = sold(lower, reserve)
        assert again is not None
        assert again.winner.provider == sale.winner.provider


@given(few_bids, st.integers(0, 12), st.integers(0, 12), st.integers(0, 4))
def test_one_more_bidder_never_raises_what_the_buyer_spends(
    bids: list[Bidder], reserve: int, ask: int, penalty: int
) -> None:
    """Counted as the buyer counts: the price plus what the winner's score costs it; not buying costs the reserve."""

    def spent(sale: Sale | None) -> int:
        return reserve if sale is None else sale.price + sale.winner.penalty

    assert spent(sold([*bids, bidder(99, ask, penalty)], reserve)) <= spent(sold(bids, reserve))


@given(large_bids, large, st.randoms(use_true_random=False))
def test_the_order_of_bids_changes_nothing(bids: list[Bidder], reserve: int, random: object) -> None:
    shuffled = list(bids)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert sold(shuffled, reserve) == sold(bids, reserve)


def test_equal_bids_are_decided_by_the_tie_key_alone() -> None:
    bids = [bidder(i, 5) for i in range(8)]
    by_key = sorted(bids, key=key)

    assert ranking(GENESIS, ROOT, BEACON, bids, Amount(5)) == by_key
    sale = sold(bids, 9)
    assert sale == Sale(by_key[0], Amount(5), 5, by_key[1].provider)
    other = clear(GENESIS, ROOT, b32("another beacon"), bids, Amount(9))
    winners = {clear(GENESIS, ROOT, b32(f"beacon {i}"), bids, Amount(9)).winner.provider for i in range(40)}  # type: ignore[union-attr]
    assert other is not None
    assert other.price == 5
    assert len(winners) > 4, "the beacon moves the winner"


def test_the_tie_key_depends_on_each_of_its_parts() -> None:
    parts = [GENESIS, ROOT, BEACON, b32("provider 0")]
    keys = {tie_key(*parts)}  # type: ignore[arg-type]
    for i in range(4):
        keys.add(tie_key(*[b32("other") if j == i else part for j, part in enumerate(parts)]))  # type: ignore[arg-type]
    assert len(keys) == 5


def test_an_adjusted_ask_exactly_at_the_reserve_sells() -> None:
    sale = sold([bidder(0, 7, 3)], 10)

    assert sale == Sale(bidder(0, 7, 3), Amount(7), None, None)
    assert sold([bidder(0, 8, 3)], 10) is None


def test_without_a_second_bidder_the_reserve_sets_the_price() -> None:
    sale = sold([bidder(0, 1, 2)], 10)

    assert sale == Sale(bidder(0, 1, 2), Amount(8), None, None)


def test_a_bidder_above_the_reserve_sets_no_price() -> None:
    sale = sold([bidder(0, 1), bidder(1, 11)], 10)

    assert sale == Sale(bidder(0, 1), Amount(10), None, None)


def test_failed_winners_fall_to_the_runner_up_at_a_price_without_them() -> None:
    bids = [bidder(i, 10 * (i + 1), i) for i in range(4)]
    failed: list[AccountId] = []
    seen = []

    while (sale := sold(bids, 100, tuple(failed))) is not None:
        seen.append((sale.winner.provider, sale.price, sale.price_setter))
        failed.append(sale.winner.provider)

    assert seen == [
        (bids[0].provider, 21, bids[1].provider),
        (bids[1].provider, 31, bids[2].provider),
        (bids[2].provider, 41, bids[3].provider),
        (bids[3].provider, 97, None),
    ]


@given(few_bids, small, st.data())
def test_a_failed_provider_neither_wins_nor_sets_the_price(
    bids: list[Bidder], reserve: int, data: st.DataObject
) -> None:
    assume(bids)
    out = data.draw(st.lists(st.sampled_from(bids), unique_by=lambda b: b.provider))
    failed = tuple(b.provider for b in out)

    assert sold(bids, reserve, failed) == sold([b for b in bids if b.provider not in failed], reserve)


def test_the_whole_range_of_u128_is_exact() -> None:
    sale = sold([bidder(0, U128 - 2), bidder(1, U128 - 1)], U128)

    assert sale == Sale(bidder(0, U128 - 2), Amount(U128 - 1), U128 - 1, bidder(1, 0).provider)
    assert sold([bidder(0, U128)], U128) is not None
    assert sold([bidder(0, U128)], U128 - 1) is None


# --- reserve, fee, price ----------------------------------------------------------------------------------------


@given(st.integers(0, MAX_BUDGET), st.integers(0, 10_000))
@example(MAX_BUDGET, 10_000)
@example(101, 100)
def test_price_and_fee_fit_the_budget_exactly_up_to_the_reserve(budget: int, fee_bps: int) -> None:
    reserve = reserve_of(Amount(budget), fee_bps)

    assert reserve + fee_of(reserve, fee_bps) <= budget
    above = Amount(reserve + 1)
    assert above + fee_of(above, fee_bps) > budget


@pytest.mark.parametrize(
    ("price", "bps", "fee"), [(0, 100, 0), (1, 100, 1), (100, 100, 1), (101, 100, 2), (10_000, 1, 1), (5, 0, 0)]
)
def test_fees_are_rounded_up(price: int, bps: int, fee: int) -> None:
    assert fee_of(Amount(price), bps) == fee


@pytest.mark.parametrize(
    ("own", "second", "reserve", "price"),
    [(0, None, 9, 9), (2, None, 9, 7), (0, 5, 9, 5), (2, 5, 9, 3), (2, 12, 9, 7), (0, 0, 9, 0), (9, 9, 9, 0)],
)
def test_the_price_is_the_best_alternative_less_the_own_penalty(
    own: int, second: int | None, reserve: int, price: int
) -> None:
    assert price_of(own, second, Amount(reserve)) == price
