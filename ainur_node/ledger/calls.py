"""Calls that happen exactly once: an outbox row before every signature, followed until its era is over."""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from hashlib import blake2b
from typing import Any, Protocol

import structlog
import trio

from ainur_node.errors import Transient
from ainur_node.ports import Outbox, OutboxRow
from pallets_client.errors import CallMalformed, ChainError
from pallets_client.keys import Sr25519
from pallets_client.records import Call, Expired, Failed, Included, Outcome, Refused, Signed

log = structlog.get_logger(__name__)

RESUME_AT_MOST = 1024


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

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._writer: CallWriter | None = None
        self._token = trio.lowlevel.current_trio_token()
        self._under_way: dict[bytes, Future[Outcome]] = {}
        # Hashes signed for a ref that is under way: more than one only when the writer had to sign anew.
        self._hashes: dict[bytes, list[bytes]] = {}
        self._resumed: list[tuple[Signed, Future[Outcome]]] = []

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
            intent=json.dumps({"block": signed.block}),
        )
        trio.from_thread.run(self._outbox.sign, row, trio_token=self._token)
        self._hashes.setdefault(signed.ref, []).append(signed.hash)

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
        for row in rows[:RESUME_AT_MOST]:
            since = int(json.loads(row.intent).get("block", 0))
            signed = Signed(row.ref, row.hash, row.nonce, since, row.era_end, row.raw, row.call)
            future = self._under_way[row.ref] = self.writer.resume(signed)
            self._resumed.append((signed, future))
        return len(rows)

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
            await self._write_down(signed.hash, _described(outcome))
        # The same call may be under way again by now, as another extrinsic.
        if self._under_way.get(signed.ref) is future:
            del self._under_way[signed.ref]

    async def send(self, call: Call, *natural_id: bytes) -> Included | Failed | Refused:
        """One call to its end; Transient when the chain is away or the era passed without it."""
        ref = blake2b(b"\x00".join((f"{call.pallet}.{call.name}".encode(), *natural_id)), digest_size=32).digest()
        future = self._under_way.get(ref)
        if future is None:
            future = self._under_way[ref] = self.writer.submit(call, ref)
        try:
            outcome = await _wait(future)
        except CallMalformed:
            raise
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
        *before, last = self._hashes.pop(ref, [b""])
        for signed in before:
            await self._write_down(signed, "signed anew")
        if last:
            await self._write_down(last, _described(outcome))

    async def _write_down(self, signed: bytes, outcome: str) -> None:
        """A store that is away must not hide an outcome: whoever was told "try again" would pay twice."""
        try:
            await self._outbox.resolve(signed, outcome)
        except Transient as exc:
            log.warning("outcome_not_stored", hash=signed.hex()[:16], outcome=outcome, why=str(exc))


def _described(outcome: Outcome) -> str:
    match outcome:
        case Included(block_number=number):
            return f"included in block {number}"
        case Failed(block_number=number, error=error):
            return f"failed in block {number}: {error}"
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
