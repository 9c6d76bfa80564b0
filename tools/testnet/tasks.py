"""Tasks on the devnet: several at once, each from submission to its settlement."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ainur_node.devnet.asking import ask, client_of
from ainur_node.devnet.market import CAPABILITY
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.rpc.client import Refused, Unreachable

DEADLINE_MS = 60_000
DOCUMENT = b"A testnet of native validators settles tasks. " * 40


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: `settled` when its escrow was paid."""

    task: str
    settled: bool
    phase: str
    seconds: float


def run_tasks(submitter: Path, count: int, seconds: float) -> list[Ended]:
    """Submit so many tasks at once and follow each to its end."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(partial(_run, submitter, seconds), range(count)))


def _run(submitter: Path, seconds: float, number: int) -> Ended:
    began, task = time.monotonic(), ""
    try:
        with client_of(submitter, timeout=seconds) as client:
            accepted = client.call(
                "task.submit",
                capability=CAPABILITY,
                input=b"%d. " % number + DOCUMENT,
                media="text/plain",
                budget=str(PLANCK_PER_AIN),
                deadline_ms=DEADLINE_MS,
            )
            task = str(accepted["task"])
            for _ in client.stream("task.watch", task=task):
                pass
        shown = ask(submitter, "task.show", task=task)
        phase = str(shown["phase"])
        settled = phase == "settled" and not shown.get("refused")
        return Ended(task, settled, phase, time.monotonic() - began)
    except (Refused, Unreachable) as trouble:
        return Ended(
            task, settled=False, phase=f"{type(trouble).__name__}: {trouble}", seconds=time.monotonic() - began
        )
