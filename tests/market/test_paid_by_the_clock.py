"""A requester that comes back when the review time is over has paid; it still gets what it paid for."""

import json

import pytest
import trio
from market_stage import ASKS, BUDGET, Stage, refuse, set_up
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.receipt import Exit

REVIEW = 60
DELIVERED = 7  # the requester's seventh fact: it goes down right before it writes it or right after
RUNNING, VERIFYING = "before", "after"


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


async def away(stage: Stage, moment: str) -> str:
    """Submit, go down at the delivery, come back when the provider has been paid by the clock."""
    store = stage.submitter.store
    setattr(store, f"crash_{moment}", store.commits + DELIVERED)
    task = await stage.submitter.submit(BUDGET)
    with trio.fail_after(1_000):
        await stage.submitter.stopped.wait()
    await trio.sleep(2 * REVIEW)
    assert stage.gain(stage.cheap) == ASKS["dear"], "the clock has paid"
    await stage.world.start(stage.submitter)
    return task


@pytest.mark.parametrize("moment", [RUNNING, VERIFYING])
async def test_it_ends_with_its_result_replayed_and_verified(
    stage: Stage, autojump_clock: MockClock, moment: str
) -> None:
    task = await away(stage, moment)

    done = await stage.submitter.final(task)

    assert (done["phase"], done["outcome"], done["verified"]) == ("settled", "auto", True)
    assert (int(done["price"]), done["winner"]["provider"]) == (ASKS["dear"], stage.cheap.account.hex())
    result = await stage.submitter.market.tasks.result({"task": task})
    assert json.loads(result["output"]) == {"said": "HELLO"}
    assert stage.world.in_escrow() == 0


@pytest.mark.parametrize("moment", [RUNNING, VERIFYING])
async def test_when_the_result_cannot_be_had_it_ends_without(
    stage: Stage, autojump_clock: MockClock, moment: str
) -> None:
    stage.cheap.twists["task.output"] = refuse
    task = await away(stage, moment)

    with trio.fail_after(100):
        done = await stage.submitter.final(task)

    assert (done["phase"], done["outcome"], done["verified"], done["output_sha256"]) == ("settled", "auto", False, None)


@pytest.mark.parametrize("moment", [RUNNING, VERIFYING])
async def test_a_wrong_result_that_was_paid_for_is_named(stage: Stage, autojump_clock: MockClock, moment: str) -> None:
    stage.cheap.sandbox.work = lambda _: json.dumps({"said": "lies"}).encode()
    task = await away(stage, moment)

    done = await stage.submitter.final(task)

    assert (done["phase"], done["outcome"], done["reasons"]) == ("settled", "auto", [["replay_differs", 1]])
    assert not done["verified"]
    assert stage.submitter.held("Escrow::DisputeBond") == 0


async def test_a_replay_that_proves_nothing_leaves_the_result_unverified(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.submitter.sandbox.exit = Exit.DEADLINE
    task = await away(stage, RUNNING)

    done = await stage.submitter.final(task)

    assert (done["phase"], done["outcome"], done["verified"]) == ("settled", "auto", False)
    assert (await stage.submitter.market.tasks.result({"task": task}))["size"] > 0
