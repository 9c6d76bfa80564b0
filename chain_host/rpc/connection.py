"""One client of the server: what is on its way to it and what is being worked on for it, both bounded."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

MAX_QUEUED = 4_096  # messages a client may be behind
MAX_QUEUED_BYTES = 16 << 20  # beyond one answer
MAX_ALL_QUEUED = 256 << 20  # over all connections
MAX_AT_WORK = 32  # requests of one client that are worked on at once
MAX_AT_WORK_BYTES = 64 << 10  # a longer one is worked on alone


class Backlog:
    """Bytes queued over all connections."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Connection:
    """One client: requests are answered in their order; messages leave through one bounded queue."""

    def __init__(self, socket: ServerConnection, backlog: Backlog) -> None:
        self._backlog = backlog
        self.socket = socket
        self.subscriptions: set[str] = set()
        self.held: list[str] | None = None  # notifications that must follow the response being made
        self._queue: asyncio.Queue[str] = asyncio.Queue(MAX_QUEUED)
        self._bytes = 0
        self.gone = False
        self.drained = asyncio.Event()
        self._at_work: asyncio.Queue[asyncio.Task[str | None]] = asyncio.Queue(MAX_AT_WORK)

    async def work(self, answer: Coroutine[Any, Any, str | None]) -> None:
        """Begin a request while others are still worked on; waits when there are too many."""
        await self._at_work.put(asyncio.create_task(answer))

    async def settled(self) -> None:
        """Wait until every request that was begun is answered."""
        await self._at_work.join()

    async def answer(self) -> None:
        """Pass on answers in the order of their requests until the connection closes."""
        task: asyncio.Task[str | None] | None = None
        try:
            while True:
                task = await self._at_work.get()
                text = await task
                if text is not None:
                    self.push(text)
                self._at_work.task_done()
                await self.caught_up()
        finally:
            left = [] if task is None else [task]
            while not self._at_work.empty():
                left.append(self._at_work.get_nowait())
                self._at_work.task_done()
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def push(self, text: str) -> None:
        """Queue a message; a client that is too far behind is cut off."""
        if self.held is not None:
            self.held.append(text)
            return
        if self.gone:
            return
        late = self._bytes + len(text) > MAX_QUEUED_BYTES and not self._queue.empty()
        if self._queue.full() or late or self._backlog.bytes + len(text) > MAX_ALL_QUEUED:
            self.socket.transport.abort()
            return
        self._bytes += len(text)
        self._backlog.bytes += len(text)
        self._queue.put_nowait(text)

    async def write(self) -> None:
        """Send what is queued until the connection closes."""
        try:
            with contextlib.suppress(ConnectionClosed):
                await self._write()
        finally:
            self.gone = True
            self.drained.set()  # nobody waits for a client that is gone

    async def _write(self) -> None:
        while True:
            text = await self._queue.get()
            try:
                await self.socket.send(text)
            finally:
                self._bytes -= len(text)
                self._backlog.bytes -= len(text)
            if self._bytes <= MAX_QUEUED_BYTES // 2 and self._queue.qsize() <= MAX_QUEUED // 2:
                self.drained.set()

    def forget(self) -> None:
        """Drop what is still queued for a client that is gone."""
        self._backlog.bytes -= self._bytes
        self._bytes = 0

    async def caught_up(self) -> None:
        """Wait until the client has read enough: its next request is not looked at before."""
        if self.gone:
            return
        if self._bytes > MAX_QUEUED_BYTES // 2 or self._queue.qsize() > MAX_QUEUED // 2:
            self.drained.clear()
            await self.drained.wait()
