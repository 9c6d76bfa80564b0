"""The follower: one loop behind the best block that keeps the market clock and wakes whoever waits for a record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import trio

from ainur_node.errors import Transient
from ainur_node.ports import Readiness
from pallets_client.errors import ChainError
from pallets_client.records import Head

log = structlog.get_logger(__name__)

AUCTION, ESCROW = "auction", "escrow"
# Looks at the watched records at most this often (seconds), however fast blocks come.
LEAST_PAUSE = 0.03
HEAD_TIMEOUT = 5.0
RETRY_PAUSE = 0.5
# Market time never runs further ahead of a block than this (docs/protocol.md §3), in ms.
MAX_GAP = 6000

Key = tuple[str, bytes]


@dataclass(slots=True)
class _Watched:
    """A record somebody waits for: its last raw value and the event of the next change."""

    raw: object
    changed: trio.Event = field(default_factory=trio.Event)
    waiting: int = 0


class ChainWatch:
    """Reads raw values of all watched records in one question per block."""

    def __init__(self, client: Any, look: Callable[[Sequence[Key]], tuple[int, list[object]]]) -> None:
        self._client = client
        self._look = look
        self._watched: dict[Key, _Watched] = {}
        self._head = Head(0, b"")
        self._new_head = trio.Event()
        self._market = 0
        self._seen_at = 0.0
        self.reachable = False

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Follow heads until cancelled; the chain may come and go."""
        started = False
        while True:
            try:
                await self._follow()
                if not started:
                    started = True
                    task_status.started()
                await trio.sleep(LEAST_PAUSE)
            except ChainError as exc:
                if self.reachable:
                    log.warning("chain_away", why=str(exc))
                self.reachable = False
                if not started:
                    raise Transient(
                        f"the chain cannot be reached: {exc}", hint="start it or correct chain.url"
                    ) from exc
                await trio.sleep(RETRY_PAUSE)

    async def _follow(self) -> None:
        if not self._head.hash:
            head: Head | None = await trio.to_thread.run_sync(self._client.head)
        else:
            head = await trio.to_thread.run_sync(
                self._client.next_head,
                self._head.number,
                HEAD_TIMEOUT,
                abandon_on_cancel=True,
            )
        if head is None:
            self.reachable = True
            return
        await self._refresh(head)

    async def _refresh(self, head: Head) -> None:
        keys = list(self._watched)
        now, values = await trio.to_thread.run_sync(self._look, keys, abandon_on_cancel=True)
        self._head, self._market, self._seen_at = head, now, trio.current_time()
        self._new_head.set()
        self._new_head = trio.Event()
        self.reachable = True
        for key, raw in zip(keys, values, strict=True):
            watched = self._watched.get(key)
            if watched is not None and watched.raw != raw:
                watched.raw = raw
                watched.changed.set()
                watched.changed = trio.Event()

    async def wait_height(self, after: int, seconds: float) -> None:
        """Return when a block above ``after`` was seen, or after that many seconds."""
        with trio.move_on_after(seconds):
            while self._head.number <= after:
                await self._new_head.wait()

    @property
    def height(self) -> int:
        """Number of the best block seen."""
        return self._head.number

    def market_now(self) -> int:
        """Market time in ms, estimated for this instant."""
        gap = int((trio.current_time() - self._seen_at) * 1000)
        return self._market + min(max(gap, 0), MAX_GAP)

    async def wait_change(self, kind: str, record: bytes, *, until: int) -> None:
        """Return when the record changes, or market time passes ``until``, or a few seconds went by.

        Raises Transient when the chain went away.
        """
        key = (kind, record)
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched.setdefault(key, _Watched(await self._raw(key)))
        watched.waiting += 1
        left = max(until - self.market_now(), 0) / 1000 + LEAST_PAUSE
        try:
            with trio.move_on_after(min(left, HEAD_TIMEOUT)):
                await watched.changed.wait()
        finally:
            watched.waiting -= 1
            if not watched.waiting:
                self._watched.pop(key, None)

    async def _raw(self, key: Key) -> object:
        try:
            _, values = await trio.to_thread.run_sync(self._look, [key], abandon_on_cancel=True)
        except ChainError as exc:
            raise Transient(
                f"the chain cannot be read: {exc}", hint="check chain.url and `ainur chain status`"
            ) from exc
        return values[0]
