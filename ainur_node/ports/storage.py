"""Where facts, orders, documents and blobs are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredState:
    """A life as stored: JSON state, its version (facts so far) and phase."""

    life: str
    key: bytes
    version: int
    phase: str
    state: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class StoredFact:
    """One fact of a life: ``seq`` from 1, JSON body, wall-clock ms."""

    seq: int
    kind: str
    fact: str
    at: int


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order not yet carried out."""

    id: int
    life: str
    key: bytes
    kind: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed the life first: load again."""

    stored: int


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The order had its answer before; nothing was written."""

    order: int


class TaskStore(Protocol):
    """Lives of tasks and jobs: fact, state and orders go down together or not at all."""

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
        """Append one fact at version ``expected + 1``; new order ids in order. A final phase starts with ``=``."""
        ...

    async def finish(self, order: int, note: str) -> None:
        """The order needs no answer any more."""
        ...

    async def postpone(self, order: int, why: str) -> None:
        """The order failed for now; its attempts go up by one."""
        ...

    async def load(self, life: str, key: bytes) -> StoredState | None:
        """The latest state."""
        ...

    async def open_lives(self, life: str) -> list[StoredState]:
        """All lives that are not final."""
        ...

    async def recent(self, life: str, limit: int, phase: str | None = None) -> list[StoredState]:
        """The newest lives first."""
        ...

    async def facts(self, life: str, key: bytes) -> list[StoredFact]:
        """The history of one life, oldest first."""
        ...

    async def pending_orders(self) -> list[StoredOrder]:
        """Orders without an answer, oldest first."""
        ...

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        """Store a small JSON document under (kind, key)."""
        ...

    async def get_doc(self, kind: str, key: bytes) -> str | None:
        """Read a document back."""
        ...

    async def docs(self, kind: str, limit: int) -> list[tuple[bytes, str]]:
        """Documents of one kind."""
        ...

    async def delete_doc(self, kind: str, key: bytes) -> None:
        """Forget a document."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A signed extrinsic, written before its bytes leave; ``outcome`` None: not known yet; ``at`` in wall-clock ms."""

    ref: bytes
    account: bytes
    nonce: int
    hash: bytes
    raw: bytes
    era_end: int
    call: str
    intent: str
    outcome: str | None = None
    at: int = 0


class Fate(Enum):
    """What became of a call, by everything that was signed for it."""

    UNDECIDED = "undecided"
    """It may yet be in a block."""
    INCLUDED = "included"
    NEVER = "never"
    """It did nothing, and no block can hold it any more: never signed, refused, failed, or its era is over."""


class Outbox(Protocol):
    """Every extrinsic this node ever signed, and what became of it."""

    async def sign(self, row: OutboxRow) -> None:
        """Keep a row before its bytes leave; the same bytes a second time change nothing."""
        ...

    async def unresolved(self, account: bytes) -> list[OutboxRow]:
        """Rows of one account without an outcome, by nonce."""
        ...

    async def attempts(self, ref: bytes) -> list[OutboxRow]:
        """Everything that was signed under a ref, oldest first."""
        ...

    async def resolve(self, extrinsic: bytes, outcome: str) -> bool:
        """Keep the outcome of an extrinsic by its hash; False when it had one, which stays."""
        ...

    async def outbox(self, limit: int) -> list[OutboxRow]:
        """The newest rows first."""
        ...


@dataclass(frozen=True, slots=True)
class BlobRow:
    """What the index knows of a blob; ``refs`` keep it from being collected."""

    sha256: bytes
    size: int
    kind: str
    refs: tuple[bytes, ...]


class Blobs(Protocol):
    """Content-addressed bytes, named by sha-256."""

    async def put(self, data: bytes) -> bytes:
        """Store; the name."""
        ...

    async def get(self, sha256: bytes) -> bytes | None:
        """The bytes, checked against their name, or None."""
        ...

    async def has(self, sha256: bytes) -> bool:
        """Whether the bytes are here."""
        ...
