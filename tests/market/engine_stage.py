"""A first fact, the ways a stage may answer it, and an engine over them."""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from ainur_node.domain import orders
from ainur_node.domain.events import Funded, FundingRefused, Submitted
from ainur_node.domain.ids import AccountId, ModuleId, PackageId, TaskId
from ainur_node.domain.money import Amount
from ainur_node.domain.task import (
    Limits,
    TaskSpec,
    VerificationClass,
    VerificationPolicy,
    Visibility,
)
from ainur_node.market.codec import TASK, Fact
from ainur_node.market.engine import Engine
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters, SystemClock

GENESIS = bytes(32)
ID = b"\1" * 32
KEY = TaskId(b"\2" * 32)
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
SUBMITTED = Submitted(KEY, SPEC, "echo", PackageId(ID), ID, ID, ID, Amount(100), 1)
REFUSED = FundingRefused("balance_too_low", "add money")


def funded(order: orders.HoldBudget) -> Funded:
    return Funded(order.auction, Amount(99), 100, 0, 10, 20, 30)


async def never(order: Any) -> Fact:
    await trio.sleep_forever()
    raise AssertionError


async def refuse(order: Any) -> Fact:
    return REFUSED


Stages = dict[type, Callable[[Any], Awaitable[Fact]]]


def engine_of(store: MemoryStore, stages: Stages) -> Engine:
    return Engine(store, GENESIS, stages, Counters(), SystemClock())


async def kinds(store: MemoryStore, key: bytes = KEY) -> list[str]:
    return [fact.kind for fact in await store.facts(TASK, key)]
