"""What requesters of the fault menu do to their bidders, and what those hold against them in the end."""

from functools import partial
from typing import Any

import pytest
from market_stage import ASKS, RESERVE, STAKE, Stage, set_up
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.devnet.faults import requesting
from ainur_node.domain.auction.commitments import inclusion_message
from ainur_node.market import grievances
from ainur_node.signing import signed_by
from ainur_node.wiring import Alter


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


async def lying(stage: Stage, alter: Alter) -> dict[str, Any]:
    """One task of a submitter that lies, once everything about it is over."""
    stage.submitter.crash()
    stage.submitter.alter = alter
    await stage.world.restart(stage.submitter)
    return await stage.run()


async def named(node: MarketNode, auction: str) -> list[tuple[str, str]]:
    """Who is named for what in the node's `auction why`."""
    why = await node.market.auctions.why({"auction": auction})
    return [(row["who"], row["code"]) for row in why["offenders"]]


async def test_a_dropped_bidder_proves_what_was_signed_and_what_was_closed(
    stage: Stage, autojump_clock: MockClock
) -> None:
    done = await lying(stage, requesting.drops_a_commit)

    assert done["phase"] == "settled"
    dropped = [n for n in (stage.cheap, stage.dear, stage.dearest) if await named(n, done["auction"])]
    assert len(dropped) == 1
    why = await dropped[0].market.auctions.why({"auction": done["auction"]})
    (row,) = why["offenders"]
    assert (row["who"], row["code"]) == (stage.submitter.account.hex(), "dropped_commit")
    details, genesis = row["details"], stage.world.client.genesis_hash
    commit, seen = bytes.fromhex(details["commit"]), int(details["seen_block"])
    message = inclusion_message(genesis, bytes.fromhex(done["auction"]), dropped[0].account, commit, seen)  # type: ignore[arg-type]
    assert signed_by(stage.submitter.signer.node_key, message, bytes.fromhex(row["evidence"]["id"]))
    assert details["signed_by"] == stage.submitter.signer.node_key.hex()
    assert stage.gain(dropped[0]) == 0


async def test_a_bidder_that_is_told_another_root_keeps_its_ask_and_says_so(
    stage: Stage, autojump_clock: MockClock
) -> None:
    done = await lying(stage, requesting.two_roots)

    assert done["phase"] == "settled"
    wronged = [n for n in (stage.cheap, stage.dear, stage.dearest) if await named(n, done["auction"])]
    assert len(wronged) == 1
    assert await named(wronged[0], done["auction"]) == [(stage.submitter.account.hex(), "other_root")]
    assert stage.gain(wronged[0]) == 0


async def test_a_winner_that_is_paid_by_a_lowered_reserve_knows_what_was_due(
    stage: Stage, autojump_clock: MockClock
) -> None:
    # A sixth of 10 AIN is below the lowest ask: here a claim between the first and the second one.
    done = await lying(stage, partial(requesting.changes_the_budget, part=4))

    why = await stage.cheap.market.auctions.why({"auction": done["auction"]})
    (row,) = why["offenders"]
    assert (row["who"], row["code"]) == (stage.submitter.account.hex(), "underpaid")
    assert int(row["details"]["due"]) == ASKS["dear"]
    assert int(row["details"]["paid"]) == stage.gain(stage.cheap) < ASKS["dear"]
    verified = await stage.dearest.market.auctions.verify({"auction": done["auction"]})
    assert not verified["ok"]
    assert "terms" in [check["name"] for check in verified["checks"] if not check["ok"]]


async def test_a_winner_that_is_paid_its_ask_knows_what_was_due(stage: Stage, autojump_clock: MockClock) -> None:
    done = await lying(stage, requesting.pays_the_ask)

    why = await stage.cheap.market.auctions.why({"auction": done["auction"]})
    (row,) = why["offenders"]
    assert (row["code"], row["details"]["paid"], row["details"]["due"]) == (
        "underpaid",
        str(ASKS["cheap"]),
        str(ASKS["dear"]),
    )
    assert stage.gain(stage.cheap) == ASKS["cheap"]


async def test_an_auction_that_is_never_awarded_is_ended_by_a_bidder(stage: Stage, autojump_clock: MockClock) -> None:
    auction = await lying(stage, requesting.never_awards)

    assert auction["phase"] == "refunded"
    assert stage.gain(stage.submitter) == -(RESERVE // 10)
    first = (await _auctions(stage.cheap))[0]
    for node in (stage.cheap, stage.dear, stage.dearest):
        assert await named(node, first) == [(stage.submitter.account.hex(), "never_awarded")]
        assert stage.gain(node) == 0


async def _auctions(node: MarketNode) -> list[str]:
    return [stored.key.hex() for stored in reversed(await node.store.recent("job", 10))]


async def test_a_buyer_that_never_accepts_has_paid_and_is_named(stage: Stage, autojump_clock: MockClock) -> None:
    done = await lying(stage, requesting.never_accepts)

    assert (done["phase"], done["outcome"]) == ("settled", "auto")
    assert stage.gain(stage.cheap) == ASKS["dear"]
    assert await named(stage.cheap, done["auction"]) == [(stage.submitter.account.hex(), "never_accepted")]


async def test_a_buyer_that_keeps_its_input_costs_nobody_anything(stage: Stage, autojump_clock: MockClock) -> None:
    done = await lying(stage, requesting.input_withheld)

    assert done["phase"] == "refunded"
    assert stage.gain(stage.submitter) == 0
    for node in (stage.cheap, stage.dear, stage.dearest):
        auction = (await _auctions(node))[0]
        assert await named(node, auction) == [(stage.submitter.account.hex(), "input_withheld")]
        assert (stage.gain(node), node.held("AgentRegistry::Stake")) == (0, STAKE)


async def test_an_honest_task_leaves_nothing_to_hold_against_anybody(stage: Stage, autojump_clock: MockClock) -> None:
    done = await stage.run()

    for node in (stage.cheap, stage.dear, stage.dearest):
        assert await named(node, done["auction"]) == []
    assert int(done["price"]) == ASKS["dear"]


async def test_wrongs_are_kept_once_each_and_only_so_many(stage: Stage, autojump_clock: MockClock) -> None:
    done = await stage.run()
    auction, parts = bytes.fromhex(done["auction"]), stage.cheap.market
    kept = grievances.Grievances(stage.cheap.ledger, parts.library, stage.cheap.store, stage.cheap.counters)

    for number in range(20):
        for _ in range(2):
            await kept.note(auction, f"wrong_{number}", "root", bytes(32))  # type: ignore[arg-type]

    codes = [code for _, code in await named(stage.cheap, done["auction"])]
    assert codes == [f"wrong_{number}" for number in range(grievances.MAX_KEPT)]
    await kept.note(bytes(32), "wrong", "root", bytes(32))  # type: ignore[arg-type]
    assert await stage.cheap.store.get_doc(grievances.GRIEVANCE, bytes(32)) is None
