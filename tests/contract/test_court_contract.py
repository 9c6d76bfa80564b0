"""The court on the real runtime: a dispute from its answer over an appeal to the executed ruling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from chain_deal import LOCK, PRICE, Deal
from chain_world import World

from pallets_client import hashing
from pallets_client.pallets import court, escrow
from pallets_client.pallets.escrow import Settlement
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import CAPABILITY, Party

pytestmark = [pytest.mark.real, pytest.mark.slow]

SEAT_FEE = AIN // 50
BOND = PRICE // 2
SALT = hashing.sha256(b"salt")
WRONG = court.Revealed(hashing.sha256(b"what a replay gives"), holds=True, payee_bps=0)
RIGHT = court.Revealed(hashing.sha256(b"what was delivered"), holds=False, payee_bps=10_000)


class Trial:
    """A disputed deal before seven arbiters."""

    def __init__(self, world: World) -> None:
        self.world = world
        parties = [world.party(f"arbiter {number}", 30) for number in range(7)]
        world.do_all([(party, court.join_arbiters(20 * AIN)) for party in parties])
        self.arbiters = {party.account: party for party in parties}
        self.wealth = {party.account: world.wealth(party) for party in parties}
        self.deal = Deal(world).disputed()
        self.id = hashing.case_id(world.genesis, self.deal.id, 0)
        self.nonces = {
            party.account: hashing.nonce_chain(world.genesis, self.id, party.account, hashing.sha256(party.account), 6)
            for party in (self.deal.payer, self.deal.winner)
        }
        self.draws = 0

    @property
    def case(self) -> court.Case:
        found = self.world.client.case(self.id)
        assert found is not None
        return found

    def seats(self) -> list[tuple[Party, int]]:
        """Who sits in the present round, with the number of seats."""
        panel = self.world.client.panel(self.id, self.case.round)
        assert panel is not None
        return [(self.arbiters[seat.arbiter], seat.seats) for seat in panel.seats]

    def head_of(self, party: Party) -> bytes:
        return self.nonces[party.account][0]

    def draw(self) -> None:
        """Let the seeding blocks pass, open both nonces, draw."""
        phase = self.case.phase
        assert isinstance(phase, court.Seeding)
        while self.world.client.head().number <= phase.block + 2:
            self.world.ok(self.world.rich, Call("System", "remark", {"remark": b""}))
        self.draws += 1
        for party in (self.deal.payer, self.deal.winner):
            self.world.ok(party, court.open_nonce(self.id, self.nonces[party.account][self.draws]))
        drawn = self.world.ok(self.world.rich, court.draw(self.id))
        assert drawn.fee == 0

    def vote(self, liar: Party | None = None) -> None:
        """All seated arbiters find the delivery wrong but for the liar; then the votes are counted."""
        says = [(party, RIGHT if party is liar else WRONG) for party, _ in self.seats()]
        genesis, round_ = self.world.genesis, self.case.round
        self.world.do_all(
            [
                (
                    party,
                    court.commit_vote(
                        self.id,
                        hashing.vote_commit(
                            genesis, self.id, round_, party.account, (vote.output, vote.holds, vote.payee_bps), SALT
                        ),
                    ),
                )
                for party, vote in says
            ]
        )
        phase = self.case.phase
        assert isinstance(phase, court.Voting)
        self.world.wait_past(phase.commit_end)
        self.world.do_all([(party, court.reveal_vote(self.id, vote, SALT)) for party, vote in says])
        self.world.ok(self.world.rich, court.tally(self.id))

    def execute(self) -> None:
        phase = self.case.phase
        assert isinstance(phase, court.Ruled)
        self.world.wait_past(phase.ends)
        self.world.ok(self.world.rich, court.execute(self.id))


@contextmanager
def pleaded(world: World) -> Iterator[Trial]:
    """A case that both sides have pleaded."""
    trial = Trial(world)
    deal = trial.deal
    evidence = [hashing.sha256(b"a replay"), hashing.sha256(b"a receipt")]
    world.ok(deal.winner, court.respond(deal.id, evidence, trial.head_of(deal.winner)))
    world.ok(deal.payer, court.plead(trial.id, evidence[:1], trial.head_of(deal.payer)))
    yield trial
    assert world.client.audit().difference == 0


def test_a_wrong_delivery_is_ruled_on_appealed_and_executed(fresh_chain: World) -> None:
    with pleaded(fresh_chain) as trial:
        deal = trial.deal
        began = fresh_chain.client.market_now()
        trial.draw()
        first = trial.seats()
        assert sum(seats for _, seats in first) == 5
        liar, lies = min(first, key=lambda seat: seat[1])
        trial.vote(liar if lies <= 2 else None)
        ruling = trial.case.ruling
        assert ruling == court.Ruling(0, WRONG.output, holds=True)

        fresh_chain.ok(deal.winner, court.appeal(trial.id))
        assert fresh_chain.held(deal.winner)["Escrow::DisputeBond"] == 3 * BOND
        trial.draw()
        second = trial.seats()
        assert sum(seats for _, seats in second) == 11
        trial.vote()
        trial.execute()

        assert fresh_chain.client.market_now() - began < 90_000
        assert deal.outcome() is Settlement.RULED
        assert isinstance(trial.case.phase, court.Closed)
        assert fresh_chain.wealth(deal.payer) == deal.before[deal.payer.account]
        assert fresh_chain.wealth(deal.winner) == deal.before[deal.winner.account] - LOCK - 3 * BOND
        for account, party in trial.arbiters.items():
            earned = sum(
                seats * SEAT_FEE
                for panel in (first, second)
                for judge, seats in panel
                if judge is party and not (panel is first and judge is liar and lies <= 2)
            )
            lost = lies * AIN // 4 if party is liar and lies <= 2 else 0
            assert fresh_chain.wealth(party) == trial.wealth[account] + earned - lost
        score = fresh_chain.client.score(deal.winner.account, hashing.capability_id(CAPABILITY))
        assert score is not None
        assert score.ruled_against == 1


def test_both_sides_may_settle_a_case_and_a_leaker_pays(fresh_chain: World) -> None:
    with pleaded(fresh_chain) as trial:
        deal = trial.deal
        trial.draw()
        leaker, seats = trial.seats()[0]
        vote = (WRONG.output, WRONG.holds, WRONG.payee_bps)
        commit = hashing.vote_commit(fresh_chain.genesis, trial.id, 0, leaker.account, vote, SALT)
        fresh_chain.ok(leaker, court.commit_vote(trial.id, commit))
        before = fresh_chain.wealth(deal.other)
        fresh_chain.ok(deal.other, court.denounce_vote(trial.id, leaker.account, WRONG, SALT))
        assert fresh_chain.wealth(deal.other) == before + seats * AIN // 4
        assert fresh_chain.wealth(leaker) == trial.wealth[leaker.account] - seats * AIN

        half = escrow.Split(5_000)
        fresh_chain.ok(deal.payer, escrow.propose(deal.id, half))
        assert fresh_chain.client.proposal(deal.id) == escrow.Proposal(deal.payer.account, half)
        fresh_chain.ok(deal.winner, escrow.agree(deal.id, half))

        assert deal.outcome() is Settlement.AGREED
        assert fresh_chain.wealth(deal.winner) == deal.before[deal.winner.account] + PRICE // 2


def test_milestones_are_paid_one_after_the_other(fresh_chain: World) -> None:
    deal = Deal(fresh_chain).funded()
    parts = escrow.Milestones((AIN, 2 * AIN), 30_000)
    fresh_chain.ok(deal.winner, escrow.propose(deal.id, parts))
    fresh_chain.ok(deal.payer, escrow.agree(deal.id, parts))
    fresh_chain.ok(deal.winner, escrow.propose(deal.id, escrow.TopUp(AIN)))
    fresh_chain.ok(deal.payer, escrow.agree(deal.id, escrow.TopUp(AIN)))

    for number, part in enumerate((AIN, 2 * AIN, AIN)):
        assert deal.escrow().current == (number, part)
        fresh_chain.ok(deal.winner, escrow.deliver(deal.id, number, hashing.sha256(bytes([number]))))
        fresh_chain.ok(deal.payer, escrow.accept(deal.id, number, verified=True))
        expected = deal.escrow().held
        assert fresh_chain.held(deal.payer).get("Escrow::EscrowFunds", 0) == expected

    assert deal.outcome() is Settlement.PAID
    assert fresh_chain.wealth(deal.winner) == deal.before[deal.winner.account] + PRICE + AIN
    assert fresh_chain.client.audit().difference == 0
