"""Following over the mesh: batches, large blocks in parts, lost connections, and peers that hand over bad blocks."""

import pytest
import trio
from following_world import FakeHost, FakeWatch, Village, running, until
from trio.testing import MockClock

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.block_messages import BlocksWanted, PartWanted
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.chain_follower import fetch_parts
from ainur_node.ledger.extrinsic_relay import AT_ONCE, ExtrinsicRelay
from ainur_node.ledger.host_link import Tip
from ainur_node.ports import RemoteRefusal


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


async def test_one_peer_cannot_keep_all_others_from_the_blocks(village: Village, autojump_clock: MockClock) -> None:
    theirs = FakeHost()
    theirs.grow(3)
    source, greedy, honest = village.server(1, theirs), village.node(2), village.node(3)
    refused: list[str] = []

    async def keep_asking(wanted: bytes) -> None:
        while True:
            try:
                await greedy.request(source.peer_id, messages.BLOCKS, wanted, timeout=10)
            except Transient as exc:
                refused.append(exc.hint)
                await trio.sleep(0.1)

    async def scenario(nursery: trio.Nursery) -> None:
        for after in (3, 2**32 - 1):
            wanted = messages.encode(BlocksWanted(1, after, theirs._hash(3), messages.MAX_WAIT_MS))
            for _ in range(100):
                nursery.start_soon(keep_asking, wanted)
        await trio.sleep(1)
        behind = messages.encode(BlocksWanted(1, 0, theirs._hash(0), 0))
        for _ in range(20):
            raw = await honest.request(source.peer_id, messages.BLOCKS, behind, timeout=1)
            assert len(messages.decode(messages.Blocks, raw).blocks) == 3

    await running([source, greedy, honest], scenario)
    assert "too many requests" in refused  # it asked as much as anybody may


async def test_a_peer_has_two_answers_held_back_and_the_rest_at_once(
    village: Village, autojump_clock: MockClock
) -> None:
    theirs = FakeHost()
    theirs.grow(3)
    source, mine = village.server(1, theirs), village.node(2)
    took: list[float] = []
    wanted = messages.encode(BlocksWanted(1, 3, theirs._hash(3), messages.MAX_WAIT_MS))

    async def ask() -> None:
        began = trio.current_time()
        raw = await mine.request(source.peer_id, messages.BLOCKS, wanted, timeout=10)
        assert messages.decode(messages.Blocks, raw).blocks == []
        took.append(trio.current_time() - began)

    async def scenario(_nursery: trio.Nursery) -> None:
        for _ in range(2):  # what was held back once is free again
            took.clear()
            async with trio.open_nursery() as asking:
                for _ in range(5):
                    asking.start_soon(ask)
            assert [seconds >= 5 for seconds in took] == [False, False, False, True, True]
            assert took[2] < 0.5

    await running([source, mine], scenario)


async def test_a_follower_ahead_of_its_peer_is_answered_at_once_and_asks_now_and_then(
    village: Village, autojump_clock: MockClock
) -> None:
    ours = FakeHost()
    ours.grow(5)
    asked: list[float] = []

    class Host(FakeHost):
        async def tip(self) -> Tip:
            asked.append(trio.current_time())
            return await super().tip()

    theirs = Host()
    theirs.chain = ours.chain[:3]
    source, mine = village.node(1), village.node(2)
    BlockServing(source, theirs, FakeWatch()).serve()  # type: ignore[arg-type]

    async def scenario(nursery: trio.Nursery) -> None:
        await nursery.start(village.follower(mine, ours).run)
        await trio.sleep(10)
        assert 10 < len(asked) < 30
        theirs.chain = ours.chain[:]
        theirs.grow(1)
        await until(lambda: ours.chain == theirs.chain)

    await running([source, mine], scenario)


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
