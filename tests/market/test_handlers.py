"""What each counter of a node refuses to strangers, liars and latecomers."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import trio
import trio.lowlevel
from market_world import MarketNode, MarketWorld
from trio.testing import MockClock

from ainur_node.domain.auction.commitments import Commit, commit_hash, commit_message, inclusion_message
from ainur_node.domain.ids import AccountId, AuctionId, PeerId
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import RequesterTask
from ainur_node.market import messages
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.messages import CommitReceipt, CommitRequest, EscrowHint, Message, ResultNotice, RevealRequest
from ainur_node.ports import Handler, RemoteRefusal
from ainur_node.signing import signed_by
from pallets_client.pallets import agent_registry
from pallets_client.records import AIN, Included


async def ask(asked: MarketNode, method: str, message: Message, by: MarketNode | PeerId) -> bytes:
    """One request as the mesh hands it to the handler."""
    peer = by.mesh.peer_id if isinstance(by, MarketNode) else by
    handler = asked.mesh._answerer._methods[method].handler
    return await handler(peer, messages.encode(message))


async def refusal(asked: MarketNode, method: str, message: Message, by: MarketNode | PeerId) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await ask(asked, method, message, by)
    return caught.value.code


def one_task(node: MarketNode) -> RequesterTask:
    (task,) = node.market.engine.states(TASK)
    assert isinstance(task, RequesterTask)
    return task


def one_job(node: MarketNode) -> ProviderJob:
    (job,) = node.market.engine.states(JOB)
    assert isinstance(job, ProviderJob)
    return job


# --- auction.commit -----------------------------------------------------------------------------------------------


async def bidding(world: MarketWorld, budget: int = 10 * AIN) -> tuple[MarketNode, MarketNode, MarketNode]:
    """Somebody who has bid, somebody who has not, and a submitter whose auction takes commits."""
    bidder = await world.provider("bidder", 2 * AIN)
    silent = await world.provider("silent", 20 * AIN)
    submitter = await world.submitter()
    await submitter.submit(budget)
    await trio.sleep(0.5)
    return bidder, silent, submitter


def commit_of(node: MarketNode, auction: AuctionId, genesis: bytes, **changes: Any) -> CommitRequest:
    unsigned = replace(Commit(AccountId(node.account), b"\7" * 32, 1, 10**9, b""), **changes)
    signature = changes.get("signature") or node.signer.sign(commit_message(genesis, auction, unsigned))
    return CommitRequest(
        auction=auction,
        provider=unsigned.provider,
        commit=unsigned.commit,
        seq=unsigned.seq,
        standing_until=unsigned.standing_until,
        signature=signature,
    )


async def test_a_commit_is_answered_by_a_signed_inclusion_twice_the_same(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    _, silent, submitter = await bidding(world)
    auction, genesis = one_task(submitter).auction, world.client.genesis_hash
    request = commit_of(silent, auction, genesis)

    first = messages.decode(CommitReceipt, await ask(submitter, "auction.commit", request, silent))
    again = messages.decode(CommitReceipt, await ask(submitter, "auction.commit", request, silent))

    message = inclusion_message(genesis, auction, AccountId(silent.account), request.commit, first.seen_block)
    assert signed_by(submitter.signer.node_key, message, first.signature)
    assert first == again


async def test_commits_are_refused_for_a_reason(world: MarketWorld, autojump_clock: MockClock) -> None:
    bidder, silent, submitter = await bidding(world)
    stranger = await world.submitter("stranger")
    task, genesis = one_task(submitter), world.client.genesis_hash
    auction = task.auction
    other = AuctionId(bytes(32))

    cases: list[tuple[CommitRequest, MarketNode, str]] = [
        (commit_of(silent, other, genesis), silent, "not_open"),
        (commit_of(stranger, auction, genesis), stranger, "not_a_provider"),
        (commit_of(silent, auction, genesis), stranger, "not_a_provider"),
        (commit_of(silent, auction, genesis, provider=AccountId(bidder.account)), silent, "not_a_provider"),
        (commit_of(silent, auction, genesis, standing_until=task.reveal_end), silent, "standing_too_short"),
        (commit_of(silent, auction, genesis, signature=bytes(64)), silent, "bad_signature"),
        (commit_of(silent, auction, bytes(32)), silent, "bad_signature"),
        (commit_of(bidder, auction, genesis), bidder, "already_committed"),
    ]
    for request, by, code in cases:
        assert await refusal(submitter, "auction.commit", request, by) == code


async def test_a_provider_without_stake_cannot_commit(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, silent, submitter = await bidding(world, 15 * AIN)
    outcome = silent.writer.submit(agent_registry.unbond(10 * AIN), b"unbond").result(0)
    assert isinstance(outcome, Included)
    await trio.lowlevel.checkpoint()
    submitter.ledger._fresh.clear()

    request = commit_of(silent, one_task(submitter).auction, world.client.genesis_hash)

    assert await refusal(submitter, "auction.commit", request, silent) == "stake_too_low"


async def test_a_payer_cannot_bid_on_its_own_task(world: MarketWorld, autojump_clock: MockClock) -> None:
    await world.provider("bidder", 2 * AIN)
    payer = await world.provider("payer", 2 * AIN)
    await payer.submit()
    await trio.sleep(0.5)

    request = commit_of(payer, one_task(payer).auction, world.client.genesis_hash)

    assert await refusal(payer, "auction.commit", request, payer) == "own_task"


async def test_a_commit_after_the_window_is_refused(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, silent, submitter = await bidding(world)
    auction = one_task(submitter).auction
    await trio.sleep(1.5)

    request = commit_of(silent, auction, world.client.genesis_hash)

    assert await refusal(submitter, "auction.commit", request, silent) == "not_open"


# --- auction.reveal -----------------------------------------------------------------------------------------------


async def test_a_bid_is_opened_only_under_the_root_on_chain(world: MarketWorld, autojump_clock: MockClock) -> None:
    bidder, _, submitter = await bidding(world)
    stranger = await world.submitter("stranger")
    auction = one_task(submitter).auction
    asked: list[RevealRequest] = []

    async def listen(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        asked.append(messages.decode(RevealRequest, body))
        raise RemoteRefusal("listening", "")

    early = RevealRequest(auction=auction, root=bytes(32), count=1, index=0, path=[], signature=bytes(64))
    assert await refusal(bidder, "auction.reveal", early, submitter) == "not_closed"
    bidder.twists["auction.reveal"] = listen
    while not asked:  # noqa: ASYNC110 — virtual time
        await trio.sleep(0.1)
    del bidder.twists["auction.reveal"]
    request = asked[0]

    change = msgspec.structs.replace
    assert await refusal(bidder, "auction.reveal", request, stranger) == "no_such_bid"
    assert await refusal(bidder, "auction.reveal", change(request, auction=bytes(32)), submitter) == "no_such_bid"
    assert await refusal(bidder, "auction.reveal", change(request, root=bytes(32)), submitter) == "other_root"
    assert await refusal(bidder, "auction.reveal", change(request, count=2), submitter) == "other_root"
    assert await refusal(bidder, "auction.reveal", change(request, index=1), submitter) == "not_my_leaf"
    assert await refusal(bidder, "auction.reveal", change(request, path=[bytes(32)]), submitter) == "not_my_leaf"
    unsigned = change(request, signature=bytes(64))
    assert await refusal(bidder, "auction.reveal", unsigned, submitter) == "unsigned_root"
    assert one_job(bidder).phase == "committed"
    opened = messages.decode(messages.Reveal, await ask(bidder, "auction.reveal", request, submitter))
    genesis = world.client.genesis_hash
    assert commit_hash(genesis, auction, opened.opening(AccountId(bidder.account))) == one_job(bidder).commit.commit
    assert one_job(bidder).phase == "revealed"


# --- task.input, task.output --------------------------------------------------------------------------------------


async def at_work(world: MarketWorld) -> tuple[MarketNode, MarketNode, MarketNode, EscrowHint]:
    """A winner at work, a loser, the submitter, and the escrow between winner and submitter."""
    winner = await world.provider("winner", 2 * AIN)
    loser = await world.provider("loser", 3 * AIN)
    submitter = await world.submitter()

    async def slowly(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        await trio.sleep(5)
        return await honest(peer, body)

    submitter.twists["task.input"] = slowly
    await submitter.submit()
    while (task := one_task(submitter)).escrow is None:  # noqa: ASYNC110 — virtual time
        await trio.sleep(0.1)
    await trio.sleep(0.1)
    del submitter.twists["task.input"]
    return winner, loser, submitter, EscrowHint(auction=task.auction, escrow=task.escrow)


async def test_the_input_is_for_the_winner_only(world: MarketWorld, autojump_clock: MockClock) -> None:
    winner, loser, submitter, hint = await at_work(world)
    change = msgspec.structs.replace

    assert await refusal(submitter, "task.input", hint, loser) == "not_the_winner"
    assert await refusal(submitter, "task.input", change(hint, escrow=bytes(32)), winner) == "no_such_escrow"
    assert await refusal(submitter, "task.input", change(hint, auction=bytes(32)), winner) == "no_such_escrow"
    submitter.blobs.kept.pop(one_task(submitter).input_sha256)
    assert await refusal(submitter, "task.input", hint, winner) == "gone"


async def test_the_output_is_served_after_the_delivery_to_the_requester_only(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    winner, loser, submitter, hint = await at_work(world)
    change = msgspec.structs.replace

    assert await refusal(winner, "task.output", hint, submitter) == "not_delivered"
    await world.quiet()
    assert await refusal(winner, "task.output", hint, loser) == "not_delivered"
    assert await refusal(winner, "task.output", change(hint, escrow=bytes(32)), submitter) == "not_delivered"
    assert await refusal(loser, "task.output", hint, submitter) == "not_delivered"
    assert b"HELLO" in await ask(winner, "task.output", hint, submitter)
    winner.blobs.kept.clear()
    assert await refusal(winner, "task.output", hint, submitter) == "gone"


# --- hints --------------------------------------------------------------------------------------------------------


async def test_only_the_auctioneer_tells_a_loser_how_it_ended(world: MarketWorld, autojump_clock: MockClock) -> None:
    _, loser, submitter, hint = await at_work(world)
    await world.quiet()
    stranger = await world.submitter("stranger")
    lie = ResultNotice(
        auction=hint.auction,
        outcome="outbid",
        price=messages.money(1),
        own_adjusted=messages.money(1),
        transcript=bytes(32),
    )
    before = await loser.market.auctions.why({"auction": hint.auction.hex()})

    assert await refusal(loser, "auction.result", lie, stranger) == "no_such_bid"
    assert await refusal(submitter, "auction.result", lie, submitter) == "no_such_bid"
    assert await loser.market.auctions.why({"auction": hint.auction.hex()}) == before


async def test_a_pass_for_no_auction_is_swallowed(world: MarketWorld, autojump_clock: MockClock) -> None:
    node = await world.submitter()

    answer = await ask(node, "auction.pass", messages.PassNotice(auction=bytes(32), code="no_slot"), PeerId("x"))

    assert answer == b""


# --- the ear of providers -----------------------------------------------------------------------------------------

Change = Callable[[MarketWorld, MarketNode, MarketNode], Awaitable[None] | None]


@pytest.mark.parametrize(
    ("code", "settings", "budget"),
    [("no_slot", {"max_open_jobs": 0}, 10), ("ask_above_reserve", {}, 1), ("stake_too_low", {}, 30)],
)
async def test_each_no_is_said_and_counted(
    world: MarketWorld, autojump_clock: MockClock, code: str, settings: dict[str, Any], budget: int
) -> None:
    await world.provider("provider", 2 * AIN, **settings)
    submitter = await world.submitter()

    done = await submitter.final(await submitter.submit(budget * AIN))

    assert (done["phase"], done["reasons"]) == ("refunded", [[code, 1]])
    why = await submitter.market.auctions.why({"task": done["task"]})
    assert [r["code"] for r in why["reasons"]] == [code]
    assert why["reasons"][0]["sentence"] != code


async def test_an_announcement_in_another_name_is_not_believed(world: MarketWorld, autojump_clock: MockClock) -> None:
    """Somebody else announces the submitter's auction to collect its bids."""
    provider = await world.provider("provider", 2 * AIN)
    thief = await world.submitter("thief")
    submitter = await world.submitter()
    heard: list[bytes] = []
    publish = submitter.mesh.publish

    async def stolen(topic: str, body: bytes) -> None:
        heard.append(body)
        await thief.mesh.publish(topic, body)

    submitter.mesh.publish = stolen  # type: ignore[method-assign]
    task = await submitter.submit()
    await trio.sleep(3)
    submitter.mesh.publish = publish  # type: ignore[method-assign]
    done = await submitter.final(task)

    assert heard
    assert provider.counters.counters()["pass.no_hold"] >= 1
    assert await provider.store.recent("job", 10) == [] or done["phase"] == "settled"
