"""A payer that was away until the chain forgot its escrow: every stage ends; a chain that is behind ends nothing."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from market_stage import Stage, refuse, set_up
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.events import Settled
from ainur_node.domain.ids import AccountId, EscrowId
from ainur_node.domain.money import ZERO
from ainur_node.domain.orders import Accept, AwaitDelivery, AwaitRuling, OpenDispute
from ainur_node.errors import Transient
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.market.settling import Settling
from ainur_node.market.watching import Watching
from pallets_client.pallets import escrow as escrows
from pallets_client.records import Included

ESCROW, PAYEE = EscrowId(b"e" * 32), AccountId(b"p" * 32)
PAST = 1_000
GONE = Settled(ESCROW, "gone", ZERO, ZERO)
DELIVERED = 7  # the requester's seventh fact


class Counting:
    """A chain that forgot the escrow: it counts how often it is read, and blocks stand still at ``sealed``."""

    def __init__(self, sealed: int) -> None:
        self.sealed = sealed
        self.reads = 0

    async def market_now(self) -> int:
        return 10**9  # an estimate

    async def escrow(self, escrow: EscrowId) -> None:
        self.reads += 1
        assert self.reads < 100, "the chain is read again and again without a pause"
        await trio.lowlevel.checkpoint()

    async def forgotten(self, escrow: EscrowId, past: int) -> bool:
        self.reads += 1
        await trio.lowlevel.checkpoint()
        return self.sealed > past

    async def refund(self, escrow: EscrowId) -> str:
        return "unknown"

    async def timeout_dispute(self, escrow: EscrowId) -> str:
        return "unknown"

    async def accept(self, escrow: EscrowId, *, verified: bool) -> Settled:
        raise Transient("the payment is not visible yet")

    async def dispute(self, escrow: EscrowId, ground: int, evidence: bytes) -> Settled:
        raise Transient("the dispute is not visible yet")


Asked = Callable[[Any, int], Awaitable[Any]]
STAGES: dict[str, Asked] = {
    "delivery": lambda ledger, past: Watching(ledger).delivery(AwaitDelivery(ESCROW, PAYEE, past)),
    "ruling": lambda ledger, past: Watching(ledger).ruling(AwaitRuling(ESCROW, PAYEE, past)),
    "accept": lambda ledger, past: Settling(ledger).accept(Accept(ESCROW, True, past)),
    "dispute": lambda ledger, past: Settling(ledger).dispute(OpenDispute(ESCROW, 2, b"e" * 32, past)),
}


@pytest.mark.parametrize("stage", STAGES)
async def test_an_escrow_that_the_chain_forgot_has_ended(autojump_clock: MockClock, stage: str) -> None:
    ledger = Counting(sealed=PAST + 1)

    with trio.fail_after(1):
        assert await STAGES[stage](ledger, PAST) == GONE

    assert ledger.reads == 2


@pytest.mark.parametrize("stage", STAGES)
async def test_a_chain_that_is_behind_ends_nothing_and_is_left_alone_for_a_while(
    autojump_clock: MockClock, stage: str
) -> None:
    ledger = Counting(sealed=PAST)

    with trio.fail_after(1), pytest.raises(Transient):
        await STAGES[stage](ledger, PAST)

    assert ledger.reads == 2


@pytest.mark.parametrize("stage", ["accept", "dispute"])
async def test_an_order_of_an_older_build_that_knows_no_time_waits(autojump_clock: MockClock, stage: str) -> None:
    with trio.fail_after(1), pytest.raises(Transient):
        await STAGES[stage](Counting(sealed=10**9), 0)


async def test_before_its_time_an_escrow_that_cannot_be_seen_is_watched_for_at_the_chains_pace(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    node = await world.submitter()
    honest, reads = world.client.escrow, 0

    def counted(*words: Any) -> Any:
        nonlocal reads
        reads += 1
        return honest(*words)

    world.client.escrow = counted  # type: ignore[method-assign]
    later = await node.ledger.market_now() + 60_000

    for ask in (STAGES["delivery"], STAGES["ruling"]):
        reads = 0
        with suppress(Transient):  # its estimate may be past that time a moment before its block is
            assert await ask(node.ledger, later) == GONE
        assert 2 <= reads < 60
        later += 60_000


async def test_the_ledger_reads_time_and_escrow_at_one_block(world: MarketWorld, autojump_clock: MockClock) -> None:
    node = await world.submitter()
    sealed = world.client.market_now()

    assert not await node.ledger.forgotten(ESCROW, sealed), "its estimate is ahead, its block is not"
    assert await node.ledger.forgotten(ESCROW, sealed - 1)


# --- a whole task --------------------------------------------------------------------------------------------------


class DroppedAnswers(ChainLedger):
    """The payment never reaches the chain."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.tried = trio.Event()

    async def accept(self, escrow: EscrowId, *, verified: bool) -> Settled:
        self.tried.set()
        if await self.escrow(escrow) is not None:
            raise Transient("the chain is away")
        return await super().accept(escrow, verified=verified)


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


async def forgotten(stage: Stage, task: str) -> None:
    """Wait until the escrow may be forgotten, and have a stranger do it while the payer is down."""
    world, shown = stage.world, await stage.submitter.show(task)
    if stage.submitter.running is not None:
        stage.submitter.crash()
    await stage.submitter.stopped.wait()
    await trio.sleep(world.client.params().tombstone / 1000 + 200)
    call = escrows.forget(bytes.fromhex(shown["escrow"]))
    assert isinstance(stage.dear.writer.submit(call, b"forget").result(0), Included)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("served", [True, False])
async def test_a_task_ends_though_its_escrow_was_forgotten_while_its_payer_was_away(
    stage: Stage, autojump_clock: MockClock, moment: str, served: bool
) -> None:
    if not served:
        stage.cheap.twists["task.output"] = refuse
    store = stage.submitter.store
    setattr(store, f"crash_{moment}", store.commits + DELIVERED)
    task = await stage.submitter.submit()
    await stage.submitter.stopped.wait()
    await forgotten(stage, task)

    await stage.world.start(stage.submitter)
    with trio.fail_after(100):
        done = await stage.submitter.final(task)

    # Before the delivery was known there is nothing to look for; afterwards the result is still fetched.
    verified = moment == "after" and served
    assert (done["phase"], done["outcome"], done["verified"]) == ("settled", "gone", verified)
    assert int(done["price"]) == 0


async def test_a_payment_that_never_left_ends_when_the_escrow_is_forgotten(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    stage = await set_up(world)
    stage.submitter.crash()
    stage.submitter.ledger_type = DroppedAnswers
    await world.restart(stage.submitter)
    task = await stage.submitter.submit()
    with trio.fail_after(100):
        assert isinstance(stage.submitter.ledger, DroppedAnswers)
        await stage.submitter.ledger.tried.wait()
    await forgotten(stage, task)

    await world.start(stage.submitter)
    with trio.fail_after(100):
        done = await stage.submitter.final(task)

    assert (done["phase"], done["outcome"], done["verified"]) == ("settled", "gone", True)
    assert stage.gain(stage.cheap) > 0, "the clock had paid"
