"""A submission whose answer was lost is asked for again: the same key, the same task, paid once."""

from typing import Any

import pytest
import trio
from market_world import CAPABILITY, MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.market.codec import TASK
from ainur_node.rpc.messages import ExitCode, Refuse
from pallets_client.records import AIN

ASKED: dict[str, Any] = {"capability": CAPABILITY, "input": b"hello", "budget": str(10 * AIN), "key": "rent of may"}


async def tasks_of(node: MarketNode) -> list[str]:
    return [stored.key.hex() for stored in await node.store.recent(TASK, 10)]


async def test_the_same_key_is_the_same_task(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()

    first = await submitter.market.tasks.submit(ASKED)
    again = await submitter.market.tasks.submit(ASKED)
    await submitter.final(first["task"])
    later = await submitter.market.tasks.submit(ASKED)

    assert (again["task"], again["auction"], again["repeated"]) == (first["task"], first["auction"], True)
    assert later["task"] == first["task"]
    assert await tasks_of(submitter) == [first["task"]]


async def test_two_at_the_same_moment_are_one_task(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    answers = []

    async def submit() -> None:
        answers.append(await submitter.market.tasks.submit(ASKED))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(submit)

    assert len({each["task"] for each in answers}) == len(await tasks_of(submitter)) == 1
    assert submitter.market.tasks._repeats._busy == {}


async def test_a_restart_remembers_the_key(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    first = await submitter.market.tasks.submit(ASKED)
    submitter.crash()
    await world.restart(submitter)

    assert (await submitter.market.tasks.submit(ASKED))["task"] == first["task"]
    assert (await submitter.final(first["task"]))["phase"] == "settled"


async def test_a_key_that_never_became_a_task_is_free(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    desk = submitter.market.tasks
    async with desk._repeats.turn(ASKED) as ticket:
        await desk._repeats.remember(ticket, bytes(32))

    assert "repeated" not in await desk.submit(ASKED)


@pytest.mark.parametrize("changes", [{"input": b"bye"}, {"budget": "7"}, {"deadline_ms": 5_000}, {"media": "a/b"}])
async def test_a_key_stands_for_one_submission_only(
    world: MarketWorld, autojump_clock: MockClock, changes: dict[str, Any]
) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    first = await submitter.market.tasks.submit(ASKED)

    with pytest.raises(Refuse) as caught:
        await submitter.market.tasks.submit(ASKED | changes)

    assert caught.value.code == "key_used"
    assert caught.value.details == {"task": first["task"]}


async def test_other_keys_are_other_tasks(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()

    for key in ("a", "b", None, None):
        await submitter.market.tasks.submit(ASKED | {"key": key})

    assert len(await tasks_of(submitter)) == 4


@pytest.mark.parametrize("key", ["", "x" * 65, "\x1b[2J", 5, b"x"])
async def test_keys_that_are_none_are_refused(world: MarketWorld, autojump_clock: MockClock, key: object) -> None:
    submitter = await world.submitter()

    with pytest.raises(Refuse) as caught:
        await submitter.market.tasks.submit(ASKED | {"key": key})

    assert (caught.value.code, caught.value.exit_code) == ("bad_parameter", ExitCode.USAGE)


async def test_a_phase_that_is_none_is_refused_with_those_there_are(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    submitter = await world.submitter()

    with pytest.raises(Refuse) as caught:
        await submitter.market.tasks.list_tasks({"phase": "bogus"})

    assert (caught.value.code, caught.value.exit_code) == ("bad_phase", ExitCode.USAGE)
    assert "settled" in caught.value.hint
    assert await submitter.market.tasks.list_tasks({"phase": "settled"}) == {"tasks": []}
