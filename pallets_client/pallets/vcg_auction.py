"""Pallet vcg-auction: sealed-bid auctions, from the held budget to the award."""

from __future__ import annotations

from dataclasses import dataclass

from pallets_client import hashing
from pallets_client.records import Call

PALLET = "VcgAuction"


@dataclass(frozen=True, slots=True)
class AuctionTerms:
    """What the payer fixes at ``open``; windows in milliseconds, budget in planck."""

    auctioneer_key: bytes
    spec: bytes
    capability: bytes
    mode: int
    rule: int
    slots: int
    budget: int
    quality_bps: int
    min_score: int
    commit_within: int
    reveal_within: int
    start_within: int
    deliver_within: int
    review_within: int
    challenge_within: int = 0


@dataclass(frozen=True, slots=True)
class AgentTerms:
    """What a provider promises to run; its hash is part of the bid."""

    agent: bytes
    version: int
    module: bytes
    abi: int
    engine: bytes
    class_: int
    fuel_limit: int
    mem_limit: int
    royalty_bps: int
    eta_ms: int

    def hash(self, genesis: bytes) -> bytes:
        """``H("ainur/terms/1", fields)``."""
        return hashing.tagged(
            "ainur/terms/1",
            genesis,
            self.agent,
            hashing.u32(self.version),
            self.module,
            hashing.u8(self.abi),
            self.engine,
            hashing.u8(self.class_),
            hashing.u64(self.fuel_limit),
            hashing.u32(self.mem_limit),
            hashing.u16(self.royalty_bps),
            hashing.u32(self.eta_ms),
        )


@dataclass(frozen=True, slots=True)
class Opening:
    """A revealed bid: what the commit of ``provider`` hid."""

    provider: bytes
    ask: int
    nonce: bytes
    terms: AgentTerms

    def commit(self, genesis: bytes, auction: bytes) -> bytes:
        """The commit that this opening opens."""
        bid = hashing.single_bid(genesis, self.ask, self.terms.hash(genesis))
        return hashing.commit_hash(genesis, auction, self.provider, bid, self.nonce)


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """Where the winner's leaf is in the closed tree."""

    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Commitment:
    """The winner's signed commit message; the bid stands until that market time."""

    seq: int
    standing_until: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """Commits are being collected, or may no longer be."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The commit root is on chain; its block's hash will break ties."""

    root: bytes
    count: int
    at: int
    block: int


@dataclass(frozen=True, slots=True)
class Awarded:
    """A winner's escrow is funded; ``beacon`` is the hash of the block of ``close``."""

    transcript: bytes
    beacon: bytes
    at: int
    escrow: bytes


@dataclass(frozen=True, slots=True)
class NoSale:
    """Nobody won."""

    transcript: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Void:
    """Cancelled or run out of time; ``why`` as in the pallet."""

    why: int
    at: int


AuctionState = Open | Closed | Awarded | NoSale | Void


@dataclass(frozen=True, slots=True)
class Auction:
    """An auction; ``reserve`` is the highest price that leaves room for the fee within ``budget``."""

    payer: bytes
    auctioneer_key: bytes
    task: bytes
    attempt: int
    spec: bytes
    capability: bytes
    mode: int
    rule: int
    slots: int
    budget: int
    reserve: int
    fee_bps: int
    quality_bps: int
    min_score: int
    score_epoch: int
    perf_bps: int
    bond: int
    open_at: int
    commit_end: int
    reveal_end: int
    award_by: int
    start_within: int
    deliver_within: int
    review_within: int
    challenge_within: int
    failed: tuple[bytes, ...]
    state: AuctionState

    @property
    def held(self) -> int:
        """What its payer has on hold for the auction itself, the bond aside.

        A failed winner's award freed the budget; the next award holds price and fee anew.
        """
        return self.budget if isinstance(self.state, Open | Closed) and not self.failed else 0


@dataclass(frozen=True, slots=True)
class AwardProof:
    """What ``award`` proves about the winner: its opening, its leaf and its signed commit message."""

    opening: Opening
    proof: MerkleProof
    commitment: Commitment


def reserve_of(budget: int, fee_bps: int) -> int:
    """``⌊B·10^4/(10^4+f)⌋``: price + fee fits the budget exactly when the price fits this."""
    return budget * 10_000 // (10_000 + fee_bps)


def fee_of(price: int, fee_bps: int) -> int:
    """``⌈p·f/10^4⌉``."""
    return -(-price * fee_bps // 10_000)


def open_(task: bytes, attempt: int, terms: AuctionTerms, open_by: int) -> Call:
    """Hold the budget and the auctioneer's bond; refused after market time ``open_by``."""
    return Call(PALLET, "open", {"task": task, "attempt": attempt, "terms": terms, "open_by": open_by})


def cancel(auction: bytes) -> Call:
    """Take everything back before the close."""
    return Call(PALLET, "cancel", {"auction": auction})


def close(auction: bytes, root: bytes, count: int) -> Call:
    """Put the root of the ``count`` commits on chain, after the commit window."""
    return Call(PALLET, "close", {"auction": auction, "root": root, "count": count})


def award(auction: bytes, slot: int, proof: AwardProof, price: int, transcript: bytes, *, all_revealed: bool) -> Call:
    """Fund the winner's escrow out of the budget and release the rest."""
    return Call(
        PALLET,
        "award",
        {
            "auction": auction,
            "slot": slot,
            "opening": proof.opening,
            "proof": proof.proof,
            "commitment": proof.commitment,
            "price": price,
            "transcript": transcript,
            "all_revealed": all_revealed,
        },
    )


def no_sale(auction: bytes, transcript: bytes, *, all_revealed: bool) -> Call:
    """End a closed auction that nobody won."""
    return Call(
        PALLET,
        "no_sale",
        {"auction": auction, "transcript": transcript, "all_revealed": all_revealed},
    )


def expire(auction: bytes) -> Call:
    """End an auction whose payer missed a deadline; anyone may."""
    return Call(PALLET, "expire", {"auction": auction})
