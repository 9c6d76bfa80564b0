"""A call happens exactly once, wherever the process dies and whatever the chain does meanwhile."""

from collections.abc import MutableMapping
from concurrent.futures import Future
from typing import Any

import pytest
import trio
from outbox_world import AWAY, ERA, ME, OutboxWorld, gift, until

from ainur_node.errors import Transient
from ainur_node.ledger.calls import Caller
from ainur_node.ports import OutboxRow
from pallets_client.errors import CallMalformed
from pallets_client.records import AIN, Call, Expired, Failed, Included, Outcome, Refused


async def test_a_call_is_written_down_before_it_leaves_and_once_it_is_in_a_block(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    stored_first: list[bool] = []
    writer.after_row = lambda: stored_first.append(bool(world.store._tables.outbox) and world.received() == 0)

    outcome = await caller.send(gift(), b"one")

    assert isinstance(outcome, Included)
    assert stored_first == [True]
    assert await world.outcomes() == [f"included in block {outcome.block_number}"]
    assert world.received() == AIN


async def test_nothing_leaves_when_the_row_cannot_be_stored(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, _ = world.caller()

    async def away(row: OutboxRow) -> None:
        raise Transient("no database")

    monkeypatch.setattr(world.store, "sign", away)

    with pytest.raises(Transient, match="no database"):
        await caller.send(gift(), b"one")

    assert world.received() == 0
    monkeypatch.undo()
    assert isinstance(await caller.send(gift(), b"one"), Included)
    assert world.received() == AIN


async def test_a_process_that_died_between_signing_and_sending_sends_the_same_bytes(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    writer.inner.reachable = False
    await give_up(caller, b"one")
    assert await world.outcomes() == [None]

    again, follower = world.caller()
    assert await again.resume() == 1
    outcome = await again.send(gift(), b"one")
    await again.settle_resumed()

    assert isinstance(outcome, Included)
    assert follower.submitted == 0, "nothing was signed a second time"
    assert world.received() == AIN
    assert await world.outcomes() == [f"included in block {outcome.block_number}"]


async def test_a_process_that_died_between_sending_and_inclusion_finds_its_call(world: OutboxWorld) -> None:
    world.chain.paused = True
    caller, _ = world.caller()
    await give_up(caller, b"one")

    again, follower = world.caller()
    await again.resume()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(again.settle_resumed)
        nursery.start_soon(again.send, gift(), b"one")
        await trio.lowlevel.checkpoint()
        world.chain.seal()

    assert follower.submitted == 0
    assert world.received() == AIN
    assert [o is not None and o.startswith("included") for o in await world.outcomes()] == [True]


async def test_a_process_that_died_after_inclusion_learns_of_it(world: OutboxWorld) -> None:
    world.chain.paused = True
    caller, _ = world.caller()
    await give_up(caller, b"one")
    world.chain.seal()

    again, follower = world.caller()
    await again.resume()
    outcome = await again.send(gift(), b"one")
    await again.settle_resumed()

    assert isinstance(outcome, Included)
    assert follower.submitted == 0
    assert world.received() == AIN


async def test_only_when_the_era_is_over_a_call_is_signed_anew(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    writer.inner.reachable = False
    await give_up(caller, b"one")

    again, follower = world.caller()
    follower.inner.reachable = False
    await again.resume()
    world.pass_blocks(ERA + 1)
    with pytest.raises(Transient, match="did not reach a block"):
        await again.send(gift(), b"one")
    await again.settle_resumed()
    follower.inner.reachable = True
    outcome = await again.send(gift(), b"one")

    assert isinstance(outcome, Included)
    assert follower.submitted == 1
    assert world.received() == AIN
    first, second = await world.outcomes()
    assert (first or "").startswith("expired")
    assert (second or "").startswith("included")


async def test_an_era_that_ended_while_nobody_ran_is_seen_at_the_start(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    writer.inner.reachable = False
    await give_up(caller, b"one")
    world.pass_blocks(ERA + 1)

    again, _ = world.caller()
    await again.resume()
    await again.settle_resumed()

    assert (await world.outcomes())[0] == f"expired at block {ERA}"
    assert isinstance(await again.send(gift(), b"one"), Included)
    assert world.received() == AIN


async def test_the_same_call_asked_for_twice_at_once_is_sent_once(world: OutboxWorld) -> None:
    world.chain.paused = True
    caller, writer = world.caller()
    ended: list[Any] = []

    async def ask() -> None:
        ended.append(await caller.send(gift(), b"one"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)
        await until(lambda: len(world.chain.pool) == 1)
        world.chain.seal()

    assert writer.submitted == 1
    assert len(ended) == 2
    assert ended[0] == ended[1]
    assert world.received() == AIN


async def test_calls_of_different_ids_are_different_calls(world: OutboxWorld) -> None:
    caller, _ = world.caller()

    await caller.send(gift(), b"one")
    await caller.send(gift(), b"two")

    assert world.received() == 2 * AIN
    assert [row.nonce for row in reversed(await world.store.outbox(10))] == [0, 1]


async def test_whoever_gave_up_and_asks_again_follows_the_first_call(world: OutboxWorld) -> None:
    world.chain.paused = True
    caller, writer = world.caller()
    await give_up(caller, b"one")
    world.chain.seal()

    outcome = await caller.send(gift(), b"one")

    assert isinstance(outcome, Included)
    assert writer.submitted == 1
    assert world.received() == AIN
    assert [o is not None for o in await world.outcomes()] == [True]


async def test_a_guard_that_refuses_is_an_answer_not_a_fault(world: OutboxWorld) -> None:
    caller, _ = world.caller()

    outcome = await caller.send(gift(1_000 * AIN), b"one")

    assert isinstance(outcome, Failed)
    assert world.received() == 0
    assert "FundsUnavailable" in ((await world.outcomes())[0] or "")


async def test_an_account_without_money_for_the_fee_is_told(world: OutboxWorld) -> None:
    world.chain.fee = 1_000 * AIN
    caller, _ = world.caller()

    outcome = await caller.send(gift(), b"one")

    assert isinstance(outcome, Refused)
    assert ((await world.outcomes())[0] or "").startswith("refused")


class ScriptedWriter:
    """Ends each call as a script says."""

    key = ME

    def __init__(self, *ends: Outcome | Exception) -> None:
        self.ends = list(ends)

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
        return future

    def resume(self, signed: Any) -> Future[Outcome]:
        return self.submit(gift(), b"")

    def close(self) -> None:
        raise AssertionError("nobody closes it here")


async def test_a_chain_that_is_away_is_transient_and_the_next_try_is_a_new_one(world: OutboxWorld) -> None:
    caller = Caller(world.store)
    included = Included(bytes(32), 1, 0, 0, ())
    caller.writer = ScriptedWriter(AWAY, Expired(7), included)

    with pytest.raises(Transient, match="did not take"):
        await caller.send(gift(), b"one")
    with pytest.raises(Transient, match="did not reach"):
        await caller.send(gift(), b"one")

    assert await caller.send(gift(), b"one") == included


async def test_a_malformed_call_is_a_bug_of_ours(world: OutboxWorld) -> None:
    caller = Caller(world.store)
    caller.writer = ScriptedWriter(CallMalformed("no such call"))

    with pytest.raises(CallMalformed):
        await caller.send(gift(), b"one")


async def test_an_outcome_that_cannot_be_stored_is_told_all_the_same(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch, logged: list[MutableMapping[str, Any]]
) -> None:
    caller, _ = world.caller()

    async def away(extrinsic: bytes, outcome: str) -> bool:
        raise Transient("no database")

    monkeypatch.setattr(world.store, "resolve", away)
    outcome = await caller.send(gift(), b"one")

    assert isinstance(outcome, Included)
    assert "outcome_not_stored" in [line["event"] for line in logged]
    monkeypatch.undo()
    again, _ = world.caller()
    assert await again.resume() == 1
    await again.settle_resumed()
    assert [o is not None for o in await world.outcomes()] == [True]
    assert world.received() == AIN


async def test_an_outcome_of_an_old_extrinsic_is_never_written_to_a_new_one(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    writer.inner.reachable = False
    await give_up(caller, b"one")
    again, follower = world.caller()
    follower.inner.reachable = False
    await again.resume()
    world.pass_blocks(ERA + 1)
    world.chain.paused = True
    follower.inner.reachable = True
    with pytest.raises(Transient):
        await again.send(gift(), b"one")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(again.send, gift(), b"one")
        await until(lambda: len(world.chain.pool) == 1)
        await again.settle_resumed()
        assert [o and o.split()[0] for o in await world.outcomes()] == ["expired", None]
        world.chain.seal()

    assert [o and o.split()[0] for o in await world.outcomes()] == ["expired", "included"]


async def test_a_writer_must_be_set_first(world: OutboxWorld) -> None:
    with pytest.raises(RuntimeError):
        await Caller(world.store).send(gift(), b"one")


async def give_up(caller: Caller, natural_id: bytes) -> None:
    """Send, and stop waiting once the row is there: as if the process had died."""
    outbox = caller._outbox
    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller.send, gift(), natural_id)
        with trio.fail_after(10):
            while not await outbox.unresolved(ME.account):  # noqa: ASYNC110 — a store has no events
                await trio.sleep(0.001)
        # The writer's thread has a few more lines to go until the bytes are where the test wants them.
        world_chain = caller.writer.inner.chain  # type: ignore[attr-defined] # the writer of these tests
        await until(lambda: bool(world_chain.pool or world_chain.lost))
        nursery.cancel_scope.cancel()
