"""An order whose stage always fails cannot end the node at every start."""

import pytest
import trio

from ainur_node.domain.events import Submitted
from ainur_node.domain.ids import AccountId, ModuleId, PackageId, TaskId
from ainur_node.domain.money import Amount
from ainur_node.domain.orders import HoldBudget
from ainur_node.domain.task import Limits, TaskSpec, VerificationClass, VerificationPolicy, Visibility
from ainur_node.errors import Bug
from ainur_node.market.codec import TASK
from ainur_node.market.engine import CRASHES, CRASHES_TO_PARK, Engine
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters, SystemClock

ID = bytes([7]) * 32
SPEC = TaskSpec(
    payer=AccountId(ID),
    input_commitment=ID,
    input_size=1,
    modules=(ModuleId(ID),),
    verification_class=VerificationClass.DETERMINISTIC,
    output_schema=ID,
    limits=Limits(1, 1, 1),
    engine=ID,
    policy=VerificationPolicy.REPLAY,
    visibility=Visibility.PUBLIC,
    quality_bps=0,
    min_score=0,
    deadline_ms=1,
)
SUBMITTED = Submitted(TaskId(ID), SPEC, "summarize", PackageId(ID), ID, ID, ID, Amount(1), 1)


async def _failing(order: HoldBudget) -> None:
    raise ZeroDivisionError(order.attempt)


def _engine(store: MemoryStore, build: str = "1.0") -> Engine:
    return Engine(store, bytes(32), {HoldBudget: _failing}, Counters(), SystemClock(), build=build)


async def _run_until_it_ends(engine: Engine, first: bool) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        if first:
            await engine.begin(TASK, SUBMITTED.task, SUBMITTED)
        await trio.sleep(5)


async def test_an_order_that_crashed_the_node_often_is_set_aside_and_counted(autojump_clock: object) -> None:
    store = MemoryStore()

    for start in range(CRASHES_TO_PARK):
        with pytest.RaisesGroup(Bug, flatten_subgroups=True):
            await _run_until_it_ends(_engine(store), first=start == 0)
    engine = _engine(store)
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await trio.sleep(5)
        parked = engine.statistics()["parked"]
        nursery.cancel_scope.cancel()

    assert parked == 1


async def test_another_version_of_the_node_takes_a_parked_order_up_again(autojump_clock: object) -> None:
    store = MemoryStore()
    for start in range(CRASHES_TO_PARK):
        with pytest.RaisesGroup(Bug, flatten_subgroups=True):
            await _run_until_it_ends(_engine(store), first=start == 0)

    for _ in range(CRASHES_TO_PARK):
        with pytest.RaisesGroup(Bug, flatten_subgroups=True):
            await _run_until_it_ends(_engine(store, "1.1"), first=False)
    engine = _engine(store, "1.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        await trio.sleep(5)
        parked = engine.statistics()["parked"]
        nursery.cancel_scope.cancel()

    assert parked == 1, "the new version stumbles over it as well"


async def test_counts_without_a_version_still_count(autojump_clock: object) -> None:
    store = MemoryStore()
    with pytest.RaisesGroup(Bug, flatten_subgroups=True):
        await _run_until_it_ends(_engine(store), first=True)
    (key,) = [key for key, _ in await store.docs(CRASHES, 10)]
    await store.put_doc(CRASHES, key, str(CRASHES_TO_PARK))

    engine = _engine(store)
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        parked = engine.statistics()["parked"]
        nursery.cancel_scope.cancel()

    assert parked == 1
