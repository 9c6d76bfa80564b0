"""The scenario ``upgrade``: the runtime is replaced while tasks are in flight, and nobody loses anything.

Tasks are submitted one after another, so that at any moment some are being bid for, some run and some are settled. In
their midst the holder of the sudo key puts the next runtime on chain: the same sources with the next version, as the
compiler made it. Every task that was in flight must end paid, new ones must too, and the money must add up.
"""

import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ainur_node.devnet.asking import ask, client_of, wait_for
from ainur_node.devnet.evidence import fees_between
from ainur_node.devnet.layout import SUBMITTER, DevnetError
from ainur_node.devnet.market import CAPABILITY
from ainur_node.devnet.proof import NotProven
from ainur_node.devnet.upgrading import UPGRADE_TIMEOUT, put_runtime, spec_version
from ainur_node.devnet.world import World
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.domain.requester import FINAL, Phase
from pallets_client.client import ChainClient

Tell = Callable[[dict[str, object]], None]

AFTER = 2  # tasks submitted after the upgrade
MOST = 60  # tasks of one story: a machine that is too slow for it must not submit for ever
GAP = 0.5  # seconds between two submissions: about a quarter of a task's life
BUDGET = PLANCK_PER_AIN
DEADLINE_MS = 120_000
TASK_TIMEOUT = 240.0
_EARLY = frozenset({Phase.FUNDING, Phase.BIDDING, Phase.CLOSING, Phase.REVEALING, Phase.AWARDING})
FIELDS = (
    ("from, to", "spec_version before and after"),
    ("block", "number of the block that carried the new runtime"),
    ("in_flight", "tasks that were not at their end when that block was made, and their phases"),
    ("tasks", "how each ended: task, phase, paid, seconds"),
    ("lost", "tasks that did not end paid; none"),
    ("fees", "extrinsic fees by node, in planck"),
    ("audit", "difference 0: all money of the chain is somewhere"),
    ("seconds", "how long it all took"),
)
"""What ``ainur demo upgrade --json`` prints, for its help."""


@dataclass(slots=True)
class Watched:
    """One task as its submitter's node tells of it."""

    number: int
    task: str = ""
    phase: str = Phase.FUNDING
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    trouble: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more can happen."""
        return self.phase in FINAL or bool(self.trouble)


def upgrade_story(home: Path, world: World, text: bytes, tell: Tell) -> dict[str, Any]:
    """Run the scenario in a world whose market is open; raises NotProven with what differs."""
    plan = world.plan
    node = world.layout.home(SUBMITTER)
    chain = ChainClient(plan.chain_url)
    try:
        first, issuance, old = chain.head(), chain.audit().issuance, spec_version(chain)
        code = _next_runtime(world.layout.directory / "next.wasm")
        tasks, stop = list[Watched](), threading.Event()
        submitting = threading.Thread(target=_submit, args=(node, text, tasks, stop, tell), name="submit", daemon=True)
        submitting.start()
        try:
            _wait_spread(tasks)
            block = _upgrade(world, code, tell)
            flying = [{"task": each.task, "phase": each.phase} for each in tasks if each.task and not each.over]
            submitted = len(tasks)
            wait_for("the new runtime", lambda: spec_version(chain) != old or None, timeout=UPGRADE_TIMEOUT)
            new = spec_version(chain)
            said = f"the runtime is {new} since block {block}, it was {old}; {len(flying)} tasks are in flight"
            tell({"step": "upgraded", "text": said, "block": block})
            enough = submitted + AFTER
            wait_for("new tasks", lambda: len(tasks) >= min(enough, MOST) or None, timeout=TASK_TIMEOUT)
        finally:
            stop.set()
            submitting.join(TASK_TIMEOUT)
        wait_for("every task's end", lambda: all(each.over for each in tasks) or None, timeout=TASK_TIMEOUT)
        rows = [_row(node, each) for each in tasks]
        last, audit = chain.head(), chain.audit()
        fees = fees_between(chain, plan, first.number, last.number)
    finally:
        chain.close()
    result = {
        "scenario": "upgrade",
        "from": old,
        "to": new,
        "block": block,
        "in_flight": flying,
        "tasks": rows,
        "lost": [row["task"] for row in rows if row["phase"] != Phase.SETTLED],
        "fees": {name: str(fee) for name, fee in fees.items()},
        "nodes": [{"name": name, "pid": pid} for name, pid in world.node_pids().items()],
        "audit": {"difference": audit.difference, "issuance": str(audit.issuance)},
        "verify": f"ainur --home {shlex.quote(str(home))} --node {SUBMITTER} wallet audit",
    }
    wrong = upgrade_faults(result, issuance, audit.issuance)
    if wrong:
        raise NotProven(wrong, result)
    tell({"step": "proven", "text": f"{len(flying)} tasks were in flight, all {len(rows)} were paid"})
    return result


def upgrade_faults(result: dict[str, Any], before: int, after: int) -> list[str]:
    """What is not as promised, in sentences."""
    wrong = []
    if result["to"] != result["from"] + 1:
        wrong.append(f"the runtime went from {result['from']} to {result['to']}")
    if not result["in_flight"]:
        wrong.append("no task was in flight when the runtime changed")
    if result["lost"]:
        wrong.append(f"{len(result['lost'])} tasks were not paid")
    if result["audit"]["difference"] or before != after:
        wrong.append("the audit differs: money was lost or made")
    return wrong


def _submit(home: Path, text: bytes, tasks: list[Watched], stop: threading.Event, tell: Tell) -> None:
    """One task after another until told to stop."""
    while len(tasks) < MOST and not stop.is_set():
        each = Watched(len(tasks) + 1)
        tasks.append(each)
        threading.Thread(target=_follow, args=(home, text, each, tell), name=f"task-{each.number}", daemon=True).start()
        stop.wait(GAP)


def _follow(home: Path, text: bytes, each: Watched, tell: Tell) -> None:
    try:
        with client_of(home, timeout=TASK_TIMEOUT) as client:
            document = b"%s\n\nTask %d.\n" % (text, each.number)
            each.task = str(
                client.call(
                    "task.submit",
                    capability=CAPABILITY,
                    input=document,
                    media="text/plain",
                    budget=str(BUDGET),
                    deadline_ms=DEADLINE_MS,
                )["task"]
            )
            for item in client.stream("task.watch", task=each.task):
                each.phase = item["phase"]
                tell({"step": f"task-{item['kind']}", "text": f"task {each.number}: {item['text']}", "task": each.task})
    except Exception as error:  # noqa: BLE001  # reason: a thread's fault is a finding of the demo
        each.trouble = str(error) or type(error).__name__
    each.seconds = round(time.monotonic() - each.began, 2)


def _wait_spread(tasks: list[Watched]) -> None:
    """Wait until one task is before its award and another one after it."""

    def spread() -> bool | None:
        flying = [each for each in tasks if each.task and not each.over]
        early = sum(each.phase in _EARLY for each in flying)
        return True if 0 < early < len(flying) else None

    wait_for("tasks in different phases", spread, timeout=TASK_TIMEOUT)


def _upgrade(world: World, code: bytes, tell: Tell) -> int:
    tell({"step": "upgrade", "text": f"the sudo key sets a runtime of {len(code)} bytes", "bytes": len(code)})
    seed = bytes.fromhex(world.layout.faucet_file.read_text().strip())
    return put_runtime(world.plan.chain_url, seed, code)


def _next_runtime(path: Path) -> bytes:
    """The committed runtime's next version, made by the chain's own program in its own process."""
    command = [sys.executable, "-m", "chain_host.next_runtime", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=UPGRADE_TIMEOUT)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise DevnetError("no-next-runtime", said[0], hint="use a full checkout of the project")
    return path.read_bytes()


def _row(home: Path, each: Watched) -> dict[str, Any]:
    shown = ask(home, "task.show", task=each.task) if each.task else {}
    return {
        "task": each.task,
        "phase": shown.get("phase", each.phase),
        "paid": shown.get("price"),
        "seconds": each.seconds,
        "trouble": each.trouble or None,
    }
