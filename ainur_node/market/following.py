"""Auctions that outlast their task: each is looked at again and again until its window is over."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Generic, TypeVar

import structlog
import trio

from ainur_node.domain.ids import AuctionId
from ainur_node.errors import Transient
from ainur_node.ports import Readiness, TaskStore

log = structlog.get_logger(__name__)

MAX_FOLLOWED = 10_000
"""Auctions of a kind that are taken up after a restart, the newest first."""
LOOK_EVERY = 2_000
"""Market ms between two looks at a window: a demand changes no record that is watched."""
BREATH = 0.2
"""Seconds between two looks at the least: the chain's clock moves with its blocks, and may be behind our estimate."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


class Next(Enum):
    """What a look ends with."""

    ON = "on"
    """Something was done or waited for: look again."""
    LATER = "later"
    """It was in vain: look again after a pause that grows."""
    OVER = "over"


M = TypeVar("M")


class Following(Generic[M]):
    """One task per auction, never two; what it has seen lives in a memory of its own.

    `unfinished` tells from a stored document of `kind` whether a restart takes it up; `look` moves an auction on, and
    the chain may be away for a while.
    """

    def __init__(
        self,
        kind: str,
        store: TaskStore,
        *,
        unfinished: Callable[[str], bool],
        memory: Callable[[], M],
        look: Callable[[AuctionId, M], Awaitable[Next]],
    ) -> None:
        self._kind = kind
        self._store = store
        self._unfinished = unfinished
        self._memory = memory
        self._look = look
        self._nursery: trio.Nursery | None = None
        self._followed: set[AuctionId] = set()

    @property
    def open(self) -> int:
        """How many auctions are followed."""
        return len(self._followed)

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Take up what a restart left, then follow until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for key, doc in await self._store.docs(self._kind, MAX_FOLLOWED):
                if self._unfinished(doc):
                    self.follow(AuctionId(key))
            task_status.started()
            await trio.sleep_forever()

    def follow(self, auction: AuctionId) -> None:
        """From now on until it is over; nothing where it is followed already, or before `run`."""
        if self._nursery is not None and auction not in self._followed:
            self._followed.add(auction)
            self._nursery.start_soon(self._until_over, auction)

    async def _until_over(self, auction: AuctionId) -> None:
        pause, memory = FIRST_PAUSE, self._memory()
        try:
            while True:
                try:
                    then = await self._look(auction, memory)
                except Transient as exc:
                    log.info(f"{self._kind}_waits", auction=auction.hex()[:16], why=str(exc))
                    then = Next.LATER
                if then is Next.OVER:
                    return
                if then is Next.ON:
                    pause = FIRST_PAUSE
                    await trio.sleep(BREATH)
                else:
                    await trio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self._followed.discard(auction)
