"""The writer: one thread that owns the nonce of one account, from a call to what became of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from time import monotonic

from pallets_client.errors import (
    ChainError,
    ChainMisbehaviour,
    ChainUnreachable,
    EndpointsDisagree,
    StaleHead,
    WriterBusy,
    WriterClosed,
)
from pallets_client.fees import FeeBudget, Purse
from pallets_client.flight import settle
from pallets_client.flights import Flights
from pallets_client.inclusion import find_in_block
from pallets_client.keys import Sr25519
from pallets_client.link import DEFAULT_TIMEOUT, STALE_AFTER, Link
from pallets_client.records import Call, Expired, Outcome, Signed, StillPossible
from pallets_client.signing import Signer

MAX_QUEUED = 1024  # calls that wait to be signed
ERA_BLOCKS = 1024  # at 20 blocks a second still most of a minute; the chain keeps 4096 block hashes
PATIENCE = 60.0  # seconds without a node after which callers are told
MAX_LOOKUP = 4096  # blocks; eras are not longer
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts to reach the node
_TICK = 1.0  # seconds between looks at the clock while something is in flight


class Writer:
    """Signs and sends the calls of one account, in order, without waiting for one before the next.

    ``url`` may name several nodes. Nothing is signed on a head that has not moved for ``stale_after`` seconds,
    nor above the fee ``budget``. ``on_signed`` is called in the writer's thread and must return before the bytes
    leave; when it raises, the call's future does and nothing has left. A call may be signed more than once,
    always with the same nonce: for a new runtime, or with a higher tip. ``on_final`` is told, in the same thread,
    what became of each such extrinsic for good; the answer of the best block, which ends the future, may come
    before. Futures end with an Outcome, or with ChainUnreachable,
    WriterBusy, WriterClosed or CallMalformed; their callbacks run in the writer's thread. No future waits
    for ever: a call that was sent ends with its era at the latest, and without a node after ``patience``
    seconds (it is still followed then: ``submit`` with its ``ref``, or ``lookup``, finds out later).
    """

    def __init__(
        self,
        url: str | Sequence[str],
        key: Sr25519,
        *,
        era_blocks: int = ERA_BLOCKS,
        on_signed: Callable[[Signed], None] | None = None,
        on_final: Callable[[Signed, Outcome], None] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = PATIENCE,
        stale_after: float = STALE_AFTER,
        budget: FeeBudget | None = None,
    ) -> None:
        self.key = key
        self._link = Link(url, timeout)
        self._link.on_change = self._wake
        self._purse = Purse(budget)
        signer = Signer(self._link, key, era_blocks, stale_after, self._purse, on_signed)
        self._flights = Flights(self._link, signer, on_final)
        self._patience = patience
        self._changed = threading.Condition()
        self._queue: deque[tuple[Call, bytes, Future[Outcome]]] = deque()
        self._resumed: deque[tuple[Signed, Future[Outcome]]] = deque()
        self._woken = False
        self._closed = False
        self._unreachable_since: float | None = None
        self._thread: threading.Thread | None = None

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        """Queue a call; ``ref`` comes back in Signed. Never blocks.

        While a call with the same ``ref`` (unless empty) is on its way, that one is followed and nothing is
        signed: whoever was told ChainUnreachable may ask again without paying twice.
        """
        future: Future[Outcome] = Future()
        with self._changed:
            if self._refuse(future, len(self._queue)):
                return future
            self._queue.append((call, ref, future))
            self._start()
        return future

    def resume(self, signed: Signed) -> Future[Outcome]:
        """Follow an extrinsic that an earlier writer signed, sending the same bytes again while its era lasts.

        Call it before the first ``submit``, so that its nonce is not given away.
        """
        future: Future[Outcome] = Future()
        with self._changed:
            if self._refuse(future, len(self._resumed)):
                return future
            self._resumed.append((signed, future))
            self._start()
        return future

    def lookup(self, hash_: bytes, since_block: int, era_end: int) -> Outcome | StillPossible:
        """What became of an extrinsic signed when ``since_block`` was the head; reads every block since.

        Expired means that its era is over without it. Raises ChainUnreachable, and UnknownBlock for blocks
        whose state the node has dropped.
        """
        head = self._link.head().number
        last = min(head, era_end)
        if last - since_block > MAX_LOOKUP:
            raise ValueError(f"an era has at most {MAX_LOOKUP} blocks")
        for number in range(since_block + 1, last + 1):
            found = find_in_block(self._link, number, (hash_,))
            if found:
                return found[hash_]
        return Expired(era_end) if head >= era_end else StillPossible(head)

    def statistics(self) -> dict[str, int]:
        """Counts of calls by where they are, and of connections made."""
        return {
            "queued": len(self._queue),
            "in_flight": len(self._flights),
            "connections": self._link.connections,
            "fees_today": self._purse.today,
        }

    def close(self) -> None:
        """Stop; calls that are not signed end with WriterClosed, those in flight with ChainUnreachable."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._link.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self._link.timeout)
        self._abandon(WriterClosed("the writer was closed"), ChainUnreachable("the writer was closed"))

    # the thread ----------------------------------------------------------------------------------------

    def _refuse(self, future: Future[Outcome], waiting: int) -> bool:
        if self._closed:
            future.set_exception(WriterClosed("the writer is closed"))
        elif waiting >= MAX_QUEUED:
            future.set_exception(WriterBusy(f"{waiting} calls wait to be signed"))
        else:
            return False
        return True

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="chain-writer", daemon=True)
            self._thread.start()
        self._woken = True
        self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _run(self) -> None:
        pause = 0.0
        while not self._closed:
            self._wait(pause)
            if self._closed:
                return
            try:
                self._work()
                pause, self._unreachable_since = 0.0, None
            except (StaleHead, EndpointsDisagree) as exc:
                pause = _FIRST_PAUSE
                self._abandon(exc, None)  # nothing was signed for them; what flies is followed
            except ChainMisbehaviour as exc:
                pause = _LONGEST_PAUSE
                self._abandon(exc, None)
                self._lose_patience(exc)
            except ChainError as exc:
                pause = min(max(_FIRST_PAUSE, pause * 2), _LONGEST_PAUSE)
                self._lose_patience(exc)
            except Exception as exc:  # noqa: BLE001  # reason: a fault of ours must reach the callers, not end a thread unseen
                pause = _LONGEST_PAUSE
                self._abandon(exc, exc)

    def _wait(self, pause: float) -> None:
        """Until there is something to do; ``pause`` after a failure, whatever happens meanwhile."""
        with self._changed:
            if pause:
                self._changed.wait_for(lambda: self._closed, pause)
            else:
                busy = bool(self._queue or self._resumed or len(self._flights))
                self._changed.wait_for(lambda: self._woken or self._closed, _TICK if busy else None)
            self._woken = False

    def _work(self) -> None:
        if not (self._queue or self._resumed or len(self._flights)):
            return
        self._link.watch_heads()
        while self._resumed:
            signed, future = self._resumed.popleft()
            self._flights.adopt(signed, future)
        self._flights.follow()
        while self._flights.has_room():
            with self._changed:
                if not self._queue:
                    break
                call, ref, future = self._queue[0]
            try:
                self._flights.launch(call, ref, future)
            except ChainUnreachable:
                raise  # nothing was signed: it stays first in the queue
            except ChainError as exc:
                settle(future, exc)
            with self._changed:
                self._queue.popleft()
        self._flights.nudge()

    def _lose_patience(self, exc: ChainError) -> None:
        now = monotonic()
        if self._unreachable_since is None:
            self._unreachable_since = now
        if now - self._unreachable_since >= self._patience:
            unknown = ChainUnreachable(f"no node for {self._patience:g} s: look the extrinsic up later ({exc})")
            self._abandon(exc, unknown)

    def _abandon(self, queued: Exception, flying: Exception | None) -> None:
        with self._changed:
            waiting = [future for _, _, future in self._queue]
            self._queue.clear()
        for future in waiting:
            settle(future, queued)
        if flying is not None:
            with self._changed:
                resumed = [future for _, future in self._resumed]
                self._resumed.clear()
            for future in resumed:
                settle(future, flying)
            self._flights.tell_waiting(flying)
