"""Blocks and state in SQLite: a block is there with all its writes, durably, or not at all."""

import fcntl
import os
import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .block import Block, Header, decode_header, split_extrinsics
from .errors import BodyDiscarded, StoreError
from .scale import vector
from .state import Changes

SCHEMA_VERSION = b"1"
KEEP_BLOCKS = 65_536  # old states that stay readable; about 2 KB a block on disk when idle
PRUNED_AT_ONCE = 64  # blocks whose state or body a new block drops at most
DATABASE = "chain.sqlite"


@dataclass(frozen=True, slots=True)
class Genesis:
    """What block 0 is made of; `spec` is the raw chain specification as JSON bytes."""

    header: Header
    state: dict[bytes, bytes]
    spec: bytes


@dataclass(frozen=True, slots=True)
class Keeping:
    """What stays readable: `states` old states and `bodies` block bodies (None: all). Headers always do."""

    states: int = KEEP_BLOCKS
    bodies: int | None = None


class BlockReader:
    """Reads blocks and old values through one connection; each thread has its own reader."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()

    def hash_of(self, number: int) -> bytes | None:
        """Hash of a block number."""
        row = self._db.execute("SELECT hash FROM blocks WHERE number = ?", (number,)).fetchone()
        return row[0] if row else None

    def number_of(self, block_hash: bytes) -> int | None:
        """Number of a block hash."""
        row = self._db.execute("SELECT number FROM blocks WHERE hash = ?", (block_hash,)).fetchone()
        return row[0] if row else None

    def header(self, number: int) -> Header | None:
        """Sealed header of a block."""
        row = self._db.execute("SELECT header FROM blocks WHERE number = ?", (number,)).fetchone()
        return decode_header(row[0]) if row else None

    def block(self, number: int) -> Block | None:
        """Sealed header and body of a block. Raises BodyDiscarded."""
        row = self._db.execute("SELECT header, body FROM blocks WHERE number = ?", (number,)).fetchone()
        if row is None:
            return None
        if not row[1]:
            raise BodyDiscarded(f"the body of block {number} is no longer kept")
        return Block(decode_header(row[0]), tuple(split_extrinsics(row[1])))

    def head_number(self) -> int:
        """Number of the newest block, -1 in an empty database."""
        number = self._db.execute("SELECT max(number) FROM blocks").fetchone()[0]
        return -1 if number is None else number

    def overwritten(self, key: bytes, number: int) -> tuple[bytes | None] | None:
        """(value after block `number`,) when a later block changed the key, else None."""
        row: tuple[bytes | None] | None = self._db.execute(
            "SELECT old FROM undo WHERE key = ? AND number > ? ORDER BY number LIMIT 1", (key, number)
        ).fetchone()
        return row

    def next_overwritten(self, key: bytes, number: int, below: bytes | None) -> bytes | None:
        """Smallest key above this one, and below `below`, that a block after `number` changed.

        It seeks from key to key: a key that changes every block has as many rows as there are blocks.
        """
        while True:
            row = self._db.execute("SELECT key FROM undo WHERE key > ? ORDER BY key LIMIT 1", (key,)).fetchone()
            if row is None or (below is not None and row[0] >= below):
                return None
            key = row[0]
            if self.overwritten(key, number) is not None:
                return key

    def changed_keys(self, first: int, last: int, keys: list[bytes]) -> list[int]:
        """Numbers of blocks in first..last that changed any of the keys."""
        marks = ",".join("?" * len(keys))
        rows = self._db.execute(
            f"SELECT DISTINCT number FROM undo WHERE key IN ({marks})"  # noqa: S608  # only question marks
            " AND number BETWEEN ? AND ? ORDER BY number",
            (*keys, first, last),
        )
        return [row[0] for row in rows]

    def meta(self, name: str) -> bytes | None:
        """A fact of the whole chain."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def oldest_state(self) -> int:
        """Smallest block number whose state can still be read."""
        return int(self.meta("oldest_state") or 0)

    def oldest_body(self) -> int:
        """Smallest block number whose body can still be read."""
        return int(self.meta("oldest_body") or 0)


class Store(BlockReader):
    """The writing side. One process at a time holds a directory; one thread at a time calls this."""

    def __init__(self, directory: Path | None, *, keeping: Keeping | None = None) -> None:
        """Open the database of a directory, or one in memory for None. Raises StoreError when in use."""
        self.directory = directory
        self._keeping = keeping or Keeping()
        self._lock = _locked(directory) if directory else None
        super().__init__(_connect(directory))
        try:
            found = self._db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
            version = self.meta("schema") if found else SCHEMA_VERSION
        except sqlite3.DatabaseError as exc:
            self.close()
            raise StoreError(f"the database is damaged: {exc}") from exc
        if version != SCHEMA_VERSION:
            self.close()
            raise StoreError(f"the database has schema {version!r}, this program knows {SCHEMA_VERSION!r}")
        self.is_new = not found

    def close(self) -> None:
        """Close the database and let others have the directory."""
        super().close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def reader(self) -> BlockReader:
        """A reader for another thread; in memory it is the same connection."""
        if self.directory is None:
            return BlockReader(self._db)
        return BlockReader(_connect(self.directory))

    def create(self, genesis: Genesis) -> None:
        """Write schema and block 0."""
        schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
        with _written(self._db):
            for statement in schema.split(";\n"):
                if statement.strip():
                    self._db.execute(statement)
            self._db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema", SCHEMA_VERSION), ("spec", genesis.spec), ("oldest_state", b"0")],
            )
            self._insert(Block(genesis.header, ()))
            self._db.executemany("INSERT INTO state VALUES (?, ?)", genesis.state.items())
        self.is_new = False

    def append(self, block: Block, writes: Changes, before: Changes) -> None:
        """Write one block, its state changes and their undo record; durable when this returns."""
        number = block.header.number
        with _written(self._db):
            self._insert(block)
            self._db.executemany("DELETE FROM state WHERE key = ?", [(k,) for k, v in writes.items() if v is None])
            self._db.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", [kv for kv in writes.items() if kv[1] is not None]
            )
            self._db.executemany("INSERT INTO undo VALUES (?, ?, ?)", [(k, number, v) for k, v in before.items()])
            self._forget(number)

    def _forget(self, head: int) -> None:
        """Drop old states and bodies, a bounded number with each block: a smaller window is reached in steps."""
        oldest = self.oldest_state()
        until = min(head - self._keeping.states, oldest + PRUNED_AT_ONCE)
        if until > oldest:
            self._db.execute("DELETE FROM undo WHERE number <= ?", (until,))
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('oldest_state', ?)", (b"%d" % until,))
        if self._keeping.bodies is None:
            return
        oldest = self.oldest_body()
        until = min(head - self._keeping.bodies + 1, oldest + PRUNED_AT_ONCE)
        if until > oldest:
            self._db.execute("UPDATE blocks SET body = x'' WHERE number >= ? AND number < ?", (oldest, until))
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('oldest_body', ?)", (b"%d" % until,))

    def _insert(self, block: Block) -> None:
        header = block.header
        self._db.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)",
            (header.number, header.hash, header.encode(), vector(list(block.extrinsics))),
        )

    def load_state(self) -> dict[bytes, bytes]:
        """Keys and values after the head."""
        return dict(self._db.execute("SELECT key, value FROM state"))


class _written:  # noqa: N801  # reads as a phrase: with _written(db)
    """One durable transaction; any failure undoes it and is a StoreError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def __enter__(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            raise StoreError(f"the database takes no block: {exc}") from exc

    def __exit__(self, kind: object, exc: BaseException | None, _trace: object) -> None:
        if exc is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error as failed:
                exc = failed
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        if isinstance(exc, sqlite3.Error):
            raise StoreError(f"the block could not be written: {exc}") from exc


def _connect(directory: Path | None) -> sqlite3.Connection:
    path = str(directory / DATABASE) if directory else ":memory:"
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -8192")
    return db


def _locked(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreError(f"another process uses {directory}") from None
    return descriptor
