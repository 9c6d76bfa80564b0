"""The store without a disk: the same promises as PostgresStore, for tests and for comparing both."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import trio

from ainur_node.errors import Bug, Transient
from ainur_node.ports import AlreadyDone, BlobRow, Conflict, OutboxRow, StoredFact, StoredOrder, StoredState
from ainur_node.storage import limits


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class _Order:
    row: StoredOrder
    why: str = ""
    note: str = ""
    finished: bool = False


@dataclass(slots=True)
class _Tables:
    lives: dict[tuple[str, bytes], StoredState] = field(default_factory=dict)
    facts: dict[tuple[str, bytes], list[StoredFact]] = field(default_factory=dict)
    orders: dict[int, _Order] = field(default_factory=dict)
    outbox: dict[bytes, OutboxRow] = field(default_factory=dict)
    docs: dict[tuple[str, bytes], str] = field(default_factory=dict)
    blobs: dict[bytes, BlobRow] = field(default_factory=dict)


class MemoryStore:
    """Everything in dictionaries; each method yields to trio once and is atomic after that."""

    def __init__(self, clock: Callable[[], int] = _wall_clock) -> None:
        self._clock = clock
        self._tables = _Tables()
        self._locked = False
        self._last_order = 0

    async def commit(
        self,
        life: str,
        key: bytes,
        expected: int,
        fact_kind: str,
        fact: str,
        state: str,
        phase: str,
        orders: Sequence[tuple[str, str]],
        done: int | None,
    ) -> list[int] | Conflict | AlreadyDone:
        """See PostgresStore.commit."""
        await trio.lowlevel.checkpoint()
        limits.check_commit(life, key, expected, fact_kind, fact, state, phase, orders)
        tables = self._tables
        answered = tables.orders.get(done) if done is not None else None
        if done is not None:
            if answered is None or (answered.row.life, answered.row.key) != (life, key):
                raise Bug(f"order {done} is not one of {life} {key.hex()}")
            if answered.finished:
                return AlreadyDone(done)
        before = tables.lives.get((life, key))
        version = before.version if before is not None else 0
        if version != expected:
            return Conflict(stored=version)
        tables.lives[life, key] = StoredState(life, key, version + 1, phase, state, self._clock())
        tables.facts.setdefault((life, key), []).append(StoredFact(version + 1, fact_kind, fact, self._clock()))
        ids = []
        for kind, body in orders:
            self._last_order += 1
            tables.orders[self._last_order] = _Order(StoredOrder(self._last_order, life, key, kind, body, 0))
            ids.append(self._last_order)
        if answered is not None:
            answered.finished = True
        return ids

    async def load(self, life: str, key: bytes) -> StoredState | None:
        """See PostgresStore.load."""
        await trio.lowlevel.checkpoint()
        return self._tables.lives.get((life, key))

    def _of_life(self, life: str) -> list[StoredState]:
        # a dictionary keeps the order in which lives began, whatever happens to them later
        return [row for row in self._tables.lives.values() if row.life == life]

    async def open_lives(self, life: str) -> list[StoredState]:
        """See PostgresStore.open_lives."""
        await trio.lowlevel.checkpoint()
        return [row for row in self._of_life(life) if not row.phase.startswith("=")]

    async def recent(
        self, life: str, limit: int, phase: str | None = None, before: bytes | None = None
    ) -> list[StoredState]:
        """See PostgresStore.recent."""
        await trio.lowlevel.checkpoint()
        limits.check_page(limit)
        found = self._of_life(life)
        if before is not None:
            keys = [row.key for row in found]
            found = found[: keys.index(before)] if before in keys else []
        return [row for row in reversed(found) if phase is None or row.phase == phase][:limit]

    async def facts(self, life: str, key: bytes) -> list[StoredFact]:
        """See PostgresStore.facts."""
        await trio.lowlevel.checkpoint()
        return list(self._tables.facts.get((life, key), ()))

    async def pending_orders(self) -> list[StoredOrder]:
        """See PostgresStore.pending_orders."""
        await trio.lowlevel.checkpoint()
        return [order.row for order in self._tables.orders.values() if not order.finished]

    async def _order(self, order: int) -> _Order:
        await trio.lowlevel.checkpoint()
        limits.check_number(order)
        found = self._tables.orders.get(order)
        if found is None:
            raise Bug(f"there is no order {order}")
        return found

    async def finish(self, order: int, note: str) -> None:
        """See PostgresStore.finish."""
        found = await self._order(order)
        if not found.finished:
            found.finished, found.note = True, limits.short_note(note)

    async def postpone(self, order: int, why: str) -> None:
        """See PostgresStore.postpone."""
        found = await self._order(order)
        if not found.finished:
            found.row = replace(found.row, attempts=found.row.attempts + 1)
            found.why = limits.short_note(why)

    async def sign(self, row: OutboxRow) -> None:
        """See PostgresStore.sign."""
        await trio.lowlevel.checkpoint()
        limits.check_outbox(row)
        kept = self._tables.outbox.setdefault(row.hash, replace(row, at=self._clock()))
        if kept.raw != row.raw:
            raise Bug(f"two extrinsics with the hash {row.hash.hex()}")

    async def unresolved(self, account: bytes) -> list[OutboxRow]:
        """See PostgresStore.unresolved."""
        await trio.lowlevel.checkpoint()
        found = [row for row in self._tables.outbox.values() if row.account == account and row.outcome is None]
        return sorted(found, key=lambda row: row.nonce)

    async def attempts(self, ref: bytes) -> list[OutboxRow]:
        """See PostgresStore.attempts."""
        await trio.lowlevel.checkpoint()
        limits.check_key(ref)
        return [row for row in self._tables.outbox.values() if row.ref == ref]

    async def resolve(self, extrinsic: bytes, outcome: str) -> bool:
        """See PostgresStore.resolve."""
        await trio.lowlevel.checkpoint()
        found = self._tables.outbox.get(extrinsic)
        if found is None:
            raise Bug(f"no extrinsic {extrinsic.hex()} in the outbox")
        if found.outcome is None:
            self._tables.outbox[extrinsic] = replace(found, outcome=limits.short_note(outcome))
        return found.outcome is None

    async def outbox(self, limit: int) -> list[OutboxRow]:
        """See PostgresStore.outbox."""
        await trio.lowlevel.checkpoint()
        limits.check_page(limit)
        return list(reversed(self._tables.outbox.values()))[:limit]

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        """See PostgresStore.put_doc."""
        await trio.lowlevel.checkpoint()
        limits.check_name(kind)
        limits.check_key(key)
        limits.check_document(doc)
        self._tables.docs.pop((kind, key), None)
        self._tables.docs[kind, key] = doc

    async def get_doc(self, kind: str, key: bytes) -> str | None:
        """See PostgresStore.get_doc."""
        await trio.lowlevel.checkpoint()
        return self._tables.docs.get((kind, key))

    def _newest_docs(self, kind: str) -> list[tuple[bytes, str]]:
        return [(key, doc) for (of, key), doc in reversed(self._tables.docs.items()) if of == kind]

    async def docs(self, kind: str, limit: int) -> list[tuple[bytes, str]]:
        """See PostgresStore.docs."""
        await trio.lowlevel.checkpoint()
        limits.check_page(limit)
        return self._newest_docs(kind)[:limit]

    async def delete_doc(self, kind: str, key: bytes) -> None:
        """See PostgresStore.delete_doc."""
        await trio.lowlevel.checkpoint()
        self._tables.docs.pop((kind, key), None)

    async def trim_docs(self, kind: str, keep: int) -> int:
        """See PostgresStore.trim_docs."""
        await trio.lowlevel.checkpoint()
        limits.check_number(keep)
        gone = self._newest_docs(kind)[keep:]
        for key, _ in gone:
            del self._tables.docs[kind, key]
        return len(gone)

    async def blob_put(self, sha256: bytes, size: int, kind: str, refs: Sequence[bytes] = ()) -> None:
        """See PostgresStore.blob_put."""
        await trio.lowlevel.checkpoint()
        limits.check_blob(sha256, size, kind, refs)
        row = self._tables.blobs.get(sha256) or BlobRow(sha256, size, kind, ())
        self._tables.blobs[sha256] = replace(row, refs=tuple(sorted({*row.refs, *refs})))

    async def blob_get(self, sha256: bytes) -> BlobRow | None:
        """See PostgresStore.blob_get."""
        await trio.lowlevel.checkpoint()
        return self._tables.blobs.get(sha256)

    async def blob_unpin(self, ref: bytes) -> int:
        """See PostgresStore.blob_unpin."""
        await trio.lowlevel.checkpoint()
        having = [row for row in self._tables.blobs.values() if ref in row.refs]
        for row in having:
            self._tables.blobs[row.sha256] = replace(row, refs=tuple(each for each in row.refs if each != ref))
        return len(having)

    async def blobs_unpinned(self, limit: int) -> list[BlobRow]:
        """See PostgresStore.blobs_unpinned."""
        await trio.lowlevel.checkpoint()
        limits.check_page(limit)
        return [row for row in self._tables.blobs.values() if not row.refs][:limit]

    async def blob_delete(self, sha256: bytes) -> bool:
        """See PostgresStore.blob_delete."""
        await trio.lowlevel.checkpoint()
        return self._tables.blobs.pop(sha256, None) is not None

    async def blob_totals(self) -> tuple[int, int]:
        """See PostgresStore.blob_totals."""
        await trio.lowlevel.checkpoint()
        return len(self._tables.blobs), sum(row.size for row in self._tables.blobs.values())

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """See PostgresStore.lock."""
        await trio.lowlevel.checkpoint()
        if self._locked:
            raise Transient("another node works on this database", hint="stop it")
        self._locked = True
        try:
            yield
        finally:
            self._locked = False

    def statistics(self) -> dict[str, int]:
        """Counts for `ainur status`."""
        return {"database_calls": 0, "database_failures": 0, "database_in_doubt": 0}
