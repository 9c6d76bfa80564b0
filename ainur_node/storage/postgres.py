"""The node's store on PostgreSQL: facts, states and orders in one transaction; outbox, documents, blob index."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import trio

from ainur_node.errors import Bug
from ainur_node.ports import AlreadyDone, BlobRow, Conflict, OutboxRow, StoredFact, StoredOrder, StoredState
from ainur_node.storage import limits
from ainur_node.storage.migrate import migrate, shipped
from ainur_node.storage.pool import Database, Lost, open_database

POOL_SIZE = 8
"""Connections of one node; seven nodes of a devnet share a server of 100."""
MAX_IN_DOUBT = 256
"""Commits whose answer was lost and whose tokens are kept so that trying again finds out what became of them."""

_COMMIT = (resources.files(__package__) / "queries" / "commit.sql").read_text("utf-8")
_SETTLED = """
select array(select o.id from orders o where o.life = f.life and o.key = f.key and o.seq = f.seq order by o.id)
from facts f where f.life = $1 and f.key = $2 and f.seq = $3 and f.token = $4"""
_LIVES = """
select life, key, version, phase, state::text, (extract(epoch from changed_at) * 1000)::bigint as at
from lives where life = $1"""
_RECENT = f"""{_LIVES}
and ($3::text is null or phase = $3)
and ($4::bytea is null or number < (select number from lives where life = $1 and key = $4))
order by number desc limit $2"""  # noqa: S608 — only constants are joined
_ORDERS = "select id, kind, body::text, life, key, attempts from orders where finished_at is null order by id"
_OUTBOX = """
select ref, account, nonce, hash, raw, era_end, call, intent::text, outcome,
    (extract(epoch from signed_at) * 1000)::bigint as at
from outbox"""


class PostgresStore:
    """Every method is one transaction; raises Transient when the database is gone, full or busy, Bug otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_doubt: dict[tuple[object, ...], bytes] = {}

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
        """Write the fact, the new state and the orders together or not at all; give the ids of the orders.

        `expected` is the version the new state was computed from (0: a new life), `orders` are pairs of kind and
        JSON body, `done` is the order that this fact answers. When the connection breaks, Transient is raised; the
        same call made again then, or after a cancellation, finds out whether it had been written.
        """
        limits.check_commit(life, key, expected, fact_kind, fact, state, phase, orders)
        call = (life, key, expected, fact_kind, fact, state, phase, tuple(orders), done)
        token = self._in_doubt.get(call)
        if token is not None:
            ids = await self._database.fetchval(_SETTLED, life, key, expected + 1, token)
            if ids is not None:
                self._in_doubt.pop(call, None)
                return list(ids)
        token = token or os.urandom(16)
        kinds, bodies = [kind for kind, _ in orders], [body for _, body in orders]
        try:
            row = await self._database.fetchrow(
                _COMMIT, life, key, expected, fact_kind, fact, state, phase, kinds, bodies, done, token
            )
        except (Lost, trio.Cancelled):
            while len(self._in_doubt) >= MAX_IN_DOUBT:
                self._in_doubt.pop(next(iter(self._in_doubt)))
            self._in_doubt[call] = token
            raise
        self._in_doubt.pop(call, None)
        if row["committed"]:
            return list(row["ids"])
        if done is not None and row["finished"] is None:
            raise Bug(f"order {done} is not one of {life} {key.hex()}")
        if done is not None and row["finished"]:
            return AlreadyDone(done)
        # Read again: under a race the statement itself saw the version from before the other commit.
        newest = await self.load(life, key)
        return Conflict(stored=newest.version if newest is not None else 0)

    async def load(self, life: str, key: bytes) -> StoredState | None:
        """Give the newest state of one life."""
        row = await self._database.fetchrow(f"{_LIVES} and key = $2", life, key)
        return StoredState(**row) if row is not None else None

    async def open_lives(self, life: str) -> list[StoredState]:
        """Give every life whose phase is not terminal (does not begin with '='), oldest first."""
        rows = await self._database.fetch(f"{_LIVES} and left(phase, 1) <> '=' order by number", life)
        return [StoredState(**row) for row in rows]

    async def recent(
        self, life: str, limit: int, phase: str | None = None, before: bytes | None = None
    ) -> list[StoredState]:
        """Give at most `limit` lives in `phase`, newest first, that began before the life `before`."""
        limits.check_page(limit)
        rows = await self._database.fetch(
            _RECENT,
            life,
            limit,
            phase,
            before,
        )
        return [StoredState(**row) for row in rows]

    async def facts(self, life: str, key: bytes) -> list[StoredFact]:
        """Give all facts of one life in the order they were committed."""
        rows = await self._database.fetch(
            "select seq, kind, fact::text, (extract(epoch from at) * 1000)::bigint as at"
            " from facts where life = $1 and key = $2 order by seq",
            life,
            key,
        )
        return [StoredFact(**row) for row in rows]

    async def pending_orders(self) -> list[StoredOrder]:
        """Give every order that is not finished, oldest first."""
        return [StoredOrder(**row) for row in await self._database.fetch(_ORDERS)]

    async def finish(self, order: int, note: str) -> None:
        """Mark an order finished that no fact answers; a second time changes nothing."""
        await self._change_order(
            "update orders set finished_at = coalesce(finished_at, now()),"
            " note = case when finished_at is null then $2 else note end where id = $1 returning id",
            order,
            note,
        )

    async def postpone(self, order: int, why: str) -> None:
        """Count an attempt that failed and keep the reason; a finished order stays as it is."""
        await self._change_order(
            "update orders set attempts = attempts + (finished_at is null)::int,"
            " why = case when finished_at is null then $2 else why end where id = $1 returning id",
            order,
            why,
        )

    async def _change_order(self, sql: str, order: int, note: str) -> None:
        limits.check_number(order)
        if await self._database.fetchval(sql, order, limits.short_note(note)) is None:
            raise Bug(f"there is no order {order}")

    async def sign(self, row: OutboxRow) -> None:
        """Keep a signed extrinsic before its bytes leave; the same bytes a second time change nothing."""
        limits.check_outbox(row)
        kept = await self._database.fetchval(
            "insert into outbox (ref, account, nonce, hash, raw, era_end, call, intent)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (hash) do update set hash = excluded.hash"
            " returning raw",
            row.ref,
            row.account,
            row.nonce,
            row.hash,
            row.raw,
            row.era_end,
            row.call,
            row.intent,
        )
        if kept != row.raw:
            raise Bug(f"two extrinsics with the hash {row.hash.hex()}")

    async def unresolved(self, account: bytes) -> list[OutboxRow]:
        """Give the extrinsics of `account` whose outcome is not known, by nonce."""
        return _outbox_rows(
            await self._database.fetch(
                f"{_OUTBOX} where account = $1 and outcome is null order by nonce, number", account
            )
        )

    async def attempts(self, ref: bytes) -> list[OutboxRow]:
        """Give everything that was signed under a ref, oldest first."""
        limits.check_key(ref)
        return _outbox_rows(await self._database.fetch(f"{_OUTBOX} where ref = $1 order by number", ref))

    async def resolve(self, extrinsic: bytes, outcome: str) -> bool:
        """Keep the outcome of an extrinsic by its hash; False when it had one already, which stays."""
        row = await self._database.fetchrow(
            "with kept as (update outbox set outcome = $2, resolved_at = now()"
            " where hash = $1 and outcome is null returning 1)"
            " select exists (select from outbox where hash = $1) as known, exists (select from kept) as changed",
            extrinsic,
            limits.short_note(outcome),
        )
        if not row["known"]:
            raise Bug(f"no extrinsic {extrinsic.hex()} in the outbox")
        return bool(row["changed"])

    async def outbox(self, limit: int) -> list[OutboxRow]:
        """Give the newest `limit` extrinsics, newest first."""
        limits.check_page(limit)
        return _outbox_rows(await self._database.fetch(f"{_OUTBOX} order by number desc limit $1", limit))

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        """Keep a JSON document; it replaces the one before it and becomes the newest of its kind."""
        limits.check_name(kind)
        limits.check_key(key)
        limits.check_document(doc)
        await self._database.fetchval(
            "insert into documents (kind, key, doc) values ($1, $2, $3)"
            " on conflict (kind, key) do update set doc = excluded.doc, touched = excluded.touched",
            kind,
            key,
            doc,
        )

    async def get_doc(self, kind: str, key: bytes) -> str | None:
        """Give a document or None."""
        found: str | None = await self._database.fetchval(
            "select doc::text from documents where kind = $1 and key = $2", kind, key
        )
        return found

    async def docs(self, kind: str, limit: int) -> list[tuple[bytes, str]]:
        """Give at most `limit` pairs of key and document, the one written last first."""
        limits.check_page(limit)
        rows = await self._database.fetch(
            "select key, doc::text from documents where kind = $1 order by touched desc limit $2", kind, limit
        )
        return [(row["key"], row["doc"]) for row in rows]

    async def delete_doc(self, kind: str, key: bytes) -> None:
        """Remove a document, if there is one."""
        await self._database.fetchval("delete from documents where kind = $1 and key = $2", kind, key)

    async def trim_docs(self, kind: str, keep: int) -> int:
        """Remove all but the newest `keep` documents of a kind; give how many went."""
        limits.check_number(keep)
        sql = (
            "with gone as (delete from documents where kind = $1 and touched <="
            " (select touched from documents where kind = $1 order by touched desc offset $2 limit 1)"
            " returning 1) select count(*) from gone"
        )
        return int(await self._database.fetchval(sql, kind, keep))

    async def blob_put(self, sha256: bytes, size: int, kind: str, refs: Sequence[bytes] = ()) -> None:
        """Index a blob that is stored, with what refers to it; a second time only adds references."""
        limits.check_blob(sha256, size, kind, refs)
        await self._database.fetchval(
            "with kept as (insert into blobs (sha256, size, kind) values ($1, $2, $3) on conflict do nothing)"
            " insert into blob_refs (sha256, ref) select $1, unnest($4::bytea[]) on conflict do nothing",
            sha256,
            size,
            kind,
            list(refs),
        )

    async def blob_get(self, sha256: bytes) -> BlobRow | None:
        """Give what the index knows of a blob."""
        row = await self._database.fetchrow(f"{_BLOBS} where b.sha256 = $1", sha256)
        return _blob_row(row) if row is not None else None

    async def blob_unpin(self, ref: bytes) -> int:
        """Remove a reference from every blob that has it; give how many had it."""
        sql = "with gone as (delete from blob_refs where ref = $1 returning 1) select count(*) from gone"
        return int(await self._database.fetchval(sql, ref))

    async def blobs_unpinned(self, limit: int) -> list[BlobRow]:
        """Give at most `limit` blobs that nothing refers to, oldest first: what may be deleted."""
        limits.check_page(limit)
        rows = await self._database.fetch(
            f"{_BLOBS} where not exists (select from blob_refs r where r.sha256 = b.sha256) order by b.number limit $1",
            limit,
        )
        return [_blob_row(row) for row in rows]

    async def blob_delete(self, sha256: bytes) -> bool:
        """Remove a blob and its references from the index; False when it was not there."""
        sql = "delete from blobs where sha256 = $1 returning true"
        return bool(await self._database.fetchval(sql, sha256))

    async def blob_totals(self) -> tuple[int, int]:
        """Give the number of indexed blobs and the sum of their sizes in bytes."""
        row = await self._database.fetchrow("select count(*), coalesce(sum(size), 0)::bigint from blobs")
        return row[0], row[1]

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Hold the database for this process alone; raises Transient when another node holds it.

        When the lock is lost with its connection, no call goes on before it is held again.
        """
        await self._database.lock()
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                await self._database.unlock()

    def statistics(self) -> dict[str, int]:
        """Counts for `ainur status`."""
        return {**self._database.statistics(), "database_in_doubt": len(self._in_doubt)}


_BLOBS = """
select b.sha256, b.size, b.kind,
    array(select r.ref from blob_refs r where r.sha256 = b.sha256 order by r.ref) as refs
from blobs b"""


def _blob_row(row: Any) -> BlobRow:
    return BlobRow(row["sha256"], row["size"], row["kind"], tuple(row["refs"]))


def _outbox_rows(rows: Sequence[Any]) -> list[OutboxRow]:
    return [OutboxRow(**row) for row in rows]


@asynccontextmanager
async def open_store(dsn: str, *, pool: int = POOL_SIZE) -> AsyncIterator[PostgresStore]:
    """Connect, bring the schema up to date and give the store; raises Transient or ConfigError."""
    async with open_database(dsn, pool) as database:
        await database.run(lambda connection: migrate(connection, shipped()))
        yield PostgresStore(database)
