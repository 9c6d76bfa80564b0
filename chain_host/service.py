"""A running chain host: opens the chain, serves it, seals blocks, stops on a signal."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

from .authoring import Author
from .node import Node
from .rpc.server import RpcServer
from .world import World, open_chain, sealing_key

CLOSE_SECONDS = 5.0


def program_version() -> str:
    """Version of the installed distribution."""
    try:
        return distribution_version("ainur-node")
    except PackageNotFoundError:
        return "0"


async def serve_world(
    directory: Path,
    world: World,
    *,
    port: int,
    keep_blocks: int,
    ready: Callable[[dict[str, Any]], None],
    runtime: Path | None = None,
    cache: Path | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; `ready` is told url and genesis once requests are answered.

    Raises WorldError, StoreError, RuntimeTrap, and OSError when the port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    chain = open_chain(directory, world, keep_blocks=keep_blocks, runtime=runtime, cache=cache)
    gc.freeze()  # the state lives as long as the process: collections need not look at it
    reader = chain.store.reader()
    node: Node | None = None
    try:
        node = Node(chain, Author(chain, sealing_key(world.directory)))
        rpc = RpcServer(node, reader, chain_name=world.name, version=program_version())
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
