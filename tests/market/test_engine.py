"""The loop itself: fact, step, commit, orders; whatever its stages and its store do."""

from itertools import pairwise
from typing import Any

import pytest
import trio
from engine_stage import ID, KEY, REFUSED, SPEC, SUBMITTED, engine_of, funded, kinds, never, refuse
from trio.testing import MockClock

from ainur_node.domain import orders
from ainur_node.domain.events import CancelRequested, NoSale, Released, Submitted
from ainur_node.domain.ids import PackageId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Bug, Misbehaviour, Transient
from ainur_node.market import codec
from ainur_node.market.codec import TASK, Fact, State
from ainur_node.market.engine import FIRST_PAUSE, LONGEST_PAUSE
from ainur_node.ports import AlreadyDone, Conflict
from ainur_node.storage.memory import MemoryStore


async def test_a_fact_is_stored_before_its_orders_are_carried_out(autojump_clock: MockClock) -> None:
    store = MemoryStore()
    seen: list[list[str]] = []

    async def look(order: orders.HoldBudget) -> Fact:
        seen.append(await kinds(store))
        return REFUSED

    engine = engine_of(store, {orders.HoldBudget: look})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        assert await engine.begin(TASK, KEY, SUBMITTED)
        await engine.wait_quiet()
        nursery.cancel_scope.cancel()

    assert seen == [["Submitted"]]
    assert await kinds(store) == ["Submitted", "FundingRefused"]
    assert await store.pending_orders() == []
    assert engine.state(TASK, KEY) is None


async def test_a_life_begins_once(autojump_clock: MockClock) -> None:
    store = MemoryStore()
    engine = engine_of(store, {orders.HoldBudget: refuse})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        begun: list[bool] = []

        async def begin() -> None:
            begun.append(await engine.begin(TASK, KEY, SUBMITTED))

        async with trio.open_nursery() as both:
            both.start_soon(begin)
            both.start_soon(begin)
        await engine.wait_quiet()
        # Over here, but the store remembers it.
        begun.append(await engine.begin(TASK, KEY, SUBMITTED))
        nursery.cancel_scope.cancel()

    assert sorted(begun) == [False, False, True]
    assert await kinds(store) == ["Submitted", "FundingRefused"]
    assert engine.statistics()["open"] == 0


async def test_what_takes_time_is_tried_again_with_growing_pauses(autojump_clock: MockClock) -> None:
    store = MemoryStore()
    tried: list[float] = []

    async def later(order: Any) -> Fact:
        tried.append(trio.current_time())
        if len(tried) < 10:
            raise Transient("not yet")
        return REFUSED

    engine = engine_of(store, {orders.HoldBudget: later})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.begin(TASK, KEY, SUBMITTED)
        await engine.wait_quiet()
        nursery.cancel_scope.cancel()

    pauses = [round(b - a, 3) for a, b in pairwise(tried)]
    assert pauses[0] == FIRST_PAUSE
    assert all(b == min(2 * a, LONGEST_PAUSE) for a, b in pairwise(pauses))
    assert await kinds(store) == ["Submitted", "FundingRefused"]


@pytest.mark.parametrize("fault", [ZeroDivisionError("ours"), Misbehaviour("unhandled"), KeyError("x")])
async def test_a_bug_is_loud(autojump_clock: MockClock, fault: Exception) -> None:
    async def broken(order: Any) -> Fact:
        raise fault

    store = MemoryStore()
    engine = engine_of(store, {orders.HoldBudget: broken})

    with pytest.RaisesGroup(pytest.RaisesExc(Bug, match="HoldBudget"), flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(engine.run)
            await engine.begin(TASK, KEY, SUBMITTED)
            await trio.sleep(10)

    assert await kinds(store) == ["Submitted"]
    assert len(await store.pending_orders()) == 1


async def test_a_fact_that_cannot_follow_is_a_bug(autojump_clock: MockClock) -> None:
    async def absurd(order: Any) -> Fact:
        return Released(order.auction, "expired")

    engine = engine_of(MemoryStore(), {orders.HoldBudget: absurd})

    with pytest.RaisesGroup(pytest.RaisesExc(Bug, match="cannot follow"), flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(engine.run)
            await engine.begin(TASK, KEY, SUBMITTED)
            await trio.sleep(10)


async def test_orders_without_an_answer_are_taken_up_after_a_restart(autojump_clock: MockClock) -> None:
    store = MemoryStore()
    first = engine_of(store, {orders.HoldBudget: never})
    async with trio.open_nursery() as nursery:
        await nursery.start(first.run)
        await first.begin(TASK, KEY, SUBMITTED)
        nursery.cancel_scope.cancel()
    resumed: list[list[State]] = []

    async def answer(order: orders.HoldBudget) -> Fact:
        return funded(order)

    second = engine_of(store, {orders.HoldBudget: answer, orders.CollectBids: never})
    second.on_resume.append(resumed.append)
    async with trio.open_nursery() as nursery:
        await nursery.start(second.run)
        await trio.sleep(1)
        state = second.state(TASK, KEY)
        nursery.cancel_scope.cancel()

    assert await kinds(store) == ["Submitted", "Funded"]
    assert state is not None
    assert (state.phase, [s.phase for s in resumed[0]]) == ("bidding", ["funding"])
    assert [order.kind for order in await store.pending_orders()] == ["CollectBids"]


async def test_tell_and_answers_never_see_the_same_state_twice(autojump_clock: MockClock) -> None:
    """A cancellation and an answer at the same moment: one comes after the other, whichever it is."""
    store = MemoryStore()
    go = trio.Event()

    async def answer(order: orders.HoldBudget) -> Fact:
        await go.wait()
        return funded(order)

    async def collect(order: orders.CollectBids) -> Fact:
        await trio.sleep(1)
        return NoSale(order.auction, (("nobody_answered", 1),))

    async def release(order: orders.ReleaseHold) -> Fact:
        return Released(order.auction, "cancel")

    engine = engine_of(store, {orders.HoldBudget: answer, orders.CollectBids: collect, orders.ReleaseHold: release})
    seen: list[tuple[str, str]] = []
    engine.listeners.append(lambda life, key, fact, state: seen.append((type(fact).__name__, str(state.phase))))
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.begin(TASK, KEY, SUBMITTED)
        async with trio.open_nursery() as both:
            both.start_soon(engine.tell, TASK, KEY, lambda state: CancelRequested(1))
            go.set()
        await engine.wait_quiet()
        nursery.cancel_scope.cancel()

    names = [name for name, _ in seen]
    assert sorted(names[:3]) == ["CancelRequested", "Funded", "Submitted"]
    assert seen[-1] == ("Released", "cancelled")
    versions = [fact.seq for fact in await store.facts(TASK, KEY)]
    assert versions == list(range(1, len(versions) + 1))


async def test_tell_answers_with_the_refusal_and_stores_nothing(autojump_clock: MockClock) -> None:
    store = MemoryStore()
    engine = engine_of(store, {orders.HoldBudget: never})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.begin(TASK, KEY, SUBMITTED)
        refusal = await engine.tell(TASK, KEY, lambda state: Rejection("too_late", "no"))
        unknown = await engine.tell(TASK, ID, lambda state: CancelRequested(1))
        nursery.cancel_scope.cancel()

    assert refusal == Rejection("too_late", "no")
    assert unknown is not None
    assert unknown.code == "not_open"
    assert await kinds(store) == ["Submitted"]


class OddStore(MemoryStore):
    """Answers the second commit with something else."""

    odd: Any = None

    async def commit(self, *args: Any) -> Any:
        if self.odd is not None and args[3] != "Submitted":
            return self.odd
        return await super().commit(*args)


@pytest.mark.parametrize("odd", [Conflict(7), AlreadyDone(1)])
async def test_somebody_else_at_the_same_store_is_a_bug(autojump_clock: MockClock, odd: Conflict | AlreadyDone) -> None:
    store = OddStore()
    store.odd = odd
    engine = engine_of(store, {orders.HoldBudget: refuse})

    with pytest.RaisesGroup(Bug, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(engine.run)
            await engine.begin(TASK, KEY, SUBMITTED)
            await trio.sleep(10)


class TiredStore(MemoryStore):
    """Away for the first calls."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away

    async def commit(self, *args: Any) -> Any:
        if args[3] != "Submitted" and self.away > 0:
            self.away -= 1
            raise Transient("no database")
        return await super().commit(*args)


async def test_a_store_that_is_away_delays_an_answer_and_asks_no_stage_twice(autojump_clock: MockClock) -> None:
    store = TiredStore(5)
    asked: list[Any] = []

    async def once(order: Any) -> Fact:
        asked.append(order)
        return REFUSED

    engine = engine_of(store, {orders.HoldBudget: once})
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.begin(TASK, KEY, SUBMITTED)
        await engine.wait_quiet()
        nursery.cancel_scope.cancel()

    assert await kinds(store) == ["Submitted", "FundingRefused"]
    assert len(asked) == 1


async def test_news_wake_whoever_waits_for_them(autojump_clock: MockClock) -> None:
    engine = engine_of(MemoryStore(), {orders.HoldBudget: never})
    woken: list[str] = []

    async def wait() -> None:
        await engine.wait_news(TASK, KEY)
        woken.append("news")

    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await engine.wait_news(TASK, KEY)  # nothing open: at once
        await engine.begin(TASK, KEY, SUBMITTED)
        nursery.start_soon(wait)
        await trio.sleep(1)
        assert woken == []
        await engine.tell(TASK, KEY, lambda state: CancelRequested(1))
        await trio.sleep(1)
        assert woken == ["news"]
        nursery.cancel_scope.cancel()


def test_amounts_beyond_64_bits_survive_the_store() -> None:
    rich = Submitted(KEY, SPEC, "echo", PackageId(ID), ID, ID, ID, Amount(2**90), 1)

    assert codec.decode_fact("Submitted", codec.encode(rich)) == rich


def test_facts_of_another_version_are_a_bug_not_a_guess() -> None:
    with pytest.raises(Bug, match="does not know"):
        codec.decode_fact("Teleported", "{}")
