"""Places for sockets."""

import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio
from rpc_world import Dial


@pytest.fixture
def rpc_dir() -> Iterator[Path]:
    """A short 0700 directory: socket paths are bounded by the kernel."""
    with tempfile.TemporaryDirectory(prefix="ainur-rpc-") as name:
        yield Path(name)


@pytest.fixture
async def dialled() -> AsyncIterator[Dial]:
    """Raw connections, closed with the test."""
    made: list[trio.socket.SocketType] = []

    async def dial(path: Path) -> trio.SocketStream:
        made.append(trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        await made[-1].connect(os.fspath(path))
        return trio.SocketStream(made[-1])

    yield dial
    for sock in made:
        sock.close()
