"""One deal of the contract suites: a payer, two bidders, one auction, brought as far as a test wants."""

from __future__ import annotations

from dataclasses import replace

from chain_world import World

from pallets_client.hashing import sha256
from pallets_client.pallets import escrow, vcg_auction
from pallets_client.pallets.escrow import Settled, Settlement
from pallets_client.pallets.vcg_auction import fee_of, reserve_of
from pallets_client.records import AIN
from pallets_client.testing.actors import CAPABILITY, Party, auction_terms

BUDGET = 10 * AIN
PRICE = 3 * AIN
FEE = fee_of(PRICE, 100)
RESERVE = reserve_of(BUDGET, 100)
BOND = RESERVE // 10
LOCK = PRICE // 5
STAKE = 20 * AIN
DELIVERY = sha256(b"a delivery")
FUNDS, BOND_REASON, STAKE_REASON = "Escrow::EscrowFunds", "VcgAuction::AuctioneerBond", "AgentRegistry::Stake"


class Deal:
    """A payer, two bidders, and one auction between them."""

    def __init__(self, world: World, **windows: int) -> None:
        self.world = world
        self.payer, self.winner, self.other = world.market()
        self.before = {party.account: world.wealth(party) for party in (self.payer, self.winner, self.other)}
        self.auction = world.auctioning(self.payer, budget=BUDGET)
        self.windows = windows

    @property
    def id(self) -> bytes:
        return self.auction.escrow_id()

    def opened(self) -> Deal:
        terms = auction_terms(self.payer.node_key.public, BUDGET)
        windows = {"commit_within": 100, "reveal_within": 20_000, "start_within": 15_000, "deliver_within": 30_000}
        terms = replace(terms, **{**windows, "review_within": 30_000, **self.windows})
        now = self.world.client.market_now()
        self.world.ok(self.payer, vcg_auction.open_(self.auction.task, self.auction.attempt, terms, now + 60_000))
        return self

    def closed(self) -> Deal:
        self.opened()
        self.auction.bid(self.winner, 2 * AIN)
        self.auction.bid(self.other, PRICE)
        self.world.wait_past(self.state().commit_end)
        self.world.ok(self.payer, self.auction.close())
        return self

    def funded(self) -> Deal:
        self.closed()
        self.world.ok(self.payer, self.auction.award(self.winner, PRICE))
        return self

    def delivered(self) -> Deal:
        self.funded()
        self.world.ok(self.winner, escrow.deliver(self.id, 0, DELIVERY))
        return self

    def disputed(self) -> Deal:
        self.delivered()
        self.world.ok(self.payer, escrow.dispute(self.id, 0, 2, sha256(b"evidence")))
        return self

    def state(self) -> vcg_auction.Auction:
        found = self.world.client.auction(self.auction.id)
        assert found is not None
        return found

    def escrow(self) -> escrow.Escrow:
        found = self.world.client.escrow(self.id)
        assert found is not None
        return found

    def outcome(self) -> Settlement:
        state = self.escrow().state
        assert isinstance(state, Settled)
        return state.outcome

    def gain(self, party: Party) -> int:
        """What the party has more than before the auction, fees of calls apart."""
        return self.world.wealth(party) - self.before[party.account]

    def score(self, party: Party) -> tuple[int, int, int, int, int, int, int]:
        found = self.world.client.score(party.account, sha256(CAPABILITY.encode()))
        assert found is not None
        return (found.a, found.b, found.paid, found.unverified, found.declined, found.failed, found.ruled_against)
