"""One database belongs to one node at a time, also when connections break."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
import structlog
import trio

from ainur_node.errors import Transient
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.pool import Lost
from ainur_node.storage.postgres import PostgresStore, open_store

pytestmark = pytest.mark.real


async def test_a_second_node_on_one_database_is_refused_and_may_start_later(dsn: str) -> None:
    async with open_store(dsn) as first, open_store(dsn) as second:
        async with first.lock():
            with pytest.raises(Transient, match="another node works on this database"):
                async with second.lock():
                    pass
            await first.put_doc("k", b"k", "1")
        async with second.lock():
            assert await second.get_doc("k", b"k") == "1"


async def test_a_cancelled_node_gives_its_lock_back(dsn: str) -> None:
    async with open_store(dsn) as first, open_store(dsn) as second:
        with trio.CancelScope() as scope:
            async with first.lock():
                scope.cancel()
                await trio.sleep_forever()

        async with second.lock():
            await second.put_doc("k", b"k", "1")


async def test_nodes_on_two_databases_of_one_server_do_not_disturb_each_other(
    dsn: str, postgres_server: EmbeddedPostgres
) -> None:
    other = await trio.to_thread.run_sync(postgres_server.create_database, "other", "ready")
    async with open_store(dsn) as first, open_store(other) as second, first.lock(), second.lock():
        await first.put_doc("k", b"k", "1")
        assert await second.get_doc("k", b"k") is None


async def test_a_lost_lock_is_taken_again_before_anything_is_written(dsn: str) -> None:
    async with open_store(dsn) as store, open_store(dsn) as other:
        async with store.lock():
            await _break_the_lock(store)
            await store.put_doc("k", b"k", "1")
            with pytest.raises(Transient):
                async with other.lock():
                    pass


async def test_a_node_that_lost_its_lock_to_another_writes_nothing_and_says_so_once(dsn: str) -> None:
    async with open_store(dsn) as store, open_store(dsn) as other:
        async with store.lock():
            await _break_the_lock(store)
            async with other.lock():
                with structlog.testing.capture_logs() as said:
                    for _ in range(3):
                        with pytest.raises(Transient, match="another node"):
                            await store.put_doc("k", b"k", "1")
                assert await other.get_doc("k", b"k") is None
            await store.put_doc("k", b"k", "2")
        assert await other.get_doc("k", b"k") == "2"
    assert [each["event"] for each in said] == ["database_lock_lost"]


class _LosesTheAnswer(asyncpg.Connection):
    """The server grants the lock, but nobody here is told: the answer is late, or whoever asked is cancelled."""

    made: list[asyncpg.Connection]
    cancel: Callable[[], object] | None

    async def fetchval(self, *args: Any, **named: Any) -> Any:
        self.made.append(self)  # kept, for the garbage collector is not to end it for us
        await super().fetchval(*args, **named)
        if self.cancel is None:
            raise TimeoutError
        self.cancel()
        await asyncio.sleep(3600)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_lock_whose_answer_was_lost_keeps_nobody_out(
    dsn: str, cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = trio.CancelScope()
    token = trio.lowlevel.current_trio_token()
    connect = functools.partial(asyncpg.connect, connection_class=_LosesTheAnswer)
    monkeypatch.setattr(_LosesTheAnswer, "made", [], raising=False)
    monkeypatch.setattr(
        _LosesTheAnswer, "cancel", (lambda _: token.run_sync_soon(asker.cancel)) if cancelled else None, raising=False
    )

    async with open_store(dsn) as store:
        with monkeypatch.context() as broken, asker, pytest.raises((Transient, trio.Cancelled)) as told:
            broken.setattr(asyncpg, "connect", connect)
            async with store.lock():
                pass

        (lost,) = _LosesTheAnswer.made
        assert told.type is (trio.Cancelled if cancelled else Lost)
        assert lost.is_closed()
        await _lock_soon(store)


async def _lock_soon(store: PostgresStore) -> None:
    with trio.fail_after(5):
        while True:
            try:
                async with store.lock():
                    return
            except Transient:  # the server has yet to see that the connection is gone
                await trio.sleep(0.005)


async def _break_the_lock(store: PostgresStore) -> None:
    database = store._database
    owner = database._owner
    pid = owner.get_server_pid()
    async with open_store(database._dsn) as by_hand:
        await by_hand._database.fetchval("select pg_terminate_backend($1)", pid)
    with trio.fail_after(5):
        while not owner.is_closed():  # noqa: ASYNC110 — the connection has no event to wait for
            await trio.sleep(0.005)
