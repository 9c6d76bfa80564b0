"""Random legal and illegal calls of several parties, liars among them: money is conserved and never stuck."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pallets_client import hashing
from pallets_client.keys import Sr25519, development_seed
from pallets_client.pallets import agent_registry, balances, escrow, vcg_auction
from pallets_client.pallets.escrow import Delivered, Disputed, Funded, Settled
from pallets_client.pallets.market import DEVELOPMENT
from pallets_client.pallets.vcg_auction import Awarded, Closed, NoSale, Open, Void
from pallets_client.records import AIN, Call, Failed, Included
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter
from pallets_client.testing.actors import Auctioning, Party, auction_terms, with_ask
from pallets_client.testing.world import AUCTION_BOND, DISPUTE_BOND, FUNDS, STAKE

PAYERS, PROVIDERS = 2, 3
PICK = st.integers(0, 50)
PARTY = st.integers(0, PAYERS + PROVIDERS - 1)
AMOUNT = st.one_of(st.integers(0, 2**91), st.integers(0, 30 * AIN), st.sampled_from([0, 1, 10**9, AIN, 10 * AIN]))
SHARE = st.integers(0, 11_000)


class Market(RuleBasedStateMachine):
    """Two payers, three providers, root; everyone may call anything about anything."""

    @initialize()
    def begin(self) -> None:
        self.root = Sr25519(development_seed("root"))
        params = replace(DEVELOPMENT, tombstone=20_000, dispute_limit=10_000, unbonding=10_000, award_within=5_000)
        self.chain = InMemoryChain(sudo=self.root.account, params=params)
        self.client = MemoryClient(self.chain)
        self.parties = [self._party(f"payer {number}", 60) for number in range(PAYERS)]
        self.parties += [self._party(f"provider {number}", 40) for number in range(PROVIDERS)]
        self.judge = replace(self._party("root", 10), key=self.root, writer=MemoryWriter(self.chain, self.root))
        self.chain.endow(self.root.account, 10 * AIN)
        genesis = self.client.genesis_hash
        for provider in self.parties[PAYERS:]:
            for call in (provider.bind(genesis), provider.register(), provider.offer()):
                assert isinstance(provider.do(call), Included)
        self.auctions: list[Auctioning] = []
        self.issued = self.chain.world.issuance()

    def _party(self, name: str, ain: int) -> Party:
        party = Party.named(name, lambda key: MemoryWriter(self.chain, key))
        self.chain.endow(party.account, ain * AIN)
        return party

    def _do(self, party: Party, call: Call) -> None:
        before = self.chain.world.snapshot()
        outcome = party.do(call)
        if isinstance(outcome, Failed):
            after = self.chain.world
            for table in ("holds", "dids", "providers", "agents", "scores", "auctions", "escrows", "declines"):
                assert getattr(before, table) == getattr(after, table), f"{outcome.error} changed {table}"

    def _auction(self, pick: int) -> Auctioning | None:
        return self.auctions[pick % len(self.auctions)] if self.auctions else None

    # everyone's calls ----------------------------------------------------------------------------------

    @rule(milliseconds=st.one_of(st.integers(0, 3_000), st.integers(0, 30_000)))
    def time_passes(self, milliseconds: int) -> None:
        self.chain.advance(milliseconds)

    @rule(who=PARTY, to=PARTY, amount=AMOUNT)
    def transfer(self, who: int, to: int, amount: int) -> None:
        self._do(self.parties[who], balances.transfer(self.parties[to].account, amount))

    @rule(who=PARTY, budget=AMOUNT, fresh=st.booleans(), attempt=st.sampled_from([0, 0, 0, 1]))
    def open(self, who: int, budget: int, fresh: bool, attempt: int) -> None:
        payer = self.parties[who]
        number = len(self.auctions) if fresh or not self.auctions else len(self.auctions) - 1
        auction = Auctioning(self.client.genesis_hash, payer, hashing.sha256(bytes([number % 256])), attempt, budget)
        terms = auction_terms(payer.node_key.public, budget)
        before = len(self.chain.world.auctions)
        self._do(payer, vcg_auction.open_(auction.task, attempt, terms, self.client.market_now() + 10_000))
        if len(self.chain.world.auctions) > before:
            self.auctions.append(auction)

    @rule(who=PARTY, budget=st.integers(2 * AIN, 20 * AIN), bids=st.dictionaries(st.integers(0, 2), st.integers(1, 3)))
    def open_and_close(self, who: int, budget: int, bids: dict[int, int]) -> None:
        self.open(who, budget, fresh=True, attempt=0)
        auction = self._auction(-1)
        if auction is not None:
            for number, ask in bids.items():
                auction.bid(self.parties[PAYERS + number], ask * AIN // 2)
            self.chain.advance(250)
            self.close(-1, by=self.parties.index(auction.payer))

    @rule(
        who=st.integers(0, PAYERS - 1),
        budget=st.integers(4 * AIN, 15 * AIN),
        bids=st.dictionaries(st.integers(0, 2), st.integers(1, 3), min_size=1),
        how_far=st.integers(0, 3),
    )
    def deal(self, who: int, budget: int, bids: dict[int, int], how_far: int) -> None:
        """A deal as it should go, so that the rules above and below meet all states."""
        known = len(self.auctions)
        self.open_and_close(who, budget, bids)
        if len(self.auctions) == known:
            return
        if how_far > 0:
            self.award(-1, winner=0, price=0, lie="")
        if how_far > 1:
            self.payee_acts(-1, "deliver")
        if how_far > 2:
            self.payer_acts(-1, "dispute", verified=False)

    @rule(pick=PICK, by=PARTY)
    def cancel(self, pick: int, by: int) -> None:
        auction = self._auction(pick)
        if auction is not None:
            self._do(self.parties[by], vcg_auction.cancel(auction.id))

    @rule(pick=PICK, by=PARTY)
    def close(self, pick: int, by: int) -> None:
        auction = self._auction(pick)
        if auction is not None and auction.bids:
            self._do(self.parties[by], auction.close())

    @rule(pick=PICK, winner=st.integers(0, 5), price=AMOUNT, lie=st.sampled_from(["", "ask", "seq", "who"]))
    def award(self, pick: int, winner: int, price: int, lie: str) -> None:
        auction = self._auction(pick)
        if auction is None or not auction.bids:
            return
        bidder, opening = auction.bids[sorted(auction.bids)[winner % len(auction.bids)]]
        proof = auction.proof(bidder)
        match lie:
            case "ask":
                proof = with_ask(proof, opening.ask + 1)
            case "seq":
                proof = replace(proof, commitment=replace(proof.commitment, seq=9))
            case "who":
                proof = replace(proof, opening=replace(opening, provider=self.parties[-1].account))
        likely = opening.ask + price % AIN
        lived = self.client.escrow(auction.escrow_id())
        self._do(auction.payer, auction.award_with(proof, likely))
        if lie in ("ask", "seq"):
            assert self.client.escrow(auction.escrow_id()) == lived

    @rule(pick=PICK, by=PARTY, revealed=st.booleans())
    def no_sale(self, pick: int, by: int, revealed: bool) -> None:
        auction = self._auction(pick)
        if auction is not None:
            self._do(self.parties[by], vcg_auction.no_sale(auction.id, bytes(32), all_revealed=revealed))

    @rule(
        pick=PICK,
        by=PARTY,
        what=st.sampled_from(["decline", "deliver", "refund", "accept", "auto", "give", "dispute", "stale", "forget"]),
        verified=st.booleans(),
    )
    def escrow_call(self, pick: int, by: int, what: str, verified: bool) -> None:
        auction = self._auction(pick)
        if auction is None:
            return
        id_ = auction.escrow_id()
        call = {
            "decline": escrow.decline(id_, 0),
            "deliver": escrow.deliver(id_, 0, hashing.sha256(b"d")),
            "refund": escrow.refund(id_),
            "accept": escrow.accept(id_, 0, verified=verified),
            "auto": escrow.auto_release(id_),
            "give": escrow.give_back(id_),
            "dispute": escrow.dispute(id_, 0, 1, bytes(32)),
            "stale": escrow.timeout_dispute(id_),
            "forget": escrow.forget(id_),
        }[what]
        self._do(self.parties[by], call)

    @rule(pick=PICK, what=st.sampled_from(["deliver", "decline", "give"]))
    def payee_acts(self, pick: int, what: str) -> None:
        auction = self._auction(pick)
        record = self.client.escrow(auction.escrow_id()) if auction is not None else None
        if record is not None:
            payee = next(index for index, party in enumerate(self.parties) if party.account == record.payee)
            self.escrow_call(pick, payee, what, verified=False)

    @rule(pick=PICK, what=st.sampled_from(["accept", "dispute"]), verified=st.booleans())
    def payer_acts(self, pick: int, what: str, verified: bool) -> None:
        auction = self._auction(pick)
        if auction is not None:
            self.escrow_call(pick, self.parties.index(auction.payer), what, verified)

    @rule(pick=PICK, share=SHARE, honest=st.booleans(), by=PARTY)
    def resolve(self, pick: int, share: int, honest: bool, by: int) -> None:
        auction = self._auction(pick)
        if auction is not None:
            call = balances.sudo(escrow.resolve(auction.escrow_id(), share))
            self._do(self.judge if honest else self.parties[by], call)

    @rule(who=PARTY, amount=AMOUNT, what=st.sampled_from(["bond", "unbond", "withdraw"]))
    def stake(self, who: int, amount: int, what: str) -> None:
        call = {
            "bond": agent_registry.bond_extra(amount),
            "unbond": agent_registry.unbond(amount),
            "withdraw": agent_registry.withdraw_unbonded(),
        }[what]
        self._do(self.parties[who], call)

    # what must always hold -----------------------------------------------------------------------------

    @invariant()
    def no_planck_is_made_or_lost(self) -> None:
        if hasattr(self, "issued"):
            assert self.chain.world.issuance() == self.issued
            assert self.client.audit().difference == 0
            assert all(amount >= 0 for amount in self.chain.world.free.values())

    @invariant()
    def every_hold_is_the_sum_of_its_live_reasons(self) -> None:
        if not hasattr(self, "issued"):
            return
        world = self.chain.world
        expected: defaultdict[tuple[bytes, str], int] = defaultdict(int)
        for auction in world.auctions.values():
            expected[auction.payer, FUNDS] += auction.held
            expected[auction.payer, AUCTION_BOND] += auction.bond
        locked: defaultdict[bytes, int] = defaultdict(int)
        for record in world.escrows.values():
            expected[record.payer, FUNDS] += record.held
            if not isinstance(record.state, Settled):
                locked[record.payee] += record.perf_lock
            if isinstance(record.state, Disputed):
                expected[record.payer, DISPUTE_BOND] += record.state.bond
        for account, provider in world.providers.items():
            expected[account, STAKE] += provider.stake + provider.unbonding
            assert 0 <= locked[account] == provider.locked <= provider.stake
        assert {key: amount for key, amount in expected.items() if amount} == world.holds

    @invariant()
    def scores_stay_in_range(self) -> None:
        if hasattr(self, "issued"):
            for score in self.chain.world.scores.values():
                assert score.unverified <= score.paid
                assert all(0 <= q <= 1_000_000 for _, q in score.history)
                assert [epoch for epoch, _ in score.history] == sorted({epoch for epoch, _ in score.history})

    @precondition(lambda self: self.auctions)
    @rule()
    def a_stranger_can_end_everything(self) -> None:
        """Whatever happened, anyone can free all money of all deals by waiting and calling."""
        stranger = self._party("stranger", 1)
        self.issued += AIN
        for _ in range(8):
            self.chain.advance(61_000)
            for auction in self.auctions:
                record = self.client.auction(auction.id)
                match None if record is None else record.state:
                    case Open() | Closed():
                        assert isinstance(stranger.do(vcg_auction.expire(auction.id)), Included)
                    case Awarded(escrow=id_):
                        self._end_escrow(stranger, id_)
                    case NoSale() | Void() | None:
                        pass
        assert not [reason for _, reason in self.chain.world.holds if reason != STAKE]
        assert all(provider.locked == 0 for provider in self.chain.world.providers.values())

    def _end_escrow(self, stranger: Party, id_: bytes) -> None:
        record = self.client.escrow(id_)
        match None if record is None else record.state:
            case Funded():
                assert isinstance(stranger.do(escrow.refund(id_)), Included)
            case Delivered():
                assert isinstance(stranger.do(escrow.auto_release(id_)), Included)
            case Disputed():
                assert isinstance(stranger.do(escrow.timeout_dispute(id_)), Included)
            case _:
                pass


TestMarket = Market.TestCase
TestMarket.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
