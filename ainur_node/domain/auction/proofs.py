"""What proves on chain that an auctioneer broke the rules, put together from what a bidder holds."""

from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass

from ainur_node.domain.auction.commitments import MerkleProof, Opening, prove
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import AccountId


@dataclass(frozen=True, slots=True)
class Leaf:
    """A commit of the closed set with its place."""

    provider: AccountId
    commit: bytes
    proof: MerkleProof


@dataclass(frozen=True, slots=True)
class TwoRoots:
    """The auctioneer signed the root of another tree, of ``count`` commits with this top."""

    count: int
    tree: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Between:
    """A commit would stand between these neighbours; None at the end where there is none."""

    left: Leaf | None
    right: Leaf | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """The provider's leaf has another commit."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class DroppedCommit:
    """The auctioneer signed for a commit that is not in the closed set."""

    provider: AccountId
    commit: bytes
    seen_block: int
    inclusion: bytes
    absence: Between | Replaced


@dataclass(frozen=True, slots=True)
class BetterBid:
    """A bid whose reveal the auctioneer signed for refutes the award; ``spec`` are the task's canonical bytes."""

    opening: Opening
    proof: MerkleProof
    ack: bytes
    spec: bytes


@dataclass(frozen=True, slots=True)
class FalseTranscript:
    """The transcript behind the award contradicts itself, the chain or the price."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Withheld:
    """The winner asked for the transcript, and it was not published in time."""


Proof = TwoRoots | DroppedCommit | BetterBid | FalseTranscript | Withheld

CODES: Mapping[type, str] = {
    TwoRoots: "two_roots",
    DroppedCommit: "dropped_commit",
    BetterBid: "better_bid",
    FalseTranscript: "false_transcript",
    Withheld: "withheld",
}
"""Stable names of the proofs, for people and programs."""


def absence(commits: Mapping[AccountId, bytes], provider: AccountId, commit: bytes) -> Between | Replaced | None:
    """Why ``commit`` is not in the closed set of ``commits``; None when it is there, or when the set is empty."""

    def leaf(who: AccountId) -> Leaf:
        return Leaf(who, commits[who], prove(commits, who))

    if provider in commits:
        return Replaced(leaf(provider)) if commits[provider] != commit else None
    if not commits:
        return None
    order = sorted(commits)
    place = bisect(order, provider)
    left = leaf(order[place - 1]) if place else None
    return Between(left, leaf(order[place]) if place < len(order) else None)
