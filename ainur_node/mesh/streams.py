"""Length-prefixed frames and plain bytes over one libp2p stream, every wait with a deadline."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import trio

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh.wire import LENGTH

_CHUNK = 64 * 1024


class FramedStream:
    """Adapter over a libp2p stream.

    libp2p raises many kinds of errors when a stream dies; here all of them are Transient.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._ended = False
        self._writing = trio.Lock()
        self.peer_id = str(stream.muxed_conn.peer_id)

    @property
    def remote_ip(self) -> str:
        """IP of the peer's end of the connection; empty when unknown."""
        try:
            remote = self._stream.muxed_conn.get_remote_address()
        except Exception:  # noqa: BLE001 # reason: a closed socket has no address, and libp2p says so in many ways
            return ""
        return str(remote[0]) if remote else ""

    async def _fill(self) -> bool:
        """Read once more; False at the end of the stream."""
        if self._ended:
            return False
        try:
            data = await self._stream.read(_CHUNK)
        except Exception as exc:  # reason: the ways a stream ends are spread over ten classes
            # A half-closed stream raises StreamEOF instead of returning b"".
            self._ended = True
            if type(exc).__name__ in {"StreamEOF", "MuxedStreamEOF"}:
                return False
            raise Transient(f"stream of {self.peer_id} broke: {exc!r}") from exc
        if not data:
            self._ended = True
            return False
        self._buffer += data
        return True

    async def read_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes; Transient when the stream ends before."""
        while len(self._buffer) < size:
            if not await self._fill():
                raise Transient(f"stream of {self.peer_id} ended early")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def read_some(self) -> bytes:
        """What has arrived, at least one byte; b"" at the end."""
        if not self._buffer and not await self._fill():
            return b""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    async def read_frame(self, limit: int) -> bytes | None:
        """One frame; None at a clean end; Misbehaviour when longer than `limit` (seen before reading it)."""
        if not self._buffer and not await self._fill():
            return None
        (size,) = LENGTH.unpack(await self.read_exactly(LENGTH.size))
        if size > limit:
            raise Misbehaviour(f"{self.peer_id}: frame of {size} bytes, at most {limit} are allowed")
        return await self.read_exactly(size)

    async def write(self, data: bytes, timeout: float) -> None:
        """Write all of `data` within `timeout` seconds, one writer at a time; Transient otherwise.

        After a failure or a cancellation the stream is of no more use: part of the data may be out.
        """
        try:
            with trio.fail_after(timeout):
                async with self._writing:
                    await self._stream.write(data)
        except trio.TooSlowError as exc:
            raise Transient(f"{self.peer_id} does not read") from exc
        except Exception as exc:  # reason: see _fill
            raise Transient(f"stream to {self.peer_id} broke: {exc!r}") from exc

    async def close(self) -> None:
        """Half-close: no more writes from here; never raises, never waits long."""
        await self._end(self._stream.close)

    async def reset(self) -> None:
        """Drop the stream in both directions; never raises, never waits long."""
        await self._end(self._stream.reset)

    async def _end(self, how: Any) -> None:
        with trio.move_on_after(1.0) as scope:
            scope.shield = True
            with suppress(Exception):  # reason: the stream is gone either way
                await how()
