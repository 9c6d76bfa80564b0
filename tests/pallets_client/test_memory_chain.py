"""The in-memory chain: an auction from open to payment, and what it refuses."""

from __future__ import annotations

import pytest

from pallets_client.keys import Sr25519, development_seed
from pallets_client.pallets import balances, escrow
from pallets_client.pallets.escrow import Delivered, Funded, Settled, Settlement
from pallets_client.pallets.vcg_auction import Awarded, Closed, Open, fee_of
from pallets_client.records import AIN, Expired, Failed, Included, Refused, Signed, StillPossible
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter
from pallets_client.testing.actors import Auctioning, Party

PRICE = 3 * AIN


class Market:
    def __init__(self) -> None:
        self.chain = InMemoryChain(sudo=Sr25519(development_seed("root")).account)
        self.client = MemoryClient(self.chain)
        self.payer = self.party("payer")
        self.winner, self.loser = self.party("winner"), self.party("loser")
        self.root = self.party("root")
        for provider in (self.winner, self.loser):
            for call in (provider.bind(self.client.genesis_hash), provider.register(), provider.offer()):
                assert isinstance(provider.do(call), Included)
        self.auction = Auctioning(self.client.genesis_hash, self.payer, bytes(32))

    def party(self, name: str) -> Party:
        party = Party.named(name, lambda key: MemoryWriter(self.chain, key))
        self.chain.endow(party.account, 100 * AIN)
        return party

    def closed(self) -> None:
        assert isinstance(self.payer.do(self.auction.open(self.client.market_now())), Included)
        self.auction.bid(self.winner, 2 * AIN)
        self.auction.bid(self.loser, PRICE)
        self.chain.advance(201)
        assert isinstance(self.payer.do(self.auction.close()), Included)

    def funded(self) -> bytes:
        self.closed()
        outcome = self.payer.do(self.auction.award(self.winner, PRICE))
        assert isinstance(outcome, Included), outcome
        return self.auction.escrow_id()


@pytest.fixture
def market() -> Market:
    return Market()


def test_the_winner_is_paid_and_no_planck_is_lost(market: Market) -> None:
    before = market.client.account(market.winner.account).free

    id_ = market.funded()
    assert market.client.escrow(id_).state == Funded()
    market.winner.do(escrow.deliver(id_, 0, b"d" * 32))
    assert isinstance(market.client.escrow(id_).state, Delivered)
    market.payer.do(escrow.accept(id_, 0, verified=True))

    assert market.client.escrow(id_).state == Settled(Settlement.PAID, 201)
    assert market.client.account(market.winner.account).free == before + PRICE - market.chain.fee
    assert not market.client.account(market.payer.account).held
    assert market.client.audit().difference == 0
    score = market.client.score(market.winner.account, market.client.auction(market.auction.id).capability)
    assert score.a == fee_of(PRICE, 100)


def test_the_states_of_an_auction_follow_its_calls(market: Market) -> None:
    market.payer.do(market.auction.open(0))
    assert market.client.auction(market.auction.id).state == Open()

    market.auction.bid(market.winner, AIN)
    market.chain.advance(201)
    market.payer.do(market.auction.close())
    closed = market.client.auction(market.auction.id).state
    assert isinstance(closed, Closed)

    market.payer.do(market.auction.award(market.winner, AIN))
    awarded = market.client.auction(market.auction.id).state
    assert isinstance(awarded, Awarded)
    assert awarded.beacon == market.client.block(closed.block).hash


def test_a_refused_call_changes_nothing_but_the_fee(market: Market) -> None:
    id_ = market.funded()
    before = market.client.account(market.loser.account).free

    outcome = market.loser.do(escrow.deliver(id_, 0, bytes(32)))

    assert isinstance(outcome, Failed)
    assert outcome.error == "Escrow.NotParty"
    assert market.client.account(market.loser.account).free == before - market.chain.fee
    assert market.client.escrow(id_).state == Funded()


def test_a_failed_winner_falls_to_the_runner_up(market: Market) -> None:
    id_ = market.funded()
    market.chain.advance(2_001)

    assert isinstance(market.loser.do(escrow.refund(id_)), Included)
    again = market.payer.do(market.auction.award(market.loser, PRICE))

    assert isinstance(again, Included), again
    assert market.client.auction(market.auction.id).failed == (market.winner.account,)
    assert market.client.provider(market.winner.account).stake == 20 * AIN - PRICE // 5
    assert market.client.audit().difference == 0


def test_an_unanswered_delivery_is_released_to_the_provider_by_anyone(market: Market) -> None:
    id_ = market.funded()
    market.winner.do(escrow.deliver(id_, 0, bytes(32)))
    early = market.loser.do(escrow.auto_release(id_))
    market.chain.advance(1_001)

    assert early.error == "Escrow.TooEarly"
    assert isinstance(market.loser.do(escrow.auto_release(id_)), Included)
    assert market.client.escrow(id_).state.outcome is Settlement.AUTO


def test_root_rules_on_a_dispute(market: Market) -> None:
    id_ = market.funded()
    market.winner.do(escrow.deliver(id_, 0, bytes(32)))
    assert isinstance(market.payer.do(escrow.dispute(id_, 0, 2, bytes(32))), Included)

    assert isinstance(market.payer.do(balances.sudo(escrow.resolve(id_, 0))), Failed)
    assert isinstance(market.root.do(balances.sudo(escrow.resolve(id_, 0))), Included)

    assert market.client.escrow(id_).state.outcome is Settlement.RULED
    assert not market.client.account(market.payer.account).held
    assert market.client.audit().difference == 0


def test_a_paused_chain_keeps_calls_until_it_seals(market: Market) -> None:
    market.chain.paused = True
    future = market.payer.writer.submit(balances.transfer(market.loser.account, AIN), b"ref")

    assert not future.done()
    market.chain.seal()
    assert isinstance(future.result(0), Included)


def test_a_lost_call_expires_with_its_era_and_can_be_looked_up() -> None:
    chain = InMemoryChain()
    signed: list[Signed] = []
    key = Sr25519(development_seed("payer"))
    chain.endow(key.account, AIN)
    writer = MemoryWriter(chain, key, era_blocks=4, on_signed=signed.append)
    chain.paused = True
    future = writer.submit(balances.transfer(bytes(32), AIN // 2), b"ref")
    chain.lose_pool()

    row = signed[0]
    assert isinstance(writer.lookup(row.hash, row.block, row.era_end_block), StillPossible)
    for _ in range(4):
        chain.advance(1)

    assert future.result(0) == Expired(row.era_end_block)
    assert writer.lookup(row.hash, row.block, row.era_end_block) == Expired(row.era_end_block)


def test_who_cannot_pay_the_fee_is_refused_by_the_pool() -> None:
    chain = InMemoryChain()
    writer = MemoryWriter(chain, Sr25519(development_seed("poor")))

    assert isinstance(writer.submit(balances.transfer(bytes(32), AIN), b"").result(0), Refused)


def test_the_outbox_is_told_before_anything_leaves() -> None:
    chain = InMemoryChain()
    key = Sr25519(development_seed("payer"))
    chain.endow(key.account, AIN)

    def full(_: Signed) -> None:
        raise OSError("disk full")

    future = MemoryWriter(chain, key, on_signed=full).submit(balances.transfer(bytes(32), 1), b"")

    with pytest.raises(OSError, match="disk full"):
        future.result(0)
    assert chain.head().number == 0


def test_a_call_on_its_way_is_not_signed_twice_under_one_ref() -> None:
    chain = InMemoryChain()
    key = Sr25519(development_seed("payer"))
    chain.endow(key.account, 3 * AIN)
    signed: list[Signed] = []
    writer = MemoryWriter(chain, key, on_signed=signed.append)
    chain.paused = True
    futures = [writer.submit(balances.transfer(bytes(32), AIN), b"ref") for _ in range(2)]

    chain.seal()

    assert len(signed) == 1
    assert futures[0].result(0) == futures[1].result(0)
    assert MemoryClient(chain).account(bytes(32)).free == AIN


def test_market_time_follows_the_clock_with_heartbeats() -> None:
    time = [0]
    chain = InMemoryChain(clock=lambda: time[0])

    time[0] = 10_500
    assert chain.head().number >= 2
    assert 8_500 < chain.world.now <= 10_500
