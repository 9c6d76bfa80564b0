"""Winners whom the chain does not take any more: the next one is awarded, and a stranger can see why."""

from dataclasses import replace
from typing import Any

import pytest
from market_stage import ASKS, BUDGET, RESERVE, Stage, set_up, with_ledger
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.domain import events
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.domain.money import Amount
from ainur_node.ledger.chain_ledger import ChainLedger
from pallets_client.pallets import agent_registry, did
from pallets_client.records import Call, Included


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    return await set_up(world)


def retire(node: MarketNode) -> Call:
    (agent,) = [i for i, a in node.world.client.agents() if a.provider == node.account]
    return agent_registry.retire_agent(agent)


def unbond(node: MarketNode) -> Call:
    return agent_registry.unbond(node.world.client.provider(node.account).free_stake)  # type: ignore[union-attr] # a provider


def deactivate(node: MarketNode) -> Call:
    return did.deactivate()


GONE = {
    "its agent is retired": (retire, "agent_mismatch"),
    "its stake is gone": (unbond, "provider_inactive"),
    "its DID is no more": (deactivate, "provider_inactive"),
}


class Meanwhile(ChainLedger):
    """Its first award comes right after something happened on chain."""

    happens: Any = None

    async def award(self, *args: Any, **more: Any) -> events.Escrowed | events.AwardRefused:
        happens, Meanwhile.happens = Meanwhile.happens, None
        if happens is not None:
            happens()
        return await super().award(*args, **more)


async def meanwhile(stage: Stage, *calls: tuple[MarketNode, Call]) -> None:
    await with_ledger(stage, Meanwhile, stage.submitter)

    def happen() -> None:
        for node, call in calls:
            assert isinstance(node.writer.submit(call, call.name.encode()).result(0), Included)

    Meanwhile.happens = happen


@pytest.mark.parametrize("why", GONE)
async def test_a_winner_that_is_gone_is_passed_over_and_a_stranger_sees_why(
    stage: Stage, autojump_clock: MockClock, why: str
) -> None:
    leave, code = GONE[why]
    observer = await stage.world.submitter("observer")
    await meanwhile(stage, (stage.cheap, leave(stage.cheap)))

    done = await stage.run()

    assert (done["phase"], done["attempt"], done["failed"]) == ("settled", 0, [])
    assert (done["winner"]["provider"], int(done["price"])) == (stage.dear.account.hex(), ASKS["dearest"])
    assert f"the chain refused this winner ({code})" in "\n".join(row["text"] for row in done["history"])
    seen = await observer.market.auctions.verify({"auction": done["auction"]})
    assert seen["ok"], seen["checks"]


async def test_skipped_and_failed_winners_stand_in_one_transcript(stage: Stage, autojump_clock: MockClock) -> None:
    stage.dear.sandbox.exit = type(stage.dear.sandbox.exit).TRAP
    await meanwhile(stage, (stage.cheap, retire(stage.cheap)))

    done = await stage.run()

    assert (done["winner"]["provider"], done["failed"]) == (stage.dearest.account.hex(), [stage.dear.account.hex()])
    seen = await stage.dearest.market.auctions.verify({"auction": done["auction"]})
    assert seen["ok"], seen["checks"]


async def test_nobody_is_left_out_of_a_new_attempt_because_the_chain_refused_it_once(
    stage: Stage, autojump_clock: MockClock
) -> None:
    everybody = (stage.cheap, stage.dear, stage.dearest)
    await meanwhile(stage, *((node, unbond(node)) for node in everybody))
    stake = agent_registry.bond_extra(20 * 10**12)

    task = await stage.submitter.submit(BUDGET)
    while (await stage.submitter.show(task))["attempt"] == 0:
        await stage.submitter.market.engine.wait_news("task", bytes.fromhex(task))
    for node in everybody:
        assert isinstance(node.writer.submit(stake, b"again").result(0), Included)
    done = await stage.submitter.final(task)

    assert (done["phase"], done["attempt"]) == ("settled", 1)
    assert done["winner"]["provider"] == stage.cheap.account.hex()
    assert stage.world.in_escrow() == 0


class Hindered(ChainLedger):
    """The chain takes no award of the first auction."""

    code = ""

    async def award(self, *args: Any, **more: Any) -> events.Escrowed | events.AwardRefused:
        code, Hindered.code = Hindered.code, ""
        return events.AwardRefused(code, 1) if code else await super().award(*args, **more)


async def test_an_auction_that_takes_no_award_costs_no_bidder_its_next_chance(
    stage: Stage, autojump_clock: MockClock
) -> None:
    await with_ledger(stage, Hindered, stage.submitter)
    Hindered.code = "not_enough_free"

    done = await stage.run()

    assert (done["phase"], done["attempt"]) == ("settled", 1)
    assert done["winner"]["provider"] == stage.cheap.account.hex()
    assert "takes no award of this auction any more (not_enough_free)" in "\n".join(r["text"] for r in done["history"])


async def test_an_award_that_came_too_late_costs_one_bond(stage: Stage, autojump_clock: MockClock) -> None:
    await with_ledger(stage, Hindered, stage.submitter)
    Hindered.code = "too_late"

    done = await stage.run()

    assert (done["phase"], done["outcome"], done["reasons"]) == ("refunded", "awarded_too_late", [["too_late", 1]])
    assert stage.gain(stage.submitter) == -(RESERVE // 10)


async def test_the_chain_tells_of_each_guard_whether_it_holds(stage: Stage, autojump_clock: MockClock) -> None:
    done = await stage.run()
    ledger, auction = stage.submitter.ledger, AuctionId(bytes.fromhex(done["auction"]))
    chain = await ledger.auction(auction)
    assert chain is not None
    transcript = await stage.submitter.market.library.find_transcript(chain.transcript, [])
    assert isinstance(transcript, Transcript)
    row = next(r for r in transcript.rows if r.commit.provider == stage.cheap.account)
    assert row.opening is not None
    price = Amount(ASKS["dear"])

    async def refusal(price: Amount = price, **changed: Any) -> str | None:
        commit = replace(row.commit, **changed)
        return await ledger.refusal_at(await ledger.height(), auction, row.opening, commit, price)  # type: ignore[arg-type] # asserted above

    assert await refusal() is None
    assert await refusal(Amount(10**9 - 1)) == "bad_price"
    assert await refusal(Amount(100 * 10**12)) is None, "the lock is all its stake"
    assert await refusal(Amount(100 * 10**12 + 5)) == "not_enough_stake"
    assert await refusal(standing_until=0) == "not_standing"
    assert await refusal(seq=2) == "bad_signature"
    nobody = replace(row.opening, provider=AccountId(stage.submitter.account))
    assert await ledger.refusal_at(await ledger.height(), auction, nobody, row.commit, price) == "provider_inactive"


# --- auctioneers that pass somebody over without a reason ------------------------------------------------------------


class Unfair(ChainLedger):
    """Says of the cheapest bidder that the chain had refused it."""

    spared: bytes = b""

    async def award(self, auction: AuctionId, opening: Any, *args: Any, **more: Any) -> Any:
        if opening.provider == Unfair.spared:
            return events.AwardRefused("not_enough_stake", await self.height())
        return await super().award(auction, opening, *args, **more)


async def test_passing_over_a_winner_that_the_chain_would_take_is_seen(stage: Stage, autojump_clock: MockClock) -> None:
    await with_ledger(stage, Unfair, stage.submitter)
    Unfair.spared = stage.cheap.account

    done = await stage.run()

    assert done["winner"]["provider"] == stage.dear.account.hex()
    seen = await stage.dearest.market.auctions.verify({"auction": done["auction"]})
    assert not seen["ok"]
    (wrong,) = [c for c in seen["checks"] if not c["ok"]]
    assert wrong["name"] == "skipped"
    assert "would have taken" in wrong["detail"]


@pytest.mark.parametrize("block", [1, 2**31])
async def test_passing_over_somebody_in_another_block_is_seen(
    stage: Stage, autojump_clock: MockClock, block: int
) -> None:
    class Elsewhere(Unfair):
        async def award(self, auction: AuctionId, opening: Any, *args: Any, **more: Any) -> Any:
            answer = await super().award(auction, opening, *args, **more)
            return replace(answer, block=block) if isinstance(answer, events.AwardRefused) else answer

    await with_ledger(stage, Elsewhere, stage.submitter)
    Unfair.spared = stage.cheap.account

    done = await stage.run()

    with_check = stage.dearest.market.auctions.verify({"auction": done["auction"]})
    if block == 1:
        assert not (await with_check)["ok"]
    else:
        with pytest.raises(Exception, match="block"):
            await with_check
