"""The ledger under a whole market: calls made twice, clocks that run ahead, money that runs out."""

from typing import Any

import pytest
import trio
from market_world import MarketNode, MarketWorld, looking
from trio.testing import MockClock

from ainur_node.domain.orders import AwaitRuling, AwaitSettlement
from ainur_node.domain.receipt import Exit
from ainur_node.errors import Transient
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ledger.watch import AUCTION, ESCROW, ChainWatch
from ainur_node.market.handover import Handover
from ainur_node.market.watching import Watching
from pallets_client.pallets import balances, vcg_auction
from pallets_client.records import AIN, Included

BUDGET = 10 * AIN
WRITES = (
    "open_auction",
    "close_auction",
    "award",
    "release",
    "deliver",
    "decline",
    "refund",
    "accept",
    "auto_release",
    "dispute",
    "give_back",
    "timeout_dispute",
)


class DoubledLedger(ChainLedger):
    """Every call that writes is made twice; both must answer the same."""

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name not in WRITES:
            return method

        async def twice(*args: Any, **named: Any) -> Any:
            first = await method(*args, **named)
            second = await method(*args, **named)
            if name != "release":
                assert second == first, name
            return first

        return twice


class EagerLedger(ChainLedger):
    """Its clock runs three seconds ahead of the chain's."""

    async def market_now(self) -> int:
        return await super().market_now() + 3_000


def nonce(node: MarketNode) -> int:
    return node.world.client.account(node.account).nonce


async def nodes_with(world: MarketWorld, ledger: type[ChainLedger]) -> tuple[MarketNode, MarketNode, MarketNode]:
    made = []
    for name, ask in (("cheap", 2), ("dear", 3), ("submitter", 0)):
        node = world.node(name)
        node.ledger_type = ledger
        await world.start(node)
        if ask:
            await node.offer(ask * AIN)
        made.append(node)
    return made[0], made[1], made[2]


async def test_every_call_made_twice_is_one_call(world: MarketWorld, autojump_clock: MockClock) -> None:
    cheap, dear, submitter = await nodes_with(world, DoubledLedger)
    before = nonce(cheap), nonce(submitter)

    done = await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", cheap.account.hex())
    assert (nonce(cheap) - before[0], nonce(submitter) - before[1]) == (1, 4)
    assert dear.held("AgentRegistry::Stake") == 20 * AIN


async def test_a_declined_escrow_is_declined_once_though_asked_twice(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    cheap, dear, submitter = await nodes_with(world, DoubledLedger)
    cheap.sandbox.exit = Exit.TRAP

    done = await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", dear.account.hex())
    assert world.in_escrow() == 0


@pytest.mark.parametrize("ending", ["paid", "auto", "not_delivered", "stale"])
async def test_a_clock_that_runs_ahead_burns_no_fees_in_a_hurry(
    world: MarketWorld, autojump_clock: MockClock, ending: str
) -> None:
    cheap, dear, submitter = await nodes_with(world, EagerLedger)
    before = nonce(cheap) + nonce(submitter)
    if ending == "stale":
        cheap.sandbox.work = lambda _: b'{"said": "lies"}'
    if ending == "not_delivered":
        cheap.sandbox.work = lambda _: (cheap.crash(), b"")[1]
    if ending == "auto":
        submitter.sandbox.exit = Exit.DEADLINE

    done = await submitter.final(await submitter.submit(BUDGET))
    if ending != "not_delivered":
        await world.quiet()

    assert done["outcome"] == {"not_delivered": "paid"}.get(ending, ending)
    assert world.in_escrow() == 0
    assert nonce(cheap) + nonce(submitter) - before < 25
    assert dear.held("AgentRegistry::Stake") == 20 * AIN


async def test_a_payer_without_a_fee_waits_for_money_and_loses_nothing(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    provider = await world.provider("provider", 2 * AIN)
    friend = await world.submitter("friend")
    submitter = world.node("submitter", money=12 * AIN)
    await world.start(submitter)
    task = await submitter.submit(BUDGET)
    await trio.sleep(0.5)
    left = world.client.account(submitter.account).free
    gone = submitter.writer.submit(balances.transfer(friend.account, left - 10**9), b"away").result(0)
    assert isinstance(gone, Included)
    world.chain.fee = 10**9
    await trio.sleep(5)
    back = friend.writer.submit(balances.transfer(submitter.account, AIN), b"back").result(0)
    assert isinstance(back, Included)

    done = await submitter.final(task)
    await world.quiet()

    assert done["phase"] in ("settled", "refunded")
    assert world.in_escrow() == 0
    assert provider.held("AgentRegistry::Stake") == 20 * AIN


# --- one stage and a ledger that says what the test wants ----------------------------------------------------------


class Stubborn(ChainLedger):
    """The chain refuses every call that ends an escrow."""

    asked = 0

    async def _end(self, escrow: Any, call: Any) -> str:
        self.asked += 1
        return "too_early"


async def test_a_refused_call_is_not_repeated_without_a_pause(world: MarketWorld, autojump_clock: MockClock) -> None:
    cheap, _, submitter = await nodes_with(world, Stubborn)
    submitter.sandbox.exit = Exit.DEADLINE
    await submitter.submit(BUDGET)
    await trio.sleep(120)
    assert isinstance(cheap.ledger, Stubborn)
    assert cheap.ledger.asked <= 20, "after the review time, each pause is longer than the one before"
    (job,) = cheap.market.engine.states("job")
    assert job.phase == "delivered"
    with pytest.raises(Transient):
        await Handover(cheap.ledger, cheap.market.courier).settle(
            AwaitSettlement(job.auction, job.escrow, submitter.mesh.peer_id)  # type: ignore[union-attr] # a job of a provider
        )


async def test_an_escrow_of_which_no_time_is_known_is_not_taken_for_forgotten(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    node = await world.submitter()

    with pytest.raises(Transient):
        await Watching(node.ledger).ruling(AwaitRuling(bytes(32), node.account, 0))  # type: ignore[arg-type] # bare ids


# --- the follower -------------------------------------------------------------------------------------------------


async def test_the_market_clock_runs_between_blocks_and_stops_with_the_chain(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    watch = ChainWatch(world.client, looking(world.client))
    await world.nursery.start(watch.run)
    await trio.sleep(1)
    assert abs(watch.market_now() - world.client.market_now() - 1_000) <= 1_000

    world.client.reachable = False
    await trio.sleep(60)

    assert not watch.reachable
    assert watch.market_now() - world.chain.world.now < 6_100
    world.client.reachable = True
    await trio.sleep(3)
    assert watch.reachable


async def test_a_chain_that_is_not_there_at_the_start_is_told(world: MarketWorld, autojump_clock: MockClock) -> None:
    world.client.reachable = False
    watch = ChainWatch(world.client, looking(world.client))

    with pytest.raises(Transient, match="cannot be reached"):
        await world.nursery.start(watch.run)
    world.client.reachable = True


async def test_a_change_wakes_whoever_waits_for_that_record(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    task = await submitter.submit(BUDGET)
    await trio.sleep(0.5)
    auction = bytes.fromhex((await submitter.show(task))["auction"])
    watch = ChainWatch(world.client, looking(world.client))
    await world.nursery.start(watch.run)
    began = trio.current_time()

    await watch.wait_change(AUCTION, auction, until=10**9)
    changed = trio.current_time() - began
    await watch.wait_change(ESCROW, bytes(32), until=0)
    gave_up = trio.current_time() - began - changed

    assert 0.5 < changed < 1.6, "when the commits are closed"
    assert gave_up < 0.1, "market time is past that already"
    assert watch._watched == {}


async def test_a_watched_record_is_forgotten_when_the_waiter_is_cancelled(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    watch = ChainWatch(world.client, looking(world.client))
    await world.nursery.start(watch.run)

    with trio.move_on_after(1):
        await watch.wait_change(ESCROW, bytes(32), until=10**9)

    assert watch._watched == {}


async def test_a_chain_that_goes_away_between_two_questions_is_tried_again(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    watch = ChainWatch(world.client, looking(world.client))
    await world.nursery.start(watch.run)
    world.client.reachable = False

    try:
        with pytest.raises(Transient, match="cannot be read"):
            await watch.wait_change(ESCROW, bytes(32), until=10**9)
    finally:
        world.client.reachable = True

    assert watch._watched == {}


async def test_an_auction_can_be_opened_only_by_its_payer(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    task = await submitter.submit(BUDGET)
    await trio.sleep(0.5)
    auction = bytes.fromhex((await submitter.show(task))["auction"])

    outcome = provider.writer.submit(vcg_auction.cancel(auction), b"mine").result(0)

    assert not isinstance(outcome, Included)
    assert (await submitter.final(task))["phase"] == "settled"
