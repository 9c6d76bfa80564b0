"""Two nodes and a payment channel between them: steps, ends, crashes, and payers that lie or vanish."""

from __future__ import annotations

from typing import Any

import pytest
from channel_nodes import PRICE, TIMES, gone, opened, two, until
from market_fakes import PowerCut
from market_world import MarketWorld
from trio.testing import MockClock

from ainur_node.domain.ids import ChannelId, PeerId
from ainur_node.market import channel_messages as wire
from ainur_node.market.messages import decode, encode, money
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc.messages import Refuse
from pallets_client.pallets import channels
from pallets_client.pallets.channels import Voucher
from pallets_client.records import AIN, Included


async def test_a_hundred_steps_cost_two_calls(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    rich = payee.wealth()
    channel = await opened(payer, payee)
    items = await payer.pay(channel, 100)
    assert [item["step"] for item in items] == list(range(1, 101))
    assert items[-1]["total"] == str(100 * PRICE)
    before = len(await payee.store.outbox(1000))

    closed = await payee.ask("channel.close", channel=channel)

    assert (closed["how"], closed["paid"], closed["state"]) == ("by_payee", str(100 * PRICE), "by_payee")
    assert len(await payee.store.outbox(1000)) == before + 1
    assert payee.wealth() == rich + 100 * PRICE - world.chain.fee
    assert payer.held(channels.HOLD) == 0
    await until(lambda: not payer.channels.paying.records())
    shown = await payer.ask("channel.show", channel=channel)
    assert (shown["state"], shown["paid"]) == ("closed", str(100 * PRICE))


async def test_both_sides_agree_and_the_channel_is_closed_at_once(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    await payer.pay(channel, 7)

    closed = await payer.ask("channel.close", channel=channel)

    assert (closed["how"], closed["paid"], closed["returned"]) == ("mutual", str(7 * PRICE), str(AIN - 7 * PRICE))
    assert gone(world, channel)
    await until(lambda: not payee.channels.earning.records())
    with pytest.raises(Refuse, match="channel_closed"):
        await payer.ask("channel.close", channel=channel)


async def test_a_payee_that_is_away_is_paid_by_the_chain_and_the_rest_comes_back(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    channel, rich = await opened(payer, payee), payee.wealth()
    await payer.pay(channel, 5)
    world.network.cut(payer.mesh.peer_id, payee.mesh.peer_id)

    closed = await payer.ask("channel.close", channel=channel)

    assert closed["how"] == "requested"
    assert closed["state"] == "closing"
    await until(lambda: gone(world, channel))
    assert payee.wealth() == rich + 5 * PRICE - world.chain.fee
    with pytest.raises(Refuse, match="no_channel"):
        await payer.pay("0" * 64)


async def test_a_payer_that_vanishes_still_pays_what_it_promised(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    channel, rich = await opened(payer, payee, life_ms=40_000), payee.wealth()
    await payer.pay(channel, 30)
    payer.crash()

    await until(lambda: gone(world, channel))

    assert payee.wealth() == rich + 30 * PRICE - world.chain.fee
    assert world.client.account(payer.account).held.get(channels.HOLD, 0) == 0


async def test_a_payer_that_closes_with_an_old_voucher_pays_the_newest(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    channel, rich = await opened(payer, payee), payee.wealth()
    await payer.pay(channel, 3)
    old = (await payer.ask("channel.show", channel=channel))["voucher"]
    await payer.pay(channel, 30)
    voucher = Voucher(int(old["cumulative"]), old["seq"], bytes.fromhex(old["signature"]))
    for call in (channels.claim(bytes.fromhex(channel), voucher), channels.request_close(bytes.fromhex(channel))):
        assert isinstance(world.chain.apply(payer.account, call), Included)
    assert payee.wealth() == rich + 3 * PRICE

    await until(lambda: gone(world, channel))

    assert payee.wealth() == rich + 33 * PRICE - world.chain.fee


async def test_a_payee_has_its_best_voucher_on_disk_before_it_answers(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    await payer.pay(channel, 4)
    payee.crash()
    await world.restart(payee)

    record = await payee.channels.earning.record(ChannelId(bytes.fromhex(channel)))

    assert record is not None
    assert record.state.promised == 4 * PRICE
    assert record.steps == 4
    assert (await payer.pay(channel, 1))[-1]["total"] == str(5 * PRICE)


async def test_a_payer_that_comes_back_never_signs_a_total_twice(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    heard: list[Voucher] = []

    async def eavesdrop(handler: Any, peer: PeerId, body: bytes) -> bytes:
        voucher = decode(wire.PayRequest, body).voucher()
        heard.append(Voucher(voucher.cumulative, voucher.seq, voucher.signature))
        answer: bytes = await handler(peer, body)
        return answer

    payee.mesh.twists[wire.PAY] = eavesdrop
    for _ in range(5):
        await payer.pay(channel, 2)
        payer.crash()
        await world.restart(payer)
    by_total: dict[int, set[tuple[int, bytes]]] = {}
    for voucher in heard:
        by_total.setdefault(voucher.cumulative, set()).add((voucher.seq, voucher.signature))

    assert sorted(by_total) == [n * PRICE for n in range(1, 11)]
    assert all(len(said) == 1 for said in by_total.values())


async def test_an_open_whose_answer_was_lost_is_found_again(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    real = payer.store.put_doc
    docs = 0

    async def dying(kind: str, key: bytes, doc: str) -> None:
        nonlocal docs
        docs += kind == "channel_paying"
        if docs == 2:  # the open is in a block, its answer not on disk
            payer.crash()
            raise PowerCut
        await real(kind, key, doc)

    payer.store.put_doc = dying  # type: ignore[method-assign]
    with pytest.raises((PowerCut, BaseExceptionGroup)):
        await payer.ask("channel.open", payee=payee.account.hex(), deposit=str(AIN), **TIMES)
    payer.store.put_doc = real  # type: ignore[method-assign]
    await world.restart(payer)

    await until(lambda: [r for r in payer.channels.paying.records() if not r.opening])

    channel = payer.channels.paying.records()[0].state.channel.hex()
    assert payer.held(channels.HOLD) == AIN
    assert (await payer.pay(channel, 1))[-1]["total"] == str(PRICE)


async def test_liars_are_refused_with_a_code_and_learn_nothing(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    channel = bytes.fromhex(await opened(payer, payee))
    await payer.pay(channel.hex(), 2)

    async def says(method: str, message: Any) -> str:
        with pytest.raises(RemoteRefusal) as refused:
            await payer.mesh.request(payee.mesh.peer_id, method, encode(message), timeout=5)
        return refused.value.code

    forged = wire.PayRequest(channel, money(5 * PRICE), 3, bytes(64))
    unknown = wire.PayRequest(b"?" * 32, money(PRICE), 1, bytes(64))
    assert await says(wire.PAY, forged) == "bad_voucher"
    assert await says(wire.PAY, unknown) == "no_channel"
    assert await says(wire.SETTLE, wire.SettleRequest(channel, money(PRICE), 10, bytes(64))) == "bad_consent"
    record = await payee.channels.earning.record(ChannelId(channel))
    assert record is not None
    assert record.state.promised == 2 * PRICE


async def test_a_step_beyond_the_deposit_waits_for_a_top_up(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee, deposit=AIN)
    await payer.pay(channel, 1, AIN)
    with pytest.raises(Refuse, match="channel_empty"):
        await payer.pay(channel, 1)
    topped = await payer.ask("channel.top_up", channel=channel, amount=str(AIN))

    assert topped["deposit"] == str(2 * AIN)
    assert (await payer.pay(channel, 1))[-1]["left"] == str(AIN - PRICE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deposit": "1"}, "bad_deposit"),
        ({"deposit": str(5_000 * AIN)}, "not_enough_free"),
        ({"challenge_ms": 9_999}, "bad_challenge"),
        ({"challenge_ms": 3_600_001}, "bad_challenge"),
        ({"life_ms": 19_999}, "bad_expiry"),
        ({"life_ms": 2_592_000_001}, "bad_expiry"),
        ({"payee": "00" * 32}, "payee_unknown"),
        ({"payee": "xx"}, "bad_id"),
        ({"deposit": "-1"}, "bad_amount"),
    ],
)
async def test_nothing_is_held_for_a_channel_that_cannot_be(
    world: MarketWorld, autojump_clock: MockClock, changes: dict[str, Any], code: str
) -> None:
    payer, payee = await two(world)
    asked = {"payee": payee.account.hex(), "deposit": str(AIN), **TIMES, **changes}

    with pytest.raises(Refuse, match=code):
        await payer.ask("channel.open", **asked)

    assert payer.held(channels.HOLD) == 0
    assert payer.channels.paying.records() == []


async def test_many_channels_are_claimed_in_one_batch(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    names = [await opened(payer, payee, life_ms=60_000) for _ in range(5)]
    for name in names:
        await payer.pay(name, 3)
    payer.crash()

    await until(lambda: all(gone(world, name) for name in names))

    claims = [row.call for row in await payee.store.outbox(100) if "claim" in row.call]
    assert claims == ["Channels.claim_batch"]


async def test_a_quote_moves_nothing_and_says_what_it_would_take(world: MarketWorld, autojump_clock: MockClock) -> None:
    payer, payee = await two(world)
    asked = {"payee": payee.account.hex(), "deposit": str(AIN), **TIMES}
    quoted = await payer.ask("quote.channel_open", **asked)
    assert quoted["holds"] == {channels.HOLD: str(AIN)}
    assert int(quoted["total"]) == AIN + world.chain.fee
    assert quoted["affordable"] is True
    assert (await payer.ask("quote.channel_open", **{**asked, "deposit": str(2_000 * AIN)}))["affordable"] is False
    assert payer.held(channels.HOLD) == 0

    channel = await opened(payer, payee)
    await payer.pay(channel, 2)
    assert (await payer.ask("quote.channel_top_up", channel=channel, amount=str(AIN)))["total"] == quoted["total"]
    assert (await payer.ask("quote.channel_close", channel=channel))["frees"] == str(AIN - 2 * PRICE)
    assert (await payee.ask("quote.channel_close", channel=channel))["receives"] == str(2 * PRICE)
    assert payer.held(channels.HOLD) == AIN


async def test_a_channel_taken_for_closed_by_mistake_keeps_its_best_voucher(
    world: MarketWorld, autojump_clock: MockClock
) -> None:
    payer, payee = await two(world)
    channel = await opened(payer, payee)
    await payer.pay(channel, 3)
    earning = payee.channels.earning
    known = earning._open[ChannelId(bytes.fromhex(channel))]
    await earning._ended(known, "closed", known.record.state.promised)
    assert (await payee.ask("channel.show", channel=channel))["state"] == "closed"

    await payer.pay(channel, 1)

    shown = await payee.ask("channel.show", channel=channel)
    assert (shown["state"], shown["promised"], shown["steps"]) == ("open", str(4 * PRICE), 4)
