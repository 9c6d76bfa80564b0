"""Facts: what happened, in the past tense; stored for ever and never changed."""

from dataclasses import dataclass

from ainur_node.domain.auction.commitments import Commit, Opening
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, PackageId, PeerId, TaskId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.receipt import Receipt
from ainur_node.domain.task import TaskSpec

# --- a task I submitted -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission passed every check; ``at`` is wall-clock ms, for display only."""

    task: TaskId
    spec: TaskSpec
    capability: str
    package: PackageId
    input_sha256: bytes
    salt: bytes
    nonce: bytes
    budget: Amount
    at: int


@dataclass(frozen=True, slots=True)
class Funded:
    """The auction is open on chain and holds the budget; times are market ms."""

    auction: AuctionId
    reserve: Amount
    fee_bps: int
    score_epoch: int
    commit_end: int
    reveal_end: int
    award_by: int


@dataclass(frozen=True, slots=True)
class FundingRefused:
    """The chain did not hold the budget; nothing moved."""

    code: str
    hint: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A provider said why it does not bid."""

    peer: PeerId
    code: str


@dataclass(frozen=True, slots=True)
class BidsCollected:
    """The commit window is over; ``root`` goes on chain before anybody reveals.

    ``doubles`` are other commits that providers signed beside the one that counts: at most one each, as evidence.
    """

    auction: AuctionId
    commits: tuple[Commit, ...]
    root: bytes
    passes: tuple[Pass, ...] = ()
    doubles: tuple[Commit, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """The root is in block ``block``, whose hash is the beacon."""

    auction: AuctionId
    block: int
    beacon: bytes


@dataclass(frozen=True, slots=True)
class Cleared:
    """The rule named a winner; the transcript is stored under ``transcript_blob`` (sha-256)."""

    auction: AuctionId
    transcript: bytes
    transcript_blob: bytes
    opening: Opening
    price: Amount
    penalty: int
    second: int | None
    revealed: int
    all_revealed: bool


@dataclass(frozen=True, slots=True)
class NoSale:
    """Nobody left to award: the reasons, counted by code."""

    auction: AuctionId
    reasons: tuple[tuple[str, int], ...]
    transcript: bytes | None = None
    all_revealed: bool = True


@dataclass(frozen=True, slots=True)
class Released:
    """The auction is over on chain without a sale and its holds are free again."""

    auction: AuctionId
    how: str


@dataclass(frozen=True, slots=True)
class Escrowed:
    """The award is on chain: the hold is now the escrow of the winner."""

    escrow: EscrowId
    payee: AccountId
    price: Amount
    fee: Amount
    awarded_at: int
    deliver_by: int


@dataclass(frozen=True, slots=True)
class AwardRefused:
    """The chain, in block ``block``, refused this winner (stake gone, agent retired) or any award at all."""

    code: str
    block: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider's delivery hash is in a block."""

    escrow: EscrowId
    delivery: bytes
    at: int


@dataclass(frozen=True, slots=True)
class WinnerFailed:
    """The escrow ended without a payment (declined, not delivered, given back): what came back to the payer."""

    escrow: EscrowId
    payee: AccountId
    how: str
    returned: Amount = ZERO  # price and fee that were held
    bond: Amount = ZERO  # the dispute bond, where one was held


@dataclass(frozen=True, slots=True)
class Verified:
    """The result is here, its receipt holds, and the replay agreed (``replayed``)."""

    escrow: EscrowId
    output_sha256: bytes
    output_size: int
    receipt: Receipt
    replayed: bool


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The delivery does not hold: ground of dispute 0 to 4, and where the evidence lies (sha-256)."""

    escrow: EscrowId
    ground: int
    code: str
    evidence: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """The escrow paid: ``paid`` to the payee, ``fee`` burned."""

    escrow: EscrowId
    outcome: str
    paid: Amount
    fee: Amount


@dataclass(frozen=True, slots=True)
class Disputed:
    """A case is open on chain until market time ``until``."""

    escrow: EscrowId
    ground: int
    until: int
    bond: Amount = ZERO


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The submitter wants out; it takes effect only before the close."""

    at: int


# --- a job I bid for --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invited:
    """An announced auction passed every bidding policy; the bid is fixed before it is sent."""

    auction: AuctionId
    task: TaskId
    auctioneer: PeerId
    payer: AccountId
    spec: TaskSpec
    capability: str
    package: PackageId
    reserve: Amount
    opening: Opening
    commit: Commit
    at: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The auctioneer signed that it took the commit in."""

    seen_block: int
    inclusion: bytes


@dataclass(frozen=True, slots=True)
class CommitRefused:
    """The auctioneer did not take the commit."""

    code: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """I saw my leaf under the root on chain and opened my bid."""

    root: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody else was awarded, or nobody: the class of the outcome and my own numbers."""

    how: str


@dataclass(frozen=True, slots=True)
class Awarded:
    """The escrow names me as payee."""

    escrow: EscrowId
    price: Amount
    awarded_at: int
    start_by: int
    deliver_by: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The agent ended with exit ok and an output of the right shape."""

    receipt: Receipt
    delivery_salt: bytes


@dataclass(frozen=True, slots=True)
class WorkFailed:
    """The work cannot be delivered: a code of docs/protocol.md."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class DeliveredOnChain:
    """My delivery hash is in a block; from now on the bytes are served."""

    delivery: bytes


@dataclass(frozen=True, slots=True)
class DeliveryRefused:
    """The chain refused my delivery (too late, or the escrow is gone)."""

    code: str


@dataclass(frozen=True, slots=True)
class Challenged:
    """The payer disputes my delivery: the ground, 0 to 4, and the market time until which it can be ended."""

    ground: int
    until: int


@dataclass(frozen=True, slots=True)
class AnswerStands:
    """I looked at my disputed work again and stand by it: why, as a code."""

    code: str


@dataclass(frozen=True, slots=True)
class AnswerDiffers:
    """My own replay is not what I delivered: what differs, as a code."""

    code: str


@dataclass(frozen=True, slots=True)
class Paid:
    """The escrow ended: outcome as on chain, ``paid`` 0 when nothing came."""

    outcome: str
    paid: Amount


RequesterFact = (
    Submitted
    | Funded
    | FundingRefused
    | BidsCollected
    | Closed
    | Cleared
    | NoSale
    | Released
    | Escrowed
    | AwardRefused
    | Delivered
    | WinnerFailed
    | Verified
    | Mismatch
    | Settled
    | Disputed
    | CancelRequested
)
ProviderFact = (
    Invited
    | Committed
    | CommitRefused
    | Revealed
    | Lost
    | Awarded
    | Completed
    | WorkFailed
    | DeliveredOnChain
    | DeliveryRefused
    | Challenged
    | AnswerStands
    | AnswerDiffers
    | Paid
)
