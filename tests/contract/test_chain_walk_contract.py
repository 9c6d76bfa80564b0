"""One random walk of calls on both chains in step: the same answers, the same holds, the same scores."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from chain_deal import BUDGET, Deal
from chain_world import World, memory_world

from pallets_client.hashing import sha256
from pallets_client.pallets import agent_registry, balances, escrow, vcg_auction
from pallets_client.pallets.escrow import Settled
from pallets_client.records import AIN, Call, Failed, Outcome
from pallets_client.testing.actors import Party, with_ask

DEALS, STEPS, SEED = 4, 160, 7


class Walker:
    """Deals of one world with windows so long that no deadline passes during the walk."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deals = [Deal(world, deliver_within=600_000, review_within=60_000, start_within=20_000)]
        first = self.deals[0]
        for number in range(1, DEALS):
            deal = object.__new__(Deal)
            deal.world, deal.windows, deal.before = world, first.windows, first.before
            deal.payer, deal.winner, deal.other = first.payer, first.winner, first.other
            deal.auction = world.auctioning(first.payer, f"task {number}", budget=BUDGET // 2)
            self.deals.append(deal)
        self.start = {party.account: world.wealth(party) for party in self.parties}

    @property
    def parties(self) -> tuple[Party, Party, Party]:
        deal = self.deals[0]
        return deal.payer, deal.winner, deal.other

    def step(self, choice: random.Random) -> str:
        """One call, the same for every walker that is given the same choices."""
        deal, who = choice.choice(self.deals), choice.choice(self.parties)
        price, share, bidder = choice.randrange(AIN, 4 * AIN), choice.randrange(10_002), choice.choice(self.parties[1:])
        what, flag = choice.choice(ACTIONS), choice.random() < 0.5
        rightful = choice.random() < 0.75
        auction, id_ = deal.auction, deal.id
        known, record = self.world.client.auction(auction.id), self.world.client.escrow(id_)
        payer = deal.payer if rightful else who
        payee = self._payee(deal, record) if rightful else who
        lie = with_ask if flag and not rightful else lambda proof, _: proof
        if what == "open":
            if known is None:
                auction.bids.clear()
                auction.bid(deal.winner, AIN)
                auction.bid(deal.other, 2 * AIN)
            windows = {"commit_within": 100, "reveal_within": 30_000, **deal.windows}
            call = auction.open(self.world.client.market_now())
            call = replace(call, args={**call.args, "terms": replace(call.args["terms"], **windows)})
            answer = self.answer(deal.payer, call)
            if answer == "ok":
                opened = self.world.client.auction(auction.id)
                assert opened is not None
                self.world.wait_past(opened.commit_end)
            return answer
        if not auction.bids:
            return "nothing"
        calls: dict[str, tuple[Party, Call]] = {
            "close": (payer, auction.close()),
            "cancel": (who, vcg_auction.cancel(auction.id)),
            "award": (payer, auction.award_with(lie(auction.proof(bidder), price), price)),
            "no sale": (who, vcg_auction.no_sale(auction.id, bytes(32), all_revealed=flag)),
            "expire": (who, vcg_auction.expire(auction.id)),
            "deliver": (payee, escrow.deliver(id_, 0, sha256(b"d"))),
            "decline": (payee, escrow.decline(id_, 1)),
            "accept": (payer, escrow.accept(id_, 0, verified=flag)),
            "give back": (payee, escrow.give_back(id_)),
            "dispute": (payer, escrow.dispute(id_, 0, share % 7, bytes(32))),
            "resolve": (self.world.rich if rightful else who, balances.sudo(escrow.resolve(id_, share))),
            "refund": (who, escrow.refund(id_)),
            "auto release": (who, escrow.auto_release(id_)),
            "stale": (who, escrow.timeout_dispute(id_)),
            "bond": (who, agent_registry.bond_extra(price % 3)),
            "unbond": (who, agent_registry.unbond(price)),
            "next attempt": (payer, vcg_auction.expire(auction.id)),
        }
        if what == "next attempt" and isinstance(getattr(record, "state", None), Settled):
            deal.auction = replace(auction, attempt=auction.attempt + 1, bids={})
            return "next"
        return self.answer(*calls[what])

    def answer(self, party: Party, call: Call) -> str:
        outcome: Outcome = self.world.do(party, call)
        return outcome.error if isinstance(outcome, Failed) else "ok"

    def _payee(self, deal: Deal, record: Any) -> Party:
        return next(
            (party for party in self.parties if record is not None and party.account == record.payee), deal.winner
        )

    def picture(self) -> list[Any]:
        """All that must be the same in both worlds; times and fees are not."""
        client = self.world.client
        look: list[Any] = [(self.world.wealth(p) - self.start[p.account], self.world.held(p)) for p in self.parties]
        for deal in self.deals:
            auction, record = client.auction(deal.auction.id), client.escrow(deal.id)
            look.append((type(auction.state).__name__, auction.bond, len(auction.failed)) if auction else None)
            look.append((type(record.state).__name__, record.amount, record.paid_so_far) if record else None)
        for party in self.parties[1:]:
            provider = client.provider(party.account)
            look.append((provider.stake, provider.locked, provider.unbonding, provider.state))
        return look


ACTIONS = (
    *("open", "open", "close", "close", "award", "award", "award", "deliver", "deliver", "accept"),
    *("cancel", "no sale", "expire", "decline", "give back", "dispute", "dispute", "resolve", "resolve"),
    *("refund", "auto release", "stale", "bond", "unbond", "next attempt", "next attempt"),
)


@pytest.mark.real
def test_both_chains_answer_a_random_walk_alike(fresh_chain: World) -> None:
    walkers = [Walker(memory_world()), Walker(fresh_chain)]
    choices = [random.Random(SEED) for _ in walkers]
    met: set[str] = set()
    clocks = [walker.world.client.market_now() for walker in walkers]

    for number in range(STEPS):
        # Deadlines are far away, but on a slow machine not for ever: both clocks show the same.
        passed = walkers[1].world.client.market_now() - clocks[1]
        walkers[0].world.wait_past(max(clocks[0] + passed, walkers[0].world.client.market_now()))
        answers = [walker.step(choice) for walker, choice in zip(walkers, choices, strict=True)]
        assert answers[0] == answers[1], f"step {number}"
        met.add(answers[0])
        if number % 8 == 0:
            assert walkers[0].picture() == walkers[1].picture(), f"step {number}"

    assert walkers[0].picture() == walkers[1].picture()
    assert [walker.world.client.audit().difference for walker in walkers] == [0, 0]
    assert len(met) > 10
