"""Patches that make py-libp2p 0.8.1 spend less CPU per message; each is held by a test in tests/mesh/test_tuning.py.

They reach into private code, so libp2p stays pinned to exactly that version.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import libp2p.io.utils as io_utils
from libp2p.io.exceptions import IncompleteReadError
from libp2p.pubsub import gossipsub, pubsub, rpc_queue
from libp2p.stream_muxer.yamux.yamux import DEFAULT_WINDOW_SIZE, YamuxStream

# Receive window of one stream after its first half: enough for 100 MB/s at 10 ms round trip.
WINDOW = 1024 * 1024
# Messages waiting for one peer; the stock 32 drops a burst of 50 announcements.
OUTBOUND_QUEUE = 1024
# A signed record of our own addresses is made again this often, not for every message.
RECORD_SECONDS = 30.0

_installed = False


def install() -> None:
    """Patch once per process."""
    global _installed
    if _installed:
        return
    _installed = True
    _read_to_the_end()
    _batch_window_updates()
    _reuse_signed_records()
    _widen_queues()
    _skip_validation_cache()


def _read_to_the_end() -> None:
    # Stock gives up after 100 partial reads, which fails frames above about 3 MiB, and reads on after the end of
    # the stream until then. Several modules hold the function by name, so each of them gets ours.
    stock = io_utils.read_exactly

    async def read_exactly(reader: Any, n: int, retry_count: int = 0) -> bytes:
        buffer = bytearray()
        while len(buffer) < n:
            chunk = await reader.read(n - len(buffer))
            if not chunk:
                raise IncompleteReadError(
                    f"stream ended after {len(buffer)} of {n} bytes", expected_bytes=n, received_bytes=len(buffer)
                )
            buffer += chunk
        return bytes(buffer)

    for name, module in list(sys.modules.items()):
        if name.startswith("libp2p.") and getattr(module, "read_exactly", None) is stock:
            module.read_exactly = read_exactly  # type: ignore[attr-defined]


def _batch_window_updates() -> None:
    # Stock sends a WINDOW_UPDATE for each read and credits far more than was read (60 MB for 1.5 MB), so its
    # flow control bounds nothing. Here credit is exactly what was consumed, sent each half window.
    async def update_window(self: Any, *, bytes_read: int = 0) -> None:
        window = getattr(self, "_ainur_window", DEFAULT_WINDOW_SIZE)
        consumed = getattr(self, "_ainur_consumed", 0) + bytes_read
        if consumed < window // 2 or self.recv_closed:
            self._ainur_consumed = consumed
            return
        increment = consumed + (WINDOW - window)
        self._ainur_window = WINDOW
        self._ainur_consumed = 0
        self.recv_window += increment
        await self.send_window_update(increment)

    YamuxStream._auto_tune_and_send_window_update = update_window


def _reuse_signed_records() -> None:
    make_record = pubsub.env_to_send_in_RPC
    key = "_ainur_signed_record"

    def cached_record(host: Any) -> Any:
        now = time.monotonic()
        entry = host.__dict__.get(key)
        if entry is None or now - entry[0] > RECORD_SECONDS:
            entry = (now, make_record(host))
            host.__dict__[key] = entry
        return entry[1]

    for module in (pubsub, gossipsub):
        module.env_to_send_in_RPC = cached_record


def _widen_queues() -> None:
    for init in (rpc_queue.PriorityQueue.__init__, rpc_queue.RpcQueue.__init__):
        init.__defaults__ = tuple(OUTBOUND_QUEUE if d == 32 else d for d in init.__defaults__ or ())


def _skip_validation_cache() -> None:
    # Its lists are searched linearly for each message, and our own seen set answers the same question before.
    pubsub.ValidationCache.get = lambda _self, _key: None
    pubsub.ValidationCache.put = lambda _self, _key, _result: None
