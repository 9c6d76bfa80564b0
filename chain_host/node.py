"""A sequencer or a follower: one thread executes, the event loop waits for it, tells subscribers and keeps time."""

import asyncio
import contextlib
import functools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from .authoring import Author, Sealed
from .block import Block, Header
from .chain import Chain
from .errors import BadBlock, MalformedScale, RuntimeTrap
from .following import import_block
from .hashing import blake2_256, storage_prefix
from .overlay import Overlay
from .pool import Pool, PoolRefusal, Status
from .runtime_api import BAD_PROOF, BAD_SIGNER, RuntimeApi, Valid
from .scale import read_compact
from .state import Changes
from .validity import refusal

T = TypeVar("T")

GATHER_SECONDS = 0.01  # extrinsics that arrive together share a block
MIN_INTERVAL = 0.05  # at most 20 blocks a second
MAX_EXTRINSIC = 5 << 20
_TIMESTAMP_NOW = storage_prefix("Timestamp", "Now")
REVALIDATED = 32  # waiting extrinsics that a follower asks about again after each block
MAX_TOGETHER = 64  # extrinsics that one turn of the executor admits
TOGETHER_SECONDS = 0.02
STALL_SECONDS = 120.0  # a block that takes longer is a fault to stop on, not to wait out


Incoming = tuple[bytes, bytes, "asyncio.Future[list[Status]]"]


def wall_clock() -> int:
    """Milliseconds of the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class NewBlock:
    """What subscribers are told of a stored block."""

    header: Header
    hash: bytes
    included: tuple[bytes, ...]
    overwritten: Changes
    statuses: tuple[Status, ...]


class Node:
    """Chain, pool and author behind one executor thread; without an author blocks come by `take` only.

    `on_block` is called in the event loop.
    """

    def __init__(
        self,
        chain: Chain,
        author: Author | None,
        *,
        clock: Callable[[], int] = wall_clock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.chain = chain
        self.pool = Pool()
        self._author = author
        self._clock = clock
        self._sleep = sleep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runtime")
        self._wanted = asyncio.Event()
        self._last_timestamp = 0
        self._revalidated = 0
        self._incoming: deque[Incoming] = deque()
        self._admitting: asyncio.Task[None] | None = None
        self.on_block: Callable[[NewBlock], None] = lambda _block: None
        self.on_statuses: Callable[[list[Status]], None] = lambda _changed: None
        self._arrival = asyncio.Event()
        self._unattended: set[asyncio.Task[Any]] = set()

    # ---- work for the executor thread ------------------------------------------------------------------
    async def execute(self, work: Callable[[], T]) -> T:
        """Run something that calls the runtime, after whatever runs there now."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def ask(self, work: Callable[[RuntimeApi], T], block_hash: bytes | None = None) -> T:
        """Ask the runtime of a block. Raises UnknownBlock, StateDiscarded, RuntimeTrap."""

        def job() -> T:
            backend = self.chain.state_at(block_hash, self.chain.store)
            return work(self.chain.runtimes.api(Overlay(backend)))

        return await self.execute(job)

    async def submit(self, raw: bytes) -> tuple[bytes, list[Status]]:
        """Put an extrinsic into the pool; (hash, its first status and what else changed).

        Raises PoolRefusal. The caller passes the statuses on once its own watcher is in place.
        """
        if len(raw) > MAX_EXTRINSIC:
            raise PoolRefusal(1016, "Immediately Dropped", "The transaction is too large")
        try:
            size, start = read_compact(raw)
        except MalformedScale:
            size, start = -1, 0
        if size != len(raw) - start or not size:
            raise PoolRefusal(1001, "Extrinsic has invalid format")
        extrinsic_hash = blake2_256(raw)
        return extrinsic_hash, await self._admitted(extrinsic_hash, raw)

    async def arrivals(self, after: int, wait: float) -> list[tuple[int, bytes]]:
        """(place, bytes) of ready extrinsics that came after place `after`; waits that many seconds for one."""
        arrival = self._arrival
        found = await self.execute(lambda: self.pool.after(after))
        if not found and wait > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await arrival.wait()
            found = await self.execute(lambda: self.pool.after(after))
        return found

    async def _admitted(self, extrinsic_hash: bytes, raw: bytes) -> list[Status]:
        """What `_admit` says, asked together with all others that wait: each turn of the executor costs as much."""
        answer: asyncio.Future[list[Status]] = asyncio.get_running_loop().create_future()
        self._incoming.append((extrinsic_hash, raw, answer))
        if self._admitting is None:
            self._admitting = asyncio.create_task(self._admit_all())
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                self.on_statuses(answer.result())
            raise

    async def _admit_all(self) -> None:
        waiting, together = self._incoming, list[Incoming]()
        try:
            while waiting:
                together = [waiting.popleft() for _ in range(min(len(waiting), MAX_TOGETHER))]
                outcomes = await self.execute(functools.partial(self._admit_some, together))
                waiting.extendleft(reversed(together[len(outcomes) :]))
                if any(not isinstance(outcome, Exception) for outcome in outcomes):
                    self._wake()
                for (_, _, answer), outcome in zip(together, outcomes, strict=False):
                    if answer.done():
                        # Whoever sent it went away; it may have replaced what others still watch.
                        if not isinstance(outcome, Exception):
                            self.on_statuses(outcome)
                        continue
                    if isinstance(outcome, Exception):
                        answer.set_exception(outcome)
                    else:
                        answer.set_result(outcome)
        except BaseException as exc:
            for _, _, answer in (*together, *waiting):
                if not answer.done():
                    answer.set_exception(RuntimeError(f"the executor is closing: {exc}"))
            waiting.clear()
            raise
        finally:
            self._admitting = None

    def _admit_some(self, together: list[Incoming]) -> list[list[Status] | Exception]:
        """Outcomes of the first of them, as many as fit into a moment."""
        outcomes: list[list[Status] | Exception] = []
        end = time.monotonic() + TOGETHER_SECONDS
        for extrinsic_hash, raw, _ in together:
            try:
                outcomes.append(self._admit(extrinsic_hash, raw))
            except PoolRefusal as exc:
                outcomes.append(exc)
            if time.monotonic() > end:
                break
        return outcomes

    def _admit(self, extrinsic_hash: bytes, raw: bytes) -> list[Status]:
        now = time.monotonic()
        self.pool.check(extrinsic_hash, now)
        try:
            valid = self.chain.api().validate(raw, self.chain.head_hash)
        except (RuntimeTrap, MalformedScale) as exc:
            self.pool.ban(extrinsic_hash, now)
            raise PoolRefusal(1002, "Verification Error: Runtime error", str(exc)[:500]) from exc
        if isinstance(valid, Valid):
            return self.pool.submit(extrinsic_hash, raw, valid, self.chain.head.number, now)
        if not valid.unknown and valid.variant in (BAD_PROOF, BAD_SIGNER):
            self.pool.ban(extrinsic_hash, now)  # these bytes never become valid
        raise refusal(valid)

    def _seal(self) -> NewBlock:
        author = self._author
        if author is None:
            raise RuntimeTrap("a follower makes no blocks")
        timestamp = max(self._last_timestamp, self._clock())
        told: list[Status] = []
        try:
            sealed = author.seal(((e.hash, e.raw) for e in self.pool.ready()), timestamp)
        except (RuntimeTrap, MalformedScale):
            # Something ready makes the whole block fail, not only itself: the chain goes on without it.
            for extrinsic_hash in [entry.hash for entry in self.pool.ready()]:
                told += self.pool.remove(extrinsic_hash, "invalid")
                self.pool.ban(extrinsic_hash, time.monotonic())
            sealed = author.seal((), timestamp)
        self._last_timestamp = timestamp
        return NewBlock(
            sealed.block.header,
            sealed.hash,
            sealed.included,
            sealed.overwritten,
            (*told, *self._settle(sealed)),
        )

    def _settle(self, sealed: Sealed) -> list[Status]:
        """Bring the pool to the state after a block."""
        now, pool = time.monotonic(), self.pool
        changed = pool.included(sealed.included)
        for extrinsic_hash, _why in (*sealed.refused, *sealed.trapped):
            changed += pool.remove(extrinsic_hash, "invalid")
        for extrinsic_hash, _why in sealed.trapped:
            pool.ban(extrinsic_hash, now)
        changed += pool.passed_over(sealed.deferred)
        changed += pool.expire(sealed.block.header.number, now)
        return changed

    def _wake(self) -> None:
        """Tell author and relays that the pool may hold something new."""
        if len(self.pool):
            self._wanted.set()
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Work that others hear of: it is finished and told even when whoever asked for it hangs up meanwhile."""
        task = asyncio.create_task(work)
        self._unattended.add(task)
        task.add_done_callback(self._attend)
        return await asyncio.shield(task)

    def _attend(self, task: asyncio.Task[Any]) -> None:
        self._unattended.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked has it, or is gone

    # ---- blocks of others ------------------------------------------------------------------------------
    @property
    def follows(self) -> bool:
        """Whether blocks come from others."""
        return self._author is None

    @property
    def author_key(self) -> bytes | None:
        """The Aura key that seals here, None for a follower."""
        return None if self._author is None else self._author.public

    async def remove(self, extrinsic_hash: bytes) -> bool:
        """Throw an extrinsic out of the pool and refuse it for a while; whether it was there."""

        def job() -> list[Status]:
            changed = self.pool.remove(extrinsic_hash, "invalid")
            if changed:
                self.pool.ban(extrinsic_hash, time.monotonic())
            return changed

        async def removed() -> bool:
            changed = await self.execute(job)
            self.on_statuses(changed)
            return bool(changed)

        return await self._to_its_end(removed())

    async def take(self, block: Block) -> bool:
        """Append a block of another author; False when it is here already. Raises BadBlock, StoreError."""
        return await self._to_its_end(self._take(block))

    async def _take(self, block: Block) -> bool:
        known = self.chain.store.hash_of
        number = block.header.number

        def job() -> NewBlock | None:
            if number <= self.chain.head.number and known(number) == block.header.hash:
                return None
            return self._import(block)

        async with asyncio.timeout(STALL_SECONDS):
            made = await self.execute(job)
        if made is not None:
            self.on_block(made)
        return made is not None

    def _import(self, block: Block) -> NewBlock:
        if not self.follows:
            raise BadBlock("this host makes its own blocks", "not-a-follower")
        included = tuple(blake2_256(extrinsic) for extrinsic in block.extrinsics)
        overwritten = import_block(self.chain, block, now=self._clock())
        changed = self.pool.included(included)
        changed += self.pool.expire(block.header.number, time.monotonic())
        changed += self._revalidate()
        return NewBlock(block.header, self.chain.head_hash, included, overwritten, tuple(changed))

    def _revalidate(self) -> list[Status]:
        """Ask the runtime again about some that wait: what replaced them elsewhere was never seen here."""
        waiting = self.pool.oldest(REVALIDATED, self._revalidated)
        self._revalidated = waiting[-1].order if waiting else 0
        changed: list[Status] = []
        for entry in waiting:
            try:
                valid = self.chain.api().validate(entry.raw, self.chain.head_hash)
            except (RuntimeTrap, MalformedScale):
                valid = None
            if not isinstance(valid, Valid):
                changed += self.pool.remove(entry.hash, "invalid")
        return changed

    # ---- time ------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Seal blocks until cancelled. Raises StoreError or RuntimeTrap when no block can be written."""
        if self._author is None:
            await asyncio.Event().wait()
        self._last_timestamp = await self.execute(self._stored_timestamp)
        last = -MIN_INTERVAL
        while True:
            await self._next_seal(last)
            self._wanted.clear()
            last = time.monotonic()
            async with asyncio.timeout(STALL_SECONDS):
                block = await self.execute(self._seal)
            if len(self.pool):
                self._wanted.set()
            self.on_block(block)

    async def _next_seal(self, last: float) -> None:
        """Wait for an extrinsic, or for a slot without a block."""
        duration = self.chain.slot_duration
        next_slot = (self._last_timestamp // duration + 1) * duration
        heartbeat = (next_slot - self._clock()) / 1000
        if heartbeat > 0:
            try:
                async with asyncio.timeout(min(heartbeat, duration / 1000)):
                    await self._wanted.wait()
            except TimeoutError:
                return
            await self._sleep(max(GATHER_SECONDS, last + MIN_INTERVAL - time.monotonic()))

    def _stored_timestamp(self) -> int:
        """Timestamp of the head in milliseconds, 0 at genesis."""
        now = self.chain.state.get(_TIMESTAMP_NOW)
        return int.from_bytes(now, "little") if now else 0

    async def close(self) -> None:
        """Let the executor thread finish what it has begun."""
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
