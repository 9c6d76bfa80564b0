"""Following over the mesh: batches, large blocks in parts, lost connections, and peers that hand over bad blocks."""

import hashlib
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.block_messages import BlocksWanted, PartWanted
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.chain_follower import ChainFollower, fetch_parts
from ainur_node.ledger.extrinsic_relay import AT_ONCE, ExtrinsicRelay
from ainur_node.ledger.host_link import Imported, Tip
from ainur_node.mesh.memory import MemoryMesh, MemoryNetwork
from ainur_node.ports import RemoteRefusal
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


@pytest.fixture
def village() -> Village:
    return Village()


async def test_a_follower_catches_up_in_batches_then_hears_of_each_block(
    village: Village, autojump_clock: MockClock
) -> None:
    theirs, ours = FakeHost(), FakeHost()
    theirs.grow(300)
    source, mine = village.server(1, theirs), village.node(2)
    follower = village.follower(mine, ours)

    async def scenario(nursery: trio.Nursery) -> None:
        await nursery.start(follower.run)
        assert ours.chain == theirs.chain
        assert ours.batches == [64, 64, 64, 64, 44]
        theirs.grow(1)
        await until(lambda: ours.chain == theirs.chain)
        assert follower.behind == 0

    await running([source, mine], scenario)


async def test_a_block_above_a_message_travels_in_parts(village: Village, autojump_clock: MockClock) -> None:
    theirs, ours = FakeHost(), FakeHost()
    theirs.grow(1)
    theirs.grow(1, size=5 * messages.MAX_ANSWER // 2)
    theirs.grow(1)
    source, mine = village.server(1, theirs), village.node(2)

    async def scenario(nursery: trio.Nursery) -> None:
        await nursery.start(village.follower(mine, ours).run)
        assert ours.chain == theirs.chain
        whole = await fetch_parts(mine, source.peer_id, messages.GENESIS, 0, messages.MAX_GENESIS)
        assert whole == await theirs.genesis()

    await running([source, mine], scenario)


async def test_a_sender_of_bad_blocks_is_struck_and_an_honest_peer_asked(
    village: Village, autojump_clock: MockClock
) -> None:
    honest, liar, ours = FakeHost(), FakeHost(), FakeHost()
    honest.grow(10)
    liar.chain = [*honest.chain[:5], honest.chain[4][:32] + FakeHost.BAD]
    liar.chain[5] = liar._hash(5) + FakeHost.BAD
    liar.grow(20)
    sources, mine = [village.server(1, liar), village.server(3, honest)], village.node(2)

    async def scenario(nursery: trio.Nursery) -> None:
        village.network.cut(mine.peer_id, sources[1].peer_id)
        nursery.start_soon(village.follower(mine, ours).run)
        await until(lambda: mine.statistics().get("strikes", 0) > 0)
        assert ours.chain == honest.chain[:5]
        village.network.heal()
        await until(lambda: ours.chain == honest.chain)

    await running([*sources, mine], scenario)
    assert village.counters.counters()["follow.bad_blocks"] == mine.statistics()["strikes"]


async def test_a_peer_of_another_chain_is_left_alone_without_a_strike(
    village: Village, autojump_clock: MockClock
) -> None:
    other, ours = FakeHost(), FakeHost()
    other.grow(3, size=1)
    ours.grow(2)
    source, mine = village.server(1, other), village.node(2)

    async def scenario(nursery: trio.Nursery) -> None:
        nursery.start_soon(village.follower(mine, ours).run)
        await until(lambda: village.counters.counters().get("follow.unanswered", 0) > 1)

    await running([source, mine], scenario)
    assert len(ours.chain) == 2
    assert mine.statistics().get("strikes", 0) == 0


async def test_a_host_that_was_away_goes_on_where_it_was(village: Village, autojump_clock: MockClock) -> None:
    theirs, ours = FakeHost(), FakeHost()
    theirs.grow(100)
    source, mine = village.server(1, theirs), village.node(2)

    async def scenario(nursery: trio.Nursery) -> None:
        follower = village.follower(mine, ours)
        await nursery.start(follower.run)
        ours.chain = ours.chain[:40]  # killed, and started with what was durable
        ours.away = 3
        theirs.grow(5)
        await until(lambda: ours.chain == theirs.chain)

    await running([source, mine], scenario)


async def test_a_peer_that_holds_nothing_back_is_not_asked_in_a_tight_loop(
    village: Village, autojump_clock: MockClock
) -> None:
    asked: list[float] = []

    async def hasty(_peer: str, _body: bytes) -> bytes:
        asked.append(trio.current_time())
        return messages.encode(messages.Blocks(1, 0, []))

    liar, mine = village.node(1), village.node(2)
    liar.serve(messages.BLOCKS, hasty, max_body=128, per_peer_per_second=1_000_000, concurrent=64)

    async def scenario(nursery: trio.Nursery) -> None:
        await nursery.start(village.follower(mine, FakeHost()).run)
        await trio.sleep(10)

    await running([liar, mine], scenario)
    assert 10 < len(asked) < 30


async def test_a_watch_ahead_of_its_host_is_no_tight_loop(village: Village, autojump_clock: MockClock) -> None:
    host = FakeHost()
    host.grow(3)
    looks = 0

    class Ahead:
        async def wait_height(self, after: int, seconds: float) -> None:
            nonlocal looks
            looks += 1

    source, mine = village.node(1), village.node(2)
    BlockServing(source, host, Ahead()).serve()  # type: ignore[arg-type]

    async def scenario(_nursery: trio.Nursery) -> None:
        wanted = messages.encode(BlocksWanted(1, 3, host._hash(3), 5000))
        raw = await mine.request(source.peer_id, messages.BLOCKS, wanted, timeout=10)
        assert messages.decode(messages.Blocks, raw).blocks == []

    await running([source, mine], scenario)
    assert 10 < looks < 200


async def test_a_follower_without_peers_starts_after_a_while(village: Village, autojump_clock: MockClock) -> None:
    mine = village.node(2)

    async def scenario(nursery: trio.Nursery) -> None:
        await nursery.start(village.follower(mine, FakeHost()).run)

    await running([mine], scenario)


async def test_extrinsics_of_a_follower_reach_the_author_and_are_told_again(
    village: Village, autojump_clock: MockClock
) -> None:
    theirs, ours = FakeHost(), FakeHost()
    source, mine = village.server(1, theirs), village.node(2)
    ours.pool = [b"first"]

    async def scenario(nursery: trio.Nursery) -> None:
        relay = ExtrinsicRelay(mine, ours, village.counters)  # type: ignore[arg-type]
        await nursery.start(relay.run)
        await until(lambda: theirs.pool == [b"first"])
        ours.pool.append(b"second")
        await until(lambda: theirs.pool[:2] == [b"first", b"second"])
        await until(lambda: len(theirs.pool) >= 4)  # whoever had them may be gone

    await running([source, mine], scenario)
    assert set(theirs.pool) == {b"first", b"second"}


async def test_a_peer_that_never_answers_holds_up_no_other(village: Village, autojump_clock: MockClock) -> None:
    ours, theirs = FakeHost(), FakeHost()
    ours.pool = [number.to_bytes(2, "big") for number in range(200)]
    silent, source, mine = village.node(1), village.server(3, theirs), village.node(2)
    under_way = most = 0

    async def never(_peer: str, _body: bytes) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await trio.sleep_forever()
        finally:
            under_way -= 1
        return b""

    silent.serve(messages.EXTRINSIC, never, max_body=1 << 20, per_peer_per_second=1_000_000, concurrent=1_000)

    async def scenario(nursery: trio.Nursery) -> None:
        began = trio.current_time()
        await nursery.start(ExtrinsicRelay(mine, ours, village.counters).run)  # type: ignore[arg-type]
        await until(lambda: set(theirs.pool) == set(ours.pool))
        assert trio.current_time() - began < 10
        assert 0 < most <= AT_ONCE

    await running([silent, source, mine], scenario)


@pytest.mark.parametrize(("code", "fault"), [(1010, "pool_1010"), (1013, "pool_1013"), (1002, "misbehaviour")])
async def test_a_refused_extrinsic_is_named_and_nonsense_is_struck(village: Village, code: int, fault: str) -> None:
    host = FakeHost()
    host.refuses = code
    source, mine = village.server(1, host), village.node(2)

    async def scenario(_nursery: trio.Nursery) -> None:
        with pytest.raises(RemoteRefusal) as refused:
            await mine.request(source.peer_id, messages.EXTRINSIC, b"x", timeout=5)
        assert refused.value.code == fault

    await running([source, mine], scenario)
    assert source.statistics().get("strikes", 0) == (fault == "misbehaviour")


async def test_malformed_requests_are_struck_and_offsets_beyond_the_end_refused(
    village: Village, autojump_clock: MockClock
) -> None:
    host = FakeHost()
    host.grow(2)
    source, mine = village.server(1, host), village.node(2)

    async def scenario(_nursery: trio.Nursery) -> None:
        async def ask(method: str, body: bytes) -> str:
            with pytest.raises(RemoteRefusal) as refused:
                await mine.request(source.peer_id, method, body, timeout=5)
            return refused.value.code

        nonsense = [b"", b"\xc1", messages.encode(PartWanted(2, 1, 0)), messages.encode(BlocksWanted(1, 1, b"x", 0))]
        for body in nonsense:
            assert await ask(messages.BLOCKS, body) == "misbehaviour"
        assert await ask(messages.PART, messages.encode(PartWanted(1, 9, 0))) == "out_of_range"
        assert await ask(messages.PART, messages.encode(PartWanted(1, 1, 10**6))) == "out_of_range"
        assert await ask(messages.BLOCKS, messages.encode(BlocksWanted(1, 1, bytes(32), 0))) == "other_chain"
        assert await ask(messages.BLOCKS, bytes(1000)) == "too_large"

    await running([source, mine], scenario)
    assert source.statistics()["strikes"] == 4


async def test_parts_that_do_not_fit_together_are_misbehaviour() -> None:
    class Liar:
        def __init__(self, *parts: messages.Part) -> None:
            self._parts = list(parts)

        async def request(self, peer: str, method: str, body: bytes, *, timeout: float) -> bytes:
            await trio.lowlevel.checkpoint()
            return messages.encode(self._parts.pop(0))

    part = messages.Part
    for answers in (
        [part(1, 10, b"")],
        [part(1, 10, b"12345"), part(1, 11, b"123456")],
        [part(1, 3, b"12345")],
        [part(1, 10, b"1"), part(1, 10, b"2")],  # a byte at a time
        [part(1, 1 << 31, b"12345")],
    ):
        with pytest.raises(Misbehaviour):
            await fetch_parts(Liar(*answers), "p", messages.PART, 1, messages.MAX_BLOCK)  # type: ignore[arg-type]
