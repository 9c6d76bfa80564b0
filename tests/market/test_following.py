"""Auctions are followed once each, through restarts and a chain that is away, until their look says it is over."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ainur_node.domain.ids import AuctionId
from ainur_node.errors import Transient
from ainur_node.market.following import BREATH, LONGEST_PAUSE, Following, Next
from ainur_node.storage.memory import MemoryStore

ONE, TWO = AuctionId(b"\1" * 32), AuctionId(b"\2" * 32)


@dataclass
class Seen:
    """The times of all looks at one auction."""

    times: list[float] = field(default_factory=list)


def following(look: Callable[[AuctionId, Seen], Awaitable[Next]], store: MemoryStore | None = None) -> Following[Seen]:
    return Following("bond", store or MemoryStore(), unfinished=lambda doc: doc == '"open"', memory=Seen, look=look)


@asynccontextmanager
async def running(followed: Following[Seen]) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        await nursery.start(followed.run)
        yield
        nursery.cancel_scope.cancel()


async def test_a_chain_that_is_away_is_asked_less_and_less_often_and_then_as_before(autojump_clock: MockClock) -> None:
    pauses: list[float] = []

    async def look(_auction: AuctionId, seen: Seen) -> Next:
        seen.times.append(trio.current_time())
        if len(seen.times) <= 7:
            raise Transient("the chain is away")
        if len(seen.times) < 10:
            return Next.ON
        pauses.extend(round(later - earlier, 3) for earlier, later in pairwise(seen.times))
        return Next.OVER

    followed = following(look)
    async with running(followed):
        followed.follow(ONE)
        await trio.sleep(60)

    assert pauses == [0.5, 1, 2, 4, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE, BREATH, BREATH]
    assert followed.open == 0


async def test_a_move_in_vain_is_tried_again_after_a_growing_pause(autojump_clock: MockClock) -> None:
    times: list[float] = []

    async def look(_auction: AuctionId, _seen: Seen) -> Next:
        times.append(trio.current_time())
        return Next.LATER if len(times) < 4 else Next.OVER

    followed = following(look)
    async with running(followed):
        followed.follow(ONE)
        await trio.sleep(60)

    assert [round(later - earlier, 3) for earlier, later in pairwise(times)] == [0.5, 1, 2]


async def test_an_auction_is_followed_once_and_each_has_a_memory_of_its_own() -> None:
    memories: dict[AuctionId, list[int]] = {ONE: [], TWO: []}

    async def look(auction: AuctionId, seen: Seen) -> Next:
        memories[auction].append(id(seen))
        await trio.sleep_forever()
        return Next.OVER

    followed = following(look)
    followed.follow(ONE)  # before run: there is nobody to do it yet
    assert followed.open == 0
    async with running(followed):
        for auction in (ONE, TWO, ONE):
            followed.follow(auction)
        await wait_all_tasks_blocked()
        assert followed.open == 2

    assert [len(seen) for seen in memories.values()] == [1, 1]
    assert memories[ONE] != memories[TWO]


async def test_a_restart_takes_up_what_is_unfinished() -> None:
    looked: list[AuctionId] = []
    store = MemoryStore()
    await store.put_doc("bond", ONE, '"open"')
    await store.put_doc("bond", TWO, '"over"')
    await store.put_doc("challenge", AuctionId(b"\3" * 32), '"open"')

    async def look(auction: AuctionId, _seen: Seen) -> Next:
        looked.append(auction)
        return Next.OVER

    async with running(following(look, store)):
        await wait_all_tasks_blocked()

    assert looked == [ONE]
