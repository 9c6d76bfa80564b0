"""What falls due by the clock, as the wallet tells it: to whom, how much, when."""

from typing import Any

import trio
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.market.claims import claims
from pallets_client.records import AIN


async def due(node: MarketNode) -> list[dict[str, Any]]:
    return await claims(node.market.engine, node.ledger, now_ms=1_000_000)


async def test_every_amount_that_waits_is_told_with_its_time(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    assert await due(submitter) == await due(provider) == []
    task = await submitter.submit()
    seen: dict[str, dict[str, Any]] = {}

    while (await submitter.show(task))["final"] is False:
        for node in (submitter, provider):
            for claim in await due(node):
                assert claim["task"] == task
                assert claim["at"] > 1_000_000
                seen[claim["why"]] = claim
        await trio.sleep(0.02)

    shown = await submitter.show(task)
    assert seen["review_over"]["amount"] == str(shown["price"])
    assert seen["not_awarded"]["amount"] == str(10 * AIN)
    assert seen["not_delivered"]["amount"] == str(int(shown["price"]) + int(shown["fee"]))
    assert await due(submitter) == []
