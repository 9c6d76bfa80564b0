"""The chain in market words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain import events
from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.auction.proofs import Proof
from ainur_node.domain.auction.standing import Convicted, Standing
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection


@dataclass(frozen=True, slots=True)
class ChainAuction:
    """An auction as it stands on chain; times in market ms."""

    payer: AccountId
    auctioneer_key: NodeKey
    spec: bytes
    capability: bytes
    budget: Amount
    reserve: Amount
    fee_bps: int
    quality_bps: int
    score_epoch: int
    commit_end: int
    reveal_end: int
    award_by: int
    failed: tuple[AccountId, ...]
    state: str  # open, closed, awarded, no_sale, void
    root: bytes = b""
    count: int = 0
    close_block: int = 0
    transcript: bytes = b""
    escrow: EscrowId | None = None
    bond: Amount = ZERO  # the auctioneer's that is on hold now
    challenge_within: int = 0  # ms in which an award may be challenged; 0: not at all


@dataclass(frozen=True, slots=True)
class ChainEscrow:
    """An escrow as it stands on chain; times in market ms."""

    auction: AuctionId
    payer: AccountId
    payee: AccountId
    amount: Amount
    fee: Amount
    terms: bytes
    module: bytes
    awarded_at: int
    start_by: int
    deliver_by: int
    review_within: int
    state: str  # funded, delivered, disputed, settled
    delivery: bytes = b""
    delivered_at: int = 0
    paid_so_far: Amount = ZERO
    outcome: str = ""  # paid, auto, declined, not_delivered, gave_back, ruled, stale
    until: int = 0
    ground: int = 0  # of a dispute that is open
    bond: Amount = ZERO  # held by the payer while it disputes
    case: bytes = b""  # before the court, once the payee answered


@dataclass(frozen=True, slots=True)
class ChainProvider:
    """A provider record: who it is and what it has at stake."""

    account: AccountId
    node_key: NodeKey
    free_stake: Amount
    active: bool


@dataclass(frozen=True, slots=True)
class ChainAgent:
    """A registered agent."""

    agent: bytes
    provider: AccountId
    name: str
    capability: str
    package: bytes
    module: bytes
    verification_class: int
    version: int
    royalty_bps: int
    active: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """Planck of an account: ``spendable`` is free above the existential deposit and the fee reserve."""

    free: Amount
    held: Mapping[str, int]
    spendable: Amount
    fee_reserve: Amount


@dataclass(frozen=True, slots=True)
class OpenTerms:
    """Windows and rates of one auction, in ms and basis points."""

    commit_within: int
    reveal_within: int
    start_within: int
    deliver_within: int
    review_within: int
    quality_bps: int
    min_score: int
    challenge_within: int = 0


class Ledger(Protocol):
    """The chain in market words. Calls return once the extrinsic is in a block; "already so, by me" is success.

    Transient when the chain cannot be reached or the era ended without the extrinsic.
    """

    account: AccountId
    genesis: bytes

    async def market_now(self) -> int:
        """Market time in ms, estimated for this instant from the best block and the time since it was sealed."""
        ...

    async def height(self) -> int:
        """Number of the best block."""
        ...

    async def balance(self, account: AccountId) -> Balance:
        """What the account owns."""
        ...

    async def open_auction(
        self,
        task: bytes,
        attempt: int,
        auction: AuctionId,
        spec: bytes,
        capability: bytes,
        budget: Amount,
        terms: OpenTerms,
    ) -> events.Funded | events.FundingRefused:
        """Hold the budget under a new auction."""
        ...

    async def close_auction(self, auction: AuctionId, root: bytes, count: int) -> events.Closed | Rejection:
        """Put the root of the bid set on chain."""
        ...

    async def award(
        self,
        auction: AuctionId,
        opening: Opening,
        proof: MerkleProof,
        commit: Commit,
        price: Amount,
        transcript: bytes,
        *,
        all_revealed: bool,
    ) -> events.Escrowed | events.AwardRefused:
        """Turn the hold into the winner's escrow."""
        ...

    async def refusal_at(
        self, block: int, auction: AuctionId, opening: Opening, commit: Commit, price: Amount
    ) -> str | None:
        """Why the chain would not award this winner after a block: a code, None when it would.

        Transient also when the chain no longer knows the state of that block.
        """
        ...

    async def auction_at(self, block: int, auction: AuctionId) -> ChainAuction | None:
        """An auction as it stood after a block; Transient as above."""
        ...

    async def release(self, auction: AuctionId, transcript: bytes | None, *, all_revealed: bool) -> str:
        """End an auction without a sale: how it ended (cancelled, no_sale, expired, already the same)."""
        ...

    async def expire(self, auction: AuctionId) -> str:
        """End an auction whose time is over, whoever opened it; the state that it has then."""
        ...

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> events.DeliveredOnChain | events.DeliveryRefused:
        """Put the delivery hash on chain."""
        ...

    async def decline(self, escrow: EscrowId) -> str:
        """Give the escrow back; the outcome it ended with, or ``too_late``."""
        ...

    async def give_back(self, escrow: EscrowId) -> str:
        """Return the money of a delivery that is wrong; the outcome it ended with, or the refusal's code."""
        ...

    async def refund(self, escrow: EscrowId) -> str:
        """Take back an overdue escrow; the outcome it ended with, or ``too_early``."""
        ...

    async def accept(self, escrow: EscrowId, *, verified: bool) -> events.Settled:
        """Pay the escrow out."""
        ...

    async def auto_release(self, escrow: EscrowId) -> str:
        """Pay out after the review time; the outcome it ended with, or ``too_early``."""
        ...

    async def dispute(self, escrow: EscrowId, ground: int, evidence: bytes) -> events.Disputed | events.Settled:
        """Open a case; Settled when the escrow ended first."""
        ...

    async def timeout_dispute(self, escrow: EscrowId) -> str:
        """End a dispute whose limit is over; the outcome it ended with, or ``too_early``."""
        ...

    async def auction(self, auction: AuctionId) -> ChainAuction | None:
        """An auction as stored."""
        ...

    async def closing(self, auction: AuctionId) -> ChainAuction | None:
        """The auction as it was when its root was closed (root, count, close_block); None when the chain forgot."""
        ...

    async def standing(self, auction: AuctionId) -> Standing | None:
        """An auction with its closing, challenge window and bond, all read at one block; None before the close."""
        ...

    async def challenge(self, auction: AuctionId, proof: Proof) -> Convicted | Rejection:
        """Prove a fault of the auctioneer; at most one call for each auction and kind of proof is under way."""
        ...

    async def demand(self, auction: AuctionId) -> Rejection | None:
        """Ask, as the winner, for the transcript on chain; None when that stands."""
        ...

    async def publish(self, transcript: Transcript) -> Rejection | None:
        """Answer a demand."""
        ...

    async def release_bond(self, auction: AuctionId) -> Rejection | None:
        """Have the auctioneer's bond free after the window; None when it is."""
        ...

    async def skip(self, auction: AuctionId, opening: Opening, proof: MerkleProof, commit: Commit) -> Rejection | None:
        """Put on record that a bidder cannot be awarded; None when that stands."""
        ...

    async def skipped(self, auction: AuctionId) -> tuple[AccountId, ...]:
        """Bidders on record as unable to win, in order."""
        ...

    async def escrow(self, escrow: EscrowId) -> ChainEscrow | None:
        """An escrow as stored."""
        ...

    async def forgotten(self, escrow: EscrowId, past: int) -> bool:
        """Whether a block whose market time is past ``past`` (ms) has no such escrow, though there was one by then.

        False while the chain that can be read is merely behind that time.
        """
        ...

    async def watch_escrow(self, escrow: EscrowId, known: ChainEscrow | None, *, until: int) -> ChainEscrow | None:
        """Return once the escrow differs from ``known`` or market time passes ``until``; what stands then."""
        ...

    async def watch_auction(self, auction: AuctionId, known: ChainAuction | None, *, until: int) -> ChainAuction | None:
        """Return once the auction differs from ``known`` or market time passes ``until``; what stands then."""
        ...

    async def provider(self, account: AccountId) -> ChainProvider | None:
        """A provider record; may be up to two seconds old."""
        ...

    async def provider_of(self, node_key: NodeKey) -> ChainProvider | None:
        """The provider that is bound to a node key; may be up to two seconds old."""
        ...

    async def quality(self, provider: AccountId, capability: bytes, epoch: int) -> int:
        """The score frozen for an epoch, 0 to 10^6."""
        ...

    async def frozen_quality(self, provider: AccountId, capability: bytes, epoch: int) -> int | None:
        """As :meth:`quality`, but None when the chain has dropped what it knew of an epoch so long ago."""
        ...

    async def agents(self, capability: str | None = None) -> list[ChainAgent]:
        """Registered agents; may be up to two seconds old."""
        ...

    async def min_price(self) -> Amount:
        """The least price of an award; may be up to two seconds old."""
        ...

    async def block_hash(self, number: int) -> bytes:
        """Hash of a block."""
        ...
