"""A task may name an agent instead of what it can do, as long as the name means one thing only."""

import pytest
from market_world import AIN, CAPABILITY, MarketWorld
from trio.testing import MockClock

from ainur_node.rpc.messages import Refuse


async def test_the_name_of_an_agent_stands_for_its_capability(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("author", 2 * AIN)
    submitter = await world.submitter()
    name = (await submitter.market.agents.list_agents({}))["agents"][0]["name"]
    assert name != CAPABILITY

    found = await submitter.market.tasks._agents(name)

    assert [agent.capability for agent in found] == [CAPABILITY]
    with pytest.raises(Refuse, match="unknown_capability"):
        await submitter.market.tasks._agents("nobody")
