"""Orders: what to do next, in the imperative; each is idempotent and carried out at least once."""

from dataclasses import dataclass

from ainur_node.domain.auction.commitments import Commit, Opening
from ainur_node.domain.auction.transcript import Skipped
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, PackageId, PeerId, TaskId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.receipt import Receipt
from ainur_node.domain.task import TaskSpec


@dataclass(frozen=True, slots=True)
class HoldBudget:
    """Open the auction of this attempt on chain; the budget is held."""

    task: TaskId
    attempt: int
    auction: AuctionId
    spec: TaskSpec
    capability: str
    budget: Amount


@dataclass(frozen=True, slots=True)
class CollectBids:
    """Announce, take commits in until the window ends."""

    task: TaskId
    attempt: int
    auction: AuctionId
    spec: TaskSpec
    capability: str
    package: PackageId
    budget: Amount
    reserve: Amount
    score_epoch: int
    commit_end: int
    reveal_end: int
    excluded: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseAuction:
    """Put the root on chain."""

    auction: AuctionId
    root: bytes
    count: int


@dataclass(frozen=True, slots=True)
class CollectReveals:
    """Show every committer its leaf, take the openings, clear."""

    auction: AuctionId
    spec: TaskSpec
    capability: str
    commits: tuple[Commit, ...]
    root: bytes
    beacon: bytes
    reserve: Amount
    score_epoch: int
    reveal_end: int


@dataclass(frozen=True, slots=True)
class ClearAgain:
    """Recompute winner and price of the stored transcript without those who failed or could not be awarded."""

    auction: AuctionId
    transcript_blob: bytes
    failed: tuple[AccountId, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class AwardOnChain:
    """Award the winner with its opening and proof."""

    auction: AuctionId
    opening: Opening
    commits: tuple[Commit, ...]
    price: Amount
    transcript: bytes
    transcript_blob: bytes
    all_revealed: bool


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """End the auction on chain without a sale: cancel, no_sale or expire, whichever its state allows."""

    auction: AuctionId
    transcript: bytes | None
    all_revealed: bool


@dataclass(frozen=True, slots=True)
class AwaitDelivery:
    """Watch the escrow until it is delivered, declined, or overdue (then refund it)."""

    escrow: EscrowId
    payee: AccountId
    deliver_by: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Fetch the result, check its receipt, replay it."""

    task: TaskId
    auction: AuctionId
    escrow: EscrowId
    spec: TaskSpec
    input_sha256: bytes
    opening: Opening
    package: PackageId
    awarded_at: int
    delivery: bytes
    deliver_by: int = 0
    """Market ms, as in the two below; 0 in an order that an older build stored."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Release the escrow to the payee."""

    escrow: EscrowId
    verified: bool
    deliver_by: int = 0


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """Dispute the delivery on chain with the hash of the evidence."""

    escrow: EscrowId
    ground: int
    evidence: bytes
    deliver_by: int = 0


@dataclass(frozen=True, slots=True)
class AwaitRuling:
    """Watch a disputed escrow until it ends."""

    escrow: EscrowId
    payee: AccountId
    until: int
    bond: Amount = ZERO


@dataclass(frozen=True, slots=True)
class SendCommit:
    """Send the sealed bid to the auctioneer."""

    auction: AuctionId
    auctioneer: PeerId
    commit: Commit


@dataclass(frozen=True, slots=True)
class AwaitAward:
    """Watch for an escrow that names me, until the commit no longer stands."""

    auction: AuctionId
    standing_until: int


@dataclass(frozen=True, slots=True)
class StartWork:
    """Fetch the input from the requester, run the agent, sign the receipt."""

    auction: AuctionId
    escrow: EscrowId
    requester: PeerId
    spec: TaskSpec
    opening: Opening
    package: PackageId
    awarded_at: int
    start_by: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """Put the delivery hash on chain."""

    escrow: EscrowId
    delivery: bytes


@dataclass(frozen=True, slots=True)
class Decline:
    """Give the escrow back before the start limit; the runner-up is next."""

    escrow: EscrowId
    code: str


@dataclass(frozen=True, slots=True)
class AwaitSettlement:
    """Tell the requester, watch the escrow, trigger the auto-release when the review time is over.

    ``answered``: a dispute was looked into already, and only its end counts.
    """

    auction: AuctionId
    escrow: EscrowId
    requester: PeerId
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Run disputed work again and compare it with the receipt that was delivered."""

    escrow: EscrowId
    ground: int
    until: int
    spec: TaskSpec
    opening: Opening
    package: PackageId
    awarded_at: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Return the money of a delivery that is wrong."""

    escrow: EscrowId


RequesterOrder = (
    HoldBudget
    | CollectBids
    | CloseAuction
    | CollectReveals
    | ClearAgain
    | AwardOnChain
    | ReleaseHold
    | AwaitDelivery
    | Verify
    | Accept
    | OpenDispute
    | AwaitRuling
)
ProviderOrder = SendCommit | AwaitAward | StartWork | Deliver | Decline | AwaitSettlement | Answer | GiveBack
Order = RequesterOrder | ProviderOrder
