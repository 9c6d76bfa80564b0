"""Every guard that a caller can meet has the same name in memory and in the runtime, and moves no money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chain_deal import BUDGET, DELIVERY, PRICE, STAKE, Deal
from chain_world import World

from pallets_client import hashing
from pallets_client.hashing import sha256
from pallets_client.pallets import agent_registry, balances, did, escrow, vcg_auction
from pallets_client.pallets.vcg_auction import AuctionTerms, AwardProof
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import AGENT_NAME, MODULE, PACKAGE, auction_terms, with_ask


class Untouched:
    """Holds and wealth of a deal's parties do not change."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.before = self._look()

    def _look(self) -> list[Any]:
        world = self.deal.world
        parties = (self.deal.payer, self.deal.winner, self.deal.other)
        records = (world.client.auction(self.deal.auction.id), world.client.escrow(self.deal.id))
        return [*[(world.wealth(party), world.held(party)) for party in parties], *records]

    def check(self) -> None:
        assert self._look() == self.before


def refuses(deal: Deal, *expected: tuple[Any, Call, str]) -> None:
    untouched = Untouched(deal)
    found = deal.world.errors([(party, call) for party, call, _ in expected])
    assert found == [error for _, _, error in expected]
    untouched.check()


BAD_TERMS: list[tuple[dict[str, int], str]] = [
    ({"mode": 2}, "Unsupported"),
    ({"rule": 2}, "Unsupported"),
    ({"slots": 2}, "Unsupported"),
    ({"challenge_within": 604_800_001}, "Unsupported"),
    ({"commit_within": 99}, "BadWindow"),
    ({"commit_within": 600_001}, "BadWindow"),
    ({"reveal_within": 199}, "BadWindow"),
    ({"reveal_within": 30_001}, "BadWindow"),
    ({"start_within": 0}, "BadWindow"),
    ({"start_within": 20_001}, "BadWindow"),
    ({"deliver_within": 600_001}, "BadWindow"),
    ({"review_within": 60_001}, "BadWindow"),
    ({"quality_bps": 401}, "BadQuality"),
    ({"min_score": 1_000_001}, "BadQuality"),
    ({"budget": 2**90 + 1}, "BudgetTooLarge"),
    ({"budget": 10**9}, "BudgetTooSmall"),
    ({"budget": 0}, "BudgetTooSmall"),
    ({"budget": 200 * AIN}, "NotEnoughFree"),
]


def test_terms_that_make_no_sense_are_not_opened(world: World) -> None:
    payer = world.party("payer")
    now = world.client.market_now()

    def opening(terms: AuctionTerms, attempt: int = 0, by: int = now + 60_000) -> Call:
        return vcg_auction.open_(sha256(b"task"), attempt, terms, by)

    good = auction_terms(payer.node_key.public)
    found = world.errors([(payer, opening(replace(good, **changes))) for changes, _ in BAD_TERMS])
    free = world.client.account(payer.account).free
    nearly_all = (free - AIN // 100) * 10_100 // 11_100  # with its bond, a hundredth of an AIN would be left
    later = [
        world.error(payer, opening(replace(good, budget=nearly_all))),
        world.error(payer, opening(good, attempt=1)),
        world.error(payer, opening(good, by=now + 2 * 3_600_000)),
        world.error(payer, opening(good, by=0)) if now else "VcgAuction.OpenByPassed",
    ]

    assert found == [f"VcgAuction.{error}" for _, error in BAD_TERMS]
    assert later == [
        "VcgAuction.FeeReserve",
        "VcgAuction.EarlierAttempt",
        "VcgAuction.OpenByTooFar",
        "VcgAuction.OpenByPassed",
    ]
    assert world.held(payer) == {}
    assert world.wealth(payer) == 100 * AIN


def test_an_open_auction_is_its_payers_alone_and_waits_for_its_window(world: World) -> None:
    deal = Deal(world, commit_within=20_000).opened()
    id_ = deal.auction.id
    root = bytes(32)

    refuses(
        deal,
        (deal.other, vcg_auction.cancel(id_), "VcgAuction.NotPayer"),
        (deal.payer, vcg_auction.cancel(bytes(32)), "VcgAuction.NoAuction"),
        (deal.other, vcg_auction.close(id_, root, 1), "VcgAuction.NotPayer"),
        (deal.payer, vcg_auction.close(id_, root, 0), "VcgAuction.BadCount"),
        (deal.payer, vcg_auction.close(id_, root, 257), "VcgAuction.BadCount"),
        (deal.payer, vcg_auction.close(id_, root, 1), "VcgAuction.TooEarly"),
        (deal.payer, vcg_auction.no_sale(id_, root, all_revealed=True), "VcgAuction.WrongState"),
        (deal.other, vcg_auction.expire(id_), "VcgAuction.TooEarly"),
        (deal.other, vcg_auction.expire(bytes(32)), "VcgAuction.NoAuction"),
        (deal.other, escrow.forget(id_), "Escrow.NotTerminal"),
        (deal.payer, deal.auction.open(world.client.market_now()), "VcgAuction.AlreadyOpened"),
    )


def test_an_auction_is_not_closed_when_nobody_could_reveal_in_time(world: World) -> None:
    deal = Deal(world, reveal_within=200).opened()
    world.wait_past(deal.state().commit_end)

    refuses(deal, (deal.payer, vcg_auction.close(deal.auction.id, bytes(32), 1), "VcgAuction.TooLate"))


def test_a_closed_auction_moves_only_to_an_award(world: World) -> None:
    deal = Deal(world).closed()
    id_ = deal.auction.id
    patient = replace_arg(deal.auction.award(deal.winner, PRICE), all_revealed=False)

    refuses(
        deal,
        (deal.payer, vcg_auction.cancel(id_), "VcgAuction.WrongState"),
        (deal.payer, deal.auction.close(), "VcgAuction.WrongState"),
        (deal.payer, patient, "VcgAuction.TooEarly"),
        (deal.payer, vcg_auction.no_sale(id_, DELIVERY, all_revealed=False), "VcgAuction.TooEarly"),
        (deal.other, deal.auction.award(deal.winner, PRICE), "VcgAuction.NotPayer"),
        (deal.other, vcg_auction.expire(id_), "VcgAuction.TooEarly"),
    )


def replace_arg(call: Call, **changes: Any) -> Call:
    return replace(call, args={**call.args, **changes})


Lie = Callable[[Deal, AwardProof], AwardProof]

LIES: list[tuple[str, Lie, str]] = [
    ("another ask than was committed", lambda _, p: with_ask(p, AIN), "BadProof"),
    (
        "another nonce",
        lambda _, p: replace(p, opening=replace(p.opening, nonce=bytes(32))),
        "BadProof",
    ),
    (
        "other terms than were committed",
        lambda _, p: replace(p, opening=replace(p.opening, terms=replace(p.opening.terms, eta_ms=1))),
        "BadProof",
    ),
    ("the place of another leaf", lambda _, p: replace(p, proof=replace(p.proof, index=1 - p.proof.index)), "BadProof"),
    ("a place outside the tree", lambda _, p: replace(p, proof=replace(p.proof, index=2)), "BadProof"),
    ("a path too long", lambda _, p: replace(p, proof=replace(p.proof, path=(*p.proof.path, bytes(32)))), "BadProof"),
    ("no path", lambda _, p: replace(p, proof=replace(p.proof, path=())), "BadProof"),
    (
        "a bidder that never committed",
        lambda d, p: replace(p, opening=replace(p.opening, provider=d.other.account)),
        "BadProof",
    ),
    (
        "somebody that is no provider",
        lambda d, p: replace(p, opening=replace(p.opening, provider=d.world.rich.account)),
        "ProviderInactive",
    ),
    ("the payer", lambda d, p: replace(p, opening=replace(p.opening, provider=d.payer.account)), "OwnTask"),
    (
        "another sequence number than was signed",
        lambda _, p: replace(p, commitment=replace(p.commitment, seq=2)),
        "BadSignature",
    ),
    (
        "a longer standing bid than was signed",
        lambda _, p: replace(p, commitment=replace(p.commitment, standing_until=2**63 + 1)),
        "BadSignature",
    ),
    (
        "no signature",
        lambda _, p: replace(p, commitment=replace(p.commitment, signature=bytes(64))),
        "BadSignature",
    ),
    (
        "a bid that stands no more",
        lambda _, p: replace(p, commitment=replace(p.commitment, standing_until=0)),
        "NotStanding",
    ),
]


def test_no_lie_about_the_winner_is_awarded(world: World) -> None:
    deal = Deal(world).closed()
    world.wait_past(0)
    honest = deal.auction.proof(deal.winner)

    lies = [
        (deal.payer, deal.auction.award_with(lie(deal, honest), PRICE), f"VcgAuction.{error}") for _, lie, error in LIES
    ]

    refuses(deal, *lies)


def test_the_price_stays_between_ask_and_reserve_less_penalty(world: World) -> None:
    deal = Deal(world).closed()
    reserve = deal.state().reserve
    most = reserve - reserve * 400 * 500_000 // 10**10

    refuses(
        deal,
        (deal.payer, deal.auction.award(deal.winner, 2 * AIN - 1), "VcgAuction.BadPrice"),
        (deal.payer, deal.auction.award(deal.winner, most + 1), "VcgAuction.BadPrice"),
        (deal.payer, deal.auction.award(deal.winner, 2**128 - 1), "VcgAuction.BadPrice"),
        (deal.payer, deal.auction.award(deal.winner, PRICE, slot=1), "VcgAuction.NoSlot"),
    )
    world.ok(deal.payer, deal.auction.award(deal.winner, most))


def test_an_agent_that_changed_after_the_bid_is_not_awarded(world: World) -> None:
    deal = Deal(world).closed()
    agent = hashing.agent_id(world.genesis, deal.winner.account, AGENT_NAME.encode())
    other = hashing.agent_id(world.genesis, deal.other.account, AGENT_NAME.encode())
    world.ok(deal.winner, agent_registry.update_agent(agent, PACKAGE, MODULE, 0, 0))
    world.ok(deal.other, agent_registry.retire_agent(other))
    record = world.client.agent(agent)
    assert record is not None
    assert (record.version, record.name, record.provider) == (2, AGENT_NAME.encode(), deal.winner.account)

    refuses(
        deal,
        (deal.payer, deal.auction.award(deal.winner, PRICE), "VcgAuction.AgentMismatch"),
        (deal.payer, deal.auction.award(deal.other, PRICE), "VcgAuction.AgentMismatch"),
    )


def test_a_provider_without_stake_or_key_is_not_awarded(world: World) -> None:
    deal = Deal(world).closed()
    world.ok(deal.winner, agent_registry.unbond(STAKE))
    world.ok(deal.other, did.deactivate())

    refuses(
        deal,
        (deal.payer, deal.auction.award(deal.winner, PRICE), "VcgAuction.ProviderInactive"),
        (deal.payer, deal.auction.award(deal.other, PRICE), "VcgAuction.ProviderInactive"),
    )


def test_a_stake_that_other_work_uses_secures_no_award(world: World) -> None:
    with world.params(min_stake=AIN):
        deal = Deal(world)
        small = world.provider("small", stake=1)
        busy = world.auctioning(deal.payer, "other task", budget=BUDGET)
        now = world.client.market_now()
        windows = {"reveal_within": 20_000, "deliver_within": 30_000}
        for auction in (deal.auction, busy):
            terms = replace(auction_terms(deal.payer.node_key.public, BUDGET), **windows)
            world.ok(deal.payer, vcg_auction.open_(auction.task, 0, terms, now + 60_000))
            auction.bid(small, AIN)
        opened = world.client.auction(busy.id)
        assert opened is not None
        world.wait_past(opened.commit_end)
        for auction in (deal.auction, busy):
            world.ok(deal.payer, auction.close())
        world.ok(deal.payer, busy.award(small, 4 * AIN))

        refuses(deal, (deal.payer, deal.auction.award(small, 2 * AIN), "VcgAuction.NotEnoughStake"))


def test_a_score_below_the_auctions_least_wins_nothing(world: World) -> None:
    deal = Deal(world, min_score=500_001).closed()

    refuses(deal, (deal.payer, deal.auction.award(deal.winner, PRICE), "VcgAuction.ScoreTooLow"))


def test_a_funded_escrow_belongs_to_its_payee(world: World) -> None:
    deal = Deal(world).funded()

    refuses(
        deal,
        (deal.other, escrow.decline(deal.id, 0), "Escrow.NotParty"),
        (deal.payer, escrow.decline(deal.id, 0), "Escrow.NotParty"),
        (deal.other, escrow.deliver(deal.id, 0, DELIVERY), "Escrow.NotParty"),
        (deal.winner, escrow.deliver(deal.id, 1, DELIVERY), "Escrow.NoMilestone"),
        (deal.winner, escrow.deliver(bytes(32), 0, DELIVERY), "Escrow.NoEscrow"),
        (deal.other, escrow.refund(deal.id), "Escrow.TooEarly"),
        (deal.other, escrow.auto_release(deal.id), "Escrow.WrongState"),
        (deal.winner, escrow.give_back(deal.id), "Escrow.WrongState"),
        (deal.payer, escrow.accept(deal.id, 0, verified=True), "Escrow.WrongState"),
        (deal.payer, escrow.dispute(deal.id, 0, 0, DELIVERY), "Escrow.WrongState"),
        (deal.other, escrow.timeout_dispute(deal.id), "Escrow.WrongState"),
        (world.rich, balances.sudo(escrow.resolve(deal.id, 0)), "Escrow.WrongState"),
        (deal.payer, vcg_auction.cancel(deal.auction.id), "VcgAuction.WrongState"),
        (deal.other, vcg_auction.expire(deal.auction.id), "VcgAuction.WrongState"),
        (deal.payer, deal.auction.award(deal.other, PRICE), "VcgAuction.WrongState"),
        (deal.winner, agent_registry.unbond(STAKE), "AgentRegistry.NotEnoughStake"),
    )


def test_a_delivered_escrow_waits_for_its_payer(world: World) -> None:
    deal = Deal(world).delivered()

    refuses(
        deal,
        (deal.other, escrow.accept(deal.id, 0, verified=True), "Escrow.NotParty"),
        (deal.winner, escrow.accept(deal.id, 0, verified=True), "Escrow.NotParty"),
        (deal.payer, escrow.accept(deal.id, 1, verified=True), "Escrow.NoMilestone"),
        (deal.other, escrow.auto_release(deal.id), "Escrow.TooEarly"),
        (deal.winner, escrow.deliver(deal.id, 0, DELIVERY), "Escrow.WrongState"),
        (deal.winner, escrow.decline(deal.id, 0), "Escrow.WrongState"),
        (deal.other, escrow.refund(deal.id), "Escrow.WrongState"),
        (deal.payer, escrow.give_back(deal.id), "Escrow.NotParty"),
        (deal.other, escrow.dispute(deal.id, 0, 0, DELIVERY), "Escrow.NotParty"),
        (deal.payer, escrow.dispute(deal.id, 1, 0, DELIVERY), "Escrow.NoMilestone"),
        (deal.payer, escrow.dispute(deal.id, 0, 5, DELIVERY), "Escrow.BadGround"),
    )


def test_a_disputed_escrow_waits_for_its_judge(world: World) -> None:
    deal = Deal(world).disputed()

    refuses(
        deal,
        (deal.other, escrow.timeout_dispute(deal.id), "Escrow.TooEarly"),
        (deal.other, escrow.auto_release(deal.id), "Escrow.WrongState"),
        (deal.payer, escrow.dispute(deal.id, 0, 0, DELIVERY), "Escrow.WrongState"),
        (deal.other, escrow.give_back(deal.id), "Escrow.NotParty"),
        (deal.winner, escrow.accept(deal.id, 0, verified=True), "Escrow.NotParty"),
        (deal.payer, balances.sudo(escrow.resolve(deal.id, 0)), "Sudo.RequireSudo"),
        (deal.payer, escrow.resolve(deal.id, 0), "BadOrigin"),
        (world.rich, balances.sudo(escrow.resolve(bytes(32), 0)), "Escrow.NoEscrow"),
        (deal.other, escrow.forget(deal.id), "Escrow.NotTerminal"),
    )


def test_a_settled_escrow_is_settled(world: World) -> None:
    deal = Deal(world).delivered()
    world.ok(deal.payer, escrow.accept(deal.id, 0, verified=True))

    refuses(
        deal,
        (deal.payer, escrow.accept(deal.id, 0, verified=True), "Escrow.WrongState"),
        (deal.payer, escrow.dispute(deal.id, 0, 0, DELIVERY), "Escrow.WrongState"),
        (deal.winner, escrow.give_back(deal.id), "Escrow.WrongState"),
        (deal.other, escrow.auto_release(deal.id), "Escrow.WrongState"),
        (deal.other, escrow.refund(deal.id), "Escrow.WrongState"),
        (deal.other, escrow.timeout_dispute(deal.id), "Escrow.WrongState"),
        (world.rich, balances.sudo(escrow.resolve(deal.id, 0)), "Escrow.WrongState"),
        (deal.payer, replace(deal.auction, attempt=1).open(world.client.market_now()), "VcgAuction.EarlierAttempt"),
    )


def test_a_dispute_needs_money_for_its_bond(world: World) -> None:
    deal = Deal(world).delivered()
    free = world.client.account(deal.payer.account).free
    # Enough stays for the call itself, not for half the price.
    world.ok(deal.payer, balances.transfer(deal.other.account, free - AIN // 10))

    refuses(deal, (deal.payer, escrow.dispute(deal.id, 0, 0, DELIVERY), "Escrow.NotEnoughFree"))
