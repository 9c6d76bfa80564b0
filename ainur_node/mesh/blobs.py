"""Bytes by their sha-256: asked from an offset, read in chunks, taken up at another peer, checked at the end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import wire
from ainur_node.mesh.settings import BlobSource, Counters, MeshSettings
from ainur_node.mesh.streams import FramedStream

PROTOCOL = "/ainur/blob/1"
_CHUNK = 64 * 1024

OpenStream = Callable[[str], Awaitable[FramedStream]]


class BlobServer:
    """Gives out blobs, to a few streams at a time."""

    def __init__(self, settings: MeshSettings, counters: Counters, source: BlobSource) -> None:
        self._settings = settings
        self._counters = counters
        self._source = source
        self._streams: Counter[str] = Counter()

    async def answer_stream(self, stream: Any) -> None:
        """Serve one inbound stream: one request, one answer."""
        framed = FramedStream(stream)
        peer_id = framed.peer_id
        busy = self._streams.total() >= self._settings.blob_streams
        if busy or self._streams[peer_id] >= self._settings.blob_streams_per_peer:
            # No answer: reading a request first would let idle streams pile up.
            self._counters.count("blobs_refused_busy")
            await self._refuse(framed, "busy")
            return
        self._streams[peer_id] += 1
        try:
            await self._serve(framed)
        finally:
            self._streams[peer_id] -= 1
            self._streams += Counter()  # drops the zeros
            await framed.close()

    async def _serve(self, framed: FramedStream) -> None:
        timeout = self._settings.blob_chunk_timeout
        with trio.move_on_after(timeout) as scope:
            frame = await framed.read_frame(wire.MAX_BLOB_REQUEST)
        if scope.cancelled_caught or frame is None:
            return
        request = wire.decode_blob_request(frame)
        data = await self._source.open(request.sha256, PeerId(framed.peer_id))
        if data is None or request.offset > len(data):
            await self._refuse(framed, "not_found")
            return
        await framed.write(wire.framed(wire.encode(wire.BlobHeader(size=len(data)))), timeout)
        view = memoryview(data)[request.offset :]
        for start in range(0, len(view), _CHUNK):
            await framed.write(bytes(view[start : start + _CHUNK]), timeout)
        self._counters.count("blobs_served")
        self._counters.count("blob_bytes_served", len(view))

    async def _refuse(self, framed: FramedStream, code: str) -> None:
        header = wire.BlobHeader(error=wire.Refusal(code=code))
        await framed.write(wire.framed(wire.encode(header)), self._settings.blob_chunk_timeout)


class BlobFetcher:
    """Gets blobs, going on at the next peer where the last one failed."""

    def __init__(
        self, settings: MeshSettings, counters: Counters, strike: Callable[[str, str], None], open_stream: OpenStream
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._strike = strike
        self._open_stream = open_stream

    async def fetch(self, sha256: bytes, size: int, peers: Sequence[str], timeout: float) -> bytes:
        """The bytes with this hash, at most `size` long; Transient when no peer gave them in time."""
        if size > wire.MAX_BLOB:
            raise ValueError(f"a blob has at most {wire.MAX_BLOB} bytes, not {size}")
        reasons: list[str] = []
        with trio.move_on_after(timeout) as scope:
            data = await self._try_peers(sha256, size, peers, reasons)
            if data is not None:
                self._counters.count("blobs_fetched")
                return data
        if scope.cancelled_caught:
            reasons.append(f"{timeout:g} s were over")
        why = "; ".join(reasons[-8:]) or "no peer to ask"
        raise Transient(f"blob {sha256.hex()} could not be fetched: {why}")

    async def _try_peers(self, sha256: bytes, size: int, peers: Sequence[str], reasons: list[str]) -> bytes | None:
        received = bytearray()
        sources: list[str] = []
        for peer_id in dict.fromkeys(peers):
            # A second round without the prefix: a peer that sent wrong bytes must not spoil the next one.
            for _ in range(2):
                resumed = len(received) > 0
                try:
                    await self._receive(peer_id, sha256, size, received)
                except Transient as exc:
                    reasons.append(str(exc))
                    sources.append(peer_id)
                    break
                except Misbehaviour as exc:
                    reasons.append(str(exc))
                    self._strike(peer_id, str(exc))
                    received.clear()
                    break
                if hashlib.sha256(received).digest() == sha256:
                    return bytes(received)
                received.clear()
                reasons.append(f"{peer_id}: bytes of another hash")
                if not resumed:
                    self._strike(peer_id, "blob with another hash")
                    break
        return None

    async def _receive(self, peer_id: str, sha256: bytes, size: int, received: bytearray) -> None:
        """Append to `received` what the peer has from there on."""
        timeout = self._settings.blob_chunk_timeout
        stream = await self._open_stream(peer_id)
        try:
            request = wire.BlobRequest(sha256=sha256, offset=len(received))
            await stream.write(wire.framed(wire.encode(request)), timeout)
            frame = await self._timed(stream.read_frame(wire.MAX_BLOB_HEADER), peer_id)
            if frame is None:
                raise Transient(f"{peer_id} closed the blob stream")
            header = wire.decode_blob_header(frame)
            if header.error is not None:
                raise Transient(f"{peer_id}: {header.error.code}")
            if header.size > size:
                raise Misbehaviour(f"{peer_id}: blob of {header.size} bytes, at most {size} were expected")
            while len(received) < header.size:
                data = await self._timed(stream.read_some(), peer_id)
                if not data:
                    raise Transient(f"{peer_id} ended the blob at {len(received)} of {header.size} bytes")
                if len(received) + len(data) > header.size:
                    raise Misbehaviour(f"{peer_id}: more bytes than announced")
                received += data
        finally:
            await stream.reset()

    async def _timed(self, reading: Awaitable[Any], peer_id: str) -> Any:
        """Each read has its own deadline, so a slow peer may take long but a dead one may not."""
        with trio.move_on_after(self._settings.blob_chunk_timeout):
            return await reading
        raise Transient(f"{peer_id} stopped sending")
