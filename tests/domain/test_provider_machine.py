"""A job in a model world: whatever auctioneer, guest and chain do, the provider's promises hold."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from domain_records import AUCTION, GENESIS, b32, commit_of, node_key, opening
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from life_samples import ESCROW, INVITED, PROVIDER_FACTS, RECEIPT
from test_provider_steps import FOLLOWS

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.money import Amount
from ainur_node.domain.provider import BIDDING, FINAL, Phase, ProviderJob, begin, step
from ainur_node.domain.receipt import delivery_hash, hash_of
from ainur_node.errors import Bug
from ainur_node.market import codec


class World(RuleBasedStateMachine):
    """One sealed bid, and what may become of it."""

    @initialize(ask=st.integers(0, 10**30))
    def invite(self, ask: int) -> None:
        bid = opening(0, ask)
        self.told: list[fact.ProviderFact] = []
        self.invited = replace(INVITED, opening=bid, commit=commit_of(bid, node_key(0)))
        self.job, orders = begin(GENESIS, self.invited)
        self.pending: list[Any] = list(orders)
        self.on_chain: bytes | None = None
        self.escrow = "none"
        self.price = 0
        self.works = 0

    def order(self, kind: type) -> Any:
        """The pending order, which the stage of this kind carries out."""
        assert isinstance(self.pending[0], kind)
        return self.pending.pop()

    def tell(self, happened: fact.ProviderFact) -> None:
        """What the engine does: the fact is stored as JSON, and so are the state and the orders."""
        happened = codec.decode_fact(type(happened).__name__, codec.encode(happened))  # type: ignore[assignment]
        after, orders = step(self.job, happened)
        assert step(self.job, happened) == (after, orders), "the same fact gives the same step"
        self.told.append(happened)
        back = codec.decode_state(codec.JOB, codec.encode(after))
        assert back == after
        assert isinstance(back, ProviderJob)
        self.job = back
        for given in orders:
            assert codec.decode_order(type(given).__name__, codec.encode(given)) == given
            self.pending.append(given)

    def doing(self, kind: type) -> bool:
        return bool(self.pending) and isinstance(self.pending[0], kind)

    @precondition(lambda self: self.doing(do.SendCommit))
    @rule(taken=st.sampled_from([True, True, False]))
    def send_commit(self, taken: bool) -> None:
        order: do.SendCommit = self.order(do.SendCommit)
        assert order.commit == self.invited.commit
        self.tell(fact.Committed(3, bytes(64)) if taken else fact.CommitRefused("too_late"))

    @precondition(lambda self: self.job.phase is Phase.COMMITTED)
    @rule()
    def reveal(self) -> None:
        self.tell(fact.Revealed(b32("root")))

    @precondition(lambda self: self.doing(do.AwaitAward))
    @rule(
        how=st.sampled_from(["awarded", "awarded", "outbid", "no_sale", "bid_expired", "failed"]),
        more=st.integers(0, 9),
    )
    def await_award(self, how: str, more: int) -> None:
        order: do.AwaitAward = self.order(do.AwaitAward)
        assert order.standing_until == self.invited.commit.standing_until
        if how == "awarded":
            self.escrow, self.price = "funded", self.invited.opening.ask + more
            self.tell(fact.Awarded(ESCROW, Amount(self.price), 40, 45, 50))
        else:
            self.tell(fact.Lost(how))

    @precondition(lambda self: self.doing(do.StartWork))
    @rule(good=st.sampled_from([True, True, False]), salt=st.binary(min_size=32, max_size=32))
    def work(self, good: bool, salt: bytes) -> None:
        order: do.StartWork = self.order(do.StartWork)
        self.works += 1
        assert order.opening == self.invited.opening
        assert order.spec == self.invited.spec
        self.tell(fact.Completed(RECEIPT, salt) if good else fact.WorkFailed("exit_trap", "unreachable"))

    @precondition(lambda self: self.doing(do.Deliver))
    @rule(taken=st.sampled_from([True, True, False]))
    def deliver(self, taken: bool) -> None:
        order: do.Deliver = self.order(do.Deliver)
        provider, salt = self.invited.opening.provider, self.job.delivery_salt
        digest = hash_of(GENESIS, RECEIPT)
        assert order.delivery == delivery_hash(GENESIS, ESCROW, 0, provider, b32("output"), digest, salt)
        if taken:
            self.escrow, self.on_chain = "delivered", order.delivery
            self.tell(fact.DeliveredOnChain(order.delivery))
        else:
            self.tell(fact.DeliveryRefused("too_late"))

    @precondition(lambda self: self.doing(do.Decline))
    @rule(how=st.sampled_from(["declined", "not_delivered", "gone"]))
    def decline(self, how: str) -> None:
        order: do.Decline = self.order(do.Decline)
        assert order.code == self.job.outcome
        self.escrow = "settled"
        self.tell(fact.Paid(how, Amount(0)))

    @precondition(lambda self: self.doing(do.AwaitSettlement) and self.escrow == "delivered")
    @rule(ground=st.integers(0, 4), until=st.integers(0, 10**6))
    def challenge(self, ground: int, until: int) -> None:
        order: do.AwaitSettlement = self.order(do.AwaitSettlement)
        assert not order.answered, "an escrow is disputed once"
        self.escrow = "disputed"
        self.tell(fact.Challenged(ground, until))
        assert isinstance(self.pending[0], do.Answer)
        assert (self.pending[0].ground, self.pending[0].until) == (ground, until)

    @precondition(lambda self: self.doing(do.Answer))
    @rule(code=st.text(max_size=20), stands=st.booleans())
    def answer(self, code: str, stands: bool) -> None:
        order: do.Answer = self.order(do.Answer)
        assert (order.receipt, order.opening) == (RECEIPT, self.invited.opening)
        self.tell(fact.AnswerStands(code) if stands else fact.AnswerDiffers(code))
        assert self.doing(do.AwaitSettlement) == stands

    @precondition(lambda self: self.doing(do.GiveBack))
    @rule(how=st.sampled_from(["gave_back", "gave_back", "stale"]))
    def give_back(self, how: str) -> None:
        order: do.GiveBack = self.order(do.GiveBack)
        assert order.escrow == ESCROW
        self.escrow = "settled"
        self.price = 0 if how == "gave_back" else self.price // 2
        self.tell(fact.Paid(how, Amount(self.price)))

    @precondition(lambda self: self.doing(do.AwaitSettlement))
    @rule(how=st.sampled_from(["paid", "auto", "ruled", "stale", "gave_back"]))
    def settle(self, how: str) -> None:
        order: do.AwaitSettlement = self.order(do.AwaitSettlement)
        assert order.requester == self.invited.auctioneer
        assert order.answered == (self.escrow == "disputed")
        self.escrow = "settled"
        part = {"paid": self.price, "auto": self.price, "gave_back": 0}.get(how, self.price // 2)
        self.tell(fact.Paid(how, Amount(part)))
        assert self.job.price == part

    @rule()
    def restart(self) -> None:
        """Everything is read back from its facts; the orders that are open are the ones that were open."""
        job, orders = begin(GENESIS, self.invited)
        pending = list(orders)
        for happened in self.told:
            job, orders = step(job, happened)
            if not isinstance(happened, fact.Revealed):
                pending = list(orders)
        assert job == self.job
        assert pending == self.pending

    @rule(name=st.sampled_from(sorted(PROVIDER_FACTS)))
    def an_impossible_fact_is_a_bug_and_changes_nothing(self, name: str) -> None:
        if name in FOLLOWS[self.job.phase].split() and not (name == "Challenged" and self.job.answered):
            return
        before = codec.encode(self.job)
        with pytest.raises(Bug, match=f"{name} cannot follow {self.job.phase.value}"):
            step(self.job, PROVIDER_FACTS[name])
        assert codec.encode(self.job) == before

    @invariant()
    def one_order_is_under_way_until_the_end(self) -> None:
        assert len(self.pending) == (0 if self.job.final else 1)

    @invariant()
    def nothing_is_done_for_an_auction_that_was_not_won(self) -> None:
        assert self.works <= 1
        if self.escrow == "none":
            assert self.works == 0
            assert self.job.phase in {*BIDDING, Phase.LOST, Phase.REFUSED}

    @invariant()
    def the_sealed_bid_never_changes(self) -> None:
        assert (self.job.opening, self.job.commit) == (self.invited.opening, self.invited.commit)
        assert (self.job.auction, self.job.genesis, self.job.spec) == (AUCTION, GENESIS, self.invited.spec)

    @invariant()
    def the_result_is_served_only_after_its_hash_is_on_chain(self) -> None:
        if self.job.phase in (Phase.DELIVERED, Phase.ANSWERING, Phase.GIVING_BACK, Phase.PAID):
            assert self.job.delivery == self.on_chain
            assert self.job.receipt == RECEIPT

    @invariant()
    def a_job_ends_paid_exactly_when_money_came(self) -> None:
        if self.job.phase in FINAL:
            assert (self.job.phase is Phase.PAID) == (self.escrow == "settled" and self.job.price > 0)


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
