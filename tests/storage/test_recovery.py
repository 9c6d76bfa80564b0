"""What the store does when PostgreSQL is killed, goes away, is full, or belongs to another node."""

import asyncio
import itertools
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import trio
from running_server import kill_all, wait_until

from ainur_node.errors import Bug, ConfigError, Transient
from ainur_node.ports import AlreadyDone, Conflict
from ainur_node.storage import pool as pool_module
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.pool import Lost, translate
from ainur_node.storage.postgres import PostgresStore, open_store

pytestmark = pytest.mark.real


@pytest.fixture
def server(server: EmbeddedPostgres) -> EmbeddedPostgres:
    server.start()
    return server


def kill_9(server: EmbeddedPostgres) -> None:
    kill_all(server.log_file.parent)
    wait_until(lambda: server.poll() is not None)


async def until_it_answers(store: PostgresStore) -> None:
    with trio.fail_after(10):
        while True:
            try:
                await store.pending_orders()
            except Transient:
                await trio.sleep(0.02)
            else:
                return


async def test_every_acknowledged_commit_survives_kill_9_of_all_processes(server: EmbeddedPostgres) -> None:
    acknowledged: dict[bytes, int] = {}
    in_doubt: list[tuple[bytes, int]] = []
    rounds = itertools.count()

    async with open_store(server.create_database("node")) as store, store.lock():

        async def write(key: bytes) -> None:
            for version in itertools.count():
                body = f'"{key.hex()}/{version}"'
                try:
                    ids = await store.commit("life", key, version, "Fact", body, body, "p", [("Order", body)], None)
                except Transient:
                    in_doubt.append((key, version))
                    return
                assert isinstance(ids, list)
                acknowledged[key] = version + 1
                if sum(acknowledged.values()) >= goal:
                    enough.set()

        for _ in range(3):
            enough, goal = trio.Event(), sum(acknowledged.values()) + 150
            keys = [b"%d-%d" % (next(rounds), number) for number in range(6)]
            async with trio.open_nursery() as nursery:
                for key in keys:
                    nursery.start_soon(write, key)
                await enough.wait()
                kill_9(server)
            server.start()
            await until_it_answers(store)

            for key in keys:
                facts = await store.facts("life", key)
                assert len(facts) >= acknowledged[key], "an acknowledged commit was lost"
                assert len(facts) <= acknowledged[key] + 1, "more than the one in doubt was written"
                assert [fact.fact for fact in facts] == [f'"{key.hex()}/{n}"' for n in range(len(facts))]
                stored = await store.load("life", key)
                assert stored is not None
                assert (stored.version, stored.state) == (len(facts), facts[-1].fact)
        orders = await store.pending_orders()
        total = sum([len(await store.facts("life", key)) for key in acknowledged])

    assert len(in_doubt) == 18
    assert len(orders) == total, "fact and order were not written together"


async def test_a_commit_in_doubt_made_again_is_written_exactly_once(server: EmbeddedPostgres) -> None:
    async with open_store(server.create_database("node")) as store:
        begun = await store.commit("life", b"k", 0, "F", "{}", "{}", "p", [("A", "{}")], None)
        assert isinstance(begun, list)
        await _lose_the_answer_of_the_next_commit(store)
        call = ("life", b"k", 1, "F", '"x"', '"x"', "p", [("B", "{}"), ("C", "{}")], begun[0])

        with pytest.raises(Lost):
            await store.commit(*call)
        assert store.statistics()["database_in_doubt"] == 1
        ids = await store.commit(*call)

        assert isinstance(ids, list)
        assert [order.id for order in await store.pending_orders()] == ids
        assert len(await store.facts("life", b"k")) == 2
        assert store.statistics()["database_in_doubt"] == 0
        assert await store.commit(*call) == AlreadyDone(begun[0])


async def test_a_commit_in_doubt_does_not_hide_that_another_came_first(server: EmbeddedPostgres) -> None:
    async with open_store(server.create_database("node")) as store:
        call = ("life", b"k", 0, "F", '"x"', '"x"', "p", [], None)
        await _lose_the_answer_of_the_next_commit(store, written=False)
        with pytest.raises(Lost):
            await store.commit(*call)
        await store.commit("life", b"k", 0, "F", '"y"', '"y"', "p", [], None)

        assert await store.commit(*call) == Conflict(stored=1)


async def _lose_the_answer_of_the_next_commit(store: PostgresStore, *, written: bool = True) -> None:
    """The server commits, or never sees the statement, and the connection breaks before the answer comes."""
    database = store._database
    original = database.fetchrow

    async def broken(sql: str, *args: object) -> object:
        database.fetchrow = original  # type: ignore[method-assign]
        if written:
            await original(sql, *args)
        raise Lost("the connection broke")

    database.fetchrow = broken  # type: ignore[method-assign]


async def test_while_the_database_is_gone_calls_are_transient_and_later_they_work(server: EmbeddedPostgres) -> None:
    async with open_store(server.create_database("node")) as store:
        await store.put_doc("k", b"k", "1")
        server.stop()

        with pytest.raises(Transient) as gone:
            await store.get_doc("k", b"k")
        with pytest.raises(Transient):
            await store.put_doc("k", b"k", "2")
        server.start()
        await until_it_answers(store)

        assert gone.value.hint
        assert await store.get_doc("k", b"k") == "1"
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(store.put_doc, "k", b"%d" % number, "3")
        assert len(await store.docs("k", 99)) == 31


async def test_no_server_at_the_start_is_transient(tmp_path: Path) -> None:
    for dsn in (f"postgresql://postgres@/x?host={tmp_path}", "postgresql://postgres@127.0.0.1:1/x"):
        with pytest.raises(Transient):
            async with open_store(dsn):
                pass


async def test_an_unknown_database_or_url_is_for_the_operator(postgres_server: EmbeddedPostgres) -> None:
    for dsn in (postgres_server.dsn("no_such_database"), "mysql://x", "postgresql://h:port/x"):
        with pytest.raises(ConfigError):
            async with open_store(dsn):
                pass


async def test_closing_the_store_while_the_server_is_gone_ends(server: EmbeddedPostgres) -> None:
    with trio.fail_after(10):
        async with open_store(server.create_database("node")) as store, store.lock():
            await store.put_doc("k", b"k", "1")
            kill_9(server)


async def test_a_cancelled_call_leaves_no_query_and_no_lost_connection(dsn: str) -> None:
    async with open_store(dsn, pool=2) as store:
        for _ in range(5):
            with trio.move_on_after(0.05) as scope:
                await store._database.fetchval("select pg_sleep(20)")
            assert scope.cancelled_caught

        running = await store._database.fetchval(
            "select count(*) from pg_stat_activity where query like '%pg_sleep(20)'"
        )
        assert running == 0
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(store.put_doc, "k", b"%d" % number, "1")


async def test_more_callers_than_connections_wait_their_turn(dsn: str) -> None:
    async with open_store(dsn, pool=2) as store:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(store.put_doc, "k", b"%d" % number, "1")

        assert len(await store.docs("k", 99)) == 50
        assert store.statistics()["database_connections"] <= 2


async def test_a_pool_without_a_free_connection_is_transient(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held, token = trio.Event(), trio.lowlevel.current_trio_token()

    async def hold(_: Any) -> None:
        token.run_sync_soon(held.set)
        await asyncio.Event().wait()

    async with open_store(dsn, pool=1) as store, trio.open_nursery() as nursery:
        nursery.start_soon(store._database.run, hold)
        await held.wait()
        monkeypatch.setattr(pool_module, "ACQUIRE_TIMEOUT", 0.05)
        with pytest.raises(Transient):
            await store.pending_orders()
        nursery.cancel_scope.cancel()


async def test_a_commit_that_was_cancelled_finds_out_when_it_is_made_again(dsn: str) -> None:
    async with open_store(dsn) as store:
        for number in range(30):
            call = ("life", b"%d" % number, 0, "F", "{}", "{}", "p", [("A", "{}")], None)
            with trio.move_on_after(0.0002 * (number % 6)):
                await store.commit(*call)
            assert isinstance(await store.commit(*call), list | Conflict)

        assert len(await store.pending_orders()) == 30
        assert store.statistics()["database_in_doubt"] == 0


FULL = """
    import os, sys
    from pathlib import Path
    import trio
    from ainur_node.errors import Transient
    from ainur_node.storage.embedded import EmbeddedPostgres
    from ainur_node.storage.postgres import open_store

    disk = Path(sys.argv[1])
    server = EmbeddedPostgres(disk / "data", disk / "run")
    server.start()
    filler = disk / "filler"
    filler.write_bytes(bytes(12_000_000))

    async def main():
        acknowledged = 0
        async with open_store(server.create_database("node")) as store:
            try:
                while acknowledged < 1000:
                    await store.put_doc("k", b"%d" % acknowledged, '"%s"' % os.urandom(50_000).hex())
                    acknowledged += 1
            except Transient as error:
                assert "free space" in error.hint, (error, error.hint)
            filler.unlink()
            with trio.fail_after(20):
                while True:
                    if server.poll() is not None:  # it ends when there is no room for its log; a supervisor restarts it
                        server.start()
                    try:
                        found = {int(key) for key, _ in await store.docs("k", 2000)}
                        await store.put_doc("k", b"9999", "1")
                        break
                    except Transient:
                        await trio.sleep(0.05)
            assert set(range(acknowledged)) <= found, (acknowledged, len(found))
            assert acknowledged < 1000
            print("as promised")

    try:
        trio.run(main)
    finally:
        server.stop()
"""


def test_a_disk_that_is_really_full_loses_nothing_and_the_node_goes_on_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    mount = f'mount -t tmpfs -o size=90m none "{tmp_path}/disk"'
    inside = ["unshare", "-U", "-r", "-m", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True, check=False).returncode != 0:
        pytest.skip("no private mounts here")

    said = subprocess.run(
        [*inside, f'{mount} && exec "$0" -c "$1" "{tmp_path}/disk"', sys.executable, textwrap.dedent(FULL)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "as promised" in said.stdout.splitlines(), said.stderr


@pytest.mark.parametrize(
    ("driver", "ours", "words"),
    [
        (asyncpg.DiskFullError("no space left"), Transient, "free space"),
        (asyncpg.OutOfMemoryError("oom"), Transient, "free space"),
        (asyncpg.TooManyConnectionsError("sorry"), Transient, "log"),
        (asyncpg.DeadlockDetectedError("x"), Transient, "log"),
        (asyncpg.SerializationError("x"), Transient, "log"),
        (asyncpg.ReadOnlySQLTransactionError("x"), Transient, "log"),
        (asyncpg.AdminShutdownError("x"), Lost, "running"),
        (asyncpg.CrashShutdownError("x"), Lost, "running"),
        (asyncpg.CannotConnectNowError("starting up"), Lost, "running"),
        (asyncpg.ConnectionDoesNotExistError("closed"), Lost, "running"),
        (asyncpg.InterfaceError("connection is closed"), Lost, "running"),
        (asyncpg.ConnectionDoesNotExistError("could not write: No space left on device"), Lost, "free space"),
        (ConnectionRefusedError(), Lost, "running"),
        (TimeoutError(), Lost, "running"),
        (asyncpg.InvalidPasswordError("x"), ConfigError, "database.url"),
    ],
)
def test_errors_of_the_driver_are_told_in_our_words(driver: Exception, ours: type[Exception], words: str) -> None:
    error = translate(driver)

    assert type(error) is ours
    assert isinstance(error, Transient | ConfigError)
    assert words in error.hint


@pytest.mark.parametrize(
    "driver",
    [
        asyncpg.UniqueViolationError("x"),
        asyncpg.CheckViolationError("x"),
        asyncpg.UndefinedTableError("x"),
        asyncpg.PostgresSyntaxError("x"),
        asyncpg.DataError("x"),
        asyncpg.InterfaceError("another operation is in progress"),
        ValueError("x"),
    ],
)
def test_our_own_mistakes_are_bugs(driver: Exception) -> None:
    assert type(translate(driver)) is Bug


async def test_a_broken_constraint_is_a_bug(dsn: str) -> None:
    async with open_store(dsn) as store:
        with pytest.raises(Bug, match="CheckViolation"):
            await store._database.fetchval("insert into blobs (sha256, size, kind) values ('', 1, 'x')")
