"""The verdict on a task: the honest story passes, and every single lie in it is found."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.devnet.verdict import Bid, Findings, faults

NODES = ("n1", "n2", "n3", "submitter", "observer")


def honest(asks: tuple[int, ...] = (200, 250, 300), penalty: int = 20, budget: int = 10_100) -> Findings:
    reserve = budget * 10_000 // 10_100
    bids = tuple(Bid(f"n{i + 1}", ask, penalty) for i, ask in enumerate(asks))
    ranked = sorted(bids, key=lambda bid: bid.adjusted)
    paid = min(ranked[1].adjusted, reserve) - ranked[0].penalty
    fee = -(-paid * 100 // 10_000)
    fees = {"n1": 3, "n2": 0, "n3": 0, "submitter": 9, "observer": 0}
    before = dict.fromkeys(NODES, 100_000)
    after = {name: before[name] - fees[name] for name in NODES}
    after[ranked[0].node] += paid
    after["submitter"] -= paid + fee
    return Findings(
        budget=budget,
        reserve=reserve,
        fee_bps=100,
        winner=ranked[0].node,
        paid=paid,
        fee=fee,
        escrow="released",
        bids=bids,
        fees=fees,
        before=before,
        after=after,
        held_after={**dict.fromkeys(NODES, 0), "n1": 10},
        held_before={"n1": 10},
        quality_before=500_000,
        quality_after=506_172,
        audit_difference=0,
        issuance_before=1,
        issuance_after=1,
        payer="submitter",
        pids=(1, 2, 3, 4, 5),
        peer_ids=("a", "b", "c", "d", "e"),
        verified=True,
        result_matches=True,
    )


@given(
    asks=st.lists(st.integers(1, 9_000), min_size=3, max_size=3, unique=True).map(tuple), penalty=st.integers(0, 900)
)
def test_an_honest_story_has_no_fault(asks: tuple[int, ...], penalty: int) -> None:
    assert faults(honest(asks, penalty)) == []


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        ({"bids": honest().bids[:2]}, "only 2 bids"),
        ({"winner": "n2"}, "a cheaper bid lost"),
        ({"winner": "submitter"}, "not among the bids"),
        ({"paid": 251}, "but min(second, reserve) - penalty is"),
        ({"reserve": 9_999}, "does not follow from the budget"),
        ({"fee": 2}, "rounded up"),
        ({"escrow": "funded"}, "not released"),
        ({"quality_after": 500_000}, "did not rise"),
        ({"audit_difference": 1}, "audit"),
        ({"issuance_after": 2}, "issuance"),
        ({"pids": (1, 1, 2, 3, 4)}, "separate processes"),
        ({"peer_ids": ("a", "b")}, "separate processes"),
        ({"verified": False}, "could not verify"),
        ({"result_matches": False}, "receipt"),
        ({"after": {**honest().after, "n2": 100_001}}, "n2's money changed"),
        ({"after": {**honest().after, "submitter": 1}}, "submitter's money changed"),
        ({"held_after": {**honest().held_after, "submitter": 5}}, "are held after the end"),
        ({"trouble": ("something else",)}, "something else"),
    ],
)
def test_every_lie_is_found(lie: dict[str, object], found: str) -> None:
    assert any(found in fault for fault in faults(replace(honest(), **lie)))  # type: ignore[arg-type]


def test_a_price_below_the_ask_is_found() -> None:
    assert any("less than the ask" in fault for fault in faults(replace(honest(), paid=100)))


def test_price_and_fee_stay_within_the_budget() -> None:
    assert any("above the budget" in fault for fault in faults(replace(honest(), budget=200)))
