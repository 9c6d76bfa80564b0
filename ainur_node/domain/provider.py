"""The life of a job I bid for: ``step(state, fact) -> (state, orders)`` (docs/protocol.md §6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.auction.commitments import Commit, Opening
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, PackageId, PeerId, TaskId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.receipt import Receipt, delivery_hash, hash_of
from ainur_node.domain.task import TaskSpec
from ainur_node.errors import Bug


class Phase(StrEnum):
    """Where a job stands; the last four are final."""

    COMMITTING = "committing"
    COMMITTED = "committed"
    REVEALED = "revealed"
    WORKING = "working"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    ANSWERING = "answering"
    GIVING_BACK = "giving_back"
    DECLINING = "declining"
    PAID = "paid"
    UNPAID = "unpaid"
    LOST = "lost"
    REFUSED = "refused"


FINAL = frozenset({Phase.PAID, Phase.UNPAID, Phase.LOST, Phase.REFUSED})
BIDDING = frozenset({Phase.COMMITTING, Phase.COMMITTED, Phase.REVEALED})


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """Everything the provider needs to go on after a restart; the opening stays secret until it is revealed."""

    auction: AuctionId
    genesis: bytes
    task: TaskId
    auctioneer: PeerId
    payer: AccountId
    spec: TaskSpec
    capability: str
    package: PackageId
    reserve: Amount
    opening: Opening
    commit: Commit
    phase: Phase
    escrow: EscrowId | None = None
    root: bytes = b""
    price: Amount = ZERO
    awarded_at: int = 0
    start_by: int = 0
    deliver_by: int = 0
    receipt: Receipt | None = None
    delivery_salt: bytes = b""
    delivery: bytes = b""
    outcome: str = ""
    answered: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing can happen any more."""
        return self.phase in FINAL


Step = tuple[ProviderJob, Sequence[do.ProviderOrder]]


def begin(genesis: bytes, invited: fact.Invited) -> Step:
    """The first state of a job and the order to send the commit; the nonce is stored before anything is sent."""
    job = ProviderJob(
        auction=invited.auction,
        genesis=genesis,
        task=invited.task,
        auctioneer=invited.auctioneer,
        payer=invited.payer,
        spec=invited.spec,
        capability=invited.capability,
        package=invited.package,
        reserve=invited.reserve,
        opening=invited.opening,
        commit=invited.commit,
        phase=Phase.COMMITTING,
    )
    return job, [do.SendCommit(job.auction, job.auctioneer, job.commit)]


def step(job: ProviderJob, happened: fact.ProviderFact) -> Step:
    """The next state and orders; a fact that cannot follow is a Bug, because peers only send proposals."""
    phase = job.phase
    match happened:
        case fact.Committed() if phase is Phase.COMMITTING:
            watch = do.AwaitAward(job.auction, job.commit.standing_until)
            return replace(job, phase=Phase.COMMITTED), [watch]
        case fact.CommitRefused(code=code) if phase is Phase.COMMITTING:
            return replace(job, phase=Phase.REFUSED, outcome=code), []
        case fact.Revealed(root=root) if phase is Phase.COMMITTED:
            return replace(job, phase=Phase.REVEALED, root=root), []
        case fact.Lost(how=how) if phase in BIDDING:
            return replace(job, phase=Phase.LOST, outcome=how), []
        case fact.Awarded() if phase in (Phase.COMMITTED, Phase.REVEALED):
            return _awarded(job, happened)
        case fact.Completed(receipt=receipt, delivery_salt=salt) if phase is Phase.WORKING:
            return _completed(job, receipt, salt)
        case fact.WorkFailed(code=code) if phase is Phase.WORKING:
            return replace(job, phase=Phase.DECLINING, outcome=code), [do.Decline(_escrow(job), code)]
        case fact.DeliveredOnChain() if phase is Phase.DELIVERING:
            return _await_settlement(replace(job, phase=Phase.DELIVERED))
        case fact.DeliveryRefused(code=code) if phase is Phase.DELIVERING:
            return replace(job, phase=Phase.DECLINING, outcome=code), [do.Decline(_escrow(job), code)]
        case fact.Challenged() if phase is Phase.DELIVERED and not job.answered and job.receipt is not None:
            return replace(job, phase=Phase.ANSWERING), [_answer(job, job.receipt, happened)]
        case fact.AnswerStands() if phase is Phase.ANSWERING:
            # An escrow can be disputed only once: what happens to it now is for the payer or the court to say.
            return _await_settlement(replace(job, phase=Phase.DELIVERED, answered=True))
        case fact.AnswerDiffers(code=code) if phase is Phase.ANSWERING:
            return replace(job, phase=Phase.GIVING_BACK, outcome=code), [do.GiveBack(_escrow(job))]
        case fact.Paid(outcome=outcome, paid=paid) if phase in _MAY_END:
            return replace(job, phase=Phase.PAID if paid else Phase.UNPAID, outcome=outcome, price=paid), []
        case _:
            raise Bug(f"{type(happened).__name__} cannot follow {phase} in job {job.auction.hex()[:16]}")


_MAY_END = frozenset({Phase.DELIVERED, Phase.DECLINING, Phase.GIVING_BACK})


def _escrow(job: ProviderJob) -> EscrowId:
    if job.escrow is None:
        raise Bug(f"job {job.auction.hex()[:16]} works without an escrow")
    return job.escrow


def _awarded(job: ProviderJob, happened: fact.Awarded) -> Step:
    working = replace(
        job,
        escrow=happened.escrow,
        phase=Phase.WORKING,
        price=happened.price,
        awarded_at=happened.awarded_at,
        start_by=happened.start_by,
        deliver_by=happened.deliver_by,
    )
    work = do.StartWork(
        auction=job.auction,
        escrow=happened.escrow,
        requester=job.auctioneer,
        spec=job.spec,
        opening=job.opening,
        package=job.package,
        awarded_at=happened.awarded_at,
        start_by=happened.start_by,
    )
    return working, [work]


def _completed(job: ProviderJob, receipt: Receipt, salt: bytes) -> Step:
    delivery = delivery_hash(
        job.genesis,
        _escrow(job),
        0,
        job.opening.provider,
        receipt.execution.output_sha256,
        hash_of(job.genesis, receipt),
        salt,
    )
    delivering = replace(job, phase=Phase.DELIVERING, receipt=receipt, delivery_salt=salt, delivery=delivery)
    return delivering, [do.Deliver(_escrow(job), delivery)]


def _await_settlement(job: ProviderJob) -> Step:
    return job, [do.AwaitSettlement(job.auction, _escrow(job), job.auctioneer, answered=job.answered)]


def _answer(job: ProviderJob, receipt: Receipt, happened: fact.Challenged) -> do.Answer:
    return do.Answer(
        escrow=_escrow(job),
        ground=happened.ground,
        until=happened.until,
        spec=job.spec,
        opening=job.opening,
        package=job.package,
        awarded_at=job.awarded_at,
        receipt=receipt,
    )
