"""Three real hosts in one process: gossip, requests, blobs."""

from __future__ import annotations

import trio

from ainur_node.mesh import node_key_of, peer_id_of
from ainur_node.mesh.testing import Node, join, running, until


async def echo(peer: str, body: bytes) -> bytes:
    return peer.encode() + b":" + body


async def test_three_nodes_gossip_ask_and_fetch() -> None:
    nodes = [Node(i) for i in range(3)]
    async with running(*nodes):
        for node in nodes:
            node.serve("echo", echo, max_body=1000, per_peer_per_second=1000, concurrent=10)
        await join(*nodes)

        heard = [node.subscribe("tasks") for node in nodes]
        await nodes[0].publish("tasks", b"hello")
        with trio.fail_after(5):
            for channel in heard[1:]:
                gossip = await channel.receive()
                assert (gossip.author, gossip.body) == (nodes[0].peer_id, b"hello")

        answer = await nodes[0].request(nodes[2].peer_id, "echo", b"there", timeout=5)
        assert answer == nodes[0].peer_id.encode() + b":there"

        data = bytes(range(256)) * 4096
        key = nodes[1].shelf.put(data)
        fetched = await nodes[0].fetch_blob(key, len(data), [nodes[2].peer_id, nodes[1].peer_id], timeout=10)
        assert fetched == data
        await until(lambda: len(nodes[0].peers()) == 2)


def test_peer_ids_and_node_keys_convert() -> None:
    node = Node(1)

    assert node_key_of(node.peer_id) == node.node_key
    assert peer_id_of(node.node_key) == node.peer_id
