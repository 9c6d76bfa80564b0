"""Agents that one provider registers on a chain whose calls take their time."""

import json

import trio
from outbox_world import ME, OutboxWorld

from ainur_node.domain.ids import AgentId
from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.ledger.registration import Registration
from ainur_node.signing import NodeSigner


def manifest_of(name: str) -> Manifest:
    """The least that a manifest says."""
    schema = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 100}}}
    fields = {
        "manifest": 1,
        "name": name,
        "version": "1.0.0",
        "capability": name,
        "description": "an agent",
        "class": "deterministic",
        "module": {"sha256": "00" * 32, "size": 1},
        "limits": {"fuel": 10**9, "memory": 1 << 24, "output": 4096},
        "input": {"media_type": "text/plain", "schema": schema},
        "output": {"schema": schema},
        "royalty_bps": 0,
    }
    found = read_manifest(json.dumps(fields).encode())
    assert isinstance(found, Manifest), found
    return found


async def test_agents_that_are_registered_at_the_same_time_all_come_to_be(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    registration = Registration(world.client, caller, NodeSigner(bytes(32)), ME.account)
    assert await registration.become_provider() is None
    versions: list[int] = []

    async def publish(name: str) -> None:
        agent = await registration.register_agent(manifest_of(name))
        assert isinstance(agent, bytes), agent
        versions.append(await registration.version(agent))

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for name in ("profile", "query", "summarize"):
                nursery.start_soon(publish, name)

    assert versions == [1, 1, 1]
    assert writer.submitted == 2 + 3


async def test_what_cannot_be_retired_costs_nothing(world: OutboxWorld) -> None:
    caller, writer = world.caller()
    registration = Registration(world.client, caller, NodeSigner(bytes(32)), ME.account)
    stranger = Registration(world.client, caller, NodeSigner(bytes(32)), bytes(32))
    assert await registration.become_provider() is None
    agent = await registration.register_agent(manifest_of("summarize"))
    assert isinstance(agent, bytes), agent
    signed = writer.submitted

    refusals = [await registration.retire(AgentId(bytes(32))), await stranger.retire(agent)]
    assert [each and each.code for each in refusals] == ["unknown_agent", "not_owner"]
    assert writer.submitted == signed

    assert await registration.retire(agent) is None
    again = await registration.retire(agent)
    assert again is not None
    assert (again.code, writer.submitted) == ("retired", signed + 1)
