"""Providers that try to be paid for nothing, or to end the node that trusted their bid."""

from dataclasses import replace
from typing import Any

import msgspec
import trio
from market_world import MarketNode, MarketWorld, manifest_of
from trio.testing import MockClock

from ainur_node.domain.agent import Offer
from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.domain.money import Amount
from ainur_node.market import messages
from ainur_node.ports import RemoteRefusal
from pallets_client.records import AIN


def bids_anyway(node: MarketNode, ask: int) -> None:
    """Have a node bid without asking its policies."""
    bidder = node.market.bidder
    honest = bidder._bid

    async def always(*_: Any) -> None:
        await trio.lowlevel.checkpoint()

    def bid(announce: Any, spec: Any, offer: Offer, *rest: Any) -> Any:
        return honest(announce, spec, replace(offer, ask=Amount(ask)), *rest)

    bidder._judge = always  # type: ignore[method-assign,assignment]
    bidder._bid = bid  # type: ignore[method-assign]


async def test_an_ask_that_fits_no_transcript_does_not_end_the_auctioneer(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    await world.provider("honest", 2 * AIN)
    hostile = await world.provider("hostile", 3 * AIN)
    bids_anyway(hostile, 2**128 - 1)
    submitter = await world.submitter()

    done = await submitter.final(await submitter.submit())

    assert done["phase"] == "settled"
    assert submitter.starts == 1


async def test_a_winner_that_exchanges_its_package_after_the_award_is_still_replayed(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    hostile = await world.provider("hostile", 2 * AIN)
    await world.provider("honest", 3 * AIN)
    submitter = await world.submitter()
    hostile.sandbox.work = lambda _: b'{"said": "nothing of the kind"}'
    other = read_manifest(manifest_of("loud", version="2", module={"sha256": "ab" * 32, "size": 5}))
    assert isinstance(other, Manifest)

    async def exchange() -> None:
        await hostile.market.agents._registrar.register_agent(other)

    def heard(life: str, key: bytes, fact: Any, state: Any) -> None:
        if type(fact).__name__ == "Awarded":
            world.nursery.start_soon(exchange)

    hostile.market.engine.listeners.append(heard)
    task = await submitter.submit()
    with trio.fail_after(300):
        while "Mismatch" not in (kinds := await submitter.facts("task", task)):
            assert "Settled" not in kinds, "paid without having looked"
            await trio.sleep(0.1)


async def test_a_job_whose_input_never_came_ends_with_its_escrow(world: MarketWorld, autojump_clock: MockClock) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()

    async def refuse(honest: Any, peer: Any, body: bytes) -> bytes:
        raise RemoteRefusal("gone", "the input is no longer stored here")

    submitter.twists["task.input"] = refuse

    def heard(life: str, key: bytes, fact: Any, state: Any) -> None:
        if type(fact).__name__ == "Awarded":
            provider.crash()

    provider.market.engine.listeners.append(heard)
    task = await submitter.submit()
    auction = (await submitter.show(task))["auction"]
    await world.restart(provider, after=30)
    await submitter.final(task)

    job = await provider.job(auction)

    assert str(job.phase) == "unpaid"


async def test_announcements_of_auctions_that_do_not_exist_do_not_keep_a_provider_from_bidding(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    provider = await world.provider("provider", 2 * AIN)
    submitter = await world.submitter()
    liar = await world.submitter("liar")
    heard: list[bytes] = []
    stranger = aiter(liar.mesh.subscribe("auctions"))
    await submitter.final(await submitter.submit())
    heard.append((await anext(stranger)).body)

    async def flood() -> None:
        number = 0
        while True:
            announce = msgspec.structs.replace(
                messages.decode(messages.Announce, heard[0]), auction=number.to_bytes(32, "little")
            )
            await liar.mesh.publish("auctions", messages.encode(announce))
            number += 1
            await trio.sleep(0.005)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        await trio.sleep(5)
        ends = [await submitter.final(await submitter.submit()) for _ in range(3)]
        nursery.cancel_scope.cancel()

    assert [(end["phase"], end["attempt"]) for end in ends] == [("settled", 0)] * 3
    assert provider.counters.counters()["announcements_dropped"] > 100
