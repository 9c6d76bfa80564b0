"""A submitted task that has seen everything, in whatever phase."""

from dataclasses import replace

from domain_records import GENESIS, b32
from life_samples import BID, COMMIT, ESCROW, ROOT, SUBMITTED

from ainur_node.domain.money import Amount
from ainur_node.domain.requester import Phase, RequesterTask, begin

FIRST, _ = begin(GENESIS, SUBMITTED)
# A task that has seen everything, so that no step lacks what it needs.
FULL = replace(
    FIRST,
    reserve=Amount(3_000),
    score_epoch=3,
    reveal_end=20,
    commits=(COMMIT,),
    root=ROOT,
    beacon=b32("beacon"),
    transcript=b32("transcript"),
    transcript_blob=b32("blob"),
    all_revealed=True,
    opening=BID,
    price=Amount(1_200),
    fee=Amount(12),
    escrow=ESCROW,
    awarded_at=40,
    deliver_by=50,
    delivery=b32("delivery"),
)


def at(phase: Phase, **changed: object) -> RequesterTask:
    return replace(FULL, phase=phase, **changed)  # type: ignore[arg-type]
