"""People of a test market, over any client and writer: the same script runs in memory and on a real chain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Protocol

from pallets_client import hashing
from pallets_client.keys import NodeKey, Sr25519, development_seed
from pallets_client.pallets import agent_registry, did, vcg_auction
from pallets_client.pallets.vcg_auction import (
    AgentTerms,
    AuctionTerms,
    AwardProof,
    Commitment,
    MerkleProof,
    Opening,
)
from pallets_client.records import AIN, Call, Outcome

CAPABILITY = "text/summarise"
MODULE = hashing.sha256(b"a module")
PACKAGE = hashing.sha256(b"a package")
ENGINE = hashing.sha256(b"an engine")
AGENT_NAME = "summariser"
ANSWER_WITHIN = 120.0  # seconds; a busy machine may take long, a lost call for ever


class Submits(Protocol):
    """What a party needs of a writer."""

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        """Send a call; the future tells what became of it."""
        ...


@dataclass(slots=True)
class Party:
    """An account with a node key and a way to send calls."""

    name: str
    writer: Submits
    key: Sr25519
    node_key: NodeKey

    @classmethod
    def named(cls, name: str, writer_of: Callable[[Sr25519], Submits]) -> Party:
        """A party whose keys follow from its name."""
        key = Sr25519(development_seed(name))
        return cls(name, writer_of(key), key, NodeKey(development_seed(f"node of {name}")))

    @property
    def account(self) -> bytes:
        """The party's account."""
        return self.key.account

    def do(self, call: Call) -> Outcome:
        """Send a call and wait for what became of it."""
        return self.writer.submit(call, b"").result(ANSWER_WITHIN)

    def bind(self, genesis: bytes) -> Call:
        """The call that binds this party's node key to its account."""
        digest = hashing.did_proof(genesis, self.account, self.node_key.public)
        return did.create(self.node_key.public, self.node_key.sign_digest(digest))

    def register(self, stake: int = 20 * AIN) -> Call:
        """The call that makes this party a provider."""
        return agent_registry.register_provider(None, None, stake)

    def offer(self) -> Call:
        """The call that registers this party's agent."""
        return agent_registry.register_agent(AGENT_NAME, CAPABILITY, PACKAGE, MODULE, 0, 0)

    def terms(self, genesis: bytes) -> AgentTerms:
        """What this party's agent promises."""
        agent = hashing.agent_id(genesis, self.account, AGENT_NAME.encode())
        return AgentTerms(agent, 1, MODULE, 1, ENGINE, 0, 10**9, 65_536, 0, 2_000)


def auction_terms(auctioneer_key: bytes, budget: int = 10 * AIN) -> AuctionTerms:
    """Terms with short windows: 200 ms for commits and 500 ms for reveals."""
    return AuctionTerms(
        auctioneer_key=auctioneer_key,
        spec=hashing.sha256(b"a spec"),
        capability=hashing.capability_id(CAPABILITY),
        mode=0,
        rule=1,
        slots=1,
        budget=budget,
        quality_bps=400,
        min_score=0,
        commit_within=200,
        reveal_within=500,
        start_within=1_000,
        deliver_within=2_000,
        review_within=1_000,
    )


@dataclass(slots=True)
class Auctioning:
    """One auction of a payer: builds its calls and knows its ids."""

    genesis: bytes
    payer: Party
    task: bytes
    attempt: int = 0
    budget: int = 10 * AIN
    bids: dict[bytes, tuple[Party, Opening]] = field(default_factory=dict)
    standing_until: int = 2**63

    @property
    def id(self) -> bytes:
        """The auction's id."""
        return hashing.auction_id(self.genesis, self.payer.account, self.task, self.attempt)

    def escrow_id(self, slot: int = 0) -> bytes:
        """The id of the escrow that an award funds."""
        return hashing.escrow_id(self.genesis, self.id, slot)

    def open(self, now: int) -> Call:
        """Open it, no later than a minute from ``now`` (market time)."""
        terms = auction_terms(self.payer.node_key.public, self.budget)
        return vcg_auction.open_(self.task, self.attempt, terms, now + 60_000)

    def bid(self, party: Party, ask: int) -> None:
        """Remember a sealed bid; it is opened by ``award``."""
        nonce = hashing.sha256(party.account + self.id)
        self.bids[party.account] = (party, Opening(party.account, ask, nonce, party.terms(self.genesis)))

    def tree(self) -> hashing.CommitTree:
        """The tree over all bids."""
        commits = [
            (account, opening.commit(self.genesis, self.id)) for account, (_, opening) in sorted(self.bids.items())
        ]
        return hashing.CommitTree.of(commits)

    def close(self) -> Call:
        """Put the root on chain."""
        count = len(self.bids)
        root = hashing.root_hash(self.genesis, self.id, count, self.tree().top)
        return vcg_auction.close(self.id, root, count)

    def proof(self, winner: Party) -> AwardProof:
        """What ``award`` must prove for this winner."""
        opening = self.bids[winner.account][1]
        index = sorted(self.bids).index(winner.account)
        digest = hashing.commit_message(
            self.genesis,
            self.id,
            winner.account,
            opening.commit(self.genesis, self.id),
            1,
            self.standing_until,
        )
        return AwardProof(
            opening,
            MerkleProof(index, self.tree().path(index)),
            Commitment(1, self.standing_until, winner.node_key.sign_digest(digest)),
        )

    def award(self, winner: Party, price: int, slot: int = 0) -> Call:
        """Award to a bidder, saying that all have revealed."""
        return vcg_auction.award(
            self.id, slot, self.proof(winner), price, hashing.sha256(b"a transcript"), all_revealed=True
        )

    def award_with(self, proof: AwardProof, price: int, slot: int = 0) -> Call:
        """Award with a proof that need not be honest."""
        return vcg_auction.award(self.id, slot, proof, price, hashing.sha256(b"a transcript"), all_revealed=True)


def with_ask(proof: AwardProof, ask: int) -> AwardProof:
    """The same proof over another ask than was committed: a lie."""
    return replace(proof, opening=replace(proof.opening, ask=ask))
