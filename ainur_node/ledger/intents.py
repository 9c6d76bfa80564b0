"""Calls that somebody ordered: kept before anything is signed, carried out exactly once, or listed as dead.

An intent is open until its call is in a finalized block for good, or can never be. A process that dies in between
leaves it open, and the next one carries it out: what was signed is followed first, and only when none of that can
reach a block any more it is signed again.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
import trio

from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ledger.advice import advice
from ainur_node.ledger.call_json import NotACall, dump_call, load_call
from ainur_node.ledger.calls import Caller, described, ref_of
from ainur_node.ports import OutboxRow
from pallets_client.errors import CallMalformed
from pallets_client.records import Call, Failed, Included, Refused

log = structlog.get_logger(__name__)

OPEN, ENDED = "intent", "intent_end"
RESUMED_AT_MOST = 1024
KEPT_ENDS = 4096
"""Ends that are remembered: how long a key keeps standing for one payment."""
PRUNE_EVERY = 256
"""Ends after which the oldest beyond those are forgotten."""
RETRY_PAUSE = 2.0
"""Seconds before an open intent is tried again."""
PATIENCE_MS = 3_600_000
"""An intent that could not be signed for so long is dead: nobody expects it any more."""


class Documents(Protocol):
    """The part of the store that intents need."""

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        """Keep or replace a document."""
        ...

    async def get_doc(self, kind: str, key: bytes) -> str | None:
        """Read one."""
        ...

    async def docs(self, kind: str, limit: int) -> list[tuple[bytes, str]]:
        """The newest of a kind."""
        ...

    async def delete_doc(self, kind: str, key: bytes) -> None:
        """Forget one."""
        ...

    async def attempts(self, ref: bytes) -> list[OutboxRow]:
        """Everything that was signed under a ref."""
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """An ordered call: ``state`` is queued, done or dead; ``why`` tells how it ended and ``todo`` what to do."""

    ref: bytes
    call: Call
    at: int
    state: str = "queued"
    why: str = ""
    todo: str = ""
    told: dict[str, Any] | None = None

    def dump(self) -> str:
        """As a document."""
        plain = {"call": dump_call(self.call), "at": self.at, "state": self.state, "why": self.why, "todo": self.todo}
        return json.dumps({**plain, "told": self.told})

    @classmethod
    def load(cls, ref: bytes, text: str) -> "Intent":
        """From a document; NotACall for one that nobody here wrote."""
        try:
            plain = json.loads(text)
            call = load_call(plain["call"])
            return cls(ref, call, plain["at"], plain["state"], plain["why"], plain["todo"], plain["told"])
        except (ValueError, TypeError, KeyError) as exc:
            raise NotACall(f"intent {ref.hex()[:16]} cannot be read: {exc}") from exc


class Intents:
    """Orders of one account."""

    def __init__(self, store: Documents, caller: Caller, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._caller = caller
        self._now_ms = now_ms
        self._busy: dict[bytes, trio.Lock] = {}
        self._unpruned = 0
        self._retry = trio.Event()

    async def carry_out(self, call: Call, *natural_id: bytes) -> dict[str, Any] | Rejection:
        """Have a call happen once for its natural id, however often this is asked; what was told of it.

        Raises Transient when it cannot be told yet: the intent stays, and asking again follows it. So it is when the
        caller is cancelled: what was kept is carried out by `run`.
        """
        ref = ref_of(call, *natural_id)
        async with self._turn(ref):
            try:
                earlier = await self._read(ENDED, ref) or await self._read(OPEN, ref)
                if earlier is not None and dump_call(earlier.call) != dump_call(call):
                    return Rejection("key_used", "this key stands for another order: take another one")
                if earlier is not None and earlier.state == "done":
                    return {**(earlier.told or {}), "repeated": True}
                intent = Intent(ref, call, self._now_ms())
                await self._store.put_doc(OPEN, ref, intent.dump())
                await self._store.delete_doc(ENDED, ref)  # a dead one that is ordered again lives again
                ended = await self._pursue(intent)
            except (Transient, trio.Cancelled):
                # It goes on without whoever asked. From the first look on: `run` passed over an order in this turn,
                # and the store may have kept one whose asker never heard of it.
                self._retry.set()
                raise
        if ended.state == "done":
            return ended.told or {}
        return Rejection(*refusal_of(ended))

    async def knows(self, call: Call, *natural_id: bytes) -> bool:
        """Whether a call of this kind was ordered for that id, and is under way or done."""
        ref = ref_of(call, *natural_id)
        earlier = await self._read(ENDED, ref) or await self._read(OPEN, ref)
        return earlier is not None and earlier.state != "dead"

    async def run(self) -> None:
        """Carry on with what earlier processes left open, and with what nobody waits for any more."""
        await self._prune()
        while True:
            self._retry = trio.Event()
            ended: list[bool] = []
            try:
                found = await self._store.docs(OPEN, RESUMED_AT_MOST)
            except Transient as exc:
                log.warning("intents_unread", why=str(exc))
                await trio.sleep(RETRY_PAUSE)
                continue
            async with trio.open_nursery() as nursery:
                for ref, text in reversed(found):
                    nursery.start_soon(self._carry_on, ref, text, ended)
            if len(found) > sum(ended):
                await trio.sleep(RETRY_PAUSE)
            else:
                await self._retry.wait()

    async def _carry_on(self, ref: bytes, text: str, ended: list[bool]) -> None:
        ended.append(await self._bring_on(ref, text))

    async def _bring_on(self, ref: bytes, text: str) -> bool:
        """Whether the intent is ended now, or is in the hands of somebody who waits for it."""
        if ref in self._busy:
            return True
        async with self._turn(ref):
            try:
                if await self._read(ENDED, ref) is not None:
                    await self._store.delete_doc(OPEN, ref)  # killed between the two writes
                    return True
                await self._pursue(Intent.load(ref, text))
            except NotACall:
                log.exception("intent_unreadable", ref=ref.hex()[:16])
                return True
            except Transient as exc:
                log.info("intent_waits", ref=ref.hex()[:16], why=str(exc))
                return False
        return True

    @asynccontextmanager
    async def _turn(self, ref: bytes) -> AsyncIterator[None]:
        """One at a time for each ref."""
        lock = self._busy.setdefault(ref, trio.Lock())
        try:
            async with lock:
                yield
        finally:
            seen = lock.statistics()
            if not seen.locked and not seen.tasks_waiting and self._busy.get(ref) is lock:
                del self._busy[ref]

    async def _pursue(self, intent: Intent) -> Intent:
        """Bring it to its end: by what was signed before, else by signing it.

        The rows are read once: one that ends between two looks would be missed by both, and paid again. From this
        look to ``send_as`` nothing waits, so that whatever is open now is followed.
        """
        rows = await self._store.attempts(intent.ref)
        for row in rows:
            kind = (row.outcome or "").split(" ", 1)[0]
            if kind == "included":
                return await self._end(intent, "done", row.outcome or "", {"state": row.outcome})
            if kind == "failed":
                return await self._end(intent, "dead", row.outcome or "")
        unknown = [row for row in rows if row.outcome is None]
        if unknown and not self._caller.follows(intent.ref):
            self._caller.take_up(unknown)  # nothing is signed again before their fate is known
        if self._now_ms() - intent.at > PATIENCE_MS and not self._caller.follows(intent.ref):
            return await self._end(intent, "dead", "the chain took nothing for an hour")
        try:
            outcome = await self._caller.send_as(intent.ref, intent.call)
        except CallMalformed as exc:
            return await self._end(intent, "dead", f"malformed: {exc}")
        match outcome:
            case Included():
                return await self._end(intent, "done", described(outcome), told(outcome))
            case Failed() | Refused():
                return await self._end(intent, "dead", described(outcome))

    async def _end(self, intent: Intent, state: str, why: str, found: dict[str, Any] | None = None) -> Intent:
        todo = advice(why) if state == "dead" else ""
        ended = Intent(intent.ref, intent.call, intent.at, state, why[:500], todo, found)
        await self._store.put_doc(ENDED, intent.ref, ended.dump())
        await self._store.delete_doc(OPEN, intent.ref)
        self._unpruned += 1
        if self._unpruned >= PRUNE_EVERY:
            await self._prune()
        return ended

    async def _read(self, kind: str, ref: bytes) -> Intent | None:
        text = await self._store.get_doc(kind, ref)
        return Intent.load(ref, text) if text is not None else None

    async def _prune(self) -> None:
        self._unpruned = 0
        try:
            for ref, _ in (await self._store.docs(ENDED, 2 * KEPT_ENDS))[KEPT_ENDS:]:
                await self._store.delete_doc(ENDED, ref)
        except Transient as exc:
            log.warning("intents_unread", why=str(exc))

    async def pending(self, limit: int) -> list[Intent]:
        """Open intents, then dead ones, the newest of each first."""
        found: list[Intent] = []
        for kind in (OPEN, ENDED):
            for ref, text in await self._store.docs(kind, limit):
                intent = Intent.load(ref, text)
                if intent.state != "done":
                    found.append(intent)
        return found[:limit]


def told(outcome: Included) -> dict[str, Any]:
    """What whoever ordered it is told."""
    return {"block": outcome.block_number, "block_hash": outcome.block_hash.hex(), "fee": str(outcome.fee)}


def refusal_of(ended: Intent) -> tuple[str, str]:
    """Code and hint of a dead intent."""
    if ended.why.startswith("failed"):
        return "chain_refused", ended.todo
    return "fee_refused", f"{ended.why.removeprefix('refused: ')}. {ended.todo}".strip()
