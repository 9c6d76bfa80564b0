"""A running chain host: serves a chain, seals or takes blocks, stops on a signal."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from typing import Any

from .authoring import Author
from .chain import Chain
from .node import Node
from .rpc.server import RpcServer

CLOSE_SECONDS = 5.0


def program_version() -> str:
    """Version of the installed distribution."""
    try:
        return distribution_version("ainur-node")
    except PackageNotFoundError:
        return "0"


async def serve(
    chain: Chain,
    author: Author | None,
    *,
    name: str,
    port: int,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """Serve a chain until SIGTERM or SIGINT, then close it; without an author it follows.

    `ready` is told url and genesis once requests are answered. Raises StoreError, RuntimeTrap, and OSError when the
    port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gc.freeze()  # the state lives as long as the process: collections need not look at it
    reader = chain.store.reader()
    node: Node | None = None
    try:
        node = Node(chain, author)
        rpc = RpcServer(node, reader, chain_name=name, version=program_version())
        server, bound = await rpc.listen(port)
        sealing = asyncio.create_task(node.run())
        stopping = asyncio.create_task(stop.wait())
        ready({"ready": True, "url": f"ws://127.0.0.1:{bound}", "genesis": "0x" + chain.genesis_hash.hex()})
        await asyncio.wait({sealing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.close()
        for task in (sealing, stopping):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await server.wait_closed()
        with contextlib.suppress(asyncio.CancelledError):
            await sealing  # a fault of the sealing loop ends the process with its reason
    finally:
        if node is not None:
            await node.close()
        reader.close()
        chain.store.close()
