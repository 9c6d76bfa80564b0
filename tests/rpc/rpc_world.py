"""A real server on a real unix socket, asked by raw bytes or by a blocking client in a thread."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from ainur_node.rpc import frames
from ainur_node.rpc.client import Client
from ainur_node.rpc.messages import Hello, Request, decode_from_server, encode
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


HELLO = frames.frame(encode(Hello(1)))


async def echo(params: dict[str, Any]) -> dict[str, Any]:
    return params


async def count(params: dict[str, Any], send: Any) -> None:
    for number in range(params["to"]):
        await send({"number": number})


def ask_frame(ident: int, method: str, **params: Any) -> bytes:
    return frames.frame(encode(Request(ident, method, params)))


async def hear(stream: trio.SocketStream, enough: int = 1) -> list[Any]:
    """Messages until there are ``enough`` or the node hangs up."""
    reader, heard = frames.FrameReader(), []
    with trio.fail_after(10):
        while len(heard) < enough and (data := await stream.receive_some()):
            heard += [decode_from_server(body) for body in reader.feed(bytes(data))]
    return heard
