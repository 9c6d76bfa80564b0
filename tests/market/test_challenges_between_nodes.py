"""Auctioneers whose awards can be challenged: the liars lose their bond to a proof, the honest ones get it back."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import trio
from market_stage import RESERVE, STAKE, Stage, set_up
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.devnet.faults import requesting
from ainur_node.domain import orders
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import PeerId
from ainur_node.errors import Transient
from ainur_node.market.clearing import Clearing
from ainur_node.market.library import Library
from ainur_node.ports import Handler, RemoteRefusal
from ainur_node.wiring import Alter
from pallets_client.pallets import agent_registry
from pallets_client.records import AIN, Signed

WINDOW = 20_000
BOND = RESERVE // 10
BURNED = BOND - BOND // 2
BOND_HOLD = "VcgAuction::AuctioneerBond"


@pytest.fixture
async def stage(world: MarketWorld) -> Stage:
    made = await set_up(world)
    made.submitter.settings = replace(made.submitter.settings, challenge_within=WINDOW)
    made.submitter.crash()
    await world.restart(made.submitter)
    return made


async def ended(stage: Stage, *, alter: Alter | None = None) -> dict[str, Any]:
    """One task, once nobody follows its auction any more."""
    if alter is not None:
        stage.submitter.crash()
        stage.submitter.alter = alter
        await stage.world.restart(stage.submitter)
    done = await stage.submitter.final(await stage.submitter.submit(10 * AIN))
    await stage.world.quiet()
    with trio.fail_after(600):
        while any(n.market.bonds.open or n.market.challenging.open for n in stage.world.nodes.values()):  # noqa: ASYNC110 — virtual time
            await trio.sleep(0.5)
    assert stage.world.in_escrow() == 0
    return done


async def challenges(stage: Stage, auction: str) -> dict[str, dict[str, Any]]:
    """What each provider did about the auctioneer, by name."""
    nodes = (stage.cheap, stage.dear, stage.dearest)
    found = {node.name: (await node.market.auctions.why({"auction": auction}))["challenge"] for node in nodes}
    return {name: row for name, row in found.items() if row is not None}


async def sent(stage: Stage, call: str) -> int:
    """How many extrinsics of a call all nodes signed."""
    rows = [row.call for node in stage.world.nodes.values() for row in await node.store.outbox(200)]
    return sum(row == f"VcgAuction.{call}" for row in rows)


async def bond_of(stage: Stage, done: dict[str, Any]) -> str:
    return str((await stage.submitter.show(done["task"]))["bond"]["state"])


async def test_an_honest_auctioneer_has_its_bond_back_by_itself(stage: Stage, autojump_clock: MockClock) -> None:
    started = trio.current_time()

    done = await ended(stage)

    assert (done["phase"], await bond_of(stage, done)) == ("settled", "returned")
    assert trio.current_time() - started > WINDOW / 1000
    assert await challenges(stage, done["auction"]) == {}
    assert (await sent(stage, "challenge"), await sent(stage, "release_bond")) == (0, 1)
    assert stage.gain(stage.submitter) == -int(done["price"]) - int(done["fee"])


async def test_a_dropped_bidder_takes_half_of_the_bond(stage: Stage, autojump_clock: MockClock) -> None:
    done = await ended(stage, alter=requesting.drops_a_commit)

    ((name, row),) = (await challenges(stage, done["auction"])).items()
    assert (row["state"], row["fault"], row["burned"]) == ("succeeded", "dropped_commit", str(BURNED))
    assert stage.gain(stage.world.nodes[name]) == BOND - BURNED == int(row["compensation"])
    assert await sent(stage, "challenge") == 1
    assert await bond_of(stage, done) == "lost"


async def test_two_signed_roots_cost_the_bond(stage: Stage, autojump_clock: MockClock) -> None:
    done = await ended(stage, alter=requesting.two_roots)

    ((name, row),) = (await challenges(stage, done["auction"])).items()
    assert (row["state"], row["fault"], row["burned"]) == ("succeeded", "two_roots", str(BURNED))
    assert stage.gain(stage.world.nodes[name]) == BOND - BURNED == int(row["reward"])
    assert await sent(stage, "challenge") == 1
    assert (done["phase"], await bond_of(stage, done)) == ("settled", "lost")


@pytest.mark.parametrize("alter", [requesting.pays_the_ask, partial(requesting.changes_the_budget, part=4)])
async def test_a_winner_that_is_paid_too_little_takes_half_of_the_bond(
    stage: Stage, autojump_clock: MockClock, alter: Alter
) -> None:
    done = await ended(stage, alter=alter)

    ((name, row),) = (await challenges(stage, done["auction"])).items()
    assert (name, row["state"], row["fault"]) == ("cheap", "succeeded", "false_transcript")
    assert stage.gain(stage.cheap) == int(done["price"]) + BOND - BURNED
    assert await sent(stage, "challenge") == 1
    assert await bond_of(stage, done) == "lost"


async def test_a_bidder_whose_reveal_was_signed_for_and_left_out_proves_the_better_bid(
    stage: Stage, autojump_clock: MockClock
) -> None:
    clearing = stage.submitter.market.engine._stages[orders.CollectReveals].__self__  # type: ignore[attr-defined]
    honest = clearing._decide

    async def without_cheap(transcript: Transcript) -> Any:
        rows = tuple(
            replace(row, status=RowStatus.NOT_REVEALED, opening=None)
            if row.commit.provider == stage.cheap.account
            else row
            for row in transcript.rows
        )
        return await honest(replace(transcript, rows=rows))

    clearing._decide = without_cheap

    done = await ended(stage)

    assert done["winner"]["provider"] == stage.dear.account.hex()
    row = (await challenges(stage, done["auction"]))["cheap"]
    assert (row["state"], row["fault"], row["compensation"]) == ("succeeded", "better_bid", str(BOND - BURNED))
    assert "better_bid" in [
        each["code"] for each in (await stage.cheap.market.auctions.why({"auction": done["auction"]}))["offenders"]
    ]


async def _hide(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    raise RemoteRefusal("transcript_not_found", "not for you")


async def test_a_transcript_that_is_withheld_from_its_winner_is_published_on_demand(
    stage: Stage, autojump_clock: MockClock
) -> None:
    stage.submitter.twists["auction.transcript"] = _hide

    done = await ended(stage)

    assert (await sent(stage, "demand"), await sent(stage, "publish"), await sent(stage, "challenge")) == (1, 1, 0)
    assert (await challenges(stage, done["auction"]))["cheap"]["demanded"]
    assert await bond_of(stage, done) == "returned"


async def test_reveals_are_signed_for_only_when_the_transcript_that_shows_them_is_stored(
    stage: Stage, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A submitter whose disk fails asks again: who is silent then would hold a proof against an honest payer."""
    happened: list[str] = []
    keep, sign = Library.keep_transcript, Clearing._acknowledge

    async def fails_at_first(self: Library, digest: bytes, transcript: Transcript) -> bytes:
        if not happened:
            happened.append("not stored")
            raise Transient("no space left")
        kept = await keep(self, digest, transcript)
        happened.append("stored")
        return kept

    def signs(self: Clearing, *args: Any) -> None:
        happened.append("signed")
        sign(self, *args)

    monkeypatch.setattr(Library, "keep_transcript", fails_at_first)
    monkeypatch.setattr(Clearing, "_acknowledge", signs)
    await ended(stage)

    assert happened[:5] == ["not stored", "stored", *["signed"] * 3]


async def test_a_demand_whose_answer_fails_at_first_is_answered_again(stage: Stage, autojump_clock: MockClock) -> None:
    stage.submitter.twists["auction.transcript"] = _hide
    tried: list[float] = []

    def stumbles(outside: Any) -> Any:
        class Away(requesting.Altered):
            async def publish(self, transcript: Any) -> Any:
                tried.append(trio.current_time())
                if len(tried) < 3:
                    raise Transient("the node's pool is full")
                return await self._honest.publish(transcript)

        return replace(outside, ledger=Away(outside.ledger))

    done = await ended(stage, alter=stumbles)

    assert len(tried) == 3
    assert (await sent(stage, "publish"), await sent(stage, "challenge")) == (1, 0)
    assert await bond_of(stage, done) == "returned"


async def test_a_demand_that_nobody_answers_costs_the_bond(stage: Stage, autojump_clock: MockClock) -> None:
    stage.submitter.twists["auction.transcript"] = _hide

    def hides(outside: Any) -> Any:
        class Silent(requesting.Altered):
            async def publish(self, transcript: Any) -> Any:
                await trio.sleep_forever()

        return replace(outside, ledger=Silent(outside.ledger))

    stage.submitter.crash()
    stage.submitter.alter = hides
    await stage.world.restart(stage.submitter)
    done = await stage.submitter.final(await stage.submitter.submit(10 * AIN))
    with trio.fail_after(600):
        while stage.world.in_escrow():  # noqa: ASYNC110 — virtual time
            await trio.sleep(0.5)
    await trio.sleep(5)

    row = (await challenges(stage, done["auction"]))["cheap"]
    assert (row["state"], row["fault"], row["burned"]) == ("succeeded", "withheld", str(BURNED))
    assert stage.gain(stage.cheap) == int(done["price"]) + BOND - BURNED
    why = await stage.cheap.market.auctions.why({"auction": done["auction"]})
    assert [each["code"] for each in why["offenders"]] == ["withheld"]


async def test_a_winner_that_made_its_award_impossible_is_skipped_on_record(
    stage: Stage, autojump_clock: MockClock
) -> None:
    def listens(life: str, key: bytes, fact: Any, state: Any) -> None:
        if type(fact).__name__ == "Revealed":
            stage.cheap.writer.submit(agent_registry.unbond(STAKE), b"unbond")

    stage.cheap.market.engine.listeners.append(listens)

    done = await ended(stage)

    assert done["winner"]["provider"] == stage.dear.account.hex()
    assert (await sent(stage, "skip"), await sent(stage, "challenge")) == (1, 0)
    assert await bond_of(stage, done) == "returned"


async def test_both_sides_go_on_after_a_restart(stage: Stage, autojump_clock: MockClock) -> None:
    task = await stage.submitter.submit(10 * AIN)
    done = await stage.submitter.final(task)
    assert stage.submitter.held(BOND_HOLD) == BOND
    for node in (stage.submitter, stage.cheap):
        node.crash()
        await stage.world.restart(node)
    assert stage.submitter.market.bonds.open == 1

    with trio.fail_after(600):
        while stage.world.in_escrow():  # noqa: ASYNC110 — virtual time
            await trio.sleep(0.5)
    await trio.sleep(5)

    assert await bond_of(stage, done) == "returned"
    assert not any(node.market.challenging.open for node in stage.world.nodes.values())


async def test_a_challenger_that_dies_with_its_proof_signed_challenges_once(
    stage: Stage, autojump_clock: MockClock
) -> None:
    deaths: list[str] = []

    def deadly(node: MarketNode) -> None:
        signed = node.writer._on_signed
        assert signed is not None

        def dies(written: Signed) -> None:
            signed(written)
            if written.call_name == "VcgAuction.challenge":
                deaths.append(node.name)
                node.crash()

        node.writer._on_signed = dies

    for node in (stage.cheap, stage.dear, stage.dearest):
        deadly(node)
    stage.submitter.crash()
    stage.submitter.alter = requesting.two_roots
    await stage.world.restart(stage.submitter)
    done = await stage.submitter.final(await stage.submitter.submit(10 * AIN))
    (victim,) = (stage.world.nodes[name] for name in deaths)
    await stage.world.restart(victim)
    with trio.fail_after(600):
        while stage.world.in_escrow() or victim.market.challenging.open:  # noqa: ASYNC110 — virtual time
            await trio.sleep(0.5)

    assert await sent(stage, "challenge") == 1
    assert await bond_of(stage, done) == "lost"
    assert victim.held("AgentRegistry::Stake") == STAKE
