"""A submitted task in a model world: whatever the chain and the peers answer, the books and the rules hold."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from domain_records import GENESIS, b32, commit_of, node_key, opening
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from life_samples import RECEIPT, REQUESTER_FACTS, SUBMITTED
from test_requester_steps import FOLLOWS

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.auction.commitments import Opening, bid_set_root
from ainur_node.domain.auction.rules import fee_of, reserve_of
from ainur_node.domain.auction.single import Bidder, clear
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId
from ainur_node.domain.money import Amount
from ainur_node.domain.requester import ABOUT_THE_WINNER, CANCELLABLE, MAX_ATTEMPTS, Phase, RequesterTask, begin, step
from ainur_node.domain.task import auction_id, escrow_id
from ainur_node.errors import Bug
from ainur_node.market import codec

FEE_BPS = 100
about_the_winner = st.sampled_from(sorted(ABOUT_THE_WINNER))
about_the_auction = st.sampled_from(["too_late", "not_closed", "not_enough_free"])


class World(RuleBasedStateMachine):
    """The chain's books of one payer, and one task that moves through them."""

    @initialize(budget=st.integers(0, 10**6))
    def submit(self, budget: int) -> None:
        self.told: list[fact.RequesterFact] = []
        self.submitted = replace(SUBMITTED, budget=Amount(budget))
        self.task, orders = begin(GENESIS, self.submitted)
        self.pending: list[Any] = list(orders)
        self.free, self.held, self.paid, self.burned = budget, 0, 0, 0
        self.payments = 0
        self.auctions: list[AuctionId] = []
        self.awarded: dict[AuctionId, list[AccountId]] = {}
        self.gone: set[AccountId] = set()
        self.bids: dict[AccountId, Opening] = {}
        self.wished = False

    # --- moving -----------------------------------------------------------------------------------------------------

    def order(self, kind: type) -> Any:
        """The pending order, which the stage of this kind carries out."""
        assert isinstance(self.pending[0], kind)
        return self.pending.pop()

    def tell(self, happened: fact.RequesterFact) -> None:
        """What the engine does: the fact is stored as JSON, and so are the state and the orders."""
        happened = codec.decode_fact(type(happened).__name__, codec.encode(happened))  # type: ignore[assignment]
        after, orders = step(self.task, happened)
        assert step(self.task, happened) == (after, orders), "the same fact gives the same step"
        self.told.append(happened)
        back = codec.decode_state(codec.TASK, codec.encode(after))
        assert back == after
        assert isinstance(back, RequesterTask)
        self.task = back
        for given in orders:
            assert codec.decode_order(type(given).__name__, codec.encode(given)) == given
            self.pending.append(given)

    def doing(self, kind: type) -> bool:
        return bool(self.pending) and isinstance(self.pending[0], kind)

    # --- the stages' answers ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.doing(do.HoldBudget))
    @rule(accepted=st.sampled_from([True, True, True, False]))
    def hold_budget(self, accepted: bool) -> None:
        order: do.HoldBudget = self.order(do.HoldBudget)
        assert self.held == 0, "the hold of an earlier attempt is free again before the next"
        assert order.auction not in self.auctions
        assert order.auction == auction_id(GENESIS, self.submitted.spec.payer, order.task, order.attempt)
        assert order.attempt == len(self.auctions)
        assert order.budget == self.submitted.budget
        if not accepted:
            self.tell(fact.FundingRefused("balance_too_low", "add money"))
            return
        self.auctions.append(order.auction)
        self.free, self.held = self.free - order.budget, order.budget
        assert self.free >= 0
        reserve = reserve_of(order.budget, FEE_BPS)
        self.tell(fact.Funded(order.auction, reserve, FEE_BPS, 3, 1_000, 2_000, 3_000))

    @precondition(lambda self: self.doing(do.CollectBids))
    @rule(asks=st.dictionaries(st.integers(0, 5), st.integers(0, 10**6), max_size=4))
    def collect_bids(self, asks: dict[int, int]) -> None:
        order: do.CollectBids = self.order(do.CollectBids)
        assert order.auction == self.auctions[-1]
        assert set(order.excluded) == self.gone
        bids = [bid for number, ask in asks.items() if (bid := opening(number, ask)).provider not in order.excluded]
        self.bids = {bid.provider: bid for bid in bids}
        if not bids:
            self.tell(fact.NoSale(order.auction, (("nobody_answered", 1),)))
            return
        commits = sorted((commit_of(bid, node_key(0)) for bid in bids), key=lambda c: c.provider)
        root = bid_set_root(GENESIS, order.auction, {c.provider: c.commit for c in commits})
        self.tell(fact.BidsCollected(order.auction, tuple(commits), root, (fact.Pass("peer", "no_slot"),)))  # type: ignore[arg-type]

    @precondition(lambda self: self.doing(do.CloseAuction))
    @rule(late=st.sampled_from([False, False, False, True]))
    def close(self, late: bool) -> None:
        order: do.CloseAuction = self.order(do.CloseAuction)
        assert order.count == len(self.bids)
        assert not self.wished, "a task that was cancelled in time is never closed"
        happened = fact.Closed(order.auction, 9, b32("beacon"))
        self.tell(fact.NoSale(order.auction, (("closed_too_late", 1),)) if late else happened)

    @precondition(lambda self: self.doing(do.CollectReveals))
    @rule(silent=st.sets(st.integers(0, 5)))
    def collect_reveals(self, silent: set[int]) -> None:
        order: do.CollectReveals = self.order(do.CollectReveals)
        assert {c.provider for c in order.commits} == set(self.bids)
        for number in silent:
            self.bids.pop(opening(number, 0).provider, None)
        self.clear(order.auction, (), all_revealed=len(self.bids) == len(order.commits))

    @precondition(lambda self: self.doing(do.ClearAgain))
    @rule()
    def clear_again(self) -> None:
        order: do.ClearAgain = self.order(do.ClearAgain)
        assert order.transcript_blob == b32(f"blob of {self.auctions[-1].hex()}")
        out = (*order.failed, *(each.provider for each in order.skipped))
        assert sorted(out) == sorted(self.awarded[order.auction])
        self.clear(order.auction, out, all_revealed=True)

    def clear(self, auction: AuctionId, failed: tuple[AccountId, ...], *, all_revealed: bool) -> None:
        bidders = [Bidder(bid.provider, bid.ask, 500_000, 0) for bid in self.bids.values()]
        reserve = reserve_of(self.submitted.budget, FEE_BPS)
        sale = clear(GENESIS, b32("root"), b32("beacon"), bidders, reserve, failed)
        digest, blob = b32("transcript"), b32(f"blob of {auction.hex()}")
        if sale is None:
            self.tell(fact.NoSale(auction, (("ask_above_reserve", 1),), digest, all_revealed))
            return
        winner = self.bids[sale.winner.provider]
        self.tell(fact.Cleared(auction, digest, blob, winner, sale.price, 0, sale.second, len(bidders), all_revealed))

    @precondition(lambda self: self.doing(do.AwardOnChain))
    @rule(refused=st.one_of(st.none(), st.none(), about_the_winner, about_the_auction), block=st.integers(0, 99))
    def award(self, refused: str | None, block: int) -> None:
        order: do.AwardOnChain = self.order(do.AwardOnChain)
        winner = order.opening.provider
        earlier = self.awarded.setdefault(order.auction, [])
        assert winner not in earlier, "a failed winner is never awarded again in the same auction"
        assert winner not in self.gone, "nor in a later one when it failed"
        assert winner in {c.provider for c in order.commits}
        assert order.opening == self.bids[winner]
        earlier.append(winner)
        if refused is not None:
            self.tell(fact.AwardRefused(refused, block))
            assert self.doing(do.ClearAgain) == (refused in ABOUT_THE_WINNER)
            return
        fee = fee_of(order.price, FEE_BPS)
        assert order.opening.ask <= order.price
        assert order.price + fee <= self.submitted.budget, "the budget always covers price and fee"
        self.free, self.held = self.free + self.held - order.price - fee, order.price + fee
        escrow = escrow_id(GENESIS, order.auction)
        self.tell(fact.Escrowed(escrow, winner, order.price, fee, 5_000, 9_000))

    @precondition(lambda self: self.doing(do.ReleaseHold))
    @rule()
    def release(self) -> None:
        order: do.ReleaseHold = self.order(do.ReleaseHold)
        assert order.auction == self.auctions[-1]
        self.free, self.held = self.free + self.held, 0
        self.tell(fact.Released(order.auction, "no_sale"))

    @precondition(lambda self: self.doing(do.AwaitDelivery))
    @rule(how=st.sampled_from(["delivered", "delivered", "declined", "not_delivered", "gave_back", "auto"]))
    def await_delivery(self, how: str) -> None:
        order: do.AwaitDelivery = self.order(do.AwaitDelivery)
        if how == "delivered":
            self.tell(fact.Delivered(order.escrow, b32("delivery"), 6_000))
        else:
            self.end(order.escrow, how)

    @precondition(lambda self: self.doing(do.Verify))
    @rule(how=st.sampled_from(["good", "good", "unseen", "bad", "auto", "gave_back"]))
    def verify(self, how: str) -> None:
        order: do.Verify = self.order(do.Verify)
        assert order.delivery == b32("delivery")
        assert order.escrow == escrow_id(GENESIS, self.auctions[-1])
        if how in ("good", "unseen"):
            self.tell(fact.Verified(order.escrow, b32("output"), 2, RECEIPT, how == "good"))
        elif how == "bad":
            self.tell(fact.Mismatch(order.escrow, 2, "replay_differs", b32("evidence")))
        else:
            self.end(order.escrow, how)

    @precondition(lambda self: self.doing(do.Accept))
    @rule(how=st.sampled_from(["paid", "paid", "auto", "gave_back"]))
    def accept(self, how: str) -> None:
        order: do.Accept = self.order(do.Accept)
        verified = next(f for f in reversed(self.told) if isinstance(f, fact.Verified))
        assert order.verified == verified.replayed
        self.end(order.escrow, how)

    @precondition(lambda self: self.doing(do.OpenDispute))
    @rule(how=st.sampled_from(["disputed", "disputed", "auto", "gave_back"]))
    def dispute(self, how: str) -> None:
        order: do.OpenDispute = self.order(do.OpenDispute)
        if how == "disputed":
            self.tell(fact.Disputed(order.escrow, order.ground, 20_000))
        else:
            self.end(order.escrow, how)

    @precondition(lambda self: self.doing(do.AwaitRuling))
    @rule(how=st.sampled_from(["ruled", "stale", "gave_back", "paid"]))
    def ruling(self, how: str) -> None:
        self.end(self.order(do.AwaitRuling).escrow, how)

    def end(self, escrow: EscrowId, how: str) -> None:
        """The escrow ends on chain: money moves there first, then the fact is told."""
        winner = self.awarded[self.auctions[-1]][-1]
        if how in ("declined", "not_delivered", "gave_back"):
            self.free, self.held = self.free + self.held, 0
            self.gone.add(winner)
            settling = self.task.phase not in (Phase.RUNNING, Phase.DISPUTED)
            nothing = fact.Settled(escrow, how, Amount(0), Amount(0))
            self.tell(nothing if settling else fact.WinnerFailed(escrow, winner, how))
            return
        price, fee = self.task.price, self.task.fee
        paid = price if how in ("paid", "auto") else price // 2
        burned = fee if how in ("paid", "auto") else 0
        self.payments += 1
        self.paid, self.burned = self.paid + paid, self.burned + burned
        self.free, self.held = self.free + self.held - paid - burned, 0
        self.tell(fact.Settled(escrow, how, Amount(paid), Amount(burned)))

    # --- from outside -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.task.phase in CANCELLABLE)
    @rule(often=st.integers(1, 2))
    def cancel(self, often: int) -> None:
        for _ in range(often):
            self.tell(fact.CancelRequested(1))
        self.wished = True

    @rule()
    def restart(self) -> None:
        """Everything is read back from its facts; the orders that are open are the ones that were open."""
        task, orders = begin(GENESIS, self.submitted)
        pending = list(orders)
        for happened in self.told:
            task, orders = step(task, happened)
            if not isinstance(happened, fact.CancelRequested):
                pending = list(orders)
        assert task == self.task
        assert pending == self.pending

    @rule(name=st.sampled_from(sorted(REQUESTER_FACTS)))
    def an_impossible_fact_is_a_bug_and_changes_nothing(self, name: str) -> None:
        if name in FOLLOWS[self.task.phase].split() or name == "WinnerFailed":
            return
        before = codec.encode(self.task)
        with pytest.raises(Bug, match=f"{name} cannot follow {self.task.phase.value}"):
            step(self.task, REQUESTER_FACTS[name])
        assert codec.encode(self.task) == before

    # --- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def one_order_is_under_way_until_the_end(self) -> None:
        assert len(self.pending) == (0 if self.task.final else 1)

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert self.free + self.held + self.paid + self.burned == self.submitted.budget
        assert min(self.free, self.held, self.paid, self.burned) >= 0

    @invariant()
    def there_is_one_payment_at_most_and_nothing_is_held_in_the_end(self) -> None:
        assert self.payments == (self.task.phase is Phase.SETTLED)
        if self.task.final:
            assert self.held == 0
        if self.task.phase is Phase.SETTLED:
            assert (self.task.price, self.task.fee) == (self.paid, self.burned)

    @invariant()
    def attempts_are_bounded_and_each_has_its_auction(self) -> None:
        assert 0 <= self.task.attempt < MAX_ATTEMPTS
        assert len(self.auctions) <= MAX_ATTEMPTS
        assert len(set(self.auctions)) == len(self.auctions)
        assert self.task.auction == auction_id(GENESIS, self.submitted.spec.payer, self.task.task, self.task.attempt)

    @invariant()
    def whoever_failed_stays_out(self) -> None:
        assert set(self.task.failed) <= set(self.awarded.get(self.task.auction, []))
        out = (*self.task.failed, *(each.provider for each in self.task.skipped))
        assert len(set(out)) == len(out)
        assert set(out) <= set(self.awarded.get(self.task.auction, []))
        assert set(self.task.excluded) == self.gone

    @invariant()
    def what_was_submitted_never_changes(self) -> None:
        s, t = self.submitted, self.task
        assert (t.task, t.spec, t.capability, t.package, t.budget) == (
            s.task,
            s.spec,
            s.capability,
            s.package,
            s.budget,
        )
        assert (t.input_sha256, t.salt, t.genesis) == (s.input_sha256, s.salt, GENESIS)

    @invariant()
    def a_wish_to_cancel_is_never_paid_for_in_the_same_attempt(self) -> None:
        if self.task.cancelled:
            assert self.task.phase in {*CANCELLABLE, Phase.RELEASING, Phase.CANCELLED, Phase.REFUSED, Phase.REFUNDED}


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=70, stateful_step_count=40, deadline=None)
