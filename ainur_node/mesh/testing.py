"""Several real mesh nodes in one process, and patience with a deadline."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio

from ainur_node.domain.ids import PeerId
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.settings import MeshSettings

GENESIS = hashlib.sha256(b"a world for tests").digest()
OTHER_GENESIS = hashlib.sha256(b"another world").digest()

# Quick where the defaults are patient.
SETTINGS = MeshSettings(redial_first=0.05, redial_most=0.2, hello_timeout=3.0, dial_timeout=3.0)


class Shelf:
    """Blobs in memory; `hidden` ones are refused to everybody."""

    def __init__(self) -> None:
        self.blobs: dict[bytes, bytes] = {}
        self.hidden: set[bytes] = set()

    def put(self, data: bytes) -> bytes:
        """Keep the bytes; returns their sha-256."""
        key = hashlib.sha256(data).digest()
        self.blobs[key] = data
        return key

    async def open(self, sha256: bytes, peer: PeerId) -> bytes | None:
        """As BlobSource asks."""
        return None if sha256 in self.hidden else self.blobs.get(sha256)


def seed(number: int) -> bytes:
    """Node seed number `number`."""
    return hashlib.sha256(f"node {number}".encode()).digest()


class Node(Libp2pMesh):
    """A mesh node with a shelf of blobs of its own."""

    def __init__(self, number: int, *, genesis: bytes = GENESIS, settings: MeshSettings = SETTINGS) -> None:
        self.shelf = Shelf()
        super().__init__(settings, seed(number), genesis, self.shelf)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition; TooSlowError when it does not come true in time."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 # reason: libp2p has no event for most of what tests wait for
            await trio.sleep(0.005)


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """Run the nodes for the length of the block."""
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.run)
        yield
        nursery.cancel_scope.cancel()


async def join(*nodes: Node) -> None:
    """Connect every pair, and wait until gossip knows everybody."""
    for index, node in enumerate(nodes):
        for other in nodes[index + 1 :]:
            await node.connect(other.addresses()[0])
    for node in nodes:
        others = {str(n.peer_id) for n in nodes if n is not node}
        await until(partial(_hears, node, others))


def _hears(node: Node, others: set[str]) -> bool:
    return node.gossip_peers("tasks") >= others
