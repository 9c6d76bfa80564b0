"""An agent published again: a new version is taken, another capability is another agent."""

from market_world import AIN, MarketWorld, manifest_of
from trio.testing import MockClock

from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.domain.rejection import Rejection


async def test_the_capability_of_a_registered_agent_does_not_change(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    node = await world.provider("author", 2 * AIN)
    register = node.market.agents._registrar.register_agent
    newer = read_manifest(manifest_of("loud", version="2"))
    other = read_manifest(manifest_of("loud", capability="something-else"))
    assert isinstance(newer, Manifest)
    assert isinstance(other, Manifest)

    assert not isinstance(await register(newer), Rejection)
    refused = await register(other)

    # The chain would keep the old capability, and the offer of the new one would never hear of a task.
    assert isinstance(refused, Rejection)
    assert refused.code == "other_capability"
    assert "another name" in refused.hint
