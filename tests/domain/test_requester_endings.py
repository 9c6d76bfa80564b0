"""How a submitted task ends when others end it: the court, or the clock."""

import pytest
from life_samples import ESCROW
from seen_everything import at

from ainur_node.domain import events as fact
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.requester import Phase, step
from ainur_node.errors import Bug


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.VERIFYING, Phase.ACCEPTING, Phase.DISPUTING, Phase.DISPUTED])
def test_a_ruling_for_the_payer_ends_the_task_refunded_with_a_hint(phase: Phase) -> None:
    refunded, orders = step(at(phase), fact.Settled(ESCROW, "ruled", ZERO, ZERO))

    assert (refunded.phase, refunded.outcome, refunded.price, refunded.fee) == (Phase.REFUNDED, "ruled", 0, 0)
    assert orders == []
    assert refunded.refused is not None
    assert refunded.refused[0] == "ruled_for_payer"
    assert "submit the task again" in refunded.refused[1]


def test_a_ruling_that_pays_a_part_settles_the_task() -> None:
    settled, orders = step(at(Phase.DISPUTED), fact.Settled(ESCROW, "ruled", Amount(300), ZERO))

    assert (settled.phase, settled.outcome, settled.price, orders) == (Phase.SETTLED, "ruled", 300, [])


def test_a_settlement_by_the_clock_ends_the_task_in_any_phase_after_the_award() -> None:
    for phase in (Phase.RUNNING, Phase.VERIFYING, Phase.ACCEPTING, Phase.DISPUTING, Phase.DISPUTED):
        done, orders = step(at(phase), fact.Settled(ESCROW, "auto", Amount(7), Amount(1)))
        assert (done.phase, done.outcome, done.price, done.fee, orders) == (Phase.SETTLED, "auto", 7, 1, [])


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.VERIFYING, Phase.ACCEPTING, Phase.DISPUTING, Phase.DISPUTED])
def test_a_forgotten_escrow_ends_the_task_and_claims_no_price(phase: Phase) -> None:
    done, orders = step(at(phase), fact.Settled(ESCROW, "gone", ZERO, ZERO))

    assert (done.phase, done.outcome, done.price, done.fee, orders) == (Phase.SETTLED, "gone", 0, 0, [])


@pytest.mark.parametrize("phase", [Phase.FUNDING, Phase.BIDDING, Phase.AWARDING, Phase.RELEASING, Phase.REFUNDED])
@pytest.mark.parametrize("paid", [0, 300])
def test_no_ruling_ends_a_task_that_has_no_escrow_to_rule_on(phase: Phase, paid: int) -> None:
    with pytest.raises(Bug, match=f"Settled cannot follow {phase.value}"):
        step(at(phase), fact.Settled(ESCROW, "ruled", Amount(paid), ZERO))
