"""How many channels a node serves and opens, and where it looks for whom it pays."""

from __future__ import annotations

import pytest
import trio
from channel_nodes import PRICE, opened, two
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.ids import ChannelId
from ainur_node.domain.money import Amount
from ainur_node.errors import Transient
from ainur_node.market import channel_earning, channel_paying
from ainur_node.market import channel_messages as wire
from ainur_node.market.messages import encode, money
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc.messages import Refuse
from pallets_client.keys import NodeKey


async def test_channels_that_pay_nothing_make_room_for_those_that_do(
    world: MarketWorld, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_earning, "MAX_CHANNELS", 2)
    payer, payee = await two(world)
    names = [await opened(payer, payee) for _ in range(4)]
    for name in names[:2]:
        forged = wire.PayRequest(bytes.fromhex(name), money(PRICE), 1, bytes(64))
        with pytest.raises(RemoteRefusal, match="bad_voucher"):
            await payer.mesh.request(payee.mesh.peer_id, wire.PAY, encode(forged), timeout=5)
    await payer.pay(names[2])
    await payer.pay(names[3])

    with pytest.raises(Refuse, match="too_many_channels"):
        await payer.pay(names[0])
    assert {record.state.channel.hex() for record in payee.channels.earning.records()} == set(names[2:])


async def test_no_more_channels_are_opened_at_once_than_one_after_the_other(
    world: MarketWorld, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_paying, "MAX_CHANNELS", 2)
    payer, payee = await two(world)
    refused: list[Refuse] = []

    async def one_more() -> None:
        try:
            await opened(payer, payee)
        except Refuse as exc:
            refused.append(exc)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(one_more)

    assert [no.code for no in refused] == ["too_many_channels"] * 3
    assert len(payer.channels.paying.records()) == 2


async def test_a_payee_that_moved_to_another_node_is_found_there(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    paying = payer.channels.paying
    paying._node_keys[payee.account] = NodeKey(bytes(32)).public  # type: ignore[assignment, index] # where it was

    with pytest.raises(Transient):
        await paying.pay(ChannelId(bytes.fromhex(channel)), Amount(PRICE))
    await payer.pay(channel)

    assert (await payee.ask("channel.show", channel=channel))["promised"] == str(2 * PRICE)
