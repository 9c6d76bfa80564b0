"""The sequencer's loop: when it seals, what time it writes, and what one bad extrinsic costs."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chain_host import node as node_module
from chain_host.errors import RuntimeTrap
from chain_host.hashing import blake2_256, storage_prefix
from chain_host.node import NewBlock, Node
from chain_host.pool import PoolRefusal
from chain_host.runtime_api import RuntimeApi
from tests.chain_host.conftest import Bench
from tests.chain_host.signing import remark, signer

NOW = storage_prefix("Timestamp", "Now")


def with_node(bench: Bench, scenario: Callable[[Node, "Blocks"], Awaitable[None]], **options) -> None:
    """Run a scenario beside the loop of a node."""

    async def main() -> None:
        node = Node(bench.chain, bench.author, **options)
        blocks = Blocks()
        node.on_block = blocks.add
        running = asyncio.create_task(node.run())
        try:
            async with asyncio.timeout(30):
                await scenario(node, blocks)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await node.close()

    asyncio.run(main())


class Blocks:
    """Blocks as they come."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[NewBlock] = asyncio.Queue()
        self.add = self._queue.put_nowait
        self.next = self._queue.get

    async def with_extrinsics(self) -> NewBlock:
        while True:
            block = await self.next()
            if block.included or block.statuses:
                return block


def stamp(bench: Bench) -> int:
    return int.from_bytes(bench.storage(NOW) or b"", "little")


def test_extrinsics_are_sealed_within_a_moment_and_together(bench: Bench):
    bench.chain.slot_duration = 2**50  # so that no heartbeat comes: only an extrinsic makes a block
    asked: list[float] = []
    submitted = asyncio.Event()

    async def moment(seconds: float) -> None:
        asked.append(seconds)
        await submitted.wait()

    async def scenario(node: Node, blocks: Blocks) -> None:
        sent = {(await node.submit(bench.signing.sign(signer(i), 0, remark(b""))))[0] for i in range(5)}
        submitted.set()

        assert set((await blocks.next()).included) == sent
        assert len(asked) == 1
        assert asked[0] <= node_module.MIN_INTERVAL

    with_node(bench, scenario, clock=lambda: bench.now, sleep=moment)


def test_a_clock_set_back_stops_time_but_not_the_chain(bench: Bench):
    clock = [bench.now]

    async def scenario(node: Node, blocks: Blocks) -> None:
        await blocks.next()
        before = stamp(bench)
        clock[0] -= 3_600_000

        await node.submit(bench.signing.sign(signer(0), 0, remark(b"")))
        block = await blocks.with_extrinsics()

        assert len(block.included) == 1
        assert stamp(bench) == before

    with_node(bench, scenario, clock=lambda: clock[0])


def test_after_an_outage_the_next_block_has_the_clock_of_now(bench: Bench):
    bench.seal()
    clock = bench.now + 86_400_000

    async def scenario(_node: Node, blocks: Blocks) -> None:
        await blocks.next()
        assert stamp(bench) == clock

    with_node(bench, scenario, clock=lambda: clock)


def test_more_than_a_block_holds_is_spread_over_blocks(bench: Bench, monkeypatch):
    monkeypatch.setattr(bench.author, "build_seconds", 0.0)
    monkeypatch.setattr(node_module, "MIN_INTERVAL", 0.0)

    async def scenario(node: Node, blocks: Blocks) -> None:
        for nonce in range(6):
            await node.submit(bench.signing.sign(signer(0), nonce, remark(b"")))
        seen = 0
        while seen < 6:
            block = await blocks.with_extrinsics()
            assert len(block.included) == 1
            seen += 1

    with_node(bench, scenario)


def test_an_extrinsic_that_traps_while_applied_is_told_invalid_and_banned(bench: Bench, monkeypatch):
    bad = bench.signing.sign(signer(0), 0, remark(b"bad"))
    good = bench.signing.sign(signer(1), 0, remark(b"good"))
    honest = RuntimeApi.apply

    def apply(self: RuntimeApi, extrinsic: bytes):
        if extrinsic == bad:
            raise RuntimeTrap("panicked")
        return honest(self, extrinsic)

    monkeypatch.setattr(RuntimeApi, "apply", apply)

    async def scenario(node: Node, blocks: Blocks) -> None:
        await node.submit(bad)
        await node.submit(good)
        included, told = set(), {}
        while blake2_256(good) not in included or blake2_256(bad) not in told:
            block = await blocks.with_extrinsics()
            included |= set(block.included)
            told |= {status.hash: status.kind for status in block.statuses}

        assert told == {blake2_256(bad): "invalid"}
        with pytest.raises(PoolRefusal) as refused:
            await node.submit(bad)
        assert refused.value.code == 1012

    with_node(bench, scenario)


def test_what_breaks_the_whole_block_is_thrown_out_and_the_chain_goes_on(bench: Bench, monkeypatch):
    bad = bench.signing.sign(signer(0), 0, remark(b"bad"))
    applied: list[bytes] = []
    honest_apply, honest_finalize = RuntimeApi.apply, RuntimeApi.finalize_block

    def apply(self: RuntimeApi, extrinsic: bytes):
        applied.append(extrinsic)
        return honest_apply(self, extrinsic)

    def finalize(self: RuntimeApi):
        broken = bad in applied
        applied.clear()
        if broken:
            raise RuntimeTrap("finalize panicked")
        return honest_finalize(self)

    monkeypatch.setattr(RuntimeApi, "apply", apply)
    monkeypatch.setattr(RuntimeApi, "finalize_block", finalize)

    async def scenario(node: Node, blocks: Blocks) -> None:
        await node.submit(bad)
        block = await blocks.with_extrinsics()

        assert [(status.hash, status.kind) for status in block.statuses] == [(blake2_256(bad), "invalid")]
        await node.submit(bench.signing.sign(signer(1), 0, remark(b"")))
        block = await blocks.with_extrinsics()
        assert len(block.included) == 1

    with_node(bench, scenario)


def test_a_heartbeat_comes_without_extrinsics(bench: Bench):
    async def scenario(_node: Node, blocks: Blocks) -> None:
        first = await blocks.next()
        second = await blocks.next()
        assert second.header.slot == (first.header.slot or 0) + 1

    with_node(bench, scenario)
