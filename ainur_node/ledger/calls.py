"""Calls that happen exactly once: an outbox row before every signature, followed until its era is over."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from hashlib import blake2b
from typing import Any, Protocol

import structlog
import trio

from ainur_node.errors import Transient
from ainur_node.ports import Fate, Outbox, OutboxRow
from pallets_client.errors import CallMalformed, ChainError, EndpointsDisagree, StaleHead
from pallets_client.keys import Sr25519
from pallets_client.records import Call, Expired, Failed, Included, Outcome, Refused, Signed

log = structlog.get_logger(__name__)

RESUME_AT_MOST = 1024


class StaleChain(Transient):
    """The chain stands still as far as this node can see: nothing is signed on an old head."""

    code = "stale_head"


class EndpointsDiffer(Transient):
    """Two endpoints finalized different blocks: one of them is not on this chain."""

    code = "endpoints_differ"


class CallWriter(Protocol):
    """The writer of pallets_client, real or in memory."""

    key: Sr25519

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        """Sign, store, send; the future ends with an outcome."""
        ...

    def resume(self, signed: Signed) -> Future[Outcome]:
        """Follow an extrinsic that an earlier process signed."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class Caller:
    """Sends calls of one account. A call under way is never signed a second time under the same ``ref``."""

    def __init__(self, outbox: Outbox, *, final: bool = False) -> None:
        """``final``: the writer calls :meth:`on_final`, and :meth:`keep_books` writes what finalized blocks say."""
        self._outbox = outbox
        self._final = final
        self._writer: CallWriter | None = None
        self._token = trio.lowlevel.current_trio_token()
        self._under_way: dict[bytes, Future[Outcome]] = {}
        # Hashes signed for a ref that is under way: more than one only when the writer had to sign anew.
        self._hashes: dict[bytes, list[bytes]] = {}
        self._resumed: list[tuple[Signed, Future[Outcome]]] = []
        self._notes: list[tuple[bytes, str]] = []
        self._noted = trio.Event()

    def on_signed(self, signed: Signed) -> None:
        """Called in the writer's thread before the bytes leave: the row must be stored first."""
        row = OutboxRow(
            ref=signed.ref,
            account=self.writer.key.account,
            nonce=signed.nonce,
            hash=signed.hash,
            raw=signed.raw,
            era_end=signed.era_end_block,
            call=signed.call_name,
            intent=json.dumps({"block": signed.block, "spec": signed.spec, "tip": str(signed.tip)}),
        )
        trio.from_thread.run(self._outbox.sign, row, trio_token=self._token)
        if not self._final:  # else finalized blocks name each hash
            self._hashes.setdefault(signed.ref, []).append(signed.hash)

    def on_final(self, signed: Signed, outcome: Outcome) -> None:
        """Called in the writer's thread when finalized blocks decided about an extrinsic; never waits."""
        try:
            self._token.run_sync_soon(self._take_note, signed.hash, described(outcome))
        except trio.RunFinishedError:
            return  # the node stopped meanwhile; the row is taken up at the next start

    def _take_note(self, signed: bytes, outcome: str) -> None:
        self._notes.append((signed, outcome))
        self._noted.set()

    async def keep_books(self) -> None:
        """Write down what :meth:`on_final` heard; what is lost with the process is found again at the next start."""
        while True:
            await self._noted.wait()
            self._noted = trio.Event()
            notes, self._notes = self._notes, []
            async with trio.open_nursery() as nursery:
                for signed, outcome in notes:
                    nursery.start_soon(self._write_down, signed, outcome)

    @property
    def writer(self) -> CallWriter:
        """The writer; set once after construction, because it needs :meth:`on_signed`."""
        if self._writer is None:
            raise RuntimeError("the writer is not set yet")
        return self._writer

    @writer.setter
    def writer(self, writer: CallWriter) -> None:
        self._writer = writer

    async def resume(self) -> int:
        """Follow what an earlier process signed and never saw the end of; how many there were."""
        rows = await self._outbox.unresolved(self.writer.key.account)
        self.take_up(rows[:RESUME_AT_MOST])
        return len(rows)

    def take_up(self, rows: Sequence[OutboxRow]) -> None:
        """Follow rows whose end nobody knows, each under its ref."""
        for row in rows:
            notes = json.loads(row.intent)
            since, spec, tip = (int(notes.get(name, 0)) for name in ("block", "spec", "tip"))
            signed = Signed(row.ref, row.hash, row.nonce, since, row.era_end, row.raw, row.call, spec, tip)
            future = self._under_way[row.ref] = self.writer.resume(signed)
            self._resumed.append((signed, future))

    async def settle_resumed(self) -> None:
        """Write down how the resumed ones ended."""
        async with trio.open_nursery() as nursery:
            while self._resumed:
                nursery.start_soon(self._settle, *self._resumed.pop())

    async def _settle(self, signed: Signed, future: Future[Outcome]) -> None:
        try:
            outcome = await _wait(future)
        except ChainError as exc:
            log.warning("outbox_unresolved", why=str(exc))
        else:
            if not self._final:
                await self._write_down(signed.hash, described(outcome))
        # The same call may be under way again by now, as another extrinsic.
        if self._under_way.get(signed.ref) is future:
            del self._under_way[signed.ref]

    async def send(self, call: Call, *natural_id: bytes) -> Included | Failed | Refused:
        """One call to its end; Transient when the chain is away or the era passed without it."""
        return await self.send_as(ref_of(call, *natural_id), call)

    def follows(self, ref: bytes) -> bool:
        """Whether a call with this ref is under way."""
        return ref in self._under_way

    async def fate(self, ref: bytes) -> Fate:
        """What became of a call, also when whoever sent it was cancelled. Transient when the store is away."""
        future = self._under_way.get(ref)
        if future is not None:
            if not future.done():
                return Fate.UNDECIDED
            del self._under_way[ref]  # its sender was cancelled: nobody else takes the outcome
            if future.exception() is None:
                await self._resolve(ref, future.result())
        rows = await self._outbox.attempts(ref)
        kinds = {(row.outcome or "").split(" ", 1)[0] for row in rows}
        if "included" in kinds:
            return Fate.INCLUDED
        return Fate.UNDECIDED if "" in kinds else Fate.NEVER

    async def send_as(self, ref: bytes, call: Call) -> Included | Failed | Refused:
        """As :meth:`send`, under a ref of the caller's own."""
        future = self._under_way.get(ref)
        if future is None:
            future = self._under_way[ref] = self.writer.submit(call, ref)
        try:
            outcome = await _wait(future)
        except CallMalformed:
            raise
        except StaleHead as exc:
            raise StaleChain(
                f"nothing is signed on an old head: {exc}",
                hint="check the chain with `ainur chain status`, or add another endpoint to chain.url",
            ) from exc
        except EndpointsDisagree as exc:
            raise EndpointsDiffer(str(exc), hint="remove the wrong endpoint from chain.url") from exc
        except ChainError as exc:
            raise Transient(f"the chain did not take {call.pallet}.{call.name}: {exc}") from exc
        finally:
            if self._under_way.get(ref) is future and future.done():
                del self._under_way[ref]
        await self._resolve(ref, outcome)
        if isinstance(outcome, Expired):
            raise Transient(f"{call.pallet}.{call.name} did not reach a block in its era")
        return outcome

    async def _resolve(self, ref: bytes, outcome: Outcome) -> None:
        if self._final:
            return
        *before, last = self._hashes.pop(ref, [b""])
        for signed in before:
            await self._write_down(signed, "signed anew")
        if last:
            await self._write_down(last, described(outcome))

    async def _write_down(self, signed: bytes, outcome: str) -> None:
        """A store that is away must not hide an outcome: whoever was told "try again" would pay twice."""
        try:
            await self._outbox.resolve(signed, outcome)
        except Transient as exc:
            log.warning("outcome_not_stored", hash=signed.hex()[:16], outcome=outcome, why=str(exc))


def ref_of(call: Call, *natural_id: bytes) -> bytes:
    """What names a call while it is under way: its kind, and ids that make it different from others of it."""
    return blake2b(b"\x00".join((f"{call.pallet}.{call.name}".encode(), *natural_id)), digest_size=32).digest()


def described(outcome: Outcome) -> str:
    """An outcome as one line; the first word names its kind."""
    match outcome:
        case Included(block_number=number):
            return f"included in block {number}"
        case Failed(block_number=number, error=error, doc=doc):
            return f"failed in block {number}: {error}" + (f" — {doc}" if doc else "")
        case Refused(reason=reason):
            return f"refused: {reason[:200]}"
        case Expired(era_end_block=end):
            return f"expired at block {end}"


async def _wait(future: Future[Outcome]) -> Outcome:
    """Await a writer's future without holding a thread."""
    done = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def wake(_: Future[Outcome]) -> None:
        try:
            token.run_sync_soon(done.set)
        except trio.RunFinishedError:
            return  # the node stopped meanwhile; the outbox row is taken up at the next start

    future.add_done_callback(wake)
    await done.wait()
    return future.result()


def fields_of(outcome: Included, pallet: str, name: str) -> Mapping[str, Any] | None:
    """The fields of the first such event of the extrinsic."""
    return next((e.fields for e in outcome.events if e.pallet == pallet and e.name == name), None)
