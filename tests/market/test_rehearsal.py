"""Somebody else's package is run twice before it is offered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from market_world import MarketNode, MarketWorld, manifest_of
from trio.testing import MockClock

from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.domain.receipt import Exit
from ainur_node.errors import Transient
from ainur_node.market import rehearsal
from ainur_node.market.schema import mismatch
from ainur_node.rpc.messages import Refuse
from pallets_client.records import AIN


def manifest(schema: dict[str, Any]) -> Manifest:
    found = read_manifest(manifest_of("any", input={"media_type": "application/json", "schema": schema}))
    assert isinstance(found, Manifest)
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 3}}},
        {"type": "array", "minItems": 2, "items": {"enum": ["a", "b"]}},
        {"type": "integer", "minimum": 7},
        {"type": "number", "exclusiveMinimum": 1.5},
        {"type": "number", "maximum": -2},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
        {"type": "string", "format": "date", "minLength": 10, "examples": ["2026-01-01"]},
        {"const": {"deep": [1]}},
        {"required": ["a"], "properties": {"a": {"default": 5}}},
    ],
)
async def test_a_small_input_is_made_up_from_the_schema(schema: dict[str, Any]) -> None:
    document = await rehearsal._input(manifest(schema))
    assert mismatch(document, schema) is None
    assert len(document) < 100


async def test_what_cannot_be_made_up_needs_an_example() -> None:
    odd = {"type": "string", "not": {"maxLength": 0}}
    with pytest.raises(Refuse) as refused:
        await rehearsal._input(manifest(odd))
    assert refused.value.code == "no_trial_input"
    assert json.loads(await rehearsal._input(manifest({**odd, "examples": ["", "word"]}))) == "word"


@pytest.mark.parametrize("bad", [{"type": 5}, {"minLength": "x", "type": "string"}, {"type": "object", "required": 1}])
async def test_schemas_of_nonsense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Refuse):
        await rehearsal._input(manifest(bad))


async def foreign(world: MarketWorld) -> tuple[MarketNode, dict[str, str]]:
    """A node beside the author's, and what it says to offer the author's package."""
    await world.provider("author", 2 * AIN)
    node = await world.submitter()
    agents = (await node.market.agents.list_agents({}))["agents"]
    return node, {"package": agents[0]["package"], "ask": str(AIN)}


async def offered(node: MarketNode, params: dict[str, str]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []

    async def send(item: dict[str, Any]) -> None:
        told.append(item)

    await node.market.agents.offer(params, send)
    return told


async def test_a_package_is_run_twice_and_offered(world: MarketWorld, autojump_clock: MockClock) -> None:
    node, params = await foreign(world)
    told = await offered(node, params)
    assert [item["step"] for item in told] == ["fetching", "rehearsing", "registering", "offered"]
    assert len(node.sandbox.jobs) == 2
    assert node.sandbox.jobs[0] == node.sandbox.jobs[1]


async def test_two_runs_that_differ_cost_nothing_and_are_told(world: MarketWorld, autojump_clock: MockClock) -> None:
    node, params = await foreign(world)
    before = node.wealth()
    words: Iterator[int] = iter(range(10))
    node.sandbox.work = lambda _: json.dumps({"said": str(next(words))}).encode()
    with pytest.raises(Refuse) as refused:
        await offered(node, params)
    assert refused.value.code == "not_deterministic"
    assert "output" in refused.value.hint
    assert node.wealth() == before


async def test_output_beside_its_own_schema_is_refused(world: MarketWorld, autojump_clock: MockClock) -> None:
    node, params = await foreign(world)
    node.sandbox.work = lambda _: b"[]"
    with pytest.raises(Refuse) as refused:
        await offered(node, params)
    assert refused.value.code == "output_schema"


async def test_a_run_that_proves_nothing_may_be_tried_again(world: MarketWorld, autojump_clock: MockClock) -> None:
    node, params = await foreign(world)
    node.sandbox.exit = Exit.DEADLINE
    with pytest.raises(Transient):
        await offered(node, params)


@pytest.mark.parametrize("ending", [Exit.OUT_OF_FUEL, Exit.TRAP, Exit.STACK_OVERFLOW, Exit.OUTPUT_LIMIT, Exit.MEMORY])
async def test_an_agent_that_fails_on_a_small_input_is_not_offered(
    world: MarketWorld, autojump_clock: MockClock, ending: Exit
) -> None:
    node, params = await foreign(world)
    node.sandbox.exit = ending
    with pytest.raises(Refuse) as refused:
        await offered(node, params)
    assert refused.value.code == "trial_failed"
    assert ending.name in refused.value.hint


async def test_an_agent_may_refuse_an_input_that_was_made_up(world: MarketWorld, autojump_clock: MockClock) -> None:
    node, params = await foreign(world)
    node.sandbox.exit = Exit.NONZERO
    assert (await offered(node, params))[-1]["step"] == "offered"
