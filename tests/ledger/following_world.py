"""Nodes that follow a chain of opaque blocks over a mesh in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import trio

from ainur_node.errors import Transient
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.chain_follower import ChainFollower
from ainur_node.ledger.host_link import Imported, Tip
from ainur_node.mesh.memory import MemoryMesh, MemoryNetwork
from ainur_node.telemetry import Counters
from pallets_client.errors import ChainRefused

GENESIS = bytes(32)


class FakeHost:
    """A chain of opaque blocks: each names its parent in its first 32 bytes; a block that holds `BAD` is refused."""

    BAD = b"the runtime refuses this"

    def __init__(self) -> None:
        self.chain: list[bytes] = []
        self.pool: list[bytes] = []
        self.connections = 1
        self.away = 0
        self.batches: list[int] = []
        self.refuses: int | None = None

    def grow(self, count: int, size: int = 0) -> None:
        for _ in range(count):
            self.chain.append(self._hash(len(self.chain)) + len(self.chain).to_bytes(4, "big") + bytes(size))

    def _hash(self, number: int) -> bytes:
        return GENESIS if number == 0 else hashlib.sha256(self.chain[number - 1]).digest()

    async def _answer(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            self.away -= 1
            raise Transient("away")

    async def tip(self) -> Tip:
        await self._answer()
        return Tip(len(self.chain), self._hash(len(self.chain)))

    async def hash_of(self, number: int) -> bytes | None:
        await self._answer()
        return self._hash(number) if number <= len(self.chain) else None

    async def blocks(self, first: int, count: int, most: int) -> tuple[list[bytes], Tip]:
        await self._answer()
        found: list[bytes] = []
        for block in self.chain[first - 1 : first - 1 + count]:
            if found and sum(map(len, found)) + len(block) > most:
                break
            found.append(block)
        return found, await self.tip()

    async def take(self, blocks: list[bytes]) -> Imported:
        await self._answer()
        self.batches.append(len(blocks))
        taken = 0
        for block in blocks:
            if self.BAD in block:
                return Imported(taken, ("bad-seal", "the seal is not that of the slot's author"), await self.tip())
            if block[:32] != self._hash(len(self.chain)):
                return Imported(taken, ("unknown-parent", "the parent is not the head"), await self.tip())
            self.chain.append(block)
            taken += 1
        return Imported(taken, None, await self.tip())

    async def extrinsics(self, place: int, wait_ms: int) -> tuple[int, list[bytes]]:
        await self._answer()
        if place >= len(self.pool):
            await trio.sleep(wait_ms / 1000)
        return len(self.pool), self.pool[place:]

    async def submit(self, raw: bytes) -> None:
        await self._answer()
        if self.refuses is not None:
            raise ChainRefused(self.refuses, "no")
        self.pool.append(raw)

    async def genesis(self) -> bytes:
        return b"g" * (messages.MAX_ANSWER + 7)


class FakeWatch:
    """Sees a new block when the clock says so."""

    async def wait_height(self, after: int, seconds: float) -> None:
        del after
        await trio.sleep(min(seconds, 0.05))


class Village:
    """Nodes on one mesh in memory."""

    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.counters = Counters()

    def node(self, number: int) -> MemoryMesh:
        return MemoryMesh(self.network, bytes([number]) * 32, GENESIS, Nothing())

    def server(self, number: int, host: FakeHost) -> MemoryMesh:
        mesh = self.node(number)
        BlockServing(mesh, host, FakeWatch()).serve()  # type: ignore[arg-type]
        return mesh

    def follower(self, mesh: MemoryMesh, host: FakeHost) -> ChainFollower:
        return ChainFollower(mesh, host, self.counters)  # type: ignore[arg-type]


class Nothing:
    async def open(self, sha256: bytes, peer: str) -> bytes | None:
        return None


async def running(meshes: list[MemoryMesh], scenario: Callable[[trio.Nursery], Awaitable[None]]) -> None:
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for mesh in meshes:
                await nursery.start(mesh.run)
            await scenario(nursery)
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 # trio's clock jumps
        await trio.sleep(0.01)
