"""A world that is handed hostile modules: doors to its nodes, and what its nodes feel meanwhile."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from e2e_world import Ainur, new_home, processes_of, wait_until

from ainur_node.devnet.asking import ask, client_of
from ainur_node.devnet.layout import OBSERVER, SUBMITTER, current
from ainur_node.devnet.plan import Plan, read_plan
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.rpc.client import Refused, Unreachable

UP_SECONDS = 240.0
COMPILE_SECONDS = 150.0
MOST_LAG_MS = 100.0
ATTEMPTS = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Felt:
    """What nodes felt during a case: all in ms but the seconds that it took.

    ``lag`` is the longest of the nodes concerned, ``idle`` that of a node which had nothing to do with it. ``waited``
    is how long in all the thread of the loop was ready and got no processor: for that the machine is to blame.
    """

    lag: float
    idle: float
    waited: float
    seconds: float

    @property
    def bearable(self) -> bool:
        """Whether the loop was late by less than the limit, its waiting for a processor apart."""
        return self.lag - self.waited < MOST_LAG_MS


class ModuleWorld:
    """A running world whose n1 takes whatever it is given; ``pids`` are its nodes' when it was ready."""

    def __init__(self, ainur: Ainur, plan: Plan) -> None:
        self.ainur = ainur
        self.plan = plan
        self.names = [node.name for node in plan.nodes]
        self.accounts = {node.name: node.account for node in plan.nodes}
        self.pids = self.status("pid")
        self.rss = self.status("rss_kib")

    # --- doors ----------------------------------------------------------------------------------------------------

    def ask(self, node: str, method: str, /, wait: float = 60.0, **params: Any) -> dict[str, Any]:
        """One question to a node; Refused when it says no."""
        with client_of(self.plan.layout.home(node), timeout=wait) as client:
            return client.call(method, **params)

    def patiently(self, node: str, method: str, /, **params: Any) -> dict[str, Any]:
        """One question to a node that may be too busy to compile just now."""
        for _ in range(ATTEMPTS):
            with contextlib.suppress(Unreachable):
                try:
                    return self.ask(node, method, wait=COMPILE_SECONDS, **params)
                except Refused as refused:
                    if refused.code != "unavailable":
                        raise
        raise AssertionError(f"{node} is too busy for {method}")

    def status(self, key: str) -> dict[str, Any]:
        """One field of every node's status."""
        return {name: self.ask(name, "node.status")[key] for name in self.names}

    def lint(self, wasm: bytes, node: str = "n1") -> list[str]:
        """The codes of what a node has against a module."""
        said = self.patiently(node, "agent.lint", wasm=wasm)
        codes = [str(finding["code"]) for finding in said["findings"]]
        assert said["ok"] is not bool(codes), said
        assert all(finding["detail"] for finding in said["findings"])
        return codes

    def publish(self, node: str, manifest: bytes, wasm: bytes, ask_ain: float) -> dict[str, Any]:
        """Publish a package on a node, and see it at the submitter; Refused when it may not be."""
        planck = str(int(ask_ain * 100) * PLANCK_PER_AIN // 100)
        said = self.patiently(node, "agent.publish", manifest=manifest, wasm=wasm, ask=planck)
        wait_until(lambda: any(a["id"] == said["agent"] for a in self.ask(SUBMITTER, "agent.list")["agents"]))
        return said

    def task(self, capability: str, document: bytes, seconds: float = 90.0) -> dict[str, Any]:
        """Submit a task and wait for its end; the task as its submitter tells it."""
        accepted = self.ask(
            SUBMITTER,
            "task.submit",
            capability=capability,
            input=document,
            media="application/json",
            budget=str(PLANCK_PER_AIN),
            deadline_ms=60_000,
        )
        task = str(accepted["task"])
        with client_of(self.plan.layout.home(SUBMITTER), timeout=seconds) as client:
            for _ in client.stream("task.watch", task=task):
                pass
        return self.ask(SUBMITTER, "task.show", task=task)

    def refusal_of_publishing(self, manifest: bytes, wasm: bytes) -> Refused:
        """How a node refuses to publish a package that it must refuse."""
        try:
            self.publish("n1", manifest, wasm, 0.2)
        except Refused as refused:
            return refused
        raise AssertionError("it was published")

    # --- what the nodes feel --------------------------------------------------------------------------------------

    def lag(self, node: str, seconds: float) -> float:
        """The longest lag of a node's loop in the last ``seconds``, in ms."""
        recent = max(1, min(60_000, int(seconds * 1000)))
        return float(self.ask(node, "node.status", recent_ms=recent)["loop"]["lag_ms_max_recent"])

    def felt(self, work: Callable[[], T], *nodes: str) -> tuple[T, Felt]:
        """Do something and look what it was like for nodes; once or twice more when a loop was late."""
        for attempt in range(ATTEMPTS):
            begin, waited = time.monotonic(), [self.waited(node) for node in nodes]
            result = work()
            time.sleep(0.05)  # two ticks of the pulse: the last lag is known only when it is over
            spent = time.monotonic() - begin
            lags = [self.lag(node, spent) for node in nodes]
            waits = [self.waited(node) - before for node, before in zip(nodes, waited, strict=True)]
            idle = self.lag(OBSERVER, time.monotonic() - begin)
            lag, wait = max(zip(lags, waits, strict=True))
            seen = Felt(lag, idle, round(wait, 1), round(spent, 2))
            if lag < MOST_LAG_MS or attempt == ATTEMPTS - 1:
                return result, seen
        raise AssertionError("unreachable")

    def waited(self, node: str) -> float:
        """How long the thread of a node's loop has been ready without a processor since it began, in ms."""
        return int(Path(f"/proc/{self.pids[node]}/task/{self.pids[node]}/schedstat").read_text().split()[1]) / 1e6

    def children(self, node: str) -> list[str]:
        """Modules of the sandbox that run as processes of a node."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
                if parent == self.pids[node]:
                    words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                    found.append(words[words.index("-m") + 1])
        return found

    def settled_down(self, node: str = "n1") -> bool:
        """Whether nothing but idle workers is left of what a node started."""
        return set(self.children(node)) <= {"wasm_runtime.worker"}

    def unharmed(self) -> None:
        """The same processes as at the beginning, without a crash, and no child that compiles."""
        assert self.status("pid") == self.pids
        for node in self.names:
            wait_until(lambda node=node: self.settled_down(node), seconds=30)  # type: ignore[misc]
            assert list((self.plan.layout.home(node) / "crashes").glob("*")) == [], node


@contextmanager
def module_world(*, deadline_ms: int) -> Iterator[ModuleWorld]:
    """A fresh world; a run at n1 may take ``deadline_ms``. Nothing of it is left afterwards."""
    home = new_home()
    ainur = Ainur(home)
    try:
        up = ainur("devnet", "up", timeout=UP_SECONDS)
        assert up.code == 0, up
        layout = current(home)
        assert layout is not None
        plan = read_plan(layout.directory)
        _restart_with(plan.layout.home("n1"), f"\n[sandbox]\ndeadline_ms = {deadline_ms}\n")
        yield ModuleWorld(ainur, plan)
        assert ainur("wallet", "audit").data["difference"] == 0
        assert ainur("devnet", "down", timeout=60).code == 0
        assert processes_of(home) == []
    finally:
        ainur("devnet", "down", timeout=60)
        shutil.rmtree(home, ignore_errors=True)


def _restart_with(home: Path, more: str) -> None:
    """Add to a node's configuration and let its keeper start it again."""
    before = ask(home, "node.status")
    with (home / "config.toml").open("a") as file:
        file.write(more)
    os.kill(before["pid"], signal.SIGKILL)

    def back() -> bool:
        with contextlib.suppress(Unreachable, Refused):
            now = ask(home, "node.status")
            return now["pid"] != before["pid"] and now["peers"] >= before["peers"]
        return False

    wait_until(back, seconds=60)
