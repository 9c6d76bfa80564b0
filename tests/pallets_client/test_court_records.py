"""The court's hashes, calls and records in Python: the hashes are those of the pallet's own test."""

from dataclasses import fields
from typing import Any

import pytest

from pallets_client import hashing
from pallets_client.court_parsing import parse_arbiter, parse_case, parse_panel
from pallets_client.errors import ChainMisbehaviour
from pallets_client.pallets import court, escrow
from pallets_client.pallets.shape import Variant
from pallets_client.parsing import parse_proposal

GENESIS, ESCROW, PARTY, SALT, OUTPUT = (bytes([n]) * 32 for n in (1, 2, 3, 4, 5))


def side(**changes: object) -> dict[str, object]:
    """What one party put before the court, as the codec decodes it."""
    return {"bond": 7, "exhibits": [OUTPUT], "nonce": SALT, "opened": False, **changes}


def case(**changes: object) -> dict[str, object]:
    """A case that is voted on, as the codec decodes it."""
    return {
        "escrow": ESCROW,
        "milestone": 0,
        "price": 100,
        "ground": 2,
        "replay": True,
        "round": 1,
        "redrawn": False,
        "payer": side(),
        "payee": side(bond=50),
        "ruling": {"payee_bps": 0, "output": OUTPUT, "holds": True},
        "appeals": [{"by": Variant("Payee"), "bond": 100, "against": 0}],
        "phase": Variant("Voting", {"commit_end": 10, "reveal_end": 20}),
        **changes,
    }


def test_hashes_are_those_of_the_pallet() -> None:
    found = hashing.case_id(GENESIS, ESCROW, 7)
    chain = hashing.nonce_chain(GENESIS, found, PARTY, SALT, 6)
    vote = hashing.vote_commit(GENESIS, found, 2, PARTY, (OUTPUT, True, 9_999), SALT)

    assert found.hex() == "6a5c5f70c2393dc4f29fdc6adc6c72d47f50c3940ea01cc8e53d1c471f096bb5"
    assert chain[0].hex() == "72c0b0cd35138757a23e620f4095ad8789ea5165081f3491318ff3753bc5bb7f"
    assert (len(chain), chain[-1]) == (7, SALT)
    assert vote.hex() == "81942c677b044dc73cbcdd9c9a1e5ac014aae9a293b4caf0c66238b2799c51df"


def test_a_case_is_read_with_its_sides_appeals_and_phase() -> None:
    found = parse_case(case())

    assert found.phase == court.Voting(10, 20)
    assert (found.payee.bond, found.payer.exhibits) == (50, (OUTPUT,))
    assert found.appeals == (court.Appeal(court.Party.PAYEE, 100, 0),)
    assert found.ruling == court.Ruling(0, OUTPUT, holds=True)
    assert parse_case(case(ruling=None, appeals=[])).ruling is None


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": Variant("Sleeping")},
        {"phase": Variant("Voting", {"commit_end": 1})},
        {"phase": 3},
        {"payer": None},
        {"payer": side(exhibits="no")},
        {"appeals": 1},
        {"appeals": [{"by": Variant("Judge"), "bond": 1, "against": 0}]},
        {"price": "much"},
        {"round": None},
    ],
)
def test_a_case_of_another_shape_is_misbehaviour(changes: dict[str, Any]) -> None:
    with pytest.raises(ChainMisbehaviour):
        parse_case(case(**changes))


def test_a_panel_is_read_with_its_votes() -> None:
    revealed = {"output": OUTPUT, "holds": False, "payee_bps": 10_000}
    votes = [
        Variant("Waiting"),
        Variant("Committed", {"commit": SALT}),
        Variant("Revealed", revealed),
        Variant("Denounced"),
    ]

    panel = parse_panel({"unit": 5, "seats": [{"arbiter": PARTY, "seats": 1, "vote": vote} for vote in votes]})

    assert [seat.vote for seat in panel.seats] == [
        court.Waiting(),
        court.Committed(SALT),
        court.Revealed(OUTPUT, holds=False, payee_bps=10_000),
        court.Denounced(),
    ]
    with pytest.raises(ChainMisbehaviour):
        parse_panel({"unit": 5, "seats": [{"arbiter": PARTY, "seats": 1, "vote": Variant("Shouted")}]})


def test_an_arbiter_is_read() -> None:
    stored = {"stake": 9, "locked": 1, "slot": 0, "units": 8, "unit": 1, "leaving": None}

    assert parse_arbiter(stored) == court.Arbiter(9, 1, 0, 8, 1, None)


@pytest.mark.parametrize("deal", [escrow.Milestones((3, 4), 60), escrow.TopUp(5), escrow.Split(2_500)])
def test_a_proposal_is_read_as_it_was_made(deal: escrow.Deal) -> None:
    stored = {"by": PARTY, "deal": escrow.propose(ESCROW, deal).args["deal"]}

    assert parse_proposal(stored) == escrow.Proposal(PARTY, deal)


def test_a_proposal_of_an_unknown_deal_is_misbehaviour() -> None:
    with pytest.raises(ChainMisbehaviour):
        parse_proposal({"by": PARTY, "deal": Variant("Gift", {})})


def test_openings_name_every_part_of_the_vote() -> None:
    vote = court.Revealed(OUTPUT, holds=True, payee_bps=0)

    call = court.denounce_vote(ESCROW, PARTY, vote, SALT)

    assert set(call.args) == {"case", "arbiter", "salt", *(f.name for f in fields(vote))}
