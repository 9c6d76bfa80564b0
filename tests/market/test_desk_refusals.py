"""Bad input at the desks: a stable code, a hint that helps, an exit code, and no money moved."""

import json
from typing import Any

import pytest
from market_world import CAPABILITY, MarketNode, MarketWorld, manifest_of, module_named
from trio.testing import MockClock

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.money import MAX_BUDGET
from ainur_node.market.messages import MAX_INPUT
from ainur_node.rpc.messages import ExitCode, Refuse
from pallets_client.records import AIN

GOOD: dict[str, Any] = {"capability": CAPABILITY, "input": b"hello", "budget": str(10 * AIN)}

# what is asked otherwise | code | exit | words of the hint
SUBMISSIONS: dict[str, tuple[dict[str, Any], str, ExitCode, str]] = {
    "unknown capability": ({"capability": "sing"}, "unknown_capability", ExitCode.REFUSED, "offered: echo"),
    "no capability": ({"capability": None}, "bad_parameter", ExitCode.USAGE, "capability"),
    "long capability": ({"capability": "x" * 65}, "bad_parameter", ExitCode.USAGE, "64"),
    "budget 0": ({"budget": "0"}, "budget_zero", ExitCode.REFUSED, "above 0"),
    "negative budget": ({"budget": "-1"}, "bad_amount", ExitCode.USAGE, "decimal"),
    "budget as a number": ({"budget": 5}, "bad_amount", ExitCode.USAGE, "decimal"),
    "budget in other digits": ({"budget": "٣"}, "bad_amount", ExitCode.USAGE, "decimal"),
    "absurd budget": ({"budget": str(MAX_BUDGET + 1)}, "bad_amount", ExitCode.USAGE, "largest"),
    "budget above what is spendable": (
        {"budget": str(1_000 * AIN)},
        "insufficient_funds",
        ExitCode.REFUSED,
        "wallet fund",
    ),
    "too large": ({"input": b"x" * (MAX_INPUT + 1)}, "too_large", ExitCode.REFUSED, f"{MAX_INPUT:,}"),
    "too large as JSON": ({"input": b'"' * (MAX_INPUT - 10)}, "too_large", ExitCode.REFUSED, "as JSON"),
    "input as text": ({"input": "hello"}, "bad_parameter", ExitCode.USAGE, "bytes"),
    "not of the schema": ({"input": b"x" * 3000}, "input_schema", ExitCode.REFUSED, "too long"),
    "JSON of another shape": (
        {"input": b'{"text": 5}', "media": "application/json"},
        "input_schema",
        ExitCode.REFUSED,
        "not of type 'string'",
    ),
    "no JSON": ({"input": b"{", "media": "application/json"}, "input_schema", ExitCode.REFUSED, "not valid JSON"),
    "not UTF-8": ({"input": b"\xff\xfe"}, "not_utf8", ExitCode.REFUSED, "UTF-8"),
    "unknown media type": ({"media": "image/png"}, "bad_media", ExitCode.USAGE, "text/plain"),
    "no time at all": ({"deadline_ms": 1}, "bad_parameter", ExitCode.USAGE, "deadline_ms"),
    "time as text": ({"deadline_ms": "60000"}, "bad_parameter", ExitCode.USAGE, "deadline_ms"),
    "true for a time": ({"deadline_ms": True}, "bad_parameter", ExitCode.USAGE, "deadline_ms"),
}


async def refused(node: MarketNode, **changes: Any) -> Refuse:
    """The refusal of a submission, after which nothing has happened."""
    wealth, nonce = node.wealth(), node.world.client.account(node.account).nonce

    with pytest.raises(Refuse) as caught:
        await node.market.tasks.submit({**GOOD, **changes})

    assert node.wealth() == wealth
    assert node.world.client.account(node.account).nonce == nonce
    assert await node.store.recent("task", 10) == []
    assert await node.store.outbox(10) == []
    assert node.world.in_escrow() == 0
    return caught.value


@pytest.mark.parametrize("name", SUBMISSIONS)
async def test_a_bad_submission_is_refused_and_nothing_moves(
    world: MarketWorld, autojump_clock: MockClock, name: str
) -> None:
    changes, code, exit_code, words = SUBMISSIONS[name]
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()

    refusal = await refused(submitter, **changes)

    assert (refusal.code, refusal.exit_code) == (code, exit_code)
    assert words in refusal.hint


async def test_a_budget_that_is_too_high_shows_the_three_numbers(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    balance = await submitter.ledger.balance(submitter.ledger.account)

    refusal = await refused(submitter, budget=str(balance.spendable))

    assert refusal.details == {"spendable": str(balance.spendable), "free": str(balance.free), "held": "0"}


async def test_the_highest_budget_that_fits_is_taken(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    balance = await submitter.ledger.balance(submitter.ledger.account)
    highest = next(b for b in range(balance.spendable * 10 // 11 + 1, 0, -1) if b + b // 10 <= balance.spendable)

    task = await submitter.submit(highest)

    assert (await submitter.final(task))["refused"] is None


async def test_only_what_others_offer_can_be_bought(world: MarketWorld, autojump_clock: MockClock) -> None:
    alone = await world.provider("alone", 2 * AIN)

    with pytest.raises(Refuse) as caught:
        await alone.market.tasks.submit(GOOD)

    assert caught.value.code == "unknown_capability"


async def test_a_package_that_nobody_hands_over_is_said_to_be_unreachable(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    provider.crash()
    await provider.stopped.wait()

    refusal = await refused(submitter)

    assert (refusal.code, refusal.exit_code) == ("package_unavailable", ExitCode.UNREACHABLE)


async def test_too_many_open_tasks_are_refused(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter(max_open_tasks=1)
    await submitter.submit(AIN)

    with pytest.raises(Refuse) as caught:
        await submitter.market.tasks.submit(GOOD)

    assert caught.value.code == "busy"


# --- publishing ---------------------------------------------------------------------------------------------------

MANIFEST = json.loads(manifest_of("loud"))


def package(**changes: Any) -> dict[str, Any]:
    raw = json.dumps({**MANIFEST, **changes}).encode()
    return {"ask": str(AIN), "manifest": raw, "wasm": module_named("loud")}


PACKAGES: dict[str, tuple[dict[str, Any], str, ExitCode]] = {
    "no JSON": ({**package(), "manifest": b"{"}, "bad_manifest", ExitCode.REFUSED),
    "another version of manifests": (package(manifest=2), "bad_manifest", ExitCode.REFUSED),
    "a schema that is none": (package(output={"schema": {"type": "sonnet"}}), "bad_manifest", ExitCode.REFUSED),
    "another module": ({**package(), "wasm": module_named("quiet")}, "module_mismatch", ExitCode.REFUSED),
    "ask 0": ({**package(), "ask": "0"}, "ask_zero", ExitCode.REFUSED),
    "no module": ({**package(), "wasm": None}, "bad_parameter", ExitCode.USAGE),
    "too much fuel": (
        package(limits={"fuel": 10**12, "memory": 1 << 20, "output": 100}),
        "needs_too_much",
        ExitCode.REFUSED,
    ),
}


@pytest.mark.parametrize("name", PACKAGES)
async def test_a_bad_package_is_refused_and_nothing_is_registered(
    world: MarketWorld, autojump_clock: MockClock, name: str
) -> None:
    params, code, exit_code = PACKAGES[name]
    node = await world.submitter()

    async def send(_: dict[str, Any]) -> None:
        return None

    with pytest.raises(Refuse) as caught:
        await node.market.agents.publish(params, send)

    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
    assert await node.store.outbox(10) == []
    assert world.client.agents() == []


async def test_a_module_that_the_sandbox_refuses_is_refused_with_its_findings(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    node = await world.submitter()
    junk = b"#!/bin/sh"
    described = {"sha256": content_hash(junk).hex(), "size": len(junk)}

    async def send(_: dict[str, Any]) -> None:
        return None

    with pytest.raises(Refuse) as caught:
        await node.market.agents.publish({**package(module=described), "wasm": junk}, send)

    assert caught.value.code == "module_refused"
    assert "not_wasm" in caught.value.hint
    lint = await node.market.agents.lint({"wasm": junk})
    assert (lint["ok"], lint["findings"][0]["code"]) == (False, "not_wasm")


# --- the other questions ------------------------------------------------------------------------------------------


async def test_questions_about_what_is_unknown_are_refused(world: MarketWorld, autojump_clock: MockClock) -> None:
    node = await world.submitter()
    market, nothing = node.market, bytes(32).hex()

    for question, params, code in [
        (market.tasks.show, {"task": nothing}, "unknown_task"),
        (market.tasks.show, {"task": "beef"}, "bad_id"),
        (market.tasks.show, {}, "bad_id"),
        (market.tasks.result, {"task": nothing}, "unknown_task"),
        (market.tasks.cancel, {"task": nothing}, "unknown_task"),
        (market.auctions.show, {"auction": nothing}, "unknown_auction"),
        (market.auctions.verify, {"auction": nothing}, "unknown_auction"),
        (market.auctions.why, {"auction": nothing}, "not_mine"),
        (market.receipts.receipt, {"task": nothing}, "unknown_task"),
        (market.receipts.verify, {"task": nothing}, "unknown_task"),
    ]:
        with pytest.raises(Refuse) as caught:
            await question(params)
        assert caught.value.code == code


async def test_questions_that_come_too_early_are_refused(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    submitted = await submitter.market.tasks.submit(GOOD)
    task = {"task": submitted["task"]}

    for question, code in [
        (submitter.market.tasks.result, "no_result"),
        (submitter.market.receipts.receipt, "no_receipt"),
    ]:
        with pytest.raises(Refuse) as caught:
            await question(task)
        assert caught.value.code == code
    await submitter.final(submitted["task"])
    with pytest.raises(Refuse) as caught:
        await submitter.market.tasks.cancel(task)
    assert caught.value.code == "too_late"
    assert "settled already" in caught.value.hint
