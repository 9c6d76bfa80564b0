"""The patches of libp2p's private code: each is still in place and still needed."""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import Any

import libp2p.io.utils as io_utils
import libp2p.pubsub.pubsub as pubsub
import pytest
import trio
from libp2p.io.exceptions import IncompleteReadError
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.stream_muxer.yamux import yamux

from ainur_node.mesh import hardening, tuning
from ainur_node.mesh.testing import Node, join, running, until


@pytest.fixture(autouse=True)
def installed() -> None:
    hardening.install(64)
    tuning.install()


def test_libp2p_is_the_version_the_patches_were_written_for() -> None:
    assert version("libp2p") == "0.8.1"


class Reader:
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.reads = 0

    async def read(self, _n: int) -> bytes:
        self.reads += 1
        await trio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""


@pytest.mark.parametrize("module", [io_utils, yamux])
async def test_long_frames_arrive_in_any_number_of_pieces(module: Any) -> None:
    assert await module.read_exactly(Reader([b"x"] * 500), 500) == b"x" * 500


async def test_a_read_ends_with_the_stream_and_does_not_spin() -> None:
    reader = Reader([b"half"])

    with pytest.raises(IncompleteReadError):
        await yamux.read_exactly(reader, 12)

    assert reader.reads == 2


async def test_credit_is_what_was_read_and_comes_in_few_frames() -> None:
    nodes = [Node(0), Node(1)]
    async with running(*nodes):
        await join(*nodes)
        sent: list[int] = []
        update = yamux.YamuxStream.send_window_update

        async def count(self: Any, increment: int, skip_lock: bool = False) -> None:
            sent.append(increment)
            await update(self, increment, skip_lock)

        yamux.YamuxStream.send_window_update = count
        try:
            size = 4 * 1024 * 1024
            key = nodes[1].shelf.put(bytes(size))
            await nodes[0].fetch_blob(key, size, [nodes[1].peer_id], timeout=20)
        finally:
            yamux.YamuxStream.send_window_update = update

        assert sum(sent) <= size + tuning.WINDOW + 64 * 1024
        assert len(sent) <= 2 * size // tuning.WINDOW + 4


async def test_signed_records_are_made_once_and_not_sent_with_messages() -> None:
    nodes = [Node(0), Node(1)]
    async with running(*nodes):
        await join(*nodes)
        first, second = (pubsub.env_to_send_in_RPC(nodes[0]._host) for _ in range(2))
        assert first is second

        queue = nodes[0]._gossip._pubsub.peer_queues[ID.from_base58(nodes[1].peer_id)]
        pushed: list[rpc_pb2.RPC] = []
        push = queue.push
        queue.push = lambda rpc, **kw: (pushed.append(rpc), push(rpc, **kw))[1]
        await nodes[0].publish("tasks", b"x")

        assert any(rpc.publish for rpc in pushed)
        assert not any(rpc.senderRecord for rpc in pushed)


async def test_a_write_that_is_cancelled_does_not_lose_the_connection() -> None:
    nodes = [Node(0), Node(1)]

    async def sink(stream: Any) -> None:
        while await stream.read(1000):
            pass

    async with running(*nodes):
        await join(*nodes)
        nodes[1]._host.set_stream_handler("/sink/1", sink)
        for _ in range(20):
            stream = await nodes[0]._host.new_stream(ID.from_base58(nodes[1].peer_id), ["/sink/1"])
            with trio.move_on_after(0.002) as scope:
                await stream.write(bytes(4_000_000))
            assert scope.cancelled_caught
            await stream.reset()
        key = nodes[1].shelf.put(b"still there")
        assert await nodes[0].fetch_blob(key, 11, [nodes[1].peer_id], timeout=5) == b"still there"
        assert "peers_lost" not in nodes[0].statistics()


def test_a_burst_fits_the_outbound_queue() -> None:
    queue = RpcQueue()

    assert all(queue.push(rpc_pb2.RPC()) for _ in range(tuning.OUTBOUND_QUEUE))


def test_no_thread_of_libp2p_is_left_sweeping() -> None:
    def sweepers() -> set[int | None]:
        return {t.ident for t in threading.enumerate() if "_background_cleanup" in t.name}

    before = sweepers()

    async def main() -> None:
        async with running(Node(0)):
            await until(lambda: not sweepers() - before)

    trio.run(main)


async def test_libp2p_dials_nobody_on_its_own() -> None:
    node, other = Node(0), Node(1)
    async with running(node, other):
        await join(node, other)
        network = node._host.get_network()
        await network.close_peer(ID.from_base58(other.peer_id))
        await network.auto_connector.maybe_connect()
        assert not network.auto_connector._is_connecting
