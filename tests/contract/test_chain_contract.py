"""The same deals on the in-memory chain and on the real runtime: same states, same money, nothing lost."""

from __future__ import annotations

from dataclasses import replace

from chain_deal import BOND, BOND_REASON, BUDGET, DELIVERY, FEE, FUNDS, LOCK, PRICE, RESERVE, STAKE, STAKE_REASON, Deal
from chain_world import World

from pallets_client.hashing import sha256
from pallets_client.pallets import balances, escrow, vcg_auction
from pallets_client.pallets.escrow import Delivered, Disputed, Funded, Settlement
from pallets_client.pallets.reputation import NEUTRAL_SCORE, penalty, quality
from pallets_client.pallets.vcg_auction import (
    Awarded,
    Closed,
    NoSale,
    Open,
    Void,
    fee_of,
)
from pallets_client.records import AIN, Included
from pallets_client.testing.actors import Auctioning


def test_open_close_award_deliver_accept_pays_the_provider_to_the_planck(world: World) -> None:
    deal = Deal(world)
    sink = world.sink()
    fees = sum(world.fees.values())

    deal.opened()
    assert deal.state().state == Open()
    assert (deal.state().reserve, deal.state().bond) == (RESERVE, BOND)
    assert world.held(deal.payer) == {FUNDS: BUDGET, BOND_REASON: BOND}
    deal.auction.bid(deal.winner, 2 * AIN)
    deal.auction.bid(deal.other, PRICE)
    world.wait_past(deal.state().commit_end)
    closing = world.ok(deal.payer, deal.auction.close())
    closed = deal.state().state
    assert isinstance(closed, Closed)
    assert (closed.count, closed.block) == (2, closing.block_number)
    world.ok(deal.payer, deal.auction.award(deal.winner, PRICE))
    awarded = deal.state().state
    assert isinstance(awarded, Awarded)
    assert (awarded.beacon, awarded.escrow) == (closing.block_hash, deal.id)
    assert world.held(deal.payer) == {FUNDS: PRICE + FEE}
    provider = world.client.provider(deal.winner.account)
    assert (provider.stake, provider.locked) == (STAKE, LOCK)
    assert deal.escrow().state == Funded()
    assert (deal.escrow().amount, deal.escrow().fee, deal.escrow().perf_lock) == (PRICE, FEE, LOCK)
    assert (deal.escrow().revealed, deal.escrow().payout) == (2, deal.winner.account)
    world.ok(deal.winner, escrow.deliver(deal.id, 0, DELIVERY))
    delivered = deal.escrow().state
    assert isinstance(delivered, Delivered)
    assert delivered.delivery == DELIVERY
    world.ok(deal.payer, escrow.accept(deal.id, 0, verified=True))

    assert deal.outcome() is Settlement.PAID
    assert deal.gain(deal.winner) == PRICE
    assert deal.gain(deal.payer) == -PRICE - FEE
    assert world.held(deal.payer) == {}
    assert world.held(deal.winner) == {STAKE_REASON: STAKE}
    assert deal.score(deal.winner) == (FEE, 0, 1, 0, 0, 0, 0)
    assert world.client.score(deal.winner.account, deal.state().capability).history[-1][1] == quality(FEE, 0, AIN // 10)
    burned = world.sink() - sink - (sum(world.fees.values()) - fees)
    assert burned == FEE
    assert world.client.audit().difference == 0


def test_every_call_puts_its_event_into_the_block(world: World) -> None:
    deal = Deal(world).delivered()

    outcome = world.ok(deal.payer, escrow.accept(deal.id, 0, verified=False))

    events = world.client.events(outcome.block_hash)
    paid = next(event for event in events if (event.pallet, event.name) == ("Escrow", "Paid"))
    assert dict(paid.fields) == {
        "escrow": deal.id,
        "payee": deal.winner.account,
        "amount": PRICE,
        "fee": FEE,
        "verified": False,
    }
    assert paid.extrinsic == outcome.index
    assert paid in outcome.events
    assert deal.score(deal.winner) == (0, 0, 1, 1, 0, 0, 0)


def test_a_cancelled_auction_gives_everything_back(world: World) -> None:
    deal = Deal(world).opened()

    world.ok(deal.payer, vcg_auction.cancel(deal.auction.id))

    state = deal.state().state
    assert isinstance(state, Void)
    assert state.why == 0
    assert deal.gain(deal.payer) == 0
    assert world.held(deal.payer) == {}


def test_an_auction_that_is_never_closed_is_expired_by_anyone_for_nothing(world: World) -> None:
    deal = Deal(world, reveal_within=200).opened()
    world.wait_past(deal.state().reveal_end)

    outcome = world.ok(deal.other, vcg_auction.expire(deal.auction.id))

    assert outcome.fee == 0
    assert deal.state().state.why == 1
    assert deal.gain(deal.payer) == 0
    assert world.held(deal.payer) == {}


def test_an_auction_that_is_never_awarded_costs_its_payer_the_bond(world: World) -> None:
    with world.params(award_within=300):
        deal = Deal(world).closed()
        world.wait_past(deal.state().award_by)
        late = world.error(deal.payer, deal.auction.award(deal.winner, PRICE))
        world.ok(deal.other, vcg_auction.expire(deal.auction.id))

    assert late == "VcgAuction.TooLate"
    assert deal.state().state.why == 2
    assert deal.gain(deal.payer) == -BOND
    assert world.held(deal.payer) == {}


def test_no_sale_gives_everything_back_and_opens_the_way_for_another_attempt(world: World) -> None:
    deal = Deal(world).closed()
    again = replace(deal.auction, attempt=1, bids={})
    too_soon = world.error(deal.payer, again.open(world.client.market_now()))

    world.ok(deal.payer, vcg_auction.no_sale(deal.auction.id, DELIVERY, all_revealed=True))

    state = deal.state().state
    assert isinstance(state, NoSale)
    assert deal.gain(deal.payer) == 0
    assert too_soon == "VcgAuction.EarlierAttempt"
    world.ok(deal.payer, again.open(world.client.market_now()))
    assert world.held(deal.payer) == {FUNDS: BUDGET, BOND_REASON: BOND}


def test_a_declined_award_falls_to_the_runner_up(world: World) -> None:
    deal = Deal(world).funded()

    world.ok(deal.winner, escrow.decline(deal.id, 3))
    reopened = deal.state()
    assert deal.outcome() is Settlement.DECLINED
    assert isinstance(reopened.state, Closed)
    assert (reopened.failed, reopened.bond) == ((deal.winner.account,), 0)
    assert world.held(deal.payer) == {}
    again = world.error(deal.payer, deal.auction.award(deal.winner, PRICE))
    world.ok(deal.payer, deal.auction.award(deal.other, PRICE))
    world.ok(deal.other, escrow.deliver(deal.id, 0, DELIVERY))
    world.ok(deal.payer, escrow.accept(deal.id, 0, verified=True))

    assert again == "VcgAuction.AlreadyFailed"
    assert deal.gain(deal.winner) == 0
    assert deal.gain(deal.other) == PRICE
    assert deal.gain(deal.payer) == -PRICE - FEE
    assert deal.score(deal.winner) == (0, 0, 0, 0, 1, 0, 0)
    assert world.client.provider(deal.winner.account).locked == 0


def test_a_provider_declines_no_more_than_the_cap_of_an_epoch(world: World) -> None:
    with world.params(decline_cap=0):
        deal = Deal(world).funded()

        assert world.error(deal.winner, escrow.decline(deal.id, 0)) == "Escrow.DeclineCap"


def test_what_is_not_delivered_is_refunded_and_burns_the_lock(world: World) -> None:
    deal = Deal(world, deliver_within=300).funded()
    world.wait_past(deal.escrow().deliver_by)

    late = world.error(deal.winner, escrow.deliver(deal.id, 0, DELIVERY))
    outcome = world.ok(deal.other, escrow.refund(deal.id))

    assert late == "Escrow.TooLate"
    assert outcome.fee == 0
    assert deal.outcome() is Settlement.NOT_DELIVERED
    assert deal.gain(deal.payer) == 0
    assert deal.gain(deal.winner) == -LOCK
    assert deal.score(deal.winner) == (0, 10 * FEE, 0, 0, 0, 1, 0)
    assert isinstance(deal.state().state, Closed)


def test_an_unanswered_delivery_is_paid(world: World) -> None:
    deal = Deal(world, review_within=300).delivered()
    world.wait_past(deal.escrow().state.at + 300)

    late = world.error(deal.payer, escrow.dispute(deal.id, 0, 0, DELIVERY))
    world.ok(deal.other, escrow.auto_release(deal.id))

    assert late == "Escrow.TooLate"
    assert deal.outcome() is Settlement.AUTO
    assert deal.gain(deal.winner) == PRICE
    assert deal.score(deal.winner) == (0, 0, 1, 1, 0, 0, 0)


def test_a_provider_gives_back_what_it_knows_to_be_wrong(world: World) -> None:
    deal = Deal(world).delivered()

    world.ok(deal.winner, escrow.give_back(deal.id))

    assert deal.outcome() is Settlement.GAVE_BACK
    assert (deal.gain(deal.payer), deal.gain(deal.winner)) == (0, 0)
    assert deal.score(deal.winner) == (0, 0, 0, 0, 0, 1, 0)
    assert isinstance(deal.state().state, Awarded)


def test_giving_back_while_disputed_costs_the_lock(world: World) -> None:
    deal = Deal(world).disputed()
    assert world.held(deal.payer) == {FUNDS: PRICE + FEE, "Escrow::DisputeBond": PRICE // 2}

    world.ok(deal.winner, escrow.give_back(deal.id))

    assert (deal.gain(deal.payer), deal.gain(deal.winner)) == (0, -LOCK)
    assert world.held(deal.payer) == {}
    assert deal.score(deal.winner) == (0, 10 * FEE, 0, 0, 0, 0, 1)
    assert isinstance(deal.state().state, Awarded), "it is not open to a runner-up: the payer may try anew"
    world.ok(deal.payer, replace(deal.auction, attempt=1, bids={}).open(world.client.market_now()))


def test_a_payer_may_still_accept_while_it_disputes(world: World) -> None:
    deal = Deal(world).disputed()
    state = deal.escrow().state
    assert isinstance(state, Disputed)
    assert (state.ground, state.delivery, state.case) == (2, DELIVERY, bytes(32))

    world.ok(deal.payer, escrow.accept(deal.id, 0, verified=True))

    assert (deal.gain(deal.payer), deal.gain(deal.winner)) == (-PRICE - FEE, PRICE)
    assert world.held(deal.payer) == {}


def test_a_ruling_for_the_payee_burns_the_payers_bond(world: World) -> None:
    deal = Deal(world).disputed()
    not_root = world.error(deal.payer, escrow.resolve(deal.id, 10_000))
    not_sudo = world.error(deal.payer, balances.sudo(escrow.resolve(deal.id, 10_000)))
    bad_share = world.error(world.rich, balances.sudo(escrow.resolve(deal.id, 10_001)))

    world.as_root(escrow.resolve(deal.id, 10_000))

    assert (not_root, not_sudo, bad_share) == ("BadOrigin", "Sudo.RequireSudo", "Escrow.BadShare")
    assert deal.outcome() is Settlement.RULED
    assert deal.gain(deal.winner) == PRICE
    assert deal.gain(deal.payer) == -PRICE - FEE - PRICE // 2
    assert world.held(deal.payer) == {}
    assert deal.score(deal.winner) == (0, 0, 1, 1, 0, 0, 0)


def test_a_ruling_against_the_payee_burns_its_lock(world: World) -> None:
    deal = Deal(world).disputed()

    world.as_root(escrow.resolve(deal.id, 1_000))

    share = PRICE // 10
    assert deal.gain(deal.winner) == share - LOCK
    assert deal.gain(deal.payer) == -share - fee_of(share, 100)
    assert deal.escrow().paid_so_far == share
    assert deal.score(deal.winner) == (0, 10 * FEE, 0, 0, 0, 0, 1)


def test_a_dispute_that_nobody_decides_costs_both_sides(world: World) -> None:
    with world.params(dispute_limit=300):
        deal = Deal(world).disputed()
    world.wait_past(deal.escrow().state.until)

    world.ok(deal.other, escrow.timeout_dispute(deal.id))

    half = PRICE // 2
    assert deal.outcome() is Settlement.STALE
    assert deal.gain(deal.winner) == half - LOCK
    assert deal.gain(deal.payer) == -half - fee_of(half, 100) - half
    assert world.held(deal.payer) == {}


def test_a_finished_auction_is_forgotten_only_after_the_tombstone_time(world: World) -> None:
    deal = Deal(world).delivered()
    live = world.error(deal.other, escrow.forget(deal.id))
    world.ok(deal.payer, escrow.accept(deal.id, 0, verified=True))
    early = world.error(deal.other, escrow.forget(deal.id))
    used = world.error(deal.payer, deal.auction.open(world.client.market_now()))
    with world.params(tombstone=100):
        world.wait_past(deal.escrow().state.at + 100)
        outcome = world.ok(deal.other, escrow.forget(deal.id))

    assert (live, early, used) == ("Escrow.NotTerminal", "Escrow.TooEarly", "VcgAuction.AlreadyOpened")
    assert outcome.fee == 0
    assert world.client.auction(deal.auction.id) is None
    assert world.client.escrow(deal.id) is None


def test_an_auction_without_an_escrow_is_forgotten_by_its_own_id(world: World) -> None:
    deal = Deal(world).opened()
    world.ok(deal.payer, vcg_auction.cancel(deal.auction.id))
    with world.params(tombstone=100):
        world.wait_past(deal.state().state.at + 100)
        world.ok(deal.other, escrow.forget(deal.auction.id))

    assert world.client.auction(deal.auction.id) is None


def test_the_fifth_failed_winner_ends_the_auction(world: World) -> None:
    deal = Deal(world)
    bidders = [deal.winner, deal.other, *(world.provider(f"bidder {number}") for number in range(3))]
    deal.opened()
    for bidder in bidders:
        deal.auction.bid(bidder, 2 * AIN)
    world.wait_past(deal.state().commit_end)
    world.ok(deal.payer, deal.auction.close())

    for bidder in bidders:
        world.ok(deal.payer, deal.auction.award(bidder, PRICE))
        world.ok(bidder, escrow.decline(deal.id, 0))

    assert deal.state().state.why == 3
    assert deal.state().failed == tuple(bidder.account for bidder in bidders[:4])
    assert deal.gain(deal.payer) == 0


def test_a_low_score_lowers_the_price_that_may_be_paid(world: World) -> None:
    with world.params(epoch=100):
        deal = Deal(world, deliver_within=300).funded()
        world.wait_past(deal.escrow().deliver_by)
        world.ok(deal.other, escrow.refund(deal.id))
        failed_at = world.client.market_now()
        world.wait_past(failed_at + 100)
        q = world.client.score(deal.winner.account, deal.state().capability).history[-1][1]
        second = Deal(world)
        second.winner = deal.winner
        second.closed()
        most = RESERVE - penalty(RESERVE, 400, q)
        too_much = world.error(second.payer, second.auction.award(deal.winner, most + 1))
        world.ok(second.payer, second.auction.award(deal.winner, most))

    assert q == quality(0, 10 * FEE, AIN // 10) < NEUTRAL_SCORE
    assert too_much == "VcgAuction.BadPrice"


def test_the_payout_account_is_paid_unless_it_cannot_exist(world: World) -> None:
    deal = Deal(world)
    assert isinstance(deal, Deal)
    assert isinstance(deal.auction, Auctioning)
    lonely = world.party("lonely")
    stranger = sha256(b"nobody has this account" + lonely.account)
    calls = (
        lonely.bind(world.genesis),
        replace(lonely.register(), args={"operator": None, "payout": stranger, "stake": STAKE}),
        lonely.offer(),
    )
    world.ok(lonely, balances.batch_all(calls))
    deal.opened()
    deal.auction.bid(lonely, AIN)
    world.wait_past(deal.state().commit_end)
    world.ok(deal.payer, deal.auction.close())
    world.ok(deal.payer, deal.auction.award(lonely, AIN))
    world.ok(lonely, escrow.deliver(deal.id, 0, DELIVERY))
    assert isinstance(world.do(deal.payer, escrow.accept(deal.id, 0, verified=True)), Included)

    assert world.client.account(stranger).free == AIN
