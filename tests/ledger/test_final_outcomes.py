"""Rows of the outbox end when finalized blocks say so, not when the best block does."""

import trio
import trio.testing
from outbox_world import ME, OutboxWorld, gift, until

from ainur_node.ledger.calls import Caller, ref_of
from ainur_node.ports import Fate
from pallets_client.records import Expired, Included, Outcome, Signed
from pallets_client.testing import MemoryWriter


class Finality:
    """A caller over a writer that tells what is final when the test says so."""

    def __init__(self, world: OutboxWorld) -> None:
        self.caller = Caller(world.store, final=True)
        self.signed: list[Signed] = []
        self.caller.writer = MemoryWriter(world.chain, ME, on_signed=self._sign)

    def _sign(self, signed: Signed) -> None:
        self.signed.append(signed)

    def say(self, outcome: Outcome) -> None:
        self.caller.on_final(self.signed[-1], outcome)


async def store_rows(world: OutboxWorld, finality: Finality) -> None:
    """What the writer's thread does before the bytes leave, here after the fact: these writers have no thread."""
    for signed in finality.signed:
        await trio.to_thread.run_sync(finality.caller.on_signed, signed)


async def test_a_row_stays_open_until_the_block_is_final(world: OutboxWorld) -> None:
    finality = Finality(world)
    outcome = await finality.caller.send(gift(), b"one")
    await store_rows(world, finality)
    assert isinstance(outcome, Included)
    assert await world.outcomes() == [None]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(finality.caller.keep_books)
        finality.say(outcome)
        await until(lambda: all(row.outcome for row in world.store._tables.outbox.values()))
        nursery.cancel_scope.cancel()

    assert await world.outcomes() == [f"included in block {outcome.block_number}"]


async def test_the_first_word_of_finality_stays(world: OutboxWorld) -> None:
    finality = Finality(world)
    outcome = await finality.caller.send(gift(), b"one")
    await store_rows(world, finality)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(finality.caller.keep_books)
        finality.say(Expired(9))
        await until(lambda: all(row.outcome for row in world.store._tables.outbox.values()))
        finality.say(outcome)
        await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()

    assert await world.outcomes() == ["expired at block 9"]


async def test_a_call_whose_sender_left_is_undecided_until_its_block_is_final(world: OutboxWorld) -> None:
    finality, call = Finality(world), gift()
    ref = ref_of(call, b"one")
    assert await finality.caller.fate(ref) is Fate.NEVER
    world.chain.paused = True
    with trio.move_on_after(0.01):
        await finality.caller.send(call, b"one")
    assert await finality.caller.fate(ref) is Fate.UNDECIDED
    world.chain.seal()
    await store_rows(world, finality)
    assert await finality.caller.fate(ref) is Fate.UNDECIDED

    async with trio.open_nursery() as nursery:
        nursery.start_soon(finality.caller.keep_books)
        finality.say(world.chain.outcomes[finality.signed[-1].hash])
        await until(lambda: all(row.outcome for row in world.store._tables.outbox.values()))
        nursery.cancel_scope.cancel()

    assert await finality.caller.fate(ref) is Fate.INCLUDED
