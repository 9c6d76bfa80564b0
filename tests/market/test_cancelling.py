"""Tasks taken back by their submitter: at any time at which nobody has a claim on the money."""

from typing import Any

import pytest
import trio
from market_stage import Stage, set_up
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.receipt import Exit
from ainur_node.rpc.messages import Refuse


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


async def cancelled_at(stage: Stage, kind: str) -> tuple[dict[str, Any], list[str]]:
    """The task and the codes of refusals, when it is cancelled right after a fact."""
    submitter, codes = stage.submitter, []

    async def cancel(key: bytes) -> None:
        try:
            await submitter.market.tasks.cancel({"task": key.hex()})
        except Refuse as refused:
            codes.append(refused.code)

    def heard(life: str, key: bytes, happened: object, _: object) -> None:
        if life == "task" and type(happened).__name__ == kind:
            stage.world.nursery.start_soon(cancel, key)

    submitter.market.engine.listeners.append(heard)
    done = await submitter.final(await submitter.submit())
    await stage.world.quiet()
    assert stage.world.in_escrow() == 0
    return done, codes


@pytest.mark.parametrize("kind", ["Submitted", "Funded"])
async def test_before_the_close_it_costs_nothing(stage: Stage, autojump_clock: MockClock, kind: str) -> None:
    done, codes = await cancelled_at(stage, kind)

    assert (done["phase"], done["outcome"], codes) == ("cancelled", "cancelled", [])
    assert stage.gain(stage.submitter) == 0


@pytest.mark.parametrize("kind", ["BidsCollected", "Closed", "Cleared", "Escrowed", "Delivered", "Verified"])
async def test_from_the_close_on_the_winner_has_a_claim(stage: Stage, autojump_clock: MockClock, kind: str) -> None:
    done, codes = await cancelled_at(stage, kind)

    assert (done["phase"], codes) == ("settled", ["too_late"])


async def test_when_a_winner_failed_the_next_one_need_not_be_awarded(stage: Stage, autojump_clock: MockClock) -> None:
    stage.cheap.sandbox.exit = Exit.TRAP

    done, codes = await cancelled_at(stage, "WinnerFailed")

    assert (done["phase"], done["outcome"], codes) == ("cancelled", "cancelled", [])
    assert stage.gain(stage.submitter) == 0
    assert stage.gain(stage.dear) == 0
    assert trio.current_time() < 200
