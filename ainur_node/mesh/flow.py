"""What one connection can make us hold: unread bytes, long frames and streams, each with an end.

Yamux of libp2p 0.8.1 only logs when a peer ignores its window, and takes frames of 16 MiB and streams without end.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import trio
from libp2p.io import utils as io_utils
from libp2p.stream_muxer.yamux.yamux import Yamux

# Twice the window that we give (tuning.py): a peer that sends more does not listen.
MAX_STREAM_BUFFER = 2 * 1024 * 1024
MAX_CONNECTION_BUFFER = 8 * 1024 * 1024
# Above it every connection with more than its fair share that sends on has to go.
MAX_ALL_BUFFERS = 64 * 1024 * 1024
FAIR_SHARE = 512 * 1024
# Implementations send at most 64 KiB at once; the protocol allows a first window.
MAX_FRAME = 256 * 1024
FRAME_SECONDS = 20.0
# Open or closing, in both directions; those that a handler serves are bounded by max_streams_per_peer.
MAX_STREAMS = 512


class BufferOverrun(trio.TooSlowError):
    """A peer sent more than it may; of all exceptions only this kind makes yamux end the connection."""


class BoundedBuffer(bytearray):
    """Receive buffer of one stream that refuses what the window never allowed."""

    def bind(self, siblings: Buffers) -> BoundedBuffer:
        """Count together with the other streams of the connection."""
        self._siblings = siblings
        return self

    def extend(self, data: Any) -> None:
        """Add bytes; BufferOverrun when there are too many of them here, on the connection or in the process."""
        held = self._siblings.held() + len(data)
        if len(self) + len(data) > MAX_STREAM_BUFFER or held > MAX_CONNECTION_BUFFER:
            raise BufferOverrun
        if held > FAIR_SHARE and held_by_all() + len(data) > MAX_ALL_BUFFERS:
            raise BufferOverrun
        super().extend(data)


class Buffers(dict[int, bytearray]):
    """Stream id -> receive buffer of one connection."""

    def __setitem__(self, stream_id: int, buffer: bytearray) -> None:
        if len(self) >= MAX_STREAMS:
            raise BufferOverrun
        super().__setitem__(stream_id, BoundedBuffer(buffer).bind(self))

    def held(self) -> int:
        """Unread bytes of the connection."""
        return sum(map(len, self.values()))


_connections: WeakValueDictionary[int, Buffers] = WeakValueDictionary()


def held_by_all() -> int:
    """Unread bytes of all connections of this process."""
    return sum(buffers.held() for buffers in _connections.values())


_installed = False


def install() -> None:
    """Patch once per process."""
    global _installed
    if _installed:
        return
    _installed = True
    init_yamux = Yamux.__init__

    def init_bounded(self: Any, *args: Any, **kwargs: Any) -> None:
        init_yamux(self, *args, **kwargs)
        self.stream_buffers = _connections[id(self)] = Buffers()

    async def read_frame(self: Any, length: int) -> bytes:
        if length > MAX_FRAME:
            raise BufferOverrun
        with trio.fail_after(FRAME_SECONDS):
            return await io_utils.read_exactly(self.secured_conn, length)

    Yamux.__init__ = init_bounded
    Yamux._read_data_body = read_frame
