"""The steps of a job, one by one: which facts may follow which phase, and what each one orders."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from domain_records import AUCTION, GENESIS, b32
from life_samples import BID, COMMIT, ESCROW, INVITED, PROVIDER_FACTS, RECEIPT, ROOT

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.money import Amount
from ainur_node.domain.provider import BIDDING, FINAL, Phase, ProviderJob, begin, step
from ainur_node.domain.receipt import Exit, delivery_hash, hash_of
from ainur_node.errors import Bug

FOLLOWS = {
    Phase.COMMITTING: "Committed CommitRefused Lost",
    Phase.COMMITTED: "Revealed Awarded Lost",
    Phase.REVEALED: "Awarded Lost",
    Phase.WORKING: "Completed WorkFailed",
    Phase.DELIVERING: "DeliveredOnChain DeliveryRefused",
    Phase.DELIVERED: "Challenged Paid",
    Phase.ANSWERING: "AnswerStands AnswerDiffers",
    Phase.GIVING_BACK: "Paid",
    Phase.DECLINING: "Paid",
    Phase.PAID: "",
    Phase.UNPAID: "",
    Phase.LOST: "",
    Phase.REFUSED: "",
}
FIRST, _ = begin(GENESIS, INVITED)
FULL = replace(
    FIRST, escrow=ESCROW, root=ROOT, price=Amount(1_200), awarded_at=40, start_by=45, deliver_by=50, receipt=RECEIPT
)


def at(phase: Phase, **changed: object) -> ProviderJob:
    return replace(FULL, phase=phase, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", Phase)
def test_only_what_can_follow_follows(phase: Phase) -> None:
    for name, happened in PROVIDER_FACTS.items():
        if name in FOLLOWS[phase].split():
            step(at(phase), happened)
        else:
            with pytest.raises(Bug, match=f"{name} cannot follow {phase.value} in job {AUCTION.hex()[:16]}"):
                step(at(phase), happened)


def test_phases_are_stored_under_these_names() -> None:
    assert {p.value for p in Phase} == {p.name.lower() for p in Phase}
    assert [f.default for f in fields(ProviderJob)][12:] == [None, b"", 0, 0, 0, 0, None, b"", b"", "", False]


def test_the_samples_are_complete() -> None:
    assert set(PROVIDER_FACTS) == {t.__name__ for t in get_args(fact.ProviderFact)}
    assert set(FOLLOWS) == set(Phase)
    assert {p for p in Phase if not FOLLOWS[p]} == FINAL
    assert {p for p in Phase if "Lost" in FOLLOWS[p]} == BIDDING
    assert [FIRST.final, *(at(p).final for p in FINAL)] == [False, True, True, True, True]


def test_a_job_begins_by_sending_its_commit() -> None:
    job, orders = begin(GENESIS, INVITED)

    assert job == ProviderJob(
        auction=AUCTION,
        genesis=GENESIS,
        task=INVITED.task,
        auctioneer=INVITED.auctioneer,
        payer=INVITED.payer,
        spec=INVITED.spec,
        capability="summarize",
        package=INVITED.package,
        reserve=Amount(3_000),
        opening=BID,
        commit=COMMIT,
        phase=Phase.COMMITTING,
    )
    assert orders == [do.SendCommit(AUCTION, INVITED.auctioneer, COMMIT)]


def test_the_story_of_one_paid_job() -> None:
    job, orders = begin(GENESIS, INVITED)
    told = [type(orders[0]).__name__]
    for name in ("Committed", "Revealed", "Awarded", "Completed", "DeliveredOnChain", "Paid"):
        job, orders = step(job, PROVIDER_FACTS[name])
        told += [type(order).__name__ for order in orders]

    assert told == ["SendCommit", "AwaitAward", "StartWork", "Deliver", "AwaitSettlement"]
    assert (job.phase, job.outcome, job.price) == (Phase.PAID, "paid", 1_200)


def test_each_order_carries_what_its_stage_needs() -> None:
    assert step(at(Phase.COMMITTING), PROVIDER_FACTS["Committed"])[1] == [do.AwaitAward(AUCTION, 60_000)]
    revealed, orders = step(at(Phase.COMMITTED, root=b""), PROVIDER_FACTS["Revealed"])
    assert (revealed.phase, revealed.root, orders) == (Phase.REVEALED, ROOT, [])
    working, orders = step(FIRST_COMMITTED, PROVIDER_FACTS["Awarded"])
    assert orders == [do.StartWork(AUCTION, ESCROW, INVITED.auctioneer, INVITED.spec, BID, INVITED.package, 40, 45)]
    assert (working.price, working.awarded_at, working.start_by, working.deliver_by) == (1_200, 40, 45, 50)
    delivering, orders = step(working, PROVIDER_FACTS["Completed"])
    digest = hash_of(GENESIS, RECEIPT)
    delivery = delivery_hash(GENESIS, ESCROW, 0, BID.provider, b32("output"), digest, b32("salt"))
    assert orders == [do.Deliver(ESCROW, delivery)]
    assert (delivering.receipt, delivering.delivery_salt, delivering.delivery) == (RECEIPT, b32("salt"), delivery)
    assert step(at(Phase.DELIVERING), PROVIDER_FACTS["DeliveredOnChain"])[1] == [
        do.AwaitSettlement(AUCTION, ESCROW, INVITED.auctioneer)
    ]


FIRST_COMMITTED = replace(FIRST, phase=Phase.COMMITTED)


@pytest.mark.parametrize(
    ("phase", "name", "code"),
    [
        (Phase.WORKING, "WorkFailed", "exit_trap"),
        (Phase.DELIVERING, "DeliveryRefused", "too_late"),
    ],
)
def test_what_cannot_be_delivered_is_declined(phase: Phase, name: str, code: str) -> None:
    declining, orders = step(at(phase), PROVIDER_FACTS[name])

    assert orders == [do.Decline(ESCROW, code)]
    assert (declining.phase, declining.outcome) == (Phase.DECLINING, code)


def test_a_disputed_delivery_is_looked_into_once() -> None:
    answering, orders = step(at(Phase.DELIVERED), PROVIDER_FACTS["Challenged"])
    assert orders == [do.Answer(ESCROW, 2, 70, INVITED.spec, BID, INVITED.package, 40, RECEIPT)]
    assert (answering.phase, answering.answered) == (Phase.ANSWERING, False)

    waiting, orders = step(answering, PROVIDER_FACTS["AnswerStands"])
    assert orders == [do.AwaitSettlement(AUCTION, ESCROW, INVITED.auctioneer, answered=True)]
    assert (waiting.phase, waiting.answered, waiting.outcome) == (Phase.DELIVERED, True, "")
    with pytest.raises(Bug, match="Challenged cannot follow delivered"):
        step(waiting, PROVIDER_FACTS["Challenged"])


def test_work_that_differs_from_its_own_replay_is_given_back() -> None:
    giving, orders = step(at(Phase.ANSWERING), PROVIDER_FACTS["AnswerDiffers"])
    assert orders == [do.GiveBack(ESCROW)]
    assert (giving.phase, giving.outcome) == (Phase.GIVING_BACK, "replay_output")

    unpaid, orders = step(giving, fact.Paid("gave_back", Amount(0)))
    assert (unpaid.phase, unpaid.outcome, orders) == (Phase.UNPAID, "gave_back", [])


def test_a_delivery_without_a_receipt_is_our_own_mistake() -> None:
    with pytest.raises(Bug, match="Challenged cannot follow delivered"):
        step(at(Phase.DELIVERED, receipt=None), PROVIDER_FACTS["Challenged"])


@pytest.mark.parametrize("phase", [Phase.DELIVERED, Phase.DECLINING, Phase.GIVING_BACK])
def test_an_escrow_that_paid_nothing_leaves_the_job_unpaid(phase: Phase) -> None:
    unpaid, orders = step(at(phase), fact.Paid("gave_back", Amount(0)))
    assert (unpaid.phase, unpaid.outcome, unpaid.price, orders) == (Phase.UNPAID, "gave_back", 0, [])

    paid, orders = step(at(phase), fact.Paid("ruled", Amount(1)))
    assert (paid.phase, paid.outcome, paid.price, orders) == (Phase.PAID, "ruled", 1, [])


def test_losing_and_being_refused_end_a_job_with_the_reason() -> None:
    refused, orders = step(at(Phase.COMMITTING), PROVIDER_FACTS["CommitRefused"])
    assert (refused.phase, refused.outcome, orders) == (Phase.REFUSED, "too_late", [])
    for phase in BIDDING:
        lost, orders = step(at(phase), PROVIDER_FACTS["Lost"])
        assert (lost.phase, lost.outcome, orders) == (Phase.LOST, "outbid", [])


@pytest.mark.parametrize(
    ("phase", "name"),
    [
        (Phase.WORKING, "Completed"),
        (Phase.WORKING, "WorkFailed"),
        (Phase.DELIVERING, "DeliveredOnChain"),
        (Phase.DELIVERED, "Challenged"),
        (Phase.ANSWERING, "AnswerStands"),
        (Phase.ANSWERING, "AnswerDiffers"),
    ],
)
def test_work_without_an_escrow_is_our_own_mistake(phase: Phase, name: str) -> None:
    with pytest.raises(Bug, match="works without an escrow"):
        step(at(phase, escrow=None), PROVIDER_FACTS[name])


def test_only_the_first_four_exits_can_be_proved_by_replay() -> None:
    assert [e for e in Exit if e.provable] == [Exit.OK, Exit.NONZERO, Exit.OUT_OF_FUEL, Exit.TRAP]
