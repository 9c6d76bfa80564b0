"""Submissions that are asked for again: the same key hands in one task, however often its answer is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import trio

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.requester import RequesterTask
from ainur_node.market import codec
from ainur_node.market.asking import Params, blob, planck, text, whole
from ainur_node.market.codec import TASK
from ainur_node.market.messages import MAX_INPUT
from ainur_node.ports import TaskStore
from ainur_node.rpc.messages import ExitCode, Refuse

SUBMITTED = "submit_key"
MAX_KEY = 64
"""Characters of a key: long enough for any uuid, short enough to be read aloud."""
DEADLINE_MS = (1_000, 3_600_000, 60_000)
"""Least, most and usual time to deliver, in ms."""


class _Row(msgspec.Struct, frozen=True):
    """What is kept of a key: the task it stands for, and a digest of what was asked (both hex)."""

    task: str
    asked: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to hand in one task under a key."""

    name: bytes
    asked: str


class Repeats:
    """Remembers which task a key stands for; one submission of a key at a time."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store
        self._busy: dict[bytes, trio.Lock] = {}

    @asynccontextmanager
    async def turn(self, params: Params) -> AsyncIterator[Ticket | None]:
        """Wait until nobody else hands in under the key of ``params``; None when it names none."""
        if params.get("key") is None:
            yield None
            return
        key = text(params, "key", MAX_KEY)
        if not key or not key.isprintable():
            raise Refuse("bad_parameter", f"key must be 1 to {MAX_KEY} printable characters", ExitCode.USAGE)
        name = content_hash(key.encode("utf-8", "replace"))
        lock = self._busy.setdefault(name, trio.Lock())
        try:
            async with lock:
                yield Ticket(name, _digest(params))
        finally:
            found = lock.statistics()
            if not found.locked and not found.tasks_waiting and self._busy.get(name) is lock:
                del self._busy[name]

    async def earlier(self, ticket: Ticket | None) -> dict[str, Any] | None:
        """The answer to the submission that a ticket repeats, or None when it is the first.

        Refuse when the key stands for another input, budget or deadline.
        """
        doc = await self._store.get_doc(SUBMITTED, ticket.name) if ticket is not None else None
        if doc is None or ticket is None:
            return None
        row = msgspec.json.decode(doc, type=_Row)
        stored = await self._store.load(TASK, bytes.fromhex(row.task))
        if stored is None:
            return None  # the node ended between the two writes: nothing was handed in
        task = codec.decode_state(TASK, stored.state)
        if not isinstance(task, RequesterTask) or row.asked != ticket.asked:
            hint = f"this key handed in task {row.task[:12]} with another input, budget or deadline: choose a new one"
            raise Refuse("key_used", hint, details={"task": row.task})
        answer = {"task": row.task, "auction": task.auction.hex(), "budget": str(task.budget)}
        return {**answer, "input_sha256": task.input_sha256.hex(), "repeated": True}

    async def remember(self, ticket: Ticket | None, task: bytes) -> None:
        """Note the task of a key, before the task itself is stored."""
        if ticket is not None:
            row = _Row(task.hex(), ticket.asked)
            await self._store.put_doc(SUBMITTED, ticket.name, msgspec.json.encode(row).decode())


def _digest(params: Params) -> str:
    """What makes two submissions the same."""
    asked = (
        text(params, "capability", 64),
        content_hash(blob(params, "input", MAX_INPUT)).hex(),
        text(params, "media", 64, ""),
        planck(params, "budget"),
        whole(params, "deadline_ms", *DEADLINE_MS),
    )
    return content_hash(msgspec.json.encode(asked)).hex()
