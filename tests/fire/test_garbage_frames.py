"""Strangers send garbage on everything that the running nodes list; nodes stay up, bounded, and keep trading."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
import trio
from besieged import Besieged, Health, Trade, settled_at_once
from e2e_world import Ainur, new_home, processes_of
from stranger_cases import CASES
from stranger_hosts import shouting_hosts
from stranger_locals import flood_socket
from stranger_sieges import Tally, Target, flood_method, flood_protocol, flood_topic

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(900)]

# Frames to each protocol, topic and method in all, over all nodes and both halves of the run.
FRAMES = 2000
# Resident memory that a node may gain under siege, and in the second half of it, when every cache is full.
GROWTH_MIB = 60
SECOND_GROWTH_MIB = 16
# A tick may come this late; five nodes, strangers, chain and database share two cores.
LAG_MS = 1500
# Frames that hold a loop up do so each time; a machine that is busy with something else does not.
ATTEMPTS = 3

Attack = Callable[[Target, random.Random], Awaitable[Tally]]


@pytest.fixture(scope="module")
def there() -> Iterator[Ainur]:
    """A world of its own: what is done to it would make others wait."""
    home = new_home()
    ainur = Ainur(home)
    try:
        up = ainur("devnet", "up", timeout=180)
        assert up.code == 0, up
        yield ainur
        assert ainur("devnet", "down", timeout=60).code == 0
        assert processes_of(home) == []
    finally:
        ainur("devnet", "down", timeout=60)
        shutil.rmtree(home, ignore_errors=True)


def attacks(besieged: Besieged, serves: dict[str, list[str]]) -> dict[str, Attack]:
    """All that is tried, by name; what a node serves is what it says it serves."""
    each = -(-FRAMES // (2 * len(besieged.homes)))
    topic = serves["topics"][0]
    found: dict[str, Attack] = {}
    for protocol in serves["protocols"]:
        found[protocol] = lambda target, dice, p=protocol: flood_protocol(target, p, each, dice, topic)
    for name in serves["topics"]:
        found[name] = lambda target, dice, n=name: flood_topic(target, n, each, dice)
    for method in (*serves["methods"], "no.such.method"):
        found[method] = lambda target, dice, m=method: flood_method(target, m, each, dice)
    for name, case in CASES.items():
        found[name] = lambda target, dice, c=case: c(target, dice, 1)
    found["local socket"] = lambda target, dice: flood_socket(besieged.homes[target.name], each, dice)
    return found


async def every_node(attack: Attack, targets: list[Target], seed: int) -> Tally:
    """One attack on all nodes at once."""
    total = Tally()

    async def one(target: Target) -> None:
        nonlocal total
        total += await attack(target, random.Random(f"{seed} {target.name}"))

    async with trio.open_nursery() as nursery:
        for target in targets:
            nursery.start_soon(one, target)
    return total


async def test_garbage_on_all_that_is_served_ends_no_node_and_no_trade(there: Ainur, note: Callable[..., None]) -> None:
    besieged = Besieged(there)
    first_task = besieged.task()
    serves = [besieged.status(name)["serves"] for name in besieged.homes]
    assert all(each == serves[0] for each in serves)
    assert all(serves[0].values())
    targets = besieged.targets((bytes(32), *besieged.names(first_task)))
    before = besieged.look()
    all_attacks = attacks(besieged, serves[0])
    totals: dict[str, Tally] = {name: Tally() for name in all_attacks}
    worst = dict.fromkeys(all_attacks, 0.0)
    halves: list[Health] = []

    with Trade(besieged) as trade:
        for half in range(2):
            for name, attack in all_attacks.items():
                began, trade.during, lags = time.monotonic(), name, list[float]()
                while not lags or (lags[-1] >= LAG_MS and len(lags) < ATTEMPTS):
                    with trio.fail_after(120):
                        totals[name] += await every_node(attack, targets, half)
                    now = await trio.to_thread.run_sync(besieged.look)
                    lags.append(now.lag_ms)
                    assert now.pids == before.pids, f"{name} ended a node"
                worst[name] = max(worst[name], min(lags))
                if half:
                    tally = totals[name]
                    note(
                        "garbage",
                        on=name,
                        frames=tally.frames,
                        kib=tally.bytes >> 10,
                        refused=tally.refused,
                        strangers=tally.identities,
                        pid_same=now.pids == before.pids,
                        lag_ms=worst[name],
                        rss_mib=f"+{now.growth_mib(before):.1f}",
                        seconds=f"{time.monotonic() - began:.1f}",
                    )
            halves.append(await trio.to_thread.run_sync(besieged.look))
        async with shouting_hosts(besieged, serves[0]) as hosts:
            done, trade.during = trade.ends, "shouting hosts"
            with trio.fail_after(60):
                await trio.to_thread.run_sync(trade.wait_for, done + 3)
        halves.append(await trio.to_thread.run_sync(besieged.look))
    after = [await trio.to_thread.run_sync(besieged.task) for _ in range(2)]

    listed = [*serves[0]["protocols"], *serves[0]["topics"], *serves[0]["methods"]]
    assert [name for name in listed if totals[name].frames < FRAMES] == []
    assert hosts.calls > 50
    assert besieged.look().pids == before.pids
    assert trade.odd == []
    assert all(map(settled_at_once, after))
    assert trade.ends > 5
    assert there("wallet", "audit").data["difference"] == 0
    assert halves[-1].counters.get("handler_bugs", 0) == 0, "the nodes' logs name method and fault: handler_bug"
    growth = [half.growth_mib(before) for half in halves]
    note(
        "garbage in all",
        tasks=trade.ends + len(after),
        growth_mib=[round(g, 1) for g in growth],
        counters={
            name: now for name, now in sorted(halves[-1].counters.items()) if now != before.counters.get(name, 0)
        },
    )
    assert max(growth) < GROWTH_MIB
    assert halves[1].growth_mib(halves[0]) < SECOND_GROWTH_MIB
    assert max(worst.values()) < LAG_MS, {name: lag for name, lag in worst.items() if lag >= LAG_MS}
