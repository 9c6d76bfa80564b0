"""Openings whose caller went away: the node neither loses the channel nor holds a second deposit for it."""

from __future__ import annotations

import channel_nodes
import pytest
import trio
import trio.testing
from channel_nodes import PRICE, TIMES, ChannelNode, opened, two, until
from market_fakes import PowerCut
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.ids import ChannelId
from ainur_node.errors import Transient
from ainur_node.market.settings import MarketSettings
from ainur_node.rpc.messages import Refuse
from pallets_client.pallets import channels
from pallets_client.records import AIN, Included

BRIEF = 1.0
"""Seconds after which these callers hang up; no block has the call by then."""


async def hung_up(world: MarketWorld, payer: ChannelNode, payee: ChannelNode) -> None:
    """An open whose caller leaves while the extrinsic waits in the pool."""
    world.chain.paused = True
    with trio.move_on_after(BRIEF):
        await opened(payer, payee)
    assert [record.opening for record in payer.channels.paying.records()] == [True]


async def refused(payer: ChannelNode, payee: ChannelNode) -> Refuse:
    with trio.fail_after(BRIEF), pytest.raises(Refuse, match="opening") as no:
        await opened(payer, payee)
    return no.value


def sealed(world: MarketWorld) -> None:
    world.chain.paused = False
    world.chain.seal()


def known(node: ChannelNode) -> set[bytes]:
    return {bytes(record.state.channel) for record in node.channels.paying.records() if not record.opening}


def on_chain(world: MarketWorld, payer: ChannelNode) -> set[bytes]:
    return {name for name, found in world.chain.world.channels.items() if found.payer == payer.account}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An era is 64 heartbeats; what takes longer never ends."""
    monkeypatch.setattr(channel_nodes, "PATIENCE", 200.0)


@pytest.fixture
def _nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ``open`` itself finds out what became of an earlier one."""
    monkeypatch.setattr(ChannelNode, "watching", False)


async def test_a_payee_whose_opening_is_on_its_way_is_refused_a_second_one(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    await hung_up(world, payer, payee)

    no = await refused(payer, payee)

    assert "ainur channel show" in no.hint
    sealed(world)
    assert payer.held(channels.HOLD) == AIN


@pytest.mark.usefixtures("_nobody_looks")
async def test_an_open_that_is_repeated_after_its_block_shows_both_channels(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    await hung_up(world, payer, payee)
    await refused(payer, payee)
    sealed(world)
    first = on_chain(world, payer)

    second = await opened(payer, payee)

    assert known(payer) == on_chain(world, payer) == {*first, bytes.fromhex(second)}
    assert payer.held(channels.HOLD) == 2 * AIN
    for name in known(payer):
        await payer.pay(name.hex())


async def test_an_opening_that_outlives_its_process_still_stands_in_the_way(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    await hung_up(world, payer, payee)
    payer.crash()
    await world.restart(payer)

    await refused(payer, payee)

    sealed(world)
    await until(lambda: known(payer))
    assert known(payer) == on_chain(world, payer)


@pytest.mark.usefixtures("_nobody_looks")
async def test_an_opening_whose_era_passed_stands_in_nobodys_way(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    await hung_up(world, payer, payee)
    world.chain.lose_pool()
    await refused(payer, payee)
    world.chain.paused = False
    await until(lambda: not world.chain.lost)

    channel = await opened(payer, payee)

    assert known(payer) == on_chain(world, payer) == {bytes.fromhex(channel)}
    assert len(payer.channels.paying.records()) == 1


@pytest.mark.usefixtures("_nobody_looks")
async def test_an_opening_that_was_never_signed_stands_in_nobodys_way(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    payer.writer._closed = True  # as when the chain cannot be reached: nothing is signed
    with pytest.raises(Transient):
        await opened(payer, payee)
    payer.writer._closed = False

    channel = await opened(payer, payee)

    assert known(payer) == on_chain(world, payer) == {bytes.fromhex(channel)}


async def test_an_opened_channel_that_the_payee_closed_unseen_is_forgotten(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    await hung_up(world, payer, payee)
    sealed(world)
    [channel] = on_chain(world, payer)
    assert isinstance(world.chain.apply(payee.account, channels.close(channel, None)), Included)

    with trio.fail_after(TIMES["life_ms"] / 2_000):  # long before it would have expired
        await until(lambda: not payer.channels.paying.records())

    assert await opened(payer, payee)


async def test_another_payee_does_not_wait_for_it(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    other = ChannelNode(world, "other", MarketSettings())
    world.chain.endow(other.account, AIN)
    other.bind()
    await hung_up(world, payer, payee)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(opened, payer, other)
        await trio.testing.wait_all_tasks_blocked()
        sealed(world)
    await until(lambda: len(known(payer)) == 2)

    assert known(payer) == on_chain(world, payer)
    assert len(payer.channels.paying.records()) == 2


async def test_a_channel_that_got_another_counter_outlives_a_crash_while_it_is_renamed(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    real = payer.store.delete_doc

    async def dying(kind: str, key: bytes) -> None:
        await real(kind, key)
        payer.crash()
        raise PowerCut

    async def open_and_die() -> None:
        with pytest.raises((PowerCut, BaseExceptionGroup)):
            await opened(payer, payee)

    world.chain.paused = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_and_die)
        await trio.testing.wait_all_tasks_blocked()
        elsewhere = channels.open_(other_account(), session(), AIN, 10_000, world.chain.world.now + 600_000)
        assert isinstance(world.chain.apply(payer.account, elsewhere), Included)  # it takes the counter
        payer.store.delete_doc = dying  # type: ignore[method-assign]
        sealed(world)
    payer.store.delete_doc = real  # type: ignore[method-assign]
    await world.restart(payer)

    await until(lambda: len(known(payer)) == len(payer.channels.paying.records()) == 1)

    [channel] = known(payer)
    assert channel in on_chain(world, payer)
    assert (await payer.pay(channel.hex()))[-1]["total"] == str(PRICE)


@pytest.mark.usefixtures("_nobody_looks")
async def test_a_chain_that_is_behind_never_makes_a_channel_forget_what_it_promised(
    world: MarketWorld, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    await payer.pay(channel, 3)
    monkeypatch.setattr(world.client, "channel_counter", lambda _payer: 0)

    with pytest.raises(Transient, match="behind"):
        await opened(payer, payee)

    record = await payer.channels.paying.record(ChannelId(bytes.fromhex(channel)))
    assert record is not None
    assert record.state.signed == 3 * PRICE
    assert payer.held(channels.HOLD) == AIN


def other_account() -> bytes:
    return b"o" * 32


def session() -> channels.SessionKey:
    return channels.SessionKey(channels.KeyKind.ED25519, b"k" * 32)
