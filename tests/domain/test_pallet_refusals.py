"""What follows a refused award, for every error that the pallet can answer with."""

import re
from pathlib import Path

import pytest
from life_samples import REQUESTER_FACTS, SUBMITTED

from ainur_node.domain import events as fact
from ainur_node.domain.requester import ABOUT_THE_WINNER, Phase, RequesterTask, begin, step

PALLET = Path(__file__).parents[2] / "chain" / "pallets" / "vcg-auction" / "src" / "lib.rs"
ERRORS = re.findall(
    r"^\t\t(\w+),$", PALLET.read_text("utf-8").split("enum Error<T>")[1].split("\n\t}")[0], re.MULTILINE
)
# What only this bidder did or lacks; the next one of the same auction may well be awarded.
ITS_OWN_FAULT = ("NotStanding", "ProviderInactive", "BadSignature", "AgentMismatch", "BadPrice", "NotEnoughStake")


def awarding() -> RequesterTask:
    task, _ = begin(bytes(32), SUBMITTED)
    for name in ("Funded", "BidsCollected", "Closed", "Cleared"):
        task, _ = step(task, REQUESTER_FACTS[name])
    return task


def code_of(error: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", error).lower()


@pytest.mark.parametrize("error", ERRORS)
def test_the_next_bidder_follows_only_where_the_error_is_about_the_winner(error: str) -> None:
    after, _ = step(awarding(), fact.AwardRefused(code_of(error), 9))

    assert after.phase is (Phase.RECLEARING if error in ITS_OWN_FAULT else Phase.RELEASING)


def test_a_slot_that_somebody_else_holds_is_about_the_winner_too() -> None:
    """The chain does not refuse it: it was awarded before, to another one of the same auction."""
    after, _ = step(awarding(), fact.AwardRefused("awarded_to_another"))

    assert after.phase is Phase.RECLEARING
    assert len(ABOUT_THE_WINNER) == len(ITS_OWN_FAULT) + 1
    assert set(ITS_OWN_FAULT) <= set(ERRORS)
