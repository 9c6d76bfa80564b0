"""Requesters that vanish or never accept, packages that change or are missing: nobody loses what is not its fault."""

import json
from typing import Any

import msgspec
import pytest
import trio
from market_stage import ASKS, BUDGET, RESERVE, STAKE, Stage, set_up, with_ledger
from market_world import MarketWorld, module_named
from trio.testing import MockClock

from ainur_node.domain import events
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.receipt import Exit
from ainur_node.ledger.chain_ledger import ChainLedger
from pallets_client.pallets import agent_registry, vcg_auction
from pallets_client.records import AIN, Call, Included


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


# --- the requester ------------------------------------------------------------------------------------------------


class NeverAccepts(ChainLedger):
    async def accept(self, escrow: EscrowId, *, verified: bool) -> events.Settled:
        while (found := await self.escrow(escrow)) is not None and found.state != "settled":
            await self.watch_escrow(escrow, found, until=found.delivered_at + 600_000)
        return await super().accept(escrow, verified=verified)


async def test_a_requester_that_never_accepts_pays_all_the_same(stage: Stage, autojump_clock: MockClock) -> None:
    await with_ledger(stage, NeverAccepts, stage.submitter)

    done = await stage.run()

    assert (done["phase"], done["outcome"]) == ("settled", "auto")
    assert stage.gain(stage.cheap) == ASKS["dear"]


async def vanish_at(stage: Stage, fact: str) -> str:
    """Submit; the requester stops for ever right after it wrote the fact down."""

    def heard(life: str, key: bytes, happened: Any, state: Any) -> None:
        if type(happened).__name__ == fact:
            stage.submitter.crash()

    stage.submitter.market.engine.listeners.append(heard)
    task = await stage.submitter.submit(BUDGET)
    await stage.submitter.stopped.wait()
    return task


@pytest.mark.parametrize("fact", ["Delivered", "Verified"])
async def test_a_requester_that_vanishes_after_the_delivery_has_paid(
    stage: Stage, autojump_clock: MockClock, fact: str
) -> None:
    await vanish_at(stage, fact)

    await stage.world.quiet()

    assert stage.gain(stage.cheap) == ASKS["dear"]
    assert stage.world.in_escrow() == 0


async def test_a_requester_that_vanishes_after_the_award_costs_nobody_anything(
    stage: Stage, autojump_clock: MockClock
) -> None:
    task = await vanish_at(stage, "Escrowed")

    await stage.world.quiet()

    assert [stage.gain(n) for n in (stage.cheap, stage.dear, stage.dearest, stage.submitter)] == [0, 0, 0, 0]
    assert stage.cheap.held("AgentRegistry::Stake") == STAKE
    await stage.world.start(stage.submitter)
    done = await stage.submitter.final(task)
    await stage.world.quiet()
    assert done["phase"] in ("settled", "refunded")
    assert stage.world.in_escrow() == 0


async def test_after_a_requester_vanished_anybody_can_free_its_money(stage: Stage, autojump_clock: MockClock) -> None:
    task = await vanish_at(stage, "Funded")
    stored = await stage.submitter.store.load("task", bytes.fromhex(task))
    assert stored is not None
    auction = json.loads(stored.state)["auction"]
    await stage.world.quiet()
    assert stage.world.in_escrow() > 0

    await trio.sleep(200)
    call: Call = vcg_auction.expire(msgspec.convert(auction, bytes, strict=False))
    outcome = stage.dear.writer.submit(call, b"anybody").result(0)

    assert isinstance(outcome, Included)
    assert stage.world.in_escrow() == 0
    assert stage.gain(stage.submitter) == 0


@pytest.mark.parametrize("fact", ["BidsCollected", "Closed", "Cleared"])
async def test_after_a_requester_vanished_its_bidders_free_its_money(
    stage: Stage, autojump_clock: MockClock, fact: str
) -> None:
    await vanish_at(stage, fact)

    await stage.world.quiet()

    assert stage.world.in_escrow() == 0
    burned = RESERVE // 10 if fact in ("Closed", "Cleared") else 0
    assert stage.gain(stage.submitter) == -burned
    calls = [row.call for node in (stage.cheap, stage.dear, stage.dearest) for row in await node.store.outbox(100)]
    assert sum("expire" in call for call in calls) == 1


async def test_a_task_can_be_cancelled_before_its_bids_are_closed(stage: Stage, autojump_clock: MockClock) -> None:
    task = await stage.submitter.submit(BUDGET)
    await trio.sleep(0.5)

    await stage.submitter.market.tasks.cancel({"task": task})
    done = await stage.submitter.final(task)
    await stage.world.quiet()

    assert done["phase"] == "cancelled"
    assert stage.gain(stage.submitter) == 0
    assert stage.world.in_escrow() == 0


# --- packages -----------------------------------------------------------------------------------------------------


async def test_an_agent_updated_after_the_award_is_still_replayed(stage: Stage, autojump_clock: MockClock) -> None:
    """Otherwise a winner could deliver anything, make the replay impossible, and wait for its money."""

    def lie_and_update(_: bytes) -> bytes:
        agent = stage.cheap.market.offers.all()[0].agent
        other = agent_registry.update_agent(agent, bytes(32), bytes(32), 0, 0)
        stage.cheap.writer.submit(other, b"update").result(0)
        return b'{"said": "lies"}'

    stage.cheap.sandbox.work = lie_and_update

    done = await stage.run()

    assert done["outcome"] == "stale"
    assert [c for c, _ in done["reasons"]] == ["replay_differs"]


async def test_a_module_that_is_not_here_is_not_admitted(world: MarketWorld, autojump_clock: MockClock) -> None:
    alone = await world.provider("alone", AIN)
    await world.provider("usual", 2 * AIN)
    await alone.offer(AIN, "quiet", description="another package of the same capability")
    submitter = await world.submitter()
    alone.blobs.kept.pop(content_hash(module_named("quiet")))

    done = await submitter.final(await submitter.submit(BUDGET))

    spec = (await submitter.store.load("task", bytes.fromhex(done["task"]))).state  # type: ignore[union-attr]
    assert len(json.loads(spec)["spec"]["modules"]) == 1
    assert done["outcome"] == "paid"


@pytest.mark.parametrize("how", [Exit.STACK_OVERFLOW, Exit.DEADLINE, Exit.MEMORY, Exit.ENGINE])
async def test_a_replay_that_proves_nothing_is_no_ground_for_a_dispute(
    stage: Stage, autojump_clock: MockClock, how: Exit
) -> None:
    stage.submitter.sandbox.exit = how

    done = await stage.run()

    assert (done["phase"], done["outcome"]) == ("settled", "auto")
    assert stage.gain(stage.cheap) == ASKS["dear"]


async def test_a_module_that_the_sandbox_forgot_is_handed_in_again(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.prepared.clear()
    stage.submitter.sandbox.prepared.clear()

    done = await stage.run()

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", stage.cheap.account.hex())
