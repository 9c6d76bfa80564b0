"""A real server on a real unix socket, asked by raw bytes or by a blocking client in a thread."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from ainur_node.rpc.client import Client
from ainur_node.rpc.server import Server

Dial = Callable[[Path], Awaitable[trio.SocketStream]]


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        yield nursery
        nursery.cancel_scope.cancel()


async def asked(path: Path, question: Callable[[Client], Any]) -> Any:
    """Ask with a blocking client in a thread of its own."""

    def ask() -> Any:
        with Client(path, timeout=10.0) as client:
            return question(client)

    return await trio.to_thread.run_sync(ask)


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not holds():  # noqa: ASYNC110 # what is awaited happens in code without events
            await trio.sleep(0.002)
