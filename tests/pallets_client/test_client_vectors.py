"""The client computes what the shared vectors say, which the runtime and the domain also compute."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pallets_client import hashing
from pallets_client.hashing import CommitTree
from pallets_client.keys import verify_digest
from pallets_client.pallets.reputation import EMPTY, decayed, penalty, quality, quality_at
from pallets_client.pallets.vcg_auction import AgentTerms, Opening, fee_of, reserve_of

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "protocol.json").read_text())
GENESIS = bytes.fromhex(VECTORS["genesis"])
AUCTION = bytes.fromhex(VECTORS["auction"])


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def test_ids_follow_from_their_fields() -> None:
    payer, task = raw(VECTORS["payer"]), raw(VECTORS["task"])

    assert hashing.auction_id(GENESIS, payer, task, VECTORS["attempt"]) == AUCTION
    assert hashing.escrow_id(GENESIS, AUCTION, 0).hex() == VECTORS["escrow"]
    assert hashing.capability_id(VECTORS["capability"]["name"]).hex() == VECTORS["capability"]["id"]
    node_key = raw(VECTORS["did"]["node_key"])
    assert hashing.did_proof(GENESIS, payer, node_key).hex() == VECTORS["did"]["digest"]


@pytest.mark.parametrize("bid", VECTORS["bids"], ids=lambda bid: bid["agent_name"])
def test_bids_are_sealed_and_signed_alike(bid: dict[str, Any]) -> None:
    provider, seq, until = raw(bid["provider"]), bid["seq"], bid["standing_until"]
    agent = hashing.agent_id(GENESIS, provider, bid["agent_name"].encode())
    terms = AgentTerms(
        agent,
        bid["version"],
        raw(bid["module"]),
        bid["abi"],
        raw(bid["engine"]),
        bid["class"],
        bid["fuel_limit"],
        bid["mem_limit"],
        bid["royalty_bps"],
        bid["eta_ms"],
    )
    opening = Opening(provider, int(bid["ask"]), raw(bid["nonce"]), terms)
    commit = opening.commit(GENESIS, AUCTION)
    digest = hashing.commit_message(GENESIS, AUCTION, provider, commit, seq, until)

    assert agent.hex() == bid["agent"]
    assert terms.hash(GENESIS).hex() == bid["terms_hash"]
    assert hashing.single_bid(GENESIS, opening.ask, terms.hash(GENESIS)).hex() == bid["bid_hash"]
    assert commit.hex() == bid["commit"]
    assert digest.hex() == bid["commit_message"]
    assert verify_digest(raw(bid["node_key"]), digest, raw(bid["signature"]))


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=lambda tree: len(tree["commits"]))
def test_trees_have_the_same_root_and_paths(tree: dict[str, Any]) -> None:
    commits = [(raw(provider), raw(commit)) for provider, commit in tree["commits"]]
    built = CommitTree.of(commits)

    assert hashing.root_hash(GENESIS, AUCTION, len(commits), built.top).hex() == tree["root"]
    for index, path in enumerate(tree["paths"]):
        assert [step.hex() for step in built.path(index)] == path


def test_every_rounding_is_the_same() -> None:
    for case in VECTORS["money"]:
        reserve = reserve_of(int(case["budget"]), case["fee_bps"])
        assert reserve == int(case["reserve"])
        assert fee_of(reserve, case["fee_bps"]) == int(case["fee"])
        assert [[q, str(penalty(reserve, 400, q))] for q, _ in case["penalties"]] == case["penalties"]
    for value, elapsed, half_life, left in VECTORS["decayed"]:
        assert decayed(int(value), elapsed, half_life) == int(left)
    for a, b, k, q in VECTORS["scores"]:
        assert quality(int(a), int(b), int(k)) == q


def test_frozen_scores_are_read_alike() -> None:
    for case in VECTORS["frozen"]:
        score = replace(EMPTY, history=tuple((epoch, q) for epoch, q in case["history"]))
        assert [[epoch, quality_at(score, epoch)] for epoch, _ in case["at"]] == case["at"]
