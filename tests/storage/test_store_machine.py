"""Whatever is done in whatever order, PostgreSQL and the memory store give the same answers."""

import contextlib
import hashlib
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ainur_node.errors import Bug
from ainur_node.ports import OutboxRow
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.memory import MemoryStore
from ainur_node.storage.postgres import PostgresStore, open_store

pytestmark = pytest.mark.real

TABLES = "orders, facts, lives, outbox, documents, blob_refs, blobs"
keys = st.sampled_from([b"a", b"b", b"c"])
lives = st.sampled_from(["requester", "provider"])
phases = st.sampled_from(["new", "running", "=settled"])
documents = st.sampled_from(["{}", '{"n": 1}', "[1,  2]", '"\\u0000"', "not json", "NaN"])
numbers = st.integers(min_value=-1, max_value=6)
orders = st.lists(st.tuples(st.sampled_from(["A", "B"]), documents), max_size=3)


def blank(value: Any) -> Any:
    """The same value without times, which two clocks never agree on."""
    if isinstance(value, list):
        return [blank(each) for each in value]
    if hasattr(value, "at"):
        return type(value)(**{name: getattr(value, name) for name in value.__slots__ if name != "at"}, at=0)
    return value


class Portal:
    """A trio run in another thread that holds one PostgresStore open for the whole test."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._ready: queue.Queue[trio.lowlevel.TrioToken] = queue.Queue()
        self._thread = threading.Thread(target=trio.run, args=(self._serve,))

    async def _serve(self) -> None:
        async with open_store(self._dsn) as self.store:
            self._stop = trio.Event()
            self._ready.put(trio.lowlevel.current_trio_token())
            await self._stop.wait()

    def __enter__(self) -> "Portal":
        self._thread.start()
        self._token = self._ready.get(timeout=20)
        return self

    def __exit__(self, *_: object) -> None:
        self._token.run_sync_soon(self._stop.set)
        self._thread.join(20)

    def call(self, fn: Callable[[], Awaitable[Any]]) -> Any:
        return trio.from_thread.run(fn, trio_token=self._token)


class SameAnswers(RuleBasedStateMachine):
    portal: Portal

    def __init__(self) -> None:
        super().__init__()
        self.memory = MemoryStore()
        self.postgres: PostgresStore = self.portal.store
        sql = f"truncate {TABLES} restart identity"
        self.portal.call(lambda: self.postgres._database.fetchval(sql))

    def same(self, name: str, *args: Any) -> Any:
        async def attempt(store: MemoryStore | PostgresStore) -> Any:
            try:
                return blank(await getattr(store, name)(*args))
            except Bug:
                return Bug

        async def both() -> tuple[Any, Any]:
            return await attempt(self.memory), await attempt(self.postgres)

        expected, found = self.portal.call(both)
        assert found == expected, (name, args)
        return expected

    @rule(life=lives, key=keys, expected=numbers, fact=documents, state=documents, phase=phases, made=orders)
    def commit(self, life: str, key: bytes, expected: int, fact: str, state: str, phase: str, made: Any) -> None:
        self.same("commit", life, key, expected, "Fact", fact, state, phase, made, None)

    @rule(data=st.data(), made=orders, phase=phases)
    def answer(self, data: st.DataObject, made: Any, phase: str) -> None:
        known = [order.row for order in self.memory._tables.orders.values()]
        if known:
            order = data.draw(st.sampled_from(known))
            stored = self.memory._tables.lives[order.life, order.key]
            self.same("commit", order.life, order.key, stored.version, "Fact", "{}", "{}", phase, made, order.id)

    @rule(life=lives, key=keys, expected=numbers, done=numbers)
    def answer_anything(self, life: str, key: bytes, expected: int, done: int) -> None:
        self.same("commit", life, key, expected, "Fact", "{}", "{}", "new", [], done)

    @rule(order=numbers)
    def finish(self, order: int) -> None:
        self.same("finish", order, "over")

    @rule(order=numbers)
    def postpone(self, order: int) -> None:
        self.same("postpone", order, "later")

    @rule(life=lives, limit=numbers, phase=st.none() | phases, before=st.none() | keys)
    def page(self, life: str, limit: int, phase: str | None, before: bytes | None) -> None:
        self.same("recent", life, limit, phase, before)

    @rule(number=numbers, nonce=numbers, raw=st.sampled_from([b"x", b"y"]), intent=documents)
    def sign(self, number: int, nonce: int, raw: bytes, intent: str) -> None:
        hashed = hashlib.sha256(b"%d" % number).digest()
        self.same("sign", OutboxRow(b"ref", b"alice", nonce, hashed, raw, 9, "call", intent))

    @rule(number=numbers, outcome=st.sampled_from(["included", "expired"]))
    def resolve(self, number: int, outcome: str) -> None:
        self.same("resolve", hashlib.sha256(b"%d" % number).digest(), outcome)

    @rule(kind=lives, key=keys, doc=documents)
    def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        self.same("put_doc", kind, key, doc)

    @rule(kind=lives, key=keys)
    def delete_doc(self, kind: str, key: bytes) -> None:
        self.same("delete_doc", kind, key)

    @rule(kind=lives, keep=numbers)
    def trim_docs(self, kind: str, keep: int) -> None:
        self.same("trim_docs", kind, keep)

    @rule(number=numbers, size=numbers, refs=st.lists(keys, max_size=2))
    def blob_put(self, number: int, size: int, refs: list[bytes]) -> None:
        self.same("blob_put", bytes([number + 1]) * 32, size, "input", refs)

    @rule(number=numbers)
    def blob_delete(self, number: int) -> None:
        self.same("blob_delete", bytes([number + 1]) * 32)

    @rule(ref=keys)
    def blob_unpin(self, ref: bytes) -> None:
        self.same("blob_unpin", ref)

    @invariant()
    def everything_readable_is_the_same(self) -> None:
        self.same("pending_orders")
        for life in ("requester", "provider"):
            self.same("open_lives", life)
            self.same("recent", life, 100)
            self.same("docs", life, 100)
        for row in self.memory._tables.lives.values():
            facts = self.same("facts", row.life, row.key)
            assert [fact.seq for fact in facts] == list(range(1, row.version + 1))
        self.same("outbox", 100)
        self.same("unresolved", b"alice")
        self.same("blobs_unpinned", 100)
        self.same("blob_totals")


@contextlib.contextmanager
def machine_for(server: EmbeddedPostgres) -> Iterator[type[SameAnswers]]:
    with Portal(server.create_database("machine", template="ready")) as portal:
        yield type("SameAnswers", (SameAnswers,), {"portal": portal})


def test_postgres_and_memory_give_the_same_answers(postgres_server: EmbeddedPostgres) -> None:
    with machine_for(postgres_server) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=25,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
