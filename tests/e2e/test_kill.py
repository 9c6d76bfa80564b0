"""`kill -9` of each kind of process at named facts: every task still ends, is paid at most once, no money is lost.

The world's keeper starts again what was killed. Facts are waited for in the log of the node that writes them down,
never for a time, so that the same moment is hit on a fast machine and on a slow one.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_world import DOCUMENT, Ainur, new_home, wait_until

from ainur_node.devnet.asking import ask, wait_for
from ainur_node.devnet.layout import Layout, current
from ainur_node.errors import Transient
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.supervisor import claim, pids

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

SUBMITTER, WINNER, CHAIN, DATABASE = "submitter", "n1", "chain", "database"
PROVIDERS = ("n1", "n2", "n3")
FINAL = frozenset({"settled", "refunded"})
# Windows of the market are up to 60 s each; one of them may have to pass before a task can go on.
PATIENCE = 200.0
AIN = 10**12

CASES = [
    *((SUBMITTER, SUBMITTER, fact) for fact in ("Submitted", "Funded", "BidsCollected", "Closed")),
    *((SUBMITTER, SUBMITTER, fact) for fact in ("Cleared", "Escrowed", "Delivered", "Verified")),
    *((WINNER, WINNER, fact) for fact in ("Invited", "Committed", "Revealed", "Awarded", "Completed")),
    *((WINNER, WINNER, fact) for fact in ("DeliveredOnChain",)),
    *((CHAIN, SUBMITTER, fact) for fact in ("Submitted", "Funded", "BidsCollected", "Closed", "Cleared", "Escrowed")),
    *((CHAIN, WINNER, fact) for fact in ("Awarded", "Completed", "DeliveredOnChain")),
    *((DATABASE, SUBMITTER, fact) for fact in ("Submitted", "Funded", "BidsCollected", "Cleared", "Escrowed")),
    *((DATABASE, WINNER, fact) for fact in ("Committed", "Awarded", "Completed")),
]


@dataclass(frozen=True, slots=True)
class Town:
    """One running world, its processes and its money."""

    layout: Layout

    def ask(self, node: str, method: str, **params: Any) -> dict[str, Any] | None:
        """One answer, None while the node is away."""
        try:
            return ask(self.layout.home(node), method, **params)
        except (Refused, Unreachable):
            return None

    def sure(self, node: str, method: str, **params: Any) -> dict[str, Any]:
        """An answer, sooner or later."""
        return wait_for(f"an answer of {node} to {method}", lambda: self.ask(node, method, **params), timeout=PATIENCE)

    def submit(self) -> str:
        """A task's id."""
        params = {"capability": "summarize", "input": DOCUMENT.read_bytes(), "media": "text/plain"}
        return str(self.sure(SUBMITTER, "task.submit", **params, budget=str(AIN), deadline_ms=30_000)["task"])

    def pid_of(self, process: str) -> int:
        """Process id of a node, the chain host, or the database server."""
        if process == DATABASE:
            return int((self.layout.postgres / "postmaster.pid").read_text().split()[0])
        if process != CHAIN:
            return int(self.sure(process, "node.status")["pid"])
        for identity in pids.read(self.layout.directory / claim.CHILDREN_FILE):
            command = Path(f"/proc/{identity.pid}/cmdline")
            if command.exists() and b"chain_host" in command.read_bytes():
                return identity.pid
        raise AssertionError("no chain host runs")

    def log_size(self, node: str) -> int:
        """Bytes of a node's log."""
        return (self.layout.logs / f"{node}.log").stat().st_size

    def facts(self, node: str, since: int) -> set[str]:
        """Kinds of facts that a node wrote down after that many bytes of its log."""
        with (self.layout.logs / f"{node}.log").open("rb") as log:
            log.seek(since)
            lines = [line for line in log.read().split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]
        return {str(said["fact"]) for line in lines if (said := json.loads(line)).get("event") == "fact"}

    def wealth(self, node: str) -> int:
        """Free and held planck of a node's account."""
        found = self.sure(node, "wallet.balance")
        return int(found["free"]) + sum(int(amount) for amount in found["held"].values())

    def ended(self, task: str) -> dict[str, Any] | None:
        """A task once it is final."""
        found = self.ask(SUBMITTER, "task.show", task=task)
        return found if found is not None and found["phase"].lstrip("=") in FINAL else None


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    home = new_home()
    ainur = Ainur(home)
    try:
        up = ainur("devnet", "up", timeout=180)
        assert up.code == 0, up
        layout = current(home)
        assert layout is not None
        yield Town(layout)
    finally:
        keep = os.environ.get("KEEP_LOGS")
        if keep and (layout := current(home)) is not None:
            shutil.copytree(layout.logs, keep, dirs_exist_ok=True)
        ainur("devnet", "down", timeout=60)
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize(("killed", "node", "fact"), CASES)
def test_every_task_ends_and_is_paid_at_most_once(town: Town, killed: str, node: str, fact: str) -> None:
    keeper = town.sure(SUBMITTER, "node.status")
    before = {name: town.wealth(name) for name in (SUBMITTER, *PROVIDERS)}
    victim, since = town.pid_of(killed), town.log_size(node)
    tasks = [town.submit()]
    deadline = time.monotonic() + 60
    while fact not in town.facts(node, since):
        assert time.monotonic() < deadline, f"{fact} was not written down"
        time.sleep(0.002)

    os.kill(victim, signal.SIGKILL)
    tasks.append(town.submit())

    ends = [wait_for(f"the end of {task}", lambda task=task: town.ended(task), timeout=PATIENCE) for task in tasks]
    audit = town.sure(SUBMITTER, "wallet.audit")
    after = {name: town.wealth(name) for name in before}
    wait_until(lambda: town.sure(SUBMITTER, "wallet.balance")["in_escrow"] == "0", 30)
    settled = [end for end in ends if end["phase"].lstrip("=") == "settled"]
    price, fee = (sum(int(end[name]) for end in settled) for name in ("price", "fee"))
    earned = sum(after[name] - before[name] for name in PROVIDERS)
    spent = before[SUBMITTER] - after[SUBMITTER]
    assert int(audit["difference"]) == 0
    assert earned <= price, "somebody was paid twice"
    # Fees of extrinsics, and the bond of an auction that was closed and could not be awarded in time.
    assert price + fee <= spent <= price + fee + len(tasks) * AIN // 8
    assert keeper["peer_id"] == town.sure(SUBMITTER, "node.status")["peer_id"]
    assert [end["phase"].lstrip("=") for end in ends].count("settled") >= 1


def test_a_world_that_lost_everything_at_once_goes_on(town: Town) -> None:
    task = town.submit()
    for process in (SUBMITTER, WINNER, CHAIN, DATABASE):
        try:
            os.kill(town.pid_of(process), signal.SIGKILL)
        except (Transient, ProcessLookupError, FileNotFoundError):
            continue

    end = wait_for("the end of the task", lambda: town.ended(task), timeout=PATIENCE)

    assert end["phase"].lstrip("=") in FINAL
    assert int(town.sure(SUBMITTER, "wallet.audit")["difference"]) == 0
