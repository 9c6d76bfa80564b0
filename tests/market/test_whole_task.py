"""One task from submission to payment over fakes, on the mock clock."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from market_world import CAPABILITY, MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.domain.auction.rules import fee_of, reserve_of
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Row, Transcript, transcript_hash
from ainur_node.domain.canonical import capability_id
from ainur_node.domain.ids import AccountId, AuctionId, NodeKey, PeerId
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import NEUTRAL, penalty
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.market import library
from ainur_node.ports import ChainAuction, Handler
from ainur_node.rpc.messages import ExitCode, Refuse
from pallets_client.records import AIN

BUDGET = 10 * AIN
RESERVE = reserve_of(Amount(BUDGET), 100)
OWED = penalty(RESERVE, 400, NEUTRAL)


async def three_providers(world: MarketWorld) -> tuple[MarketNode, MarketNode, MarketNode, MarketNode]:
    """Cheap, dear, dearest and the submitter."""
    cheap = await world.provider("cheap", 2 * AIN)
    dear = await world.provider("dear", 3 * AIN)
    dearest = await world.provider("dearest", 4 * AIN)
    return cheap, dear, dearest, await world.submitter()


async def settled(world: MarketWorld, submitter: MarketNode) -> dict[str, Any]:
    done = await submitter.final(await submitter.submit(BUDGET))
    await world.quiet()
    assert done["phase"] == "settled"
    return done


async def test_the_cheapest_wins_and_is_paid_the_second_price(world: MarketWorld, autojump_clock: MockClock) -> None:
    cheap, dear, dearest, submitter = await three_providers(world)
    before = cheap.wealth(), dear.wealth(), dearest.wealth(), submitter.wealth()

    done = await settled(world, submitter)

    price = min(3 * AIN + OWED, RESERVE) - OWED
    fee = fee_of(Amount(price), 100)
    assert (done["outcome"], done["verified"]) == ("paid", True)
    assert done["winner"]["provider"] == cheap.account.hex()
    assert (int(done["price"]), int(done["fee"])) == (price, fee)
    assert cheap.wealth() - before[0] == price
    assert (dear.wealth(), dearest.wealth()) == before[1:3]
    assert before[3] - submitter.wealth() == price + fee
    assert world.in_escrow() == 0


async def test_the_result_is_what_the_agent_said(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, _, _, submitter = await three_providers(world)

    done = await settled(world, submitter)

    result = await submitter.market.tasks.result({"task": done["task"]})
    assert result["output"] == b'{"said": "HELLO"}'
    assert result["verified"]
    receipt = await submitter.market.receipts.verify({"task": done["task"]})
    assert receipt["ok"], receipt["checks"]


async def test_a_lone_bidder_is_paid_the_reserve_minus_its_penalty(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    await world.provider("alone", 2 * AIN)
    submitter = await world.submitter()

    done = await settled(world, submitter)

    assert int(done["price"]) == RESERVE - OWED
    assert int(done["price"]) + int(done["fee"]) <= BUDGET


async def test_a_loser_is_told_why_with_its_own_numbers(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, dear, _, submitter = await three_providers(world)

    done = await settled(world, submitter)

    why = await dear.market.auctions.why({"auction": done["auction"]})
    assert (why["outcome"], why["you"]["outcome"]) == ("outbid", "outbid")
    assert int(why["you"]["price"]) == int(done["price"])
    assert int(why["you"]["own_adjusted"]) == 3 * AIN + OWED
    assert why["you"]["transcript"] == done["transcript"]


async def test_verified_work_moves_the_reputation_of_the_winner_alone(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    cheap, dear, _, submitter = await three_providers(world)

    done = await settled(world, submitter)

    mine = world.client.score(cheap.account, capability_id(CAPABILITY))
    other = world.client.score(dear.account, capability_id(CAPABILITY))
    assert mine is not None
    assert mine.a == int(done["fee"])
    assert other is None or other.a == 0


async def test_nobody_at_the_reserve_frees_the_budget_and_says_so(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    await world.provider("dear", 20 * AIN)
    submitter = await world.submitter()
    before = submitter.wealth()

    done = await submitter.final(await submitter.submit(BUDGET))

    assert (done["phase"], done["outcome"]) == ("refunded", "no_sale")
    assert done["reasons"] == [["ask_above_reserve", 1]]
    assert submitter.wealth() == before
    assert world.in_escrow() == 0


async def test_each_fact_is_stored_once_on_both_sides(world: MarketWorld, autojump_clock: MockClock) -> None:
    cheap, dear, _, submitter = await three_providers(world)

    done = await settled(world, submitter)

    asked = [
        "Submitted",
        "Funded",
        "BidsCollected",
        "Closed",
        "Cleared",
        "Escrowed",
        "Delivered",
        "Verified",
        "Settled",
    ]
    assert await submitter.facts("task", done["task"]) == asked
    won = ["Invited", "Committed", "Revealed", "Awarded", "Completed", "DeliveredOnChain", "Paid"]
    assert await cheap.facts("job", done["auction"]) == won
    assert await dear.facts("job", done["auction"]) == ["Invited", "Committed", "Revealed", "Lost"]


async def test_many_tasks_at_once_all_settle(world: MarketWorld, autojump_clock: MockClock) -> None:
    providers = (await three_providers(world))[:3]
    submitter = world.nodes["submitter"]

    tasks = [await submitter.submit(4 * AIN, b"text %d" % n) for n in range(30)]
    done = [await submitter.final(task) for task in tasks]
    await world.quiet()

    assert {d["phase"] for d in done} <= {"settled", "refunded"}
    settled_ones = [d for d in done if d["phase"] == "settled"]
    assert len(settled_ones) == 30, [d["reasons"] for d in done if d["phase"] != "settled"]
    assert world.in_escrow() == 0
    assert all(p.held("AgentRegistry::Stake") == 20 * AIN for p in providers)


# --- an observer --------------------------------------------------------------------------------------------------


async def test_an_observer_verifies_the_auction_and_its_counterfactuals(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    cheap, dear, dearest, submitter = await three_providers(world)
    observer = await world.submitter("observer")

    done = await settled(world, submitter)

    seen = await observer.market.auctions.verify({"auction": done["auction"], "counterfactual": True})
    assert seen["ok"], seen["checks"]
    assert {c["name"] for c in seen["checks"]} >= {"transcript", "root", "beacon", "award", "work_terms", "contents"}
    assert (seen["winner"], seen["price"]) == (cheap.account.hex(), done["price"])
    without = {w["without"]: w["winner"] for w in seen["without"]}
    assert without[cheap.account.hex()] == dear.account.hex()
    assert without[dearest.account.hex()] == cheap.account.hex()


async def test_an_observer_is_not_fooled_by_another_transcript(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, _, _, submitter = await three_providers(world)
    observer = await world.submitter("observer")

    async def tampered(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        return (await honest(peer, body)).replace(b'"quality":500000', b'"quality":500001')

    submitter.twists["auction.transcript"] = tampered
    done = await settled(world, submitter)

    with pytest.raises(Refuse) as refused:
        await observer.market.auctions.verify({"auction": done["auction"]})
    assert (refused.value.code, refused.value.exit_code) == ("transcript_not_found", ExitCode.UNREACHABLE)


class LiedToLedger(ChainLedger):
    """As if the payer had put the hash of another transcript on chain."""

    lie: bytes = b""

    async def auction(self, auction: AuctionId) -> ChainAuction | None:
        found = await super().auction(auction)
        return replace(found, transcript=self.lie) if found is not None and self.lie else found


def _first(t: Transcript, **changes: Any) -> Transcript:
    return replace(t, rows=(replace(t.rows[0], **changes), *t.rows[1:]))


def _reopened(t: Transcript, **changes: Any) -> Transcript:
    opening = t.rows[0].opening
    assert opening is not None
    return _first(t, opening=replace(opening, **changes))


def _with(t: Transcript, at: int, **changes: Any) -> Transcript:
    rows = list(t.rows)
    rows[at] = replace(rows[at], **changes)
    return replace(t, rows=tuple(rows))


def _hide_winner(t: Transcript) -> Transcript:
    asks = [row.opening.ask if row.opening else 2**127 for row in t.rows]
    return _with(t, asks.index(min(asks)), status=RowStatus.NOT_REVEALED, opening=None)


def _fail_winner(t: Transcript) -> Transcript:
    asks = [row.opening.ask if row.opening else 2**127 for row in t.rows]
    return replace(t, failed=(t.rows[asks.index(min(asks))].commit.provider,))


TAMPERINGS: dict[str, tuple[Callable[[Transcript], Transcript], str]] = {
    "another auction": (lambda t: replace(t, auction=AuctionId(bytes(32))), "auction"),
    "another root": (lambda t: replace(t, root=bytes(32)), "root"),
    "another beacon": (lambda t: replace(t, beacon=bytes(32)), "beacon"),
    "a lower reserve": (lambda t: replace(t, reserve=Amount(t.reserve - 1)), "terms"),
    "another weight": (lambda t: replace(t, quality_bps=t.quality_bps - 1), "terms"),
    "another epoch": (lambda t: replace(t, score_epoch=t.score_epoch + 1), "epoch"),
    "another rule": (lambda t: replace(t, rule=t.rule + 1), "rule"),
    "another ask": (lambda t: _reopened(t, ask=Amount(1)), "contents"),
    "another nonce": (lambda t: _reopened(t, nonce=bytes(32)), "contents"),
    "somebody else's opening": (lambda t: _first(t, opening=t.rows[1].opening), "contents"),
    "a score out of thin air": (lambda t: _first(t, quality=1, penalty=penalty(t.reserve, 400, 1)), "scores"),
    "a penalty out of thin air": (lambda t: _first(t, penalty=0), "contents"),
    "a row less": (lambda t: replace(t, rows=t.rows[1:]), "contents"),
    "rows in another order": (lambda t: replace(t, rows=t.rows[::-1]), "contents"),
    "a row twice": (lambda t: replace(t, rows=(t.rows[0], *t.rows)), "contents"),
    "no rows": (lambda t: replace(t, rows=()), "contents"),
    "another node key": (lambda t: _first(t, node_key=NodeKey(bytes(32))), "node_key"),
    "another signature": (lambda t: _first(t, commit=replace(t.rows[0].commit, signature=bytes(64))), "contents"),
    "another commit": (lambda t: _first(t, commit=replace(t.rows[0].commit, commit=bytes(32))), "contents"),
    "a bid that stands longer": (
        lambda t: _first(t, commit=replace(t.rows[0].commit, standing_until=2**40)),
        "contents",
    ),
    "the winner hidden": (_hide_winner, "award"),
    "the winner failed": (_fail_winner, "failed"),
    "a stranger failed": (lambda t: replace(t, failed=(AccountId(bytes(32)),)), "contents"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_an_observer_finds_each_tampering_that_the_payer_anchored(
    world: MarketWorld, autojump_clock: MockClock, name: str
) -> None:
    change, expected = TAMPERINGS[name]
    _, _, _, submitter = await three_providers(world)
    observer = world.node("observer")
    observer.ledger_type = LiedToLedger
    await world.start(observer)
    done = await settled(world, submitter)
    auction = {"auction": done["auction"]}
    await observer.market.auctions.verify(auction)
    honest = await observer.market.library.find_transcript(bytes.fromhex(done["transcript"]), [])
    assert isinstance(honest, Transcript)
    tampered = change(honest)
    digest = transcript_hash(world.client.genesis_hash, tampered)

    await observer.market.library.keep_transcript(digest, tampered)
    assert isinstance(observer.ledger, LiedToLedger)
    observer.ledger.lie = digest
    seen = await observer.market.auctions.verify(auction)

    assert not seen["ok"]
    assert expected in {c["name"] for c in seen["checks"] if not c["ok"]}


async def test_a_transcript_with_an_absurd_row_is_refused_not_a_bug(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    _, _, _, submitter = await three_providers(world)
    observer = await world.submitter("observer")
    done = await settled(world, submitter)
    honest = await submitter.market.library.find_transcript(bytes.fromhex(done["transcript"]), [])
    assert isinstance(honest, Transcript)
    absurd: Row = replace(honest.rows[0], quality=-1, penalty=2**200)
    raw = library.msgspec.json.encode(replace(honest, rows=(absurd, *honest.rows[1:])))

    async def answer(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        return raw

    submitter.twists["auction.transcript"] = answer

    with pytest.raises(Refuse) as refused:
        await observer.market.auctions.verify({"auction": done["auction"]})
    assert refused.value.code == "transcript_not_found"
