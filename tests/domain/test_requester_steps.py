"""The steps of a submitted task, one by one: which facts may follow which phase, and what each one orders."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from domain_records import AUCTION, GENESIS, b32, commit_of, node_key, opening
from life_samples import BID, COMMIT, ESCROW, REQUESTER_FACTS, ROOT, SUBMITTED, TASK, WINNER
from seen_everything import FIRST, FULL, at

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.auction.transcript import Skipped
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.requester import (
    ABOUT_THE_WINNER,
    CANCELLABLE,
    FINAL,
    MAX_ATTEMPTS,
    Phase,
    RequesterTask,
    begin,
    step,
)
from ainur_node.domain.task import auction_id
from ainur_node.errors import Bug

# What the stages can answer in each phase, and the submitter's own wish; nothing else may follow.
FOLLOWS = {
    Phase.FUNDING: "Funded FundingRefused CancelRequested",
    Phase.BIDDING: "BidsCollected NoSale CancelRequested",
    Phase.CLOSING: "Closed NoSale",
    Phase.REVEALING: "Cleared NoSale",
    Phase.RECLEARING: "Cleared NoSale CancelRequested",
    Phase.AWARDING: "Escrowed AwardRefused",
    Phase.RUNNING: "Delivered WinnerFailed Settled",
    Phase.VERIFYING: "Verified Mismatch Settled",
    Phase.ACCEPTING: "Settled",
    Phase.DISPUTING: "Disputed Settled",
    Phase.DISPUTED: "WinnerFailed Settled",
    Phase.RELEASING: "Released CancelRequested",
    Phase.SETTLED: "",
    Phase.REFUNDED: "",
    Phase.REFUSED: "",
    Phase.CANCELLED: "",
}


@pytest.mark.parametrize("phase", Phase)
def test_only_what_can_follow_follows(phase: Phase) -> None:
    for name, happened in REQUESTER_FACTS.items():
        if name in FOLLOWS[phase].split():
            step(at(phase), happened)
        else:
            with pytest.raises(Bug, match=f"{name} cannot follow {phase.value} in task {TASK.hex()[:16]}"):
                step(at(phase), happened)


@pytest.mark.parametrize("phase", Phase)
def test_work_is_given_back_only_where_an_escrow_can_end(phase: Phase) -> None:
    for seen_as in (fact.WinnerFailed(ESCROW, WINNER, "gave_back"), fact.Settled(ESCROW, "gave_back", ZERO, ZERO)):
        if "Settled" in FOLLOWS[phase].split():
            assert step(at(phase), seen_as)[0].phase is Phase.FUNDING
        else:
            with pytest.raises(Bug, match=f"cannot follow {phase.value}"):
                step(at(phase), seen_as)


def test_phases_are_stored_under_these_names() -> None:
    assert {p.value for p in Phase} == {p.name.lower() for p in Phase}
    assert [f.default for f in fields(RequesterTask)][10:] == [
        *(0, 0, 0, 0, (), b"", b"", None, None, False, None, 0, 0, None, 0, 0),
        *(b"", None, (), (), (), False, None, (), ""),
    ]


def test_the_samples_are_complete() -> None:
    assert set(REQUESTER_FACTS) == {t.__name__ for t in get_args(fact.RequesterFact)}
    assert set(FOLLOWS) == set(Phase)
    assert {p for p in Phase if not FOLLOWS[p]} == FINAL
    assert {p for p in Phase if "CancelRequested" in FOLLOWS[p]} == CANCELLABLE
    assert [FIRST.final, *(at(p).final for p in FINAL)] == [False, True, True, True, True]


def test_a_task_begins_by_holding_its_budget() -> None:
    task, orders = begin(GENESIS, SUBMITTED)

    auction = auction_id(GENESIS, SUBMITTED.spec.payer, TASK, 0)
    assert task == RequesterTask(
        task=TASK,
        genesis=GENESIS,
        spec=SUBMITTED.spec,
        capability="summarize",
        package=SUBMITTED.package,
        input_sha256=SUBMITTED.input_sha256,
        salt=SUBMITTED.salt,
        budget=SUBMITTED.budget,
        phase=Phase.FUNDING,
        auction=auction,
    )
    assert orders == [do.HoldBudget(TASK, 0, auction, SUBMITTED.spec, "summarize", Amount(3_030))]


def test_the_story_of_one_paid_task() -> None:
    task, orders = begin(GENESIS, SUBMITTED)
    told = [type(orders[0]).__name__]
    for name in ("Funded", "BidsCollected", "Closed", "Cleared", "Escrowed", "Delivered", "Verified", "Settled"):
        task, orders = step(task, REQUESTER_FACTS[name])
        told += [type(order).__name__ for order in orders]

    assert told == [
        *("HoldBudget", "CollectBids", "CloseAuction", "CollectReveals", "AwardOnChain"),
        *("AwaitDelivery", "Verify", "Accept"),
    ]
    assert (task.phase, task.outcome, task.price, task.fee) == (Phase.SETTLED, "paid", 1_200, 12)
    assert task.output_sha256 == b32("output")


def test_each_order_carries_what_its_stage_needs() -> None:
    collect = step(at(Phase.FUNDING, excluded=(WINNER,), attempt=1), REQUESTER_FACTS["Funded"])[1]
    assert collect == [
        do.CollectBids(
            task=TASK,
            attempt=1,
            auction=FULL.auction,
            spec=FULL.spec,
            capability="summarize",
            package=FULL.package,
            budget=FULL.budget,
            reserve=Amount(3_000),
            score_epoch=3,
            commit_end=10,
            reveal_end=20,
            excluded=(WINNER,),
        )
    ]
    two = (COMMIT, commit_of(opening(1, 2), node_key(1)))
    collected = fact.BidsCollected(AUCTION, two, b32("root of two"))
    assert step(at(Phase.BIDDING), collected)[1] == [do.CloseAuction(FULL.auction, b32("root of two"), 2)]
    revealing, reveals = step(at(Phase.CLOSING), REQUESTER_FACTS["Closed"])
    assert reveals == [
        do.CollectReveals(FULL.auction, FULL.spec, "summarize", (COMMIT,), ROOT, b32("beacon"), Amount(3_000), 3, 20)
    ]
    assert revealing.beacon == b32("beacon")
    award = step(at(Phase.REVEALING), REQUESTER_FACTS["Cleared"])[1]
    assert award == [do.AwardOnChain(FULL.auction, BID, (COMMIT,), Amount(1_200), b32("transcript"), b32("blob"), True)]
    assert step(at(Phase.AWARDING), REQUESTER_FACTS["Escrowed"])[1] == [do.AwaitDelivery(ESCROW, WINNER, 50)]
    assert step(at(Phase.RUNNING), REQUESTER_FACTS["Delivered"])[1] == [
        do.Verify(TASK, FULL.auction, ESCROW, FULL.spec, FULL.input_sha256, BID, FULL.package, 40, b32("delivery"), 50)
    ]
    assert step(at(Phase.VERIFYING), REQUESTER_FACTS["Verified"])[1] == [do.Accept(ESCROW, True, 50)]
    disputing, dispute = step(at(Phase.VERIFYING), REQUESTER_FACTS["Mismatch"])
    assert dispute == [do.OpenDispute(ESCROW, 2, b32("evidence"), 50)]
    assert disputing.reasons == (("replay_differs", 1),)
    assert step(disputing, REQUESTER_FACTS["Disputed"])[1] == [do.AwaitRuling(ESCROW, WINNER, 70, Amount(600))]


def test_a_result_that_was_not_replayed_is_accepted_as_unverified() -> None:
    unseen = replace(REQUESTER_FACTS["Verified"], replayed=False)  # type: ignore[type-var]

    assert step(at(Phase.VERIFYING), unseen)[1] == [do.Accept(ESCROW, False, 50)]


def test_a_refused_first_funding_refuses_the_task_and_a_later_one_ends_it() -> None:
    first, orders = step(at(Phase.FUNDING, attempt=0), REQUESTER_FACTS["FundingRefused"])
    assert (first.phase, first.outcome, orders) == (Phase.REFUSED, "balance_too_low", [])
    later, orders = step(at(Phase.FUNDING, attempt=1), REQUESTER_FACTS["FundingRefused"])
    assert (later.phase, later.outcome, orders) == (Phase.REFUNDED, "no_attempt_left", [])
    assert first.refused == later.refused == ("balance_too_low", "add money")


def test_a_cancelled_task_releases_its_hold_and_ends_cancelled() -> None:
    wished, orders = step(at(Phase.BIDDING), REQUESTER_FACTS["CancelRequested"])
    assert (wished.cancelled, wished.phase, orders) == (True, Phase.BIDDING, [])
    releasing, orders = step(wished, REQUESTER_FACTS["BidsCollected"])
    assert orders == [do.ReleaseHold(FULL.auction, None, all_revealed=True)]
    assert (releasing.phase, releasing.outcome) == (Phase.RELEASING, "cancelled")
    done, orders = step(releasing, REQUESTER_FACTS["Released"])
    assert (done.phase, orders) == (Phase.CANCELLED, [])


def test_a_cancelled_task_that_nobody_bid_for_ends_cancelled_too() -> None:
    releasing, _ = step(at(Phase.BIDDING, cancelled=True), fact.NoSale(AUCTION, (("nobody_answered", 1),)))
    done, orders = step(releasing, REQUESTER_FACTS["Released"])

    assert (done.phase, done.outcome, orders) == (Phase.CANCELLED, "cancelled", [])


@pytest.mark.parametrize("how", ["Cleared", "NoSale"])
def test_a_task_cancelled_between_two_winners_awards_nobody_any_more(how: str) -> None:
    wished, orders = step(at(Phase.RECLEARING, failed=(WINNER,)), REQUESTER_FACTS["CancelRequested"])
    assert (wished.phase, wished.cancelled, orders) == (Phase.RECLEARING, True, [])

    releasing, orders = step(wished, REQUESTER_FACTS[how])

    assert [type(order) for order in orders] == [do.ReleaseHold]
    assert (releasing.phase, releasing.outcome, releasing.escrow) == (Phase.RELEASING, "cancelled", None)
    done, orders = step(releasing, REQUESTER_FACTS["Released"])
    assert (done.phase, orders) == (Phase.CANCELLED, [])


def test_a_task_cancelled_while_its_hold_is_released_is_not_tried_anew() -> None:
    unsold = at(Phase.RELEASING, failed=(WINNER,), outcome="nobody_answered")
    wished, orders = step(unsold, REQUESTER_FACTS["CancelRequested"])
    assert (wished.phase, wished.cancelled, orders) == (Phase.RELEASING, True, [])

    done, orders = step(wished, REQUESTER_FACTS["Released"])

    assert (done.phase, done.outcome, orders) == (Phase.CANCELLED, "cancelled", [])


def test_no_sale_releases_with_what_the_chain_must_know() -> None:
    releasing, orders = step(at(Phase.REVEALING), REQUESTER_FACTS["NoSale"])
    assert orders == [do.ReleaseHold(FULL.auction, b32("transcript"), all_revealed=False)]
    assert (releasing.outcome, releasing.reasons, releasing.escrow) == ("no_sale", (("not_revealed", 1),), None)
    done, orders = step(releasing, REQUESTER_FACTS["Released"])
    assert (done.phase, done.outcome, orders) == (Phase.REFUNDED, "no_sale", [])


def test_a_close_that_came_too_late_is_worth_another_attempt() -> None:
    late = fact.NoSale(AUCTION, (("closed_too_late", 1),))
    releasing, _ = step(at(Phase.CLOSING), late)
    assert releasing.outcome == "closed_too_late"
    again, orders = step(releasing, REQUESTER_FACTS["Released"])
    assert (again.phase, again.attempt, again.commits, again.outcome) == (Phase.FUNDING, 1, (), "")
    assert orders == [
        do.HoldBudget(TASK, 1, auction_id(GENESIS, FULL.spec.payer, TASK, 1), FULL.spec, "summarize", FULL.budget)
    ]
    mixed = fact.NoSale(AUCTION, (("closed_too_late", 1), ("x", 1)))
    assert step(at(Phase.CLOSING), mixed)[0].outcome == "no_sale"


@pytest.mark.parametrize("how", ["declined", "not_delivered"])
@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.DISPUTED])
def test_a_failed_winner_makes_room_for_the_runner_up(phase: Phase, how: str) -> None:
    before = at(phase, failed=(AccountId(b32("earlier")),), excluded=(WINNER, AccountId(b32("earlier"))))
    after, orders = step(before, fact.WinnerFailed(ESCROW, WINNER, how))

    assert orders == [do.ClearAgain(FULL.auction, b32("blob"), (AccountId(b32("earlier")), WINNER))]
    assert (after.phase, after.escrow, after.opening) == (Phase.RECLEARING, None, None)
    assert after.failed == (b32("earlier"), WINNER)
    assert after.excluded == (b32("earlier"), WINNER)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.VERIFYING, Phase.ACCEPTING, Phase.DISPUTING, Phase.DISPUTED])
@pytest.mark.parametrize(
    "seen_as",
    [fact.WinnerFailed(ESCROW, WINNER, "gave_back"), fact.Settled(ESCROW, "gave_back", Amount(0), Amount(0))],
    ids=["failed", "settled"],
)
def test_given_back_work_is_auctioned_anew_without_the_one_who_gave_it_back(
    phase: Phase, seen_as: fact.RequesterFact
) -> None:
    after, orders = step(at(phase), seen_as)

    assert (after.phase, after.attempt, after.failed, after.excluded) == (Phase.FUNDING, 1, (), (WINNER,))
    assert (after.escrow, after.opening, after.price, after.transcript) == (None, None, 0, None)
    assert [type(order).__name__ for order in orders] == ["HoldBudget"]


@pytest.mark.parametrize("code", sorted(ABOUT_THE_WINNER))
def test_a_winner_that_the_chain_refuses_is_passed_over_and_may_bid_in_the_next_attempt(code: str) -> None:
    earlier, before = AccountId(b32("earlier")), Skipped(AccountId(b32("before")), 8)
    awarding = at(Phase.AWARDING, failed=(earlier,), skipped=(before,), excluded=(earlier,))

    after, orders = step(awarding, fact.AwardRefused(code, 9))

    skipped = (before, Skipped(WINNER, 9))
    assert orders == [do.ClearAgain(FULL.auction, b32("blob"), (earlier,), skipped)]
    assert (after.phase, after.skipped, after.failed, after.excluded) == (
        Phase.RECLEARING,
        skipped,
        (earlier,),
        (earlier,),
    )
    assert (after.opening, after.escrow) == (None, None)
    assert len(ABOUT_THE_WINNER) == 7


@pytest.mark.parametrize(("passed", "phase"), [(2, Phase.RECLEARING), (3, Phase.RELEASING)])
def test_a_winner_that_is_able_again_and_again_is_passed_over_only_so_often(passed: int, phase: Phase) -> None:
    others = tuple(Skipped(AccountId(b32(f"other {n}")), n) for n in range(3))
    awarding = at(Phase.AWARDING, skipped=(*others, *(Skipped(WINNER, n) for n in range(passed))))

    assert step(awarding, fact.AwardRefused("not_enough_stake", 9))[0].phase is phase


def test_an_auction_that_takes_no_award_is_released_and_tried_anew() -> None:
    after, orders = step(at(Phase.AWARDING, all_revealed=False), fact.AwardRefused("not_enough_free", 9))

    assert orders == [do.ReleaseHold(FULL.auction, None, all_revealed=False)]
    assert (after.phase, after.outcome, after.reasons) == (
        Phase.RELEASING,
        "award_refused",
        (("not_enough_free", 1),),
    )
    assert (after.failed, after.skipped, after.excluded) == ((), (), ())
    again, orders = step(after, REQUESTER_FACTS["Released"])
    assert (again.phase, again.attempt, again.excluded, len(orders)) == (Phase.FUNDING, 1, (), 1)


@pytest.mark.parametrize("code", ["too_late", "not_closed", "wrong_state"])
def test_whoever_awards_too_late_loses_one_bond_and_not_the_next(code: str) -> None:
    after, orders = step(at(Phase.AWARDING), fact.AwardRefused(code, 9))
    assert [type(order) for order in orders] == [do.ReleaseHold]
    assert (after.outcome, after.reasons) == ("awarded_too_late", ((code, 1),))

    done, orders = step(after, REQUESTER_FACTS["Released"])

    assert (done.phase, done.outcome, orders) == (Phase.REFUNDED, "awarded_too_late", [])


def test_when_only_winners_were_passed_over_another_attempt_is_worth_it() -> None:
    unsold = at(Phase.RELEASING, skipped=(Skipped(WINNER, 9),), outcome="no_sale")

    again, orders = step(unsold, REQUESTER_FACTS["Released"])

    assert (again.phase, again.attempt, again.skipped, len(orders)) == (Phase.FUNDING, 1, (), 1)


def test_silence_is_worth_another_attempt_but_a_no_is_not() -> None:
    silence = fact.NoSale(AUCTION, (("nobody_answered", 1),))
    again, orders = step(step(at(Phase.BIDDING), silence)[0], REQUESTER_FACTS["Released"])
    assert (again.phase, again.attempt, len(orders)) == (Phase.FUNDING, 1, 1)

    passed = fact.NoSale(AUCTION, (("no_slot", 3),))
    done, orders = step(step(at(Phase.BIDDING), passed)[0], REQUESTER_FACTS["Released"])
    assert (done.phase, orders) == (Phase.REFUNDED, [])


def test_after_the_last_attempt_the_task_is_refunded() -> None:
    last = at(Phase.RUNNING, attempt=MAX_ATTEMPTS - 1)
    gone, orders = step(last, fact.WinnerFailed(ESCROW, WINNER, "gave_back"))
    assert (gone.phase, gone.outcome, orders) == (Phase.REFUNDED, "no_attempt_left", [])

    unsold = at(Phase.RELEASING, attempt=MAX_ATTEMPTS - 2, failed=(WINNER,), outcome="no_sale")
    again, orders = step(unsold, REQUESTER_FACTS["Released"])
    assert (again.attempt, len(orders)) == (MAX_ATTEMPTS - 1, 1)
    assert MAX_ATTEMPTS == 3


def test_a_settlement_of_a_task_without_an_opening_is_taken_as_it_is() -> None:
    done, orders = step(at(Phase.ACCEPTING, opening=None), fact.Settled(ESCROW, "gave_back", ZERO, ZERO))

    assert (done.phase, done.outcome, done.price, orders) == (Phase.SETTLED, "gave_back", 0, [])


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (at(Phase.RUNNING, escrow=None), "Delivered"),
        (at(Phase.RUNNING, opening=None), "Delivered"),
        (at(Phase.RUNNING, transcript_blob=None), "WinnerFailed"),
        (at(Phase.AWARDING, opening=None), "AwardRefused"),
        (at(Phase.DISPUTING, opening=None), "Disputed"),
    ],
)
def test_a_task_without_what_it_must_have_is_our_own_mistake(task: RequesterTask, name: str) -> None:
    with pytest.raises(Bug, match=TASK.hex()[:16]):
        step(task, REQUESTER_FACTS[name])
