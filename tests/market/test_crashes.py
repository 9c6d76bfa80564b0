"""Crashes at every fact, lost messages, chains that come and go: each task still ends, paid exactly once."""

import random
from contextlib import suppress
from typing import Any

import pytest
import trio
from market_fakes import PowerCut
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.mesh import Faults
from pallets_client.records import AIN

BUDGET = 10 * AIN
STAKE = 20 * AIN


async def one_provider(world: MarketWorld) -> tuple[MarketNode, MarketNode]:
    return await world.provider("provider", 2 * AIN), await world.submitter()


async def keep_alive(world: MarketWorld, node: MarketNode, down: float) -> None:
    """Start the node again whenever it crashed."""
    while True:
        await world.restart(node, after=down)


def paid_once(world: MarketWorld, done: dict[str, Any], before: dict[MarketNode, int]) -> None:
    """What the submitter lost is price and fee, what the payee won is the price, everybody else is as before."""
    price, fee = int(done["price"]), int(done["fee"])
    if done["phase"] != "settled":
        price = fee = 0
    winner = done["winner"]["provider"] if done["phase"] == "settled" else None
    for node, wealth in before.items():
        expected = price if node.account.hex() == winner else 0
        if node.name == "submitter":
            expected = -price - fee
        assert node.wealth() - wealth == expected, node.name
        if node.name != "submitter":
            assert node.held("AgentRegistry::Stake") == STAKE
    assert world.in_escrow() == 0


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fact", range(1, 10))
async def test_a_requester_killed_at_any_fact_pays_exactly_once(
    world: MarketWorld, autojump_clock: MockClock, fact: int, moment: str
) -> None:
    provider, submitter = await one_provider(world)
    before = {n: n.wealth() for n in (provider, submitter)}
    setattr(submitter.store, f"crash_{moment}", fact)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_alive, world, submitter, 0.2)
        task = await first_task(submitter, died=moment == "before" and fact == 1)
        done = await submitter.final(task)
        await world.quiet()
        nursery.cancel_scope.cancel()

    assert submitter.starts == 2
    assert (done["phase"], done["outcome"]) == ("settled", "paid")
    paid_once(world, done, before)


async def first_task(submitter: MarketNode, *, died: bool) -> str:
    """Submit from a task of the node's own, which a crash cancels; again when nothing was stored."""
    await trio.sleep(0.1)
    found: list[str] = []

    async def submit() -> None:
        assert submitter.running is not None
        with trio.CancelScope() as scope, suppress(PowerCut):
            submitter.store.pull_the_plug = lambda: (submitter.crash(), scope.cancel())[0]
            await submitter.submit(BUDGET)

    await submit()
    await trio.sleep(1)
    if died:
        assert not await submitter.store.recent("task", 10), "nothing was stored, so nothing was submitted"
        await submit()
    found += [s.key.hex() for s in await submitter.store.recent("task", 10)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fact", range(1, 8))
async def test_a_provider_killed_at_any_fact_is_paid_exactly_once(
    world: MarketWorld, autojump_clock: MockClock, fact: int, moment: str
) -> None:
    provider, submitter = await one_provider(world)
    before = {n: n.wealth() for n in (provider, submitter)}
    setattr(provider.store, f"crash_{moment}", fact)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_alive, world, provider, 0.2)
        done = await submitter.final(await submitter.submit(BUDGET))
        job = await provider.job(done["auction"])
        await trio.sleep(5)
        nursery.cancel_scope.cancel()

    assert job.phase == "paid"
    assert provider.starts == 2
    assert done["phase"] == "settled", done["history"]
    paid_once(world, done, before)


@pytest.mark.parametrize("seed", range(8))
async def test_nodes_that_crash_again_and_again_lose_no_money(
    world: MarketWorld, autojump_clock: MockClock, seed: int
) -> None:
    dice = random.Random(seed)
    nodes = [await world.provider(name, ask * AIN) for name, ask in (("a", 2), ("b", 3), ("c", 4))]
    submitter = await world.submitter()
    total = sum(n.wealth() for n in world.nodes.values())

    async def trouble(node: MarketNode) -> None:
        while True:
            await trio.sleep(dice.expovariate(1 / 3))
            if node.running is not None:
                node.crash()
            await world.restart(node, after=dice.uniform(0, 1))

    task = await submitter.submit(BUDGET)
    async with trio.open_nursery() as nursery:
        for node in (*nodes, submitter):
            nursery.start_soon(trouble, node)
        await trio.sleep(40)
        nursery.cancel_scope.cancel()
    for node in (*nodes, submitter):
        if node.running is None:
            await world.start(node)
    done = await submitter.final(task)
    await world.quiet()

    assert done["phase"] in ("settled", "refunded")
    assert world.in_escrow() == 0
    burned = int(done["fee"]) + sum(STAKE - n.held("AgentRegistry::Stake") for n in nodes)
    assert total - sum(n.wealth() for n in world.nodes.values()) in (burned, burned + bond_of(done))


def bond_of(done: dict[str, Any]) -> int:
    """A closed auction whose payer was down until the award time was over costs the bond."""
    return int(done["reserve"]) // 10


@pytest.mark.parametrize("seed", range(15))
async def test_lost_doubled_and_late_messages_cost_nobody_money(
    world: MarketWorld, autojump_clock: MockClock, seed: int
) -> None:
    dice = random.Random(seed)
    nodes = [await world.provider(name, ask * AIN) for name, ask in (("a", 2), ("b", 3), ("c", 4))]
    submitter = await world.submitter()
    before = {n: n.wealth() for n in (*nodes, submitter)}
    world.network.faults = Faults(
        drop_gossip=dice.uniform(0, 0.5),
        drop_requests=dice.uniform(0, 0.4),
        drop_answers=dice.uniform(0, 0.4),
        duplicate=dice.uniform(0, 0.5),
        most_delay=dice.uniform(0, 0.3),
    )

    done = await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()

    assert done["phase"] in ("settled", "refunded")
    paid_once(world, done, before)


async def test_every_message_twice_changes_nothing(world: MarketWorld, autojump_clock: MockClock) -> None:
    nodes = [await world.provider(name, ask * AIN) for name, ask in (("a", 2), ("b", 3))]
    submitter = await world.submitter()
    before = {n: n.wealth() for n in (*nodes, submitter)}
    world.network.faults = Faults(duplicate=1.0)

    done = await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()

    assert (done["outcome"], done["winner"]["provider"]) == ("paid", nodes[0].account.hex())
    paid_once(world, done, before)


async def test_a_chain_that_is_away_for_a_while_only_delays(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider, submitter = await one_provider(world)
    before = {n: n.wealth() for n in (provider, submitter)}

    async def flicker() -> None:
        while True:
            await trio.sleep(0.7)
            world.client.reachable = False
            await trio.sleep(0.4)
            world.client.reachable = True

    task = await submitter.submit(BUDGET)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flicker)
        done = await submitter.final(task)
        nursery.cancel_scope.cancel()
    world.client.reachable = True
    await world.quiet()

    assert done["phase"] == "settled", done["history"]
    paid_once(world, done, before)


async def test_a_task_needs_five_extrinsics(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider, submitter = await one_provider(world)
    nonces = world.client.account(provider.account).nonce, world.client.account(submitter.account).nonce

    await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()

    assert world.client.account(submitter.account).nonce - nonces[1] == 4, "open, close, award, accept"
    assert world.client.account(provider.account).nonce - nonces[0] == 1, "deliver"
    rows = await submitter.store.outbox(10)
    assert [row.call for row in reversed(rows)] == [
        "VcgAuction.open",
        "VcgAuction.close",
        "VcgAuction.award",
        "Escrow.accept",
    ]
    assert all(row.outcome is not None for row in rows)
