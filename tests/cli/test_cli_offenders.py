"""Whoever is named is named by name, with what it did and where the evidence lies."""

import json
from typing import Any

import pytest
from cli_world import AUCTION, TASK, FakeNode, Type

LIAR = "b" * 64
ROW: dict[str, Any] = {
    "who": LIAR,
    "role": "provider",
    "code": "not_revealed",
    "sentence": "a provider committed but did not reveal",
    "evidence": {"kind": "transcript", "id": "c" * 64},
}


@pytest.fixture
def submitter(node: FakeNode) -> FakeNode:
    (node.home / "world.json").write_text(json.dumps({"nodes": [{"name": "n1", "account": LIAR}]}))
    return node


def test_why_names_the_offender(submitter: FakeNode, ainur: Type) -> None:
    submitter.answers["auction.why"]["offenders"] = [ROW]

    told = "n1: not_revealed: a provider committed but did not reveal; evidence: transcript cccccccccccc"
    assert told in ainur("auction", "why", AUCTION).out
    assert ainur("auction", "why", AUCTION, "--json").json["offenders"] == [ROW]


def test_a_task_names_the_offender(submitter: FakeNode, ainur: Type) -> None:
    submitter.shown["offenders"] = [ROW | {"evidence": None}]

    typed = ainur("task", "show", TASK)

    assert "n1: not_revealed: a provider committed but did not reveal\n" in typed.out


def test_a_stranger_is_named_by_its_digits(submitter: FakeNode, ainur: Type) -> None:
    submitter.answers["auction.why"]["offenders"] = [ROW | {"who": "d" * 63 + "e"}]

    assert "…ddddddde: not_revealed" in ainur("auction", "why", AUCTION).out


def test_what_a_peer_said_cannot_move_the_cursor(submitter: FakeNode, ainur: Type) -> None:
    submitter.answers["auction.why"]["offenders"] = [ROW | {"sentence": "\x1b[2Jgone"}]

    assert "\x1b" not in ainur("auction", "why", AUCTION).out


def test_what_a_bidder_keeps_as_evidence_is_told_with_amounts_in_ain(submitter: FakeNode, ainur: Type) -> None:
    kept = {"paid": "200000000000", "due": "250000000000", "seen_block": "17"}
    submitter.answers["auction.why"]["offenders"] = [ROW | {"details": kept}]

    told = ainur("auction", "why", AUCTION).out

    assert [line.split() for line in told.splitlines()[-3:]] == [
        ["paid", "0.2", "AIN"],
        ["due", "0.25", "AIN"],
        ["seen", "block", "17"],
    ]


def test_what_became_of_a_challenge_and_of_a_bond_is_told(ainur: Type, submitter: FakeNode) -> None:
    won = {"state": "succeeded", "fault": "two_roots", "demanded": False, "block": 9, "why": None}
    parts = {"burned": "500000000000", "compensation": "0", "reward": "500000000000"}
    submitter.answers["auction.why"]["challenge"] = won | parts
    submitter.answers["auction.why"]["bond"] = {"state": "kept", "amount": "1000000000000", "until": 5}
    submitter.shown["bond"] = {"state": "lost", "amount": "1000000000000", "until": 5}

    why, shown = ainur("auction", "why", AUCTION).out, ainur("task", "show", TASK).out

    assert "challenged on chain in block 9 (two_roots): 0.5 AIN of the auctioneer's bond burned" in why
    assert "0 AIN to the bidder that it cost, 0.5 AIN to this node for the proof" in why
    assert "1 AIN, at stake while the award can be challenged" in why
    assert "1 AIN, lost: a fault was proven on chain" in shown
