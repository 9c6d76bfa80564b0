"""The life of a task I submitted: ``step(state, fact) -> (state, orders)`` (docs/protocol.md §6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ainur_node.domain import events as fact
from ainur_node.domain import orders as do
from ainur_node.domain.auction.commitments import Commit, Opening
from ainur_node.domain.auction.transcript import Skipped
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, PackageId, TaskId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.task import TaskSpec, auction_id
from ainur_node.errors import Bug

MAX_ATTEMPTS = 3
# Where awards can be challenged, a bidder that is able again competes again: so often, each time for a fee of ours.
MAX_PASSES = 3
CLOSED_TOO_LATE = "closed_too_late"
NOBODY_ANSWERED = "nobody_answered"
AWARD_REFUSED = "award_refused"
AWARDED_TOO_LATE = "awarded_too_late"
RULED_FOR_PAYER = "ruled_for_payer"
RULED_HINT = "the court ruled for you: price, fee and bond are back; if you still want the work, submit the task again"
# Ends of an auction that say more about the moment than about the task.
WORTH_ANOTHER = (CLOSED_TOO_LATE, NOBODY_ANSWERED, AWARD_REFUSED)
# Refusals of an award that came when its time was over. That cost our bond, and whoever is late may be late again.
LATE = frozenset({"too_late", "not_closed", "wrong_state"})
# Refusals of an award that are about its winner; all others are about the auction, and nobody else could be awarded.
NOT_STANDING = "not_standing"
ABOUT_THE_WINNER = frozenset(
    {
        NOT_STANDING,
        "provider_inactive",
        "bad_signature",
        "agent_mismatch",
        "bad_price",
        "not_enough_stake",
        "awarded_to_another",
    }
)


class Phase(StrEnum):
    """Where a submitted task stands; the last four are final."""

    FUNDING = "funding"
    BIDDING = "bidding"
    CLOSING = "closing"
    REVEALING = "revealing"
    AWARDING = "awarding"
    RUNNING = "running"
    VERIFYING = "verifying"
    ACCEPTING = "accepting"
    DISPUTING = "disputing"
    DISPUTED = "disputed"
    RECLEARING = "reclearing"
    RELEASING = "releasing"
    SETTLED = "settled"
    REFUNDED = "refunded"
    REFUSED = "refused"
    CANCELLED = "cancelled"


FINAL = frozenset({Phase.SETTLED, Phase.REFUNDED, Phase.REFUSED, Phase.CANCELLED})
# A wish to cancel counts wherever no award is possible or under way: before the close, and between two winners.
CANCELLABLE = frozenset({Phase.FUNDING, Phase.BIDDING, Phase.RECLEARING, Phase.RELEASING})


@dataclass(frozen=True, slots=True)
class RequesterTask:
    """Everything the requester needs to go on after a restart; ids and money as in the facts they came from."""

    task: TaskId
    genesis: bytes
    spec: TaskSpec
    capability: str
    package: PackageId
    input_sha256: bytes
    salt: bytes
    budget: Amount
    phase: Phase
    auction: AuctionId
    attempt: int = 0
    reserve: Amount = ZERO
    score_epoch: int = 0
    reveal_end: int = 0
    commits: tuple[Commit, ...] = ()
    root: bytes = b""
    beacon: bytes = b""
    transcript: bytes | None = None
    transcript_blob: bytes | None = None
    all_revealed: bool = False
    opening: Opening | None = None
    price: Amount = ZERO
    fee: Amount = ZERO
    escrow: EscrowId | None = None
    awarded_at: int = 0
    deliver_by: int = 0
    delivery: bytes = b""
    output_sha256: bytes | None = None
    failed: tuple[AccountId, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    excluded: tuple[AccountId, ...] = ()
    cancelled: bool = False
    refused: tuple[str, str] | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    outcome: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing can happen any more."""
        return self.phase in FINAL


Step = tuple[RequesterTask, Sequence[do.RequesterOrder]]


def begin(genesis: bytes, submitted: fact.Submitted) -> Step:
    """The first state of a task and the order to hold its budget."""
    task = RequesterTask(
        task=submitted.task,
        genesis=genesis,
        spec=submitted.spec,
        capability=submitted.capability,
        package=submitted.package,
        input_sha256=submitted.input_sha256,
        salt=submitted.salt,
        budget=submitted.budget,
        phase=Phase.FUNDING,
        auction=auction_id(genesis, submitted.spec.payer, submitted.task, 0),
    )
    return task, [_hold(task)]


def step(task: RequesterTask, happened: fact.RequesterFact) -> Step:
    """The next state and orders; a fact that cannot follow is a Bug, because peers only send proposals."""
    phase = task.phase
    match happened:
        case fact.Funded() if phase is Phase.FUNDING:
            return _funded(task, happened)
        case fact.FundingRefused(code=code, hint=hint) if phase is Phase.FUNDING:
            if task.attempt:
                return replace(task, phase=Phase.REFUNDED, refused=(code, hint), outcome="no_attempt_left"), []
            return replace(task, phase=Phase.REFUSED, refused=(code, hint), outcome=code), []
        case fact.BidsCollected() if phase is Phase.BIDDING:
            return _collected(task, happened)
        case fact.Closed(beacon=beacon) if phase is Phase.CLOSING:
            return _closed(replace(task, phase=Phase.REVEALING, beacon=beacon))
        case fact.Cleared() if phase in (Phase.REVEALING, Phase.RECLEARING):
            return _release_cancelled(task) if task.cancelled else _cleared(task, happened)
        case fact.NoSale() if phase in (Phase.BIDDING, Phase.CLOSING, Phase.REVEALING, Phase.RECLEARING):
            return _no_sale(task, happened)
        case fact.Escrowed() if phase is Phase.AWARDING:
            return _escrowed(task, happened)
        case fact.AwardRefused() if phase is Phase.AWARDING and task.opening is not None:
            return _award_refused(task, task.opening.provider, happened)
        case fact.Delivered(delivery=delivery) if phase is Phase.RUNNING:
            return _delivered(replace(task, phase=Phase.VERIFYING, delivery=delivery))
        case fact.WinnerFailed(payee=payee, how="gave_back") if phase in _MAY_SETTLE:
            return _attempt_again(_fail(task, payee))
        case fact.WinnerFailed(payee=payee) if phase in (Phase.RUNNING, Phase.DISPUTED):
            return _next_winner(_fail(task, payee))
        case fact.Verified(escrow=escrow, output_sha256=output) if phase is Phase.VERIFYING:
            verified = replace(task, phase=Phase.ACCEPTING, output_sha256=output)
            return verified, [do.Accept(escrow, happened.replayed, task.deliver_by)]
        case fact.Mismatch(escrow=escrow, ground=ground, evidence=evidence) if phase is Phase.VERIFYING:
            disputing = replace(task, phase=Phase.DISPUTING, reasons=((happened.code, 1),))
            return disputing, [do.OpenDispute(escrow, ground, evidence, task.deliver_by)]
        case fact.Disputed(escrow=escrow, until=until) if phase is Phase.DISPUTING and task.opening is not None:
            ruling = do.AwaitRuling(escrow, task.opening.provider, until, happened.bond)
            return replace(task, phase=Phase.DISPUTED), [ruling]
        case fact.Settled(outcome="gave_back") if phase in _MAY_SETTLE and task.opening is not None:
            return _attempt_again(_fail(task, task.opening.provider))
        case fact.Settled(outcome="ruled", paid=paid) if phase in _MAY_SETTLE and not paid:
            # The provider was heard and lost. Whether the work is still wanted is for whoever wanted it to say.
            refunded = replace(task, phase=Phase.REFUNDED, outcome="ruled", price=ZERO, fee=ZERO)
            return replace(refunded, refused=(RULED_FOR_PAYER, RULED_HINT)), []
        case fact.Settled(outcome=outcome, paid=paid, fee=fee) if phase in _MAY_SETTLE:
            return replace(task, phase=Phase.SETTLED, outcome=outcome, price=paid, fee=fee), []
        case fact.Released() if phase is Phase.RELEASING:
            return _released(task)
        case fact.CancelRequested() if phase in CANCELLABLE:
            return replace(task, cancelled=True), []
        case _:
            raise Bug(f"{type(happened).__name__} cannot follow {phase} in task {task.task.hex()[:16]}")


# An escrow can also end by the clock (auto-release), be given back, or be forgotten while we verify, accept or dispute.
_MAY_SETTLE = frozenset({Phase.RUNNING, Phase.VERIFYING, Phase.ACCEPTING, Phase.DISPUTING, Phase.DISPUTED})


def _hold(task: RequesterTask) -> do.HoldBudget:
    return do.HoldBudget(task.task, task.attempt, task.auction, task.spec, task.capability, task.budget)


def _funded(task: RequesterTask, happened: fact.Funded) -> Step:
    funded = replace(
        task,
        phase=Phase.BIDDING,
        reserve=happened.reserve,
        score_epoch=happened.score_epoch,
        reveal_end=happened.reveal_end,
    )
    collect = do.CollectBids(
        task=task.task,
        attempt=task.attempt,
        auction=task.auction,
        spec=task.spec,
        capability=task.capability,
        package=task.package,
        budget=task.budget,
        reserve=happened.reserve,
        score_epoch=happened.score_epoch,
        commit_end=happened.commit_end,
        reveal_end=happened.reveal_end,
        excluded=task.excluded,
    )
    return funded, [collect]


def _collected(task: RequesterTask, happened: fact.BidsCollected) -> Step:
    if task.cancelled:
        return _release_cancelled(task)
    closing = replace(task, phase=Phase.CLOSING, commits=happened.commits, root=happened.root)
    return closing, [do.CloseAuction(task.auction, happened.root, len(happened.commits))]


def _release_cancelled(task: RequesterTask) -> Step:
    releasing = replace(task, phase=Phase.RELEASING, outcome="cancelled", escrow=None)
    return releasing, [do.ReleaseHold(task.auction, None, all_revealed=True)]


def _closed(task: RequesterTask) -> Step:
    reveals = do.CollectReveals(
        auction=task.auction,
        spec=task.spec,
        capability=task.capability,
        commits=task.commits,
        root=task.root,
        beacon=task.beacon,
        reserve=task.reserve,
        score_epoch=task.score_epoch,
        reveal_end=task.reveal_end,
    )
    return task, [reveals]


def _cleared(task: RequesterTask, happened: fact.Cleared) -> Step:
    awarding = replace(
        task,
        phase=Phase.AWARDING,
        transcript=happened.transcript,
        transcript_blob=happened.transcript_blob,
        opening=happened.opening,
        price=happened.price,
        all_revealed=happened.all_revealed,
    )
    award = do.AwardOnChain(
        auction=task.auction,
        opening=happened.opening,
        commits=task.commits,
        price=happened.price,
        transcript=happened.transcript,
        transcript_blob=happened.transcript_blob,
        all_revealed=happened.all_revealed,
    )
    return awarding, [award]


def _no_sale(task: RequesterTask, happened: fact.NoSale) -> Step:
    codes = {code for code, _ in happened.reasons}
    outcome = "cancelled" if task.cancelled else next((c for c in WORTH_ANOTHER if codes == {c}), "no_sale")
    releasing = replace(task, phase=Phase.RELEASING, reasons=happened.reasons, outcome=outcome, escrow=None)
    return releasing, [do.ReleaseHold(task.auction, happened.transcript, happened.all_revealed)]


def _escrowed(task: RequesterTask, happened: fact.Escrowed) -> Step:
    running = replace(
        task,
        phase=Phase.RUNNING,
        escrow=happened.escrow,
        price=happened.price,
        fee=happened.fee,
        awarded_at=happened.awarded_at,
        deliver_by=happened.deliver_by,
    )
    return running, [do.AwaitDelivery(happened.escrow, happened.payee, happened.deliver_by)]


def _delivered(task: RequesterTask) -> Step:
    if task.escrow is None or task.opening is None:
        raise Bug(f"task {task.task.hex()[:16]} was delivered without an escrow")
    verify = do.Verify(
        task=task.task,
        auction=task.auction,
        escrow=task.escrow,
        spec=task.spec,
        input_sha256=task.input_sha256,
        opening=task.opening,
        package=task.package,
        awarded_at=task.awarded_at,
        delivery=task.delivery,
        deliver_by=task.deliver_by,
    )
    return task, [verify]


def _fail(task: RequesterTask, payee: AccountId) -> RequesterTask:
    return replace(
        task,
        escrow=None,
        opening=None,
        failed=(*task.failed, payee),
        excluded=(*(e for e in task.excluded if e != payee), payee),
    )


def _award_refused(task: RequesterTask, winner: AccountId, happened: fact.AwardRefused) -> Step:
    passed_over = sum(each.provider == winner for each in task.skipped)
    if happened.code in ABOUT_THE_WINNER and passed_over < MAX_PASSES:
        # It says nothing against the bidder in a later attempt: stake and standing are looked at anew there.
        passed = (*task.skipped, Skipped(winner, happened.block))
        return _next_winner(replace(task, escrow=None, opening=None, skipped=passed))
    outcome = AWARDED_TOO_LATE if happened.code in LATE else AWARD_REFUSED
    releasing = replace(task, phase=Phase.RELEASING, reasons=((happened.code, 1),), outcome=outcome)
    return releasing, [do.ReleaseHold(task.auction, None, task.all_revealed)]


def _next_winner(task: RequesterTask) -> Step:
    if task.transcript_blob is None:
        raise Bug(f"task {task.task.hex()[:16]} lost a winner it never had")
    again = replace(task, phase=Phase.RECLEARING)
    return again, [do.ClearAgain(task.auction, task.transcript_blob, task.failed, task.skipped)]


def _released(task: RequesterTask) -> Step:
    if task.cancelled:
        return replace(task, phase=Phase.CANCELLED, outcome="cancelled"), []
    # Providers that passed would pass again. A failed winner, silence or our own delay is worth another attempt.
    if task.failed or task.skipped or task.outcome in WORTH_ANOTHER:
        return _attempt_again(task)
    return replace(task, phase=Phase.REFUNDED), []


def _attempt_again(task: RequesterTask) -> Step:
    if task.attempt + 1 >= MAX_ATTEMPTS:
        return replace(task, phase=Phase.REFUNDED, outcome="no_attempt_left"), []
    attempt = task.attempt + 1
    again = RequesterTask(
        task=task.task,
        genesis=task.genesis,
        spec=task.spec,
        capability=task.capability,
        package=task.package,
        input_sha256=task.input_sha256,
        salt=task.salt,
        budget=task.budget,
        phase=Phase.FUNDING,
        auction=auction_id(task.genesis, task.spec.payer, task.task, attempt),
        attempt=attempt,
        excluded=task.excluded,
    )
    return again, [_hold(again)]
