"""Answers that get lost between a node and its store or chain: nothing is done twice, nothing stays behind."""

from typing import Any

import pytest
import trio
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.errors import Transient
from ainur_node.ledger.chain_ledger import ChainLedger
from pallets_client.records import AIN


def lose_each_answer(node: MarketNode) -> list[str]:
    """Every commit is written, its answer lost, and found again only by the very same call, as PostgreSQL does it."""
    honest, written, lost = node.store.commit, {}, []

    async def commit(*args: Any) -> Any:
        call = repr(args)
        if call in written:
            return written.pop(call)
        answer = await honest(*args)
        if isinstance(answer, list):
            written[call] = answer
            lost.append(str(args[3]))
            raise Transient("the database is gone")
        return answer

    node.store.commit = commit  # type: ignore[method-assign]
    return lost


@pytest.mark.parametrize("who", ["provider", "submitter"])
async def test_a_task_goes_on_when_the_answer_to_each_commit_is_lost(
    world: MarketWorld, autojump_clock: MockClock, who: str
) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    lost = lose_each_answer(provider if who == "provider" else submitter)

    done = await submitter.final(await submitter.submit())
    await world.quiet()

    assert done["phase"] == "settled"
    assert done["attempt"] == 0
    assert len(lost) >= 6
    assert provider.starts == submitter.starts == 1


async def test_a_task_that_could_not_be_written_down_leaves_nothing_behind(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    honest = submitter.store.commit

    async def away(*_: Any) -> Any:
        await trio.lowlevel.checkpoint()
        raise Transient("the database is gone")

    submitter.store.commit = away  # type: ignore[method-assign]
    with pytest.raises(Transient):
        await submitter.submit()

    assert submitter.market.engine.statistics()["open"] == 0
    submitter.store.commit = honest  # type: ignore[method-assign]
    assert (await submitter.final(await submitter.submit()))["phase"] == "settled"


class Stumbling(ChainLedger):
    """A ledger whose chain goes away for a moment while the reveals are collected."""

    stumbles = 3

    async def quality(self, *args: Any) -> int:
        if Stumbling.stumbles:
            Stumbling.stumbles -= 1
            raise Transient("the chain cannot be read")
        return await super().quality(*args)


async def test_a_chain_that_goes_away_during_the_reveals_does_not_end_the_node(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = world.node("submitter")
    submitter.ledger_type = Stumbling
    await world.start(submitter)

    done = await submitter.final(await submitter.submit())

    assert Stumbling.stumbles == 0
    assert done["phase"] == "settled"
    assert submitter.starts == 1
