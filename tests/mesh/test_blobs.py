"""Blobs between real nodes: taken up where a peer failed, and never more than was asked for."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
import trio

from ainur_node.errors import Transient
from ainur_node.mesh import BlobSource, blobs, wire
from ainur_node.mesh.streams import FramedStream
from ainur_node.mesh.testing import SETTINGS, Node, Shelf, join, running, until

QUICK = replace(SETTINGS, blob_chunk_timeout=0.3)


def serve_blobs(node: Node, answer: Any) -> None:
    """Let `node` answer the blob protocol its own way."""

    async def handler(raw: Any) -> None:
        stream = FramedStream(raw)
        frame = await stream.read_frame(wire.MAX_BLOB_REQUEST)
        assert frame is not None
        await answer(stream, wire.decode_blob_request(frame))

    node._host.set_stream_handler(blobs.PROTOCOL, handler)


def header(size: int) -> bytes:
    return wire.framed(wire.encode(wire.BlobHeader(size=size)))


async def test_a_fetch_goes_on_where_the_last_peer_stopped() -> None:
    fetcher, dying, whole = Node(0, settings=QUICK), Node(1), Node(2)
    data = os.urandom(600_000)
    offsets: list[int] = []

    async def half(stream: FramedStream, _request: wire.BlobRequest) -> None:
        await stream.write(header(len(data)) + data[:250_000], 5)
        await stream.close()

    async with running(fetcher, dying, whole):
        await join(fetcher, dying, whole)
        serve_blobs(dying, half)

        async def rest(stream: FramedStream, request: wire.BlobRequest) -> None:
            offsets.append(request.offset)
            await stream.write(header(len(data)) + data[request.offset :], 5)
            await stream.close()

        serve_blobs(whole, rest)
        key = Shelf().put(data)
        fetched = await fetcher.fetch_blob(key, len(data), [dying.peer_id, whole.peer_id], timeout=10)

    assert fetched == data
    assert offsets == [250_000]


async def test_a_prefix_of_lies_does_not_spoil_an_honest_peer() -> None:
    fetcher, liar, honest = Node(0, settings=QUICK), Node(1), Node(2)
    data = os.urandom(300_000)

    async def lie(stream: FramedStream, _request: wire.BlobRequest) -> None:
        await stream.write(header(len(data)) + bytes(100_000), 5)
        await stream.close()

    async with running(fetcher, liar, honest):
        await join(fetcher, liar, honest)
        serve_blobs(liar, lie)
        key = honest.shelf.put(data)
        assert await fetcher.fetch_blob(key, len(data), [liar.peer_id, honest.peer_id], timeout=10) == data


@pytest.mark.parametrize(
    "kind", ["longer than announced", "longer than wanted", "silent", "garbage header", "no header"]
)
async def test_a_peer_that_answers_oddly_costs_little(kind: str) -> None:
    fetcher, odd = Node(0, settings=QUICK), Node(1)
    data = b"x" * 1000
    key = Shelf().put(data)

    async def answer(stream: FramedStream, _request: wire.BlobRequest) -> None:
        match kind:
            case "longer than announced":
                await stream.write(header(1000) + bytes(500_000), 5)
            case "longer than wanted":
                await stream.write(header(2000) + bytes(2000), 5)
            case "silent":
                await trio.sleep_forever()
            case "garbage header":
                await stream.write(wire.framed(b"\xc1\xc1"), 5)
            case "no header":
                await stream.close()

    async with running(fetcher, odd):
        await join(fetcher, odd)
        serve_blobs(odd, answer)
        with trio.fail_after(3), pytest.raises(Transient):
            await fetcher.fetch_blob(key, 1000, [odd.peer_id], timeout=10)


async def test_a_node_serves_few_blob_streams_of_one_peer_at_once() -> None:
    class Slow(Shelf):
        async def open(self, sha256: bytes, peer: str) -> bytes | None:
            await trio.sleep(0.5)
            return await super().open(sha256, peer)

    source: BlobSource = Slow()
    fetcher, server = Node(0), Node(1, settings=replace(SETTINGS, blob_streams_per_peer=2))
    server._blob_server._source = source
    key = source.put(b"data")  # type: ignore[attr-defined]
    results: list[bool] = []

    async def fetch() -> None:
        try:
            await fetcher.fetch_blob(key, 4, [server.peer_id], timeout=5)
            results.append(True)
        except Transient:
            results.append(False)

    async with running(fetcher, server):
        await join(fetcher, server)
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(fetch)
        await until(lambda: not server._blob_server._streams)

    assert sorted(results) == [False, False, False, True, True]


async def test_a_large_blob_arrives() -> None:
    fetcher, server = Node(0), Node(1)
    data = os.urandom(1024) * 32 * 1024
    async with running(fetcher, server):
        await join(fetcher, server)
        key = server.shelf.put(data)
        assert await fetcher.fetch_blob(key, len(data), [server.peer_id], timeout=30) == data
        with pytest.raises(ValueError):
            await fetcher.fetch_blob(key, wire.MAX_BLOB + 1, [server.peer_id], timeout=1)
