"""The test vectors that Python and Rust share: what this module computes is what the file says.

`python tests/vectors/test_protocol_vectors.py` writes the file anew; chain/pallet-tests reads the same one.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ainur_node.domain.agent import AgentTerms, agent_id, terms_hash
from ainur_node.domain.auction.commitments import (
    Commit,
    Opening,
    bid_hash,
    bid_set_root,
    commit_hash,
    commit_message,
    prove,
)
from ainur_node.domain.auction.rules import fee_of, reserve_of
from ainur_node.domain.canonical import capability_id, signing_bytes
from ainur_node.domain.ids import AccountId, ModuleId, TaskId
from ainur_node.domain.money import MAX_BUDGET, Amount
from ainur_node.domain.reputation import penalty, score, score_at
from ainur_node.domain.task import auction_id, escrow_id
from ainur_node.signing import NodeSigner
from pallets_client import hashing
from pallets_client.pallets.reputation import decayed

FILE = Path(__file__).parent / "protocol.json"
GENESIS = bytes(range(32))
PAYER = AccountId(b"\x01" * 32)
TASK = TaskId(b"\x77" * 32)


def terms(provider: AccountId, number: int) -> AgentTerms:
    """Terms with a different value in every field."""
    return AgentTerms(
        agent=agent_id(GENESIS, provider, f"agent {number}"),
        version=number + 1,
        module=ModuleId(bytes([0x11 + number]) * 32),
        abi=1,
        engine=b"\x44" * 32,
        verification_class=number % 3,
        fuel_limit=10**9 + number,
        mem_limit=65_536 + number,
        royalty_bps=250 * number,
        eta_ms=500 + number,
    )


def bids(count: int) -> list[Opening]:
    """Openings of `count` providers in the order of their accounts."""
    return [
        Opening(
            AccountId(bytes([number + 2]) * 32),
            Amount(10**12 + number),
            bytes([0xA0 + number]) * 32,
            terms(AccountId(bytes([number + 2]) * 32), number),
        )
        for number in range(count)
    ]


def bid_vectors(auction: Any) -> list[dict[str, Any]]:
    """Every field of some bids, the hashes on the way to the commit, and the digest of its promise."""
    rows = []
    for number, bid in enumerate(bids(3)):
        commit = commit_hash(GENESIS, auction, bid)
        promise = Commit(bid.provider, commit, number + 1, 60_000 + number, b"")
        digest, signer = commit_message(GENESIS, auction, promise), NodeSigner(bid.provider)
        rows.append(
            {
                "provider": bid.provider.hex(),
                "agent_name": f"agent {number}",
                "agent": bid.terms.agent.hex(),
                "version": bid.terms.version,
                "module": bid.terms.module.hex(),
                "abi": bid.terms.abi,
                "engine": bid.terms.engine.hex(),
                "class": bid.terms.verification_class,
                "fuel_limit": bid.terms.fuel_limit,
                "mem_limit": bid.terms.mem_limit,
                "royalty_bps": bid.terms.royalty_bps,
                "eta_ms": bid.terms.eta_ms,
                "ask": str(bid.ask),
                "nonce": bid.nonce.hex(),
                "terms_hash": terms_hash(GENESIS, bid.terms).hex(),
                "bid_hash": bid_hash(GENESIS, bid.ask, bid.terms).hex(),
                "commit": commit.hex(),
                "seq": promise.seq,
                "standing_until": promise.standing_until,
                "commit_message": digest.hex(),
                "node_key": signer.node_key.hex(),
                "signature": signer.sign(digest).hex(),
            }
        )
    return rows


def tree_vectors(auction: Any) -> list[dict[str, Any]]:
    """Roots and all paths of trees of several sizes, odd ones among them."""
    rows = []
    for count in (1, 2, 3, 5, 8, 13):
        commits = {bid.provider: commit_hash(GENESIS, auction, bid) for bid in bids(count)}
        paths = [[step.hex() for step in prove(commits, provider).path] for provider in sorted(commits)]
        rows.append(
            {
                "commits": [[provider.hex(), commits[provider].hex()] for provider in sorted(commits)],
                "root": bid_set_root(GENESIS, auction, commits).hex(),
                "paths": paths,
            }
        )
    return rows


def money_vectors() -> list[dict[str, Any]]:
    """Reserve of a budget, fee of that price, and its penalty at several scores; amounts as decimal strings."""
    budgets = [1, 99, 101, 10**9, 10**12 + 7, 33 * 10**11 + 1, 10**18, MAX_BUDGET]
    rows = []
    for budget in budgets:
        for fee_bps in (0, 1, 100, 9_999):
            reserve = reserve_of(Amount(budget), fee_bps)
            rows.append(
                {
                    "budget": str(budget),
                    "fee_bps": fee_bps,
                    "reserve": str(reserve),
                    "fee": str(fee_of(reserve, fee_bps)),
                    "penalties": [[q, str(penalty(reserve, 400, q))] for q in (0, 1, 333_333, 500_000, 10**6)],
                }
            )
    return rows


def score_vectors() -> dict[str, Any]:
    """Scores of evidence, and frozen scores of histories."""
    triples = [(0, 0, 10**11), (5 * 10**10, 0, 10**11), (0, 10**12, 10**11), (7, 3, 1), (2**90, 2**90, 2**90)]
    short = [(3, 10), (5, 20)]
    full = [(epoch + 3, epoch) for epoch in range(8)]
    fading = [(1_000, 0, 100), (1_000, 250, 100), (2**90, 2**37 - 1, 2**37), (10**12 + 7, 86_400_001, 86_400_000)]
    return {
        "decayed": [[str(value), elapsed, life, str(decayed(value, elapsed, life))] for value, elapsed, life in fading],
        "scores": [[str(a), str(b), str(k), score(a, b, k)] for a, b, k in triples],
        "frozen": [
            {"history": history, "at": [[epoch, score_at(history, epoch)] for epoch in (0, 2, 3, 4, 5, 9, 99)]}
            for history in ([], short, full)
        ],
    }


def document() -> dict[str, Any]:
    """The whole file."""
    auction = auction_id(GENESIS, PAYER, TASK, 2)
    return {
        "genesis": GENESIS.hex(),
        "payer": PAYER.hex(),
        "task": TASK.hex(),
        "attempt": 2,
        "auction": auction.hex(),
        "escrow": escrow_id(GENESIS, auction, 0).hex(),
        "capability": {"name": "text/summary", "id": capability_id("text/summary").hex()},
        "did": {"node_key": (b"\x05" * 32).hex(), "digest": hashing.did_proof(GENESIS, PAYER, b"\x05" * 32).hex()},
        "signing_bytes": signing_bytes(b"\x06" * 32).hex(),
        "bids": bid_vectors(auction),
        "trees": tree_vectors(auction),
        "money": money_vectors(),
        **score_vectors(),
    }


def written() -> str:
    """The file's text."""
    return json.dumps(document(), indent=1) + "\n"


def test_the_file_says_what_the_domain_computes() -> None:
    assert json.loads(FILE.read_text("utf-8")) == json.loads(written())


def test_the_chain_client_agrees() -> None:
    auction = auction_id(GENESIS, PAYER, TASK, 2)
    assert hashing.auction_id(GENESIS, PAYER, TASK, 2) == auction
    assert hashing.escrow_id(GENESIS, auction, 0) == escrow_id(GENESIS, auction, 0)
    for number, bid in enumerate(bids(3)):
        assert hashing.agent_id(GENESIS, bid.provider, f"agent {number}".encode()) == bid.terms.agent
        sealed = hashing.single_bid(GENESIS, bid.ask, terms_hash(GENESIS, bid.terms))
        expected = commit_hash(GENESIS, auction, bid)
        assert hashing.commit_hash(GENESIS, auction, bid.provider, sealed, bid.nonce) == expected


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
    sys.stdout.write(f"wrote {FILE.name}\n")
