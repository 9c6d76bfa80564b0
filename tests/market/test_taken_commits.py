"""What an auctioneer signed for is in its bid set, whatever happens to it in between."""

import pytest
import trio
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.auction.commitments import Commit
from ainur_node.domain.events import Committed
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.errors import Transient
from ainur_node.market.codec import TASK, Fact, State
from ainur_node.market.taken import MAX_AUCTIONS, TAKEN, Taken
from ainur_node.storage.memory import MemoryStore
from pallets_client.records import AIN

AUCTION = AuctionId(b"a" * 32)


def commit_of(number: int) -> Commit:
    return Commit(AccountId(bytes([number]) * 32), bytes([number + 1]) * 32, number, 9, b"s" * 64)


async def test_a_submitter_that_dies_while_bids_come_in_keeps_those_it_signed_for(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    committed: list[str] = []
    signed = trio.Event()

    def hear(life: str, key: bytes, fact: Fact, state: State) -> None:
        if isinstance(fact, Committed):
            committed.append(key.hex())
            signed.set()

    provider.market.engine.listeners.append(hear)
    task = await submitter.submit(10 * AIN)
    with trio.fail_after(60):
        await signed.wait()
    assert "BidsCollected" not in await submitter.facts(TASK, task)
    submitter.crash()
    await world.restart(submitter)

    done = await submitter.final(task)

    assert (done["phase"], done["auction"]) == ("settled", committed[0])


async def test_commits_are_stored_before_they_are_signed_for_and_come_back() -> None:
    store = MemoryStore()
    taken = Taken(store, AUCTION)
    await taken.load()
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(taken.keep, commit_of(number))

    again = Taken(store, AUCTION)
    await again.load()
    assert again.commits == {commit_of(n).provider: commit_of(n) for n in range(20)}


async def test_a_commit_that_cannot_be_stored_is_not_signed_for() -> None:
    class Full(MemoryStore):
        async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
            raise Transient("no room")

    taken = Taken(Full(), AUCTION)
    for _ in range(2):
        with pytest.raises(Transient):
            await taken.keep(commit_of(1))


async def test_commits_of_long_ago_are_forgotten() -> None:
    store = MemoryStore()
    for number in range(MAX_AUCTIONS + 5):
        taken = Taken(store, AuctionId(number.to_bytes(32, "big")))
        await taken.load()
        await taken.keep(commit_of(1))

    assert len(await store.docs(TAKEN, 2 * MAX_AUCTIONS)) <= MAX_AUCTIONS + 1
