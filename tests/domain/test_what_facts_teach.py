"""What a task and a job know after each fact: exactly what it said, with other numbers than the fact before it."""

from dataclasses import replace

from domain_records import GENESIS, b32
from life_samples import BID, COMMIT, ESCROW, INVITED, PROVIDER_FACTS, RECEIPT, REQUESTER_FACTS, ROOT, SUBMITTED, WINNER

from ainur_node.domain import events as fact
from ainur_node.domain import provider, requester
from ainur_node.domain.money import Amount
from ainur_node.domain.receipt import delivery_hash, hash_of

Task, Job = requester.Phase, provider.Phase
TASK: list[tuple[fact.RequesterFact, requester.Phase, dict[str, object]]] = [
    (REQUESTER_FACTS["Funded"], Task.BIDDING, {"reserve": 3_000, "score_epoch": 3, "reveal_end": 20}),
    (REQUESTER_FACTS["BidsCollected"], Task.CLOSING, {"commits": (COMMIT,), "root": ROOT}),
    (REQUESTER_FACTS["Closed"], Task.REVEALING, {"beacon": b32("beacon")}),
    (
        REQUESTER_FACTS["Cleared"],
        Task.AWARDING,
        {
            "transcript": b32("transcript"),
            "transcript_blob": b32("blob"),
            "opening": BID,
            "price": 1_200,
            "all_revealed": True,
        },
    ),
    (
        fact.Escrowed(ESCROW, WINNER, Amount(1_190), Amount(11), 40, 50),
        Task.RUNNING,
        {"escrow": ESCROW, "price": 1_190, "fee": 11, "awarded_at": 40, "deliver_by": 50},
    ),
    (REQUESTER_FACTS["Delivered"], Task.VERIFYING, {"delivery": b32("delivery")}),
    (REQUESTER_FACTS["Verified"], Task.ACCEPTING, {"output_sha256": b32("output")}),
    (REQUESTER_FACTS["Settled"], Task.SETTLED, {"outcome": "paid", "price": 1_200, "fee": 12}),
]
DELIVERY = delivery_hash(GENESIS, ESCROW, 0, BID.provider, b32("output"), hash_of(GENESIS, RECEIPT), b32("salt"))
JOB: list[tuple[fact.ProviderFact, provider.Phase, dict[str, object]]] = [
    (PROVIDER_FACTS["Committed"], Job.COMMITTED, {}),
    (PROVIDER_FACTS["Revealed"], Job.REVEALED, {"root": ROOT}),
    (
        PROVIDER_FACTS["Awarded"],
        Job.WORKING,
        {"escrow": ESCROW, "price": 1_200, "awarded_at": 40, "start_by": 45, "deliver_by": 50},
    ),
    (
        PROVIDER_FACTS["Completed"],
        Job.DELIVERING,
        {"receipt": RECEIPT, "delivery_salt": b32("salt"), "delivery": DELIVERY},
    ),
    (PROVIDER_FACTS["DeliveredOnChain"], Job.DELIVERED, {}),
    (PROVIDER_FACTS["Challenged"], Job.ANSWERING, {}),
    (PROVIDER_FACTS["AnswerStands"], Job.DELIVERED, {"answered": True}),
    (fact.Paid("ruled", Amount(700)), Job.PAID, {"outcome": "ruled", "price": 700}),
]


def test_a_task_learns_from_each_fact_what_it_says_and_nothing_else() -> None:
    task, _ = requester.begin(GENESIS, SUBMITTED)

    for happened, phase, learnt in TASK:
        before, (task, _) = task, requester.step(task, happened)
        assert task == replace(before, phase=phase, **learnt), type(happened).__name__  # type: ignore[arg-type]


def test_a_dispute_leaves_what_was_delivered_as_it_is() -> None:
    task, _ = requester.begin(GENESIS, SUBMITTED)
    for happened, _, _ in TASK[:6]:
        task, _ = requester.step(task, happened)

    disputing, _ = requester.step(task, REQUESTER_FACTS["Mismatch"])
    disputed, _ = requester.step(disputing, REQUESTER_FACTS["Disputed"])

    assert disputing == replace(task, phase=Task.DISPUTING, reasons=(("replay_differs", 1),))
    assert disputed == replace(disputing, phase=Task.DISPUTED)


def test_a_job_learns_from_each_fact_what_it_says_and_nothing_else() -> None:
    job, _ = provider.begin(GENESIS, INVITED)

    for happened, phase, learnt in JOB:
        before, (job, _) = job, provider.step(job, happened)
        assert job == replace(before, phase=phase, **learnt), type(happened).__name__  # type: ignore[arg-type]
