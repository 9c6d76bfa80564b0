"""No remote input may escape into a nursery of py-libp2p: one unhandled exception there ends the process.

Everything here works around libp2p 0.8.1; tests/mesh/test_hardening.py attacks a running host for each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.pubsub import pubsub
from libp2p.pubsub.validators import signature_validator
from libp2p.rcmgr import Direction
from libp2p.stream_muxer.yamux.yamux import TYPE_GO_AWAY, Yamux

from ainur_node.errors import Misbehaviour

StreamHandler = Callable[[Any], Awaitable[None]]

CLOSE_SECONDS = 1.0
# How long one frame of at most 64 KiB may take to go out before the connection counts as dead.
WRITE_SECONDS = 5.0


async def reset_quietly(stream: Any) -> None:
    """Reset a stream whose state nobody cares about any more."""
    with trio.move_on_after(1.0) as scope:
        scope.shield = True
        with suppress(Exception):  # reason: the stream is gone either way
            await stream.reset()


def guarded(handler: StreamHandler, on_fault: Callable[[str, Exception], None]) -> StreamHandler:
    """`handler`, whose exceptions reset the stream instead of ending the process."""

    async def guard(stream: Any) -> None:
        try:
            await handler(stream)
        except Exception as exc:  # noqa: BLE001 # reason: this is the wall; Cancelled passes, it is no Exception
            on_fault(str(stream.muxed_conn.peer_id), exc)
            await reset_quietly(stream)

    return guard


def guard_tasks(manager: Any, on_fault: Callable[[str, Exception], None]) -> None:
    """Make every task that a libp2p service starts from now on unable to end that service."""
    run_task = manager.run_task

    def run_guarded(async_fn: Any, *args: Any, **kwargs: Any) -> None:
        async def task(*inner: Any) -> None:
            try:
                await async_fn(*inner)
            except Exception as exc:  # noqa: BLE001 # reason: a failed task ends the whole service otherwise
                on_fault(getattr(async_fn, "__name__", "task"), exc)

        kwargs.setdefault("name", getattr(async_fn, "__name__", "task"))
        run_task(task, *args, **kwargs)

    manager.run_task = run_guarded


def _right_signature(message: Any) -> bool:
    # Stock drops a message with a wrong signature and forgets who sent it.
    if not signature_validator(message):
        raise Misbehaviour("wrong signature")
    return True


_installed = False


def install(max_streams_per_peer: int) -> None:
    """Patch connection classes of libp2p once per process; the stream cap of the first call stays."""
    global _installed
    if _installed:
        return
    _installed = True

    close_yamux = Yamux.close
    handle_stream = SwarmConn._handle_muxed_stream

    async def handle_stream_guarded(self: Any, muxed_stream: Any) -> None:
        # The stream limit of libp2p is one for all peers, so one peer could take every slot.
        inbound = sum(1 for s in self.streams if getattr(s, "_direction", None) == Direction.INBOUND)
        if inbound >= max_streams_per_peer:
            await reset_quietly(muxed_stream)
            return
        try:
            await handle_stream(self, muxed_stream)
        except Exception:  # noqa: BLE001 # reason: would end the nursery of the connection, then the swarm
            await reset_quietly(muxed_stream)

    async def close_yamux_in_time(self: Any, *args: Any, **kwargs: Any) -> None:
        # Stock writes a farewell first; to a frozen peer with full buffers that waits for ever, and the health
        # monitor, which wants to close the connection, waits with it.
        with trio.move_on_after(CLOSE_SECONDS) as scope:
            await close_yamux(self, *args, **kwargs)
        if scope.cancelled_caught:
            with trio.move_on_after(CLOSE_SECONDS):
                await self._cleanup_on_error()

    async def write_frame_whole(self: Any, data: bytes) -> None:
        # A write cancelled half-way leaves half a noise message on the wire, and with it the connection is lost
        # for everybody on it. So a frame goes out whole whatever happens to its writer, or the connection goes.
        await trio.lowlevel.checkpoint()
        async with self._write_lock:
            # Except a farewell: after it nothing follows.
            with trio.CancelScope(shield=data[1] != TYPE_GO_AWAY), trio.move_on_after(WRITE_SECONDS) as scope:
                await self.secured_conn.write(data)
        if scope.cancelled_caught:
            await self.secured_conn.close()
            raise RawConnError("the peer does not read")

    pubsub.signature_validator = _right_signature
    Yamux._write_frame = write_frame_whole
    Yamux.close = close_yamux_in_time
    SwarmConn._handle_muxed_stream = handle_stream_guarded
