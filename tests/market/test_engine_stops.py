"""Whoever stops in the middle of a fact, a caller or the engine itself, leaves nothing half done."""

from typing import Any

import trio
from engine_stage import KEY, REFUSED, SUBMITTED, engine_of, kinds, never, refuse
from trio.testing import MockClock

from ainur_node.domain import orders
from ainur_node.domain.events import CancelRequested
from ainur_node.market.codec import TASK, Fact
from ainur_node.storage.memory import MemoryStore


class SlowStore(MemoryStore):
    """Writes at once, answers a second later."""

    async def commit(self, *args: Any) -> Any:
        answer = await super().commit(*args)
        await trio.sleep(1)
        return answer


async def test_whoever_stops_waiting_for_a_first_fact_does_not_undo_it(autojump_clock: MockClock) -> None:
    """A command line that hangs up in the middle: what is stored goes on."""
    store = SlowStore()
    engine = engine_of(store, {orders.HoldBudget: refuse})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        with trio.move_on_after(0.5):
            await engine.begin(TASK, KEY, SUBMITTED)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()

    assert await kinds(store) == ["Submitted", "FundingRefused"]
    assert engine.state(TASK, KEY) is None


async def test_whoever_stops_waiting_for_tell_leaves_no_gap_in_the_versions(autojump_clock: MockClock) -> None:
    """A peer whose request timed out while the store was slow: the next fact still finds its place."""
    store = SlowStore()
    go = trio.Event()

    async def answer(order: Any) -> Fact:
        await go.wait()
        return REFUSED

    engine = engine_of(store, {orders.HoldBudget: answer})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.begin(TASK, KEY, SUBMITTED)
        with trio.move_on_after(0.5):
            await engine.tell(TASK, KEY, lambda state: CancelRequested(1))
        go.set()
        await engine.wait_quiet()
        nursery.cancel_scope.cancel()

    assert await kinds(store) == ["Submitted", "CancelRequested", "FundingRefused"]


async def test_orders_of_a_fact_stored_while_stopping_wait_for_the_restart(
    autojump_clock: MockClock,
) -> None:
    store = MemoryStore()
    stopped, restarted = engine_of(store, {orders.HoldBudget: never}), engine_of(store, {orders.HoldBudget: refuse})
    async with trio.open_nursery() as nursery:
        await nursery.start(stopped.run)
        nursery.cancel_scope.cancel()
    assert await stopped.begin(TASK, KEY, SUBMITTED)

    async with trio.open_nursery() as nursery:
        await nursery.start(restarted.run)
        with trio.fail_after(60):
            await restarted.wait_quiet()
        nursery.cancel_scope.cancel()
    assert await kinds(store) == ["Submitted", "FundingRefused"]
