"""Pallet vcg-auction: what proves that an auctioneer broke the rules, and the calls of the challenge window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pallets_client.pallets.shape import Variant
from pallets_client.pallets.vcg_auction import PALLET, AwardProof, MerkleProof, Opening
from pallets_client.records import Call


@dataclass(frozen=True, slots=True)
class Leaf:
    """A commit of the closed set with its place."""

    provider: bytes
    commit: bytes
    proof: MerkleProof


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a transcript (docs/protocol.md §1.7); amounts in planck."""

    provider: bytes
    owner: bytes
    commit: bytes
    status: int
    ask: int
    terms: bytes
    nonce: bytes
    quality: int
    penalty: int
    adjusted: int


@dataclass(frozen=True, slots=True)
class TranscriptHeader:
    """A transcript's preimage without its rows; ``skipped`` are (account, block)."""

    root: bytes
    rule: int
    reserve: int
    quality_bps: int
    score_epoch: int
    beacon: bytes
    winner: bytes
    price: int
    setter: bytes
    failed: tuple[bytes, ...] = ()
    skipped: tuple[tuple[bytes, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Won:
    """The winner of an award that may be challenged; amounts in planck."""

    provider: bytes
    ask: int
    penalty: int
    price: int


@dataclass(frozen=True, slots=True)
class Window:
    """What the payer said when it awarded, or ended without a sale (``won`` None), and until when that is contested.

    ``failed`` and ``skipped`` count those on record at the award; ``demanded`` is the market time until which the
    transcript must be published, 0 when nobody asks for it (any more).
    """

    until: int
    transcript: bytes
    all_revealed: bool
    won: Won | None
    failed: int
    skipped: int
    demanded: int = 0
    answered: bool = False


def between(left: Leaf | None, right: Leaf | None) -> Variant:
    """Absence: the commit would stand between these two neighbours; none at the end where there is none."""
    return Variant("Between", {"left": left, "right": right})


def replaced(commit: bytes, proof: MerkleProof) -> Variant:
    """Absence: the provider's leaf has this other commit."""
    return Variant("Replaced", {"commit": commit, "proof": proof})


def two_roots(count: int, tree: bytes, signature: bytes) -> Variant:
    """Proof: the auctioneer signed the root of another tree of ``count`` commits."""
    return Variant("TwoRoots", {"count": count, "tree": tree, "signature": signature})


def dropped_commit(provider: bytes, commit: bytes, seen_block: int, inclusion: bytes, absence: Variant) -> Variant:
    """Proof: the auctioneer signed for a commit that is not in the closed set."""
    return Variant(
        "DroppedCommit",
        {
            "provider": provider,
            "commit": commit,
            "seen_block": seen_block,
            "inclusion": inclusion,
            "absence": absence,
        },
    )


def unsorted_tree(left: Leaf, right: Leaf) -> Variant:
    """Proof: two neighbours of the closed tree are out of order."""
    return Variant("Unsorted", {"left": left, "right": right})


def better_bid(opening: Opening, proof: MerkleProof, ack: bytes, spec: bytes) -> Variant:
    """Proof: this bid was counted by its signed ack and refutes the award; ``spec`` is canonical."""
    return Variant("BetterBid", {"opening": opening, "proof": proof, "ack": ack, "spec": spec})


def false_transcript(header: TranscriptHeader, rows: Sequence[Row]) -> Variant:
    """Proof: the transcript of the award contradicts itself, the chain or the price."""
    return Variant("FalseTranscript", {"header": header, "rows": list(rows)})


WITHHELD = Variant("Withheld")
"""Proof: a demand ran out without the transcript."""


def challenge(auction: bytes, proof: Variant) -> Call:
    """Prove a fault: half of the auctioneer's bond is burned, the rest is its victim's and the caller's."""
    return Call(PALLET, "challenge", {"auction": auction, "proof": proof})


def release_bond(auction: bytes) -> Call:
    """Free the auctioneer's bond after the window; anyone may."""
    return Call(PALLET, "release_bond", {"auction": auction})


def skip(auction: bytes, award: AwardProof) -> Call:
    """Put on record that this bidder cannot be awarded, before the next one is."""
    return Call(
        PALLET,
        "skip",
        {"auction": auction, "opening": award.opening, "proof": award.proof, "commitment": award.commitment},
    )


def demand(auction: bytes) -> Call:
    """Ask, as its winner, for the transcript."""
    return Call(PALLET, "demand", {"auction": auction})


def publish(auction: bytes, header: TranscriptHeader, rows: Sequence[Row]) -> Call:
    """Answer a demand."""
    return Call(PALLET, "publish", {"auction": auction, "header": header, "rows": list(rows)})
