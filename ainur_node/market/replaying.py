"""Work run again: the very job of the first time, and what differs from the receipt."""

from ainur_node.domain.auction.commitments import Opening
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.receipt import Receipt, seed_of
from ainur_node.domain.task import TaskSpec
from ainur_node.ports import Job, Run


def job_of(
    genesis: bytes, escrow: EscrowId, spec: TaskSpec, opening: Opening, awarded_at: int, body: bytes, deadline_ms: int
) -> Job:
    """What everybody who runs the work of an escrow runs: seed and clock follow from the award and the input."""
    return Job(
        module=opening.terms.module,
        input=body,
        seed=seed_of(genesis, escrow, content_hash(body)),
        clock=awarded_at,
        fuel=spec.limits.fuel,
        memory_kib=spec.limits.memory_kib,
        output_limit=spec.limits.output,
        deadline_ms=deadline_ms,
    )


def difference(run: Run, receipt: Receipt) -> str | None:
    """The first thing in which a replay is not what the receipt says; None when they agree."""
    e = receipt.execution
    compared = {
        "exit": (run.exit, e.exit),
        "code": (run.code, e.code),
        "output": (content_hash(run.output), e.output_sha256),
        "fuel": (run.fuel_used, e.fuel_used),
        "host_transcript": (run.host_transcript, e.host_transcript),
    }
    return next((name for name, (found, claimed) in compared.items() if found != claimed), None)
