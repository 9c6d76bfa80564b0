"""The verdict on a demo of a dispute: the honest story passes, and every single lie in it is found."""

from dataclasses import replace
from typing import Any

import pytest

from ainur_node.devnet.dispute_verdict import Trial, dispute_faults

FEE, PRICE, LOCK = 20, 250, 50
APPEAL = {"by": "payee", "bond": "500"}
RULING = {"payee_bps": 0, "for": "payer", "holds": True}


def panel(number: int, *seats: tuple[str, int]) -> dict[str, Any]:
    rows = [{"arbiter": name, "seats": count, "vote": "revealed", "holds": True} for name, count in seats]
    return {"round": number, "seats": sum(count for _, count in seats), "arbiters": rows}


def story() -> Trial:
    """Two panels of two arbiters; n1 loses its lock, the court's bond and that of its appeal."""
    before = {"n1": 9_000, "submitter": 9_000, "a1": 9_000, "a2": 9_000}
    fees = {"n1": 7, "submitter": 5, "a1": 3, "a2": 1}
    gains = {"n1": -(LOCK + PRICE // 2 + 500), "submitter": 0, "a1": 9 * FEE, "a2": 7 * FEE}
    return Trial(
        arbiters=("a1", "a2"),
        provider="n1",
        payer="submitter",
        rounds=[panel(0, ("a1", 3), ("a2", 2)), panel(1, ("a1", 6), ("a2", 5))],
        ruling=RULING,
        outcome="ruled",
        appeals=[APPEAL],
        before=before,
        after={name: before[name] + gains[name] - fees[name] for name in before},
        fees=fees,
        locked={"n1": 0, "submitter": 0},
        seat_fee=FEE,
        perf_lock=LOCK,
        price=PRICE,
        quality_before=500,
        quality_after=400,
    )


def test_the_honest_story_passes() -> None:
    assert dispute_faults(story()) == []


@pytest.mark.parametrize("name", ["n1", "submitter", "a1", "a2"])
def test_a_planck_too_much_is_found(name: str) -> None:
    told = story()
    wrong = dispute_faults(replace(told, after={**told.after, name: told.after[name] + 1}))
    assert len(wrong) == 1
    assert name in wrong[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"ruling": {**RULING, "payee_bps": 10_000, "for": "payee"}},
        {"ruling": None},
        {"outcome": "stale"},
        {"appeals": [APPEAL, {"by": "payer", "bond": "500"}]},
        {"locked": {"n1": 1}},
        {"quality_after": 500},
    ],
)
def test_every_lie_is_found(changes: dict[str, Any]) -> None:
    assert len(dispute_faults(replace(story(), **changes))) == 1


def test_an_arbiter_that_voted_otherwise_or_not_at_all_is_found() -> None:
    told = story()
    for spoiled in ({"holds": False}, {"vote": "waiting"}):
        first = panel(0, ("a1", 3), ("a2", 2))
        first["arbiters"][0] |= spoiled
        assert len(dispute_faults(replace(told, rounds=[first, told.rounds[1]]))) == 1
