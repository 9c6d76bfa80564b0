"""One asyncio thread inside the trio process, and the only way across: `AioThread.run`."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, TypeVarTuple

import outcome
import structlog
import trio

from ainur_node.errors import Bug, Transient

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_log = structlog.get_logger(__name__)

CANCEL_GRACE = 5.0
"""Seconds a cancelled call may take to wind up before trio stops waiting for it."""
STOP_GRACE = 10.0
"""Seconds the thread may take to end its tasks when the bridge closes."""


class AioThread:
    """Runs coroutine functions on an asyncio loop in another thread, for callers in trio."""

    def __init__(self, loop: asyncio.AbstractEventLoop, token: trio.lowlevel.TrioToken) -> None:
        self._loop = loop
        self._token = token
        self.closed = False

    async def run(
        self,
        fn: Callable[[*Ts], Awaitable[T]],
        *args: *Ts,
        grace: float = CANCEL_GRACE,
    ) -> T:
        """Await `fn(*args)` on the asyncio thread and give back its result or its exception.

        A trio cancellation cancels the asyncio task and then waits, for at most `grace` seconds, until that has
        wound up, so that nothing goes on behind the caller's back. Raises Transient once the bridge is closed.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.closed:
            raise Transient("the database thread has stopped", hint="the node is shutting down")
        crossing = _Crossing(self._loop, self._token, trio.lowlevel.current_task(), grace)

        async def call() -> T:
            return await fn(*args)

        context = contextvars.copy_context()
        self._loop.call_soon_threadsafe(crossing.start, call, context)
        try:
            value: T = await trio.lowlevel.wait_task_rescheduled(crossing.abort)
        except asyncio.CancelledError:
            if crossing.raise_cancel is not None:
                crossing.raise_cancel()
            raise Transient("the database thread stopped during a call") from None
        return value


class _Crossing:
    """One call on its way: `start`, `_done` and `_give_up` run in the asyncio thread, the rest in trio's."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        token: trio.lowlevel.TrioToken,
        task: trio.lowlevel.Task,
        grace: float,
    ) -> None:
        self.loop = loop
        self.token = token
        self.task = task
        self.grace = grace
        self.raise_cancel: Callable[[], None] | None = None
        self._aio_task: asyncio.Task[object] | None = None
        self._answered = False

    def start(self, call: Callable[[], Awaitable[object]], context: contextvars.Context) -> None:
        self._aio_task = self.loop.create_task(_as_coroutine(call), context=context)
        self._aio_task.add_done_callback(self._done)

    def abort(self, raise_cancel: Callable[[], None]) -> trio.lowlevel.Abort:
        self.raise_cancel = raise_cancel
        with contextlib.suppress(RuntimeError):  # the loop is closed; its last act was to answer every call
            self.loop.call_soon_threadsafe(self._cancel)
        return trio.lowlevel.Abort.FAILED

    def _cancel(self) -> None:
        if self._aio_task is None:
            raise Bug("a call was cancelled before it was started")
        self._aio_task.cancel()
        self.loop.call_later(self.grace, self._give_up)

    def _give_up(self) -> None:
        if not self._answered:
            _log.warning("database_call_abandoned", seconds=self.grace)
            self._answer(outcome.Error(asyncio.CancelledError()))

    def _done(self, finished: "asyncio.Task[object]") -> None:
        if finished.cancelled():
            result: outcome.Outcome[object] = outcome.Error(asyncio.CancelledError())
        elif (error := finished.exception()) is not None:
            result = outcome.Error(error)
        else:
            result = outcome.Value(finished.result())
        if not self._answered:
            self._answer(result)

    def _answer(self, result: outcome.Outcome[object]) -> None:
        self._answered = True
        with contextlib.suppress(trio.RunFinishedError):  # nobody is left to be told
            self.token.run_sync_soon(trio.lowlevel.reschedule, self.task, result)


async def _as_coroutine(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


@asynccontextmanager
async def open_aio_thread(name: str = "asyncio-database") -> AsyncIterator[AioThread]:
    """Start the thread, and on the way out cancel what still runs in it and wait for its end."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_live, args=(loop, ready), name=name, daemon=True)
    thread.start()
    ready.wait(STOP_GRACE)
    aio = AioThread(loop, trio.lowlevel.current_trio_token())
    try:
        yield aio
    finally:
        aio.closed = True
        loop.call_soon_threadsafe(loop.stop)
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(thread.join, 2 * STOP_GRACE)
        if thread.is_alive():
            _log.error("database_thread_hangs")


def _live(loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=STOP_GRACE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
