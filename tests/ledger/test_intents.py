"""Orders: kept before they are signed, carried out once, and told what to do about when they cannot be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from outbox_world import OutboxWorld, ThreadedWriter, gift, until

from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ledger import intents
from ainur_node.ledger.call_json import NotACall, dump_call, load_call
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.intents import ENDED, OPEN, PATIENCE_MS, Intents
from ainur_node.ports import OutboxRow
from pallets_client.pallets import balances, vcg_auction
from pallets_client.pallets.shape import Variant
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import auction_terms

TERMS = auction_terms(bytes([3] * 32))


def ended(world: OutboxWorld) -> bool:
    """Whether an order has ended; the chain itself is not asked, for a writer may hold it while it stores a row."""
    return any(kind == ENDED for kind, _ in world.store._tables.docs)


class Orders:
    """The intents of a process that just started over what survived the one before."""

    def __init__(self, world: OutboxWorld) -> None:
        self.world = world
        self.now = 1_000
        self.caller, self.writer = world.caller()
        self.intents = Intents(world.store, self.caller, lambda: self.now)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Intents]:
        await self.caller.resume()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.caller.settle_resumed)
            nursery.start_soon(self.intents.run)
            yield self.intents
            nursery.cancel_scope.cancel()

    async def kinds(self) -> dict[str, int]:
        return {kind: len(await self.world.store.docs(kind, 100)) for kind in (OPEN, ENDED)}


async def test_an_order_is_kept_first_and_remembered_when_it_is_done(world: OutboxWorld) -> None:
    orders = Orders(world)
    kept: list[int] = []
    orders.writer.before_row = lambda: kept.append(len([k for k in world.store._tables.docs if k[0] == OPEN]))

    told = await orders.intents.carry_out(gift(), b"rent")

    assert kept == [1]
    assert isinstance(told, dict)
    assert told["block"] == 1
    assert await orders.kinds() == {OPEN: 0, ENDED: 1}
    assert world.received() == AIN


async def test_an_order_is_known_from_its_first_row_on_unless_it_is_dead(world: OutboxWorld) -> None:
    orders = Orders(world)
    during: list[bool] = []

    async def ask() -> None:
        during.append(await orders.intents.knows(gift(), b"rent"))

    await ask()
    token = trio.lowlevel.current_trio_token()
    orders.writer.before_row = lambda: trio.from_thread.run(ask, trio_token=token)
    await orders.intents.carry_out(gift(), b"rent")
    await ask()
    orders.writer.before_row = lambda: None
    dead = await orders.intents.carry_out(gift(2**100), b"more than there is")

    assert during == [False, True, True]
    assert isinstance(dead, Rejection)
    assert not await orders.intents.knows(gift(), b"more than there is")


async def test_the_same_order_again_pays_nothing_more(world: OutboxWorld) -> None:
    first = await Orders(world).intents.carry_out(gift(), b"rent")

    again = await Orders(world).intents.carry_out(gift(), b"rent")

    assert again == {**first, "repeated": True}  # type: ignore[dict-item] # it was paid
    assert world.received() == AIN


async def test_a_key_stands_for_one_order_only(world: OutboxWorld) -> None:
    orders = Orders(world)
    await orders.intents.carry_out(gift(), b"rent")

    other = await orders.intents.carry_out(gift(2 * AIN), b"rent")

    assert isinstance(other, Rejection)
    assert other.code == "key_used"
    assert world.received() == AIN


async def test_an_order_that_the_chain_refuses_is_dead_and_says_what_to_do(world: OutboxWorld) -> None:
    orders = Orders(world)

    refused = await orders.intents.carry_out(gift(1_000 * AIN), b"too much")
    (dead,) = await orders.intents.pending(10)

    assert isinstance(refused, Rejection)
    assert refused.code == "chain_refused"
    assert (dead.state, dead.todo) == ("dead", refused.hint)
    assert "ainur wallet balance" in dead.todo
    assert "FundsUnavailable" in dead.why


async def test_a_dead_order_can_be_ordered_again(world: OutboxWorld) -> None:
    world.chain.fee = 1_000 * AIN
    orders = Orders(world)
    refused = await orders.intents.carry_out(gift(), b"rent")
    assert isinstance(refused, Rejection)
    assert refused.code == "fee_refused"

    world.chain.fee = 0
    told = await orders.intents.carry_out(gift(), b"rent")

    assert isinstance(told, dict)
    assert await orders.intents.pending(10) == []
    assert world.received() == AIN


async def test_an_order_that_was_never_signed_is_carried_out_by_the_next_process(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = Orders(world)

    async def away(*_: object) -> None:
        raise Transient("no database")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "sign", away)
        with pytest.raises(Transient):
            await orders.intents.carry_out(gift(), b"rent")
    assert [intent.state for intent in await orders.intents.pending(10)] == ["queued"]

    async with Orders(world).running():
        await until(lambda: ended(world))

    async with Orders(world).running() as later:
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert await later.pending(10) == []
    assert world.received() == AIN


async def test_an_order_that_was_signed_and_lost_is_followed_not_signed_again(world: OutboxWorld) -> None:
    orders = Orders(world)
    orders.writer.inner.reachable = False
    with trio.move_on_after(0.2):
        await orders.intents.carry_out(gift(), b"rent")
    assert [row.outcome for row in await world.store.outbox(10)] == [None]

    later = Orders(world)
    async with later.running():
        await until(lambda: ended(world))

    assert world.received() == AIN
    assert later.writer.submitted == 0
    assert len(await world.store.outbox(10)) == 1


@pytest.mark.parametrize("where", ["send_as", "put_doc"])
async def test_an_order_whose_asker_went_away_is_carried_out_without_them_and_once(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    orders = Orders(world)
    owner: Any = orders.caller if where == "send_as" else world.store
    work = getattr(owner, where)
    asker = trio.CancelScope()

    async def slow(*args: Any) -> Any:
        if where == "put_doc":
            await work(*args)
        asker.cancel()
        await trio.sleep_forever()

    async with orders.running() as carried:
        await trio.testing.wait_all_tasks_blocked(0.01)
        with monkeypatch.context() as busy, asker:
            busy.setattr(owner, where, slow)
            await carried.carry_out(gift(), b"rent")
        assert asker.cancelled_caught
        await until(lambda: [kind for kind, _ in world.store._tables.docs] == [ENDED])

    assert orders.writer.submitted == 1
    assert world.received() == AIN


async def test_an_order_that_was_paid_before_its_end_was_written_is_not_paid_again(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = Orders(world)

    async def dies(kind: str, key: bytes, doc: str) -> None:
        if kind == ENDED:
            raise Transient("the database went away")
        world.store._tables.docs[kind, key] = doc

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "put_doc", dies)
        with pytest.raises(Transient):
            await orders.intents.carry_out(gift(), b"rent")

    later = Orders(world)
    async with later.running():
        with trio.fail_after(10):
            while (await later.kinds())[OPEN]:  # noqa: ASYNC110 — a store has no events
                await trio.sleep(0.01)

    assert later.writer.submitted == 0
    assert world.received() == AIN


async def test_a_row_that_ends_while_it_is_looked_at_is_not_signed_again(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.chain.paused = True
    first = Orders(world)
    with trio.move_on_after(0.3):
        await first.intents.carry_out(gift(), b"rent")
    world.chain.seal()
    world.chain.paused = False
    later = Orders(world)
    await later.caller.resume()
    read = world.store.attempts

    async def just_too_early(ref: bytes) -> list[OutboxRow]:
        rows = await read(ref)
        await later.caller.settle_resumed()
        return rows

    monkeypatch.setattr(world.store, "attempts", just_too_early)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(later.intents.run)
        await until(lambda: ended(world))
        nursery.cancel_scope.cancel()

    assert later.writer.submitted == 0
    assert world.received() == AIN


async def test_ends_are_forgotten_while_the_process_lives(world: OutboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intents, "KEPT_ENDS", 3)
    monkeypatch.setattr(intents, "PRUNE_EVERY", 2)
    orders = Orders(world)
    for number in range(8):
        await orders.intents.carry_out(gift(number + 1), bytes([number]))

    assert await orders.kinds() == {OPEN: 0, ENDED: 3}


async def test_a_call_that_never_left_leaves_no_hash_behind(world: OutboxWorld) -> None:
    caller = Caller(world.store, final=True)
    writer = ThreadedWriter(world.chain, caller.on_signed)
    caller.writer = writer
    writer.inner.reachable = False
    with trio.move_on_after(0.2):
        await caller.send(gift(), b"rent")

    assert [row.outcome for row in await world.store.outbox(10)] == [None]
    assert caller._hashes == {}


async def test_an_order_that_nobody_could_sign_for_an_hour_is_dead(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = Orders(world)

    async def away(*_: object) -> None:
        raise Transient("no database")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "sign", away)
        with pytest.raises(Transient):
            await orders.intents.carry_out(gift(), b"rent")

    later = Orders(world)
    later.now += PATIENCE_MS + 1
    async with later.running() as intents:
        with trio.fail_after(10):
            while (await intents.pending(10))[0].state != "dead":  # noqa: ASYNC110 — a store has no events
                await trio.sleep(0.01)

    assert world.received() == 0
    assert "ainur chain status" in (await later.intents.pending(10))[0].todo


@pytest.mark.parametrize(
    "call",
    [
        gift(),
        balances.batch_all((gift(), gift(2 * AIN))),
        vcg_auction.open_(bytes(32), 1, TERMS, 5),
        Call("A", "b", {"none": None, "yes": True, "word": "ü", "many": (1, (b"\0", -3)), "v": Variant("X", {"0": 1})}),
    ],
    ids=lambda call: call.name,
)
def test_calls_are_kept_as_text_and_come_back_the_same(call: Call) -> None:
    back = load_call(dump_call(call))

    assert (back.pallet, back.name) == (call.pallet, call.name)
    assert dump_call(back) == dump_call(call)


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '{"call":"A.b"}', '{"call":"A.b","args":{"x":{"hex":"zz"}}}', "[" * 99]
)
def test_text_that_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(NotACall):
        load_call(text)
