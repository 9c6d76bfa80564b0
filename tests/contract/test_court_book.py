"""The court as the market sees it, read from the real runtime at every phase of a case with an appeal."""

from __future__ import annotations

from typing import Any, cast

import pytest
from chain_world import World
from test_court_contract import SALT, WRONG, Trial

from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot
from ainur_node.domain.court.docket import Docket, Role
from ainur_node.domain.court.nonces import LINKS, case_id, chain_of, next_link
from ainur_node.domain.ids import EscrowId
from ainur_node.ledger.court import ChainCourt
from pallets_client import hashing
from pallets_client.pallets import court

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_names_and_nonces_of_the_domain_are_those_of_the_chain() -> None:
    genesis, escrow, party, secret = (hashing.sha256(bytes([n])) for n in range(4))
    case = hashing.case_id(genesis, escrow, 3)
    assert case_id(genesis, escrow, 3) == case
    links = hashing.nonce_chain(genesis, case, party, secret, LINKS)
    assert chain_of(genesis, case, party, secret) == links
    assert next_link(genesis, case, party, secret, links[0]) == links[1]
    commit = hashing.vote_commit(genesis, case, 2, party, (escrow, True, 1_234), secret)
    assert Ballot(escrow, holds=True, payee_bps=1_234, salt=secret).commit(genesis, case, 2, party) == commit


def test_a_case_reads_as_what_it_is_in_every_phase(fresh_chain: World) -> None:
    world, trial = fresh_chain, Trial(fresh_chain)
    escrow, genesis, client = EscrowId(trial.deal.id), world.genesis, world.client
    first = client.head().number
    seated = next(iter(trial.arbiters))
    book = ChainCourt(client, cast(Any, None), cast(Any, None), cast(Any, None), seated)

    def docket() -> Docket:
        found = book._docket(escrow)
        assert found is not None
        return found

    before = docket()
    assert isinstance(before.phase, d.Unanswered)
    assert before.phase.sat
    assert before.phase.arbiters
    assert before.case == b""
    shown = hashing.sha256(b"a bundle")
    world.ok(trial.deal.winner, court.respond(escrow, [shown], trial.head_of(trial.deal.winner)))
    answered = docket()
    assert isinstance(answered.phase, d.Pleading)
    assert answered.case == case_id(genesis, escrow, 0)
    assert answered.exhibits == ((), (shown,))
    world.ok(trial.deal.payer, court.plead(trial.id, [shown], trial.head_of(trial.deal.payer)))
    assert isinstance(docket().phase, d.Seeding)
    assert docket().nonces == (trial.head_of(trial.deal.payer), trial.head_of(trial.deal.winner))
    assert docket().role_of(trial.deal.payer.account) is Role.PAYER
    trial.draw()
    voting = docket()
    assert isinstance(voting.phase, d.Voting)
    assert sum(seat.seats for seat in voting.panel) == d.ROUND_SEATS[0]
    assert all(seat.vote == "waiting" for seat in voting.panel)
    for account in trial.arbiters:
        mine = ChainCourt(client, cast(Any, None), cast(Any, None), cast(Any, None), account)
        found = mine._seated_in(first, client.head().number)
        assert found == ([(escrow, trial.id)] if voting.seat_of(account) is not None else [])
    trial.vote()
    ruled = docket()
    assert isinstance(ruled.phase, d.Ruled)
    assert ruled.phase.appealable
    assert ruled.decision is not None
    assert (ruled.decision.winner, ruled.decision.output) == (Role.PAYER, WRONG.output)
    assert {seat.vote for seat in ruled.panel} == {"revealed"}
    world.ok(trial.deal.winner, court.appeal(trial.id))
    assert docket().round == 1
    assert [by for by, _ in docket().appeals] == [Role.PAYEE]
    trial.draw()
    trial.vote()
    trial.execute()
    assert isinstance(docket().phase, d.Closed)
    assert len(SALT) == 32
