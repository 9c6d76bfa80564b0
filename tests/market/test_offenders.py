"""Whoever keeps a task from going as it should is named, with evidence; the lies are those of the devnet's menu."""

from typing import Any

import pytest
import trio
from market_stage import ASKS, BUDGET, Stage, set_up
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.devnet.faults.menu import find
from ainur_node.domain.ids import EscrowId

NAMED = {
    "never-commits": [("cheap", "silent", None)],
    "never-reveals": [("cheap", "not_revealed", "transcript")],
    "reveals-another-ask": [("cheap", "bad_opening", "transcript")],
    "commits-twice": [("cheap", "committed_twice", "commits")],
    "wrong-result": [("cheap", "replay_differs", "result"), ("cheap", "gave_back", "escrow")],
    "wrong-result-stubborn": [("cheap", "replay_differs", "result")],
    "another-nodes-result": [("cheap", "receipt_provider", "result")],
    "delivers-nothing": [("cheap", "not_delivered", "auction")],
    "delivers-too-late": [("cheap", "not_delivered", "auction")],
    "receipt-for-other-input": [("cheap", "receipt_input", "result")],
    "result-withheld": [("cheap", "not_available", "result")],
}


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


async def make_liar(stage: Stage, node: MarketNode, fault: str) -> None:
    node.crash()
    node.alter = find(fault).alter
    await stage.world.restart(node)


def named(stage: Stage, found: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    names = {node.account.hex(): node.name for node in (stage.cheap, stage.dear, stage.dearest)}
    rows = [(names[row["who"]], row["code"], (row["evidence"] or {}).get("kind")) for row in found["offenders"]]
    assert all(row["sentence"] and row["role"] == "provider" for row in found["offenders"])
    return rows


@pytest.mark.parametrize("fault", NAMED)
async def test_a_liar_is_named_with_its_evidence(stage: Stage, autojump_clock: MockClock, fault: str) -> None:
    await make_liar(stage, stage.cheap, fault)

    done = await stage.run()

    why = await stage.submitter.market.auctions.why({"task": done["task"]})
    assert named(stage, why) == NAMED[fault]
    # Who was not heard is looked up on chain, where only `why` looks.
    assert named(stage, done) == [row for row in NAMED[fault] if row[1] != "silent"]
    assert stage.world.audit() == 0


async def test_nobody_is_named_when_all_goes_well(stage: Stage, autojump_clock: MockClock) -> None:
    done = await stage.run()

    why = await stage.submitter.market.auctions.why({"task": done["task"]})

    assert (why["offenders"], done["offenders"]) == ([], [])


async def test_a_provider_that_passed_is_not_called_silent(stage: Stage, autojump_clock: MockClock) -> None:
    await stage.dearest.offer(BUDGET)

    done = await stage.run()

    why = await stage.submitter.market.auctions.why({"task": done["task"]})
    assert why["offenders"] == []


async def test_an_auction_of_an_earlier_attempt_tells_why_as_well(stage: Stage, autojump_clock: MockClock) -> None:
    await make_liar(stage, stage.cheap, "wrong-result")
    task = await stage.submitter.submit(BUDGET)
    first = (await stage.submitter.show(task))["auction"]

    done = await stage.submitter.final(task)

    assert done["auction"] != first
    why = await stage.submitter.market.auctions.why({"auction": first})
    assert named(stage, why) == NAMED["wrong-result"]


async def test_two_liars_are_both_named(stage: Stage, autojump_clock: MockClock) -> None:
    await make_liar(stage, stage.cheap, "delivers-nothing")
    await make_liar(stage, stage.dear, "never-reveals")

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dearest.account.hex()
    assert named(stage, done) == [("dear", "not_revealed", "transcript"), ("cheap", "not_delivered", "auction")]


@pytest.mark.parametrize("fault", ["never-commits", "never-reveals", "reveals-another-ask"])
async def test_a_lie_in_the_bidding_costs_the_liar_nothing_and_the_next_is_paid(
    stage: Stage, autojump_clock: MockClock, fault: str
) -> None:
    await make_liar(stage, stage.cheap, fault)

    done = await stage.run()

    assert int(done["price"]) == ASKS["dearest"]
    assert stage.gain(stage.dear) == ASKS["dearest"]
    assert stage.gain(stage.cheap) == 0


async def test_what_comes_too_late_is_refused_by_the_chain(stage: Stage, autojump_clock: MockClock) -> None:
    await make_liar(stage, stage.cheap, "delivers-too-late")
    task = await stage.submitter.submit(BUDGET)
    await awarded(stage, task, stage.cheap)
    auction = (await stage.submitter.show(task))["auction"]
    with trio.fail_after(300):
        while "Completed" not in await stage.cheap.facts("job", auction):
            await stage.cheap.market.engine.wait_news("job", bytes.fromhex(auction))
    stage.submitter.crash()  # else its refund may come first, and there is nothing left to deliver to

    job = await stage.cheap.job(auction)

    sent = {row.call: str(row.outcome) for row in await stage.cheap.store.outbox(100)}
    assert sent["Escrow.deliver"].endswith("Escrow.TooLate")
    assert (job.phase, job.outcome) == ("unpaid", "not_delivered")
    await stage.world.restart(stage.submitter)
    assert (await stage.submitter.final(task))["outcome"] == "paid"


async def test_nothing_is_sent_about_an_escrow_that_became_somebody_elses(
    stage: Stage, autojump_clock: MockClock
) -> None:
    for node in (stage.cheap, stage.dear):
        await make_liar(stage, node, "delivers-nothing")
    task = await stage.submitter.submit(BUDGET)
    escrow = await awarded(stage, task, stage.dear)
    before = await stage.cheap.store.outbox(100)

    assert await stage.cheap.ledger.decline(escrow) == "not_party"

    assert await stage.cheap.store.outbox(100) == before
    await stage.submitter.final(task)


async def awarded(stage: Stage, task: str, node: MarketNode) -> EscrowId:
    """The escrow of a task once it pays this node."""
    with trio.fail_after(300):
        while True:
            shown = await stage.submitter.show(task)
            escrow = EscrowId(bytes.fromhex(shown["escrow"] or ""))
            seen = await stage.submitter.ledger.escrow(escrow) if escrow else None
            if seen is not None and (seen.payee, seen.state) == (node.account, "funded"):
                return escrow
            await trio.sleep(0.1)
