"""A running world to be hurt: its processes by role, the facts that its nodes wrote down, and its tasks."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from e2e_world import DOCUMENT, new_home

from ainur_node.devnet import world as worlds
from ainur_node.devnet.asking import ask, wait_for
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.layout import SUBMITTER
from ainur_node.devnet.market import CAPABILITY, open_market
from ainur_node.devnet.world import World
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.supervisor import pids
from ainur_node.supervisor.pids import Identity

REQUESTER, PROVIDER, CHAIN, DATABASE = "requester", "provider", "chain", "database"
WINNER = "n1"
NODES = {REQUESTER: SUBMITTER, PROVIDER: WINNER}
PROVIDER_FACTS = frozenset({"Invited", "Committed", "Revealed", "Awarded", "Completed", "DeliveredOnChain", "Paid"})
FINAL = frozenset({"settled", "refunded"})
# Windows of the market are up to 60 s each; one of them may have to pass before a task can go on.
PATIENCE = 200.0
FACT_PATIENCE = 60.0
# Fast enough that a process is hit while the order that follows the fact is under way.
POLL = 0.002
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """A task that was handed in; ``auction`` is its first one. Ids as hex."""

    id: str
    auction: str


class Log:
    """What one node says from now on, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size
        self._rest = b""
        self._facts: set[tuple[str, str]] = set()
        self._events: list[dict[str, Any]] = []

    def facts(self, key: str) -> set[str]:
        """Kinds of facts that were written down about a task or an auction."""
        self._read()
        return {fact for fact, of in self._facts if of == key[:16]}

    def events(self, name: str) -> list[dict[str, Any]]:
        """All lines of one kind."""
        self._read()
        return [said for said in self._events if said.get("event") == name]

    def _read(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        self._at += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            if not (line.startswith(b"{") and line.endswith(b"}")):
                continue  # a traceback, or half a line of a process that was killed while it wrote
            said = json.loads(line)
            self._events.append(said)
            if said.get("event") == "fact":
                self._facts.add((str(said["fact"]), str(said["key"])))


class Town:
    """One world, its processes and its tasks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.layout = world.layout
        self.logs: dict[str, Log] = {}
        self._submitted = 0

    def listen(self) -> None:
        """Forget what the nodes said so far."""
        self.logs = {node.name: Log(self.layout.logs / f"{node.name}.log") for node in self.world.plan.nodes}

    # --- questions ------------------------------------------------------------------------------------------------

    def ask(self, node: str, method: str, **params: Any) -> dict[str, Any] | None:
        """One answer, None while the node is away."""
        try:
            return ask(self.layout.home(node), method, **params)
        except (Refused, Unreachable):
            return None

    def sure(self, node: str, method: str, **params: Any) -> dict[str, Any]:
        """An answer, sooner or later."""
        return wait_for(f"an answer of {node} to {method}", lambda: self.ask(node, method, **params), timeout=PATIENCE)

    def wait_whole(self) -> None:
        """Until every process is back: all nodes answer, have met one another and follow the chain."""
        others = len(self.world.plan.nodes) - 1

        def whole() -> bool | None:
            for node in self.world.plan.nodes:
                said = self.ask(node.name, "node.status")
                if said is None or int(said["peers"]) < others or not said["chain"]["connected"]:
                    return None
            return True

        wait_for("the world being whole again", whole, timeout=PATIENCE)

    # --- tasks ----------------------------------------------------------------------------------------------------

    def submit(self, deadline_ms: int = 30_000) -> Task:
        """Hand a task in; however often that has to be asked, it is one task."""
        self._submitted += 1
        params = {"capability": CAPABILITY, "input": DOCUMENT.read_bytes(), "media": "text/plain"}
        terms = {"budget": str(PLANCK_PER_AIN), "deadline_ms": deadline_ms, "key": f"row-{self._submitted}"}
        said = self.sure(SUBMITTER, "task.submit", **params, **terms)
        return Task(str(said["task"]), str(said["auction"]))

    def ended(self, task: Task) -> dict[str, Any] | None:
        """A task once it is final."""
        found = self.ask(SUBMITTER, "task.show", task=task.id)
        return found if found is not None and found["phase"].lstrip("=") in FINAL else None

    def wait_ended(self, task: Task) -> dict[str, Any]:
        """The end of a task; fails with all facts that its nodes wrote down when there is none."""
        deadline = time.monotonic() + PATIENCE
        while (end := self.ended(task)) is None:
            assert time.monotonic() < deadline, f"{task.id[:16]} does not end: {self._told(task)}"
            time.sleep(0.05)
        return end

    def written(self, fact: str, task: Task) -> bool:
        """Whether a fact of a task's first auction was written down by the node that writes such facts."""
        if fact in PROVIDER_FACTS:
            return fact in self.logs[WINNER].facts(task.auction)
        return fact in self.logs[SUBMITTER].facts(task.id)

    def wait_fact(self, fact: str, task: Task) -> None:
        """Return within milliseconds of the moment at which a fact was written down."""
        self.wait(lambda: self.written(fact, task), f"{fact} was not written down", task)

    def wait(self, condition: Callable[[], bool], otherwise: str, task: Task) -> None:
        """Until a condition holds; fails with ``otherwise`` and what is known of the task."""
        deadline = time.monotonic() + FACT_PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}: {self._told(task)}"
            time.sleep(POLL)

    def _told(self, task: Task) -> dict[str, list[str]]:
        return {name: sorted(log.facts(task.id) | log.facts(task.auction)) for name, log in self.logs.items()}

    # --- processes ------------------------------------------------------------------------------------------------

    def process(self, role: str) -> Identity:
        """The process that plays this role now; for the database its first one."""
        return wait_for(f"a running {role}", lambda: self._find(role), timeout=PATIENCE)

    def _find(self, role: str) -> Identity | None:
        if role in NODES:
            pid = self.world.node_pids().get(NODES[role])
            return pids.identify(pid) if pid is not None else None
        word = b"chain_host" if role == CHAIN else b"postgres"
        found = [child for child in _children(self.world.pid) if word in _command(child)]
        return pids.identify(found[0]) if found else None

    def kill(self, role: str) -> None:
        """End a process with SIGKILL; its keeper starts it again."""
        pids.send(self.process(role), signal.SIGKILL)

    @contextmanager
    def stopped(self, role: str) -> Iterator[None]:
        """Hold a process with SIGSTOP, and all children of a database server with it."""
        held = [self.process(role)]
        pids.send(held[0], signal.SIGSTOP)
        if role == DATABASE:
            backends = [pids.identify(pid) for pid in _children(held[0].pid)]
            held += [backend for backend in backends if backend is not None]
        try:
            for each in held:
                pids.send(each, signal.SIGSTOP)
            yield
        finally:
            for each in held:
                pids.send(each, signal.SIGCONT)


@contextmanager
def town(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[Town]:
    """A world of three providers whose nodes have these settings; KEEP_LOGS names a directory for its logs."""
    home = new_home()
    altered = Fault(name="", sentence="", ends="", nodes=(), settings=settings)
    try:
        world = worlds.start(home, 3, world=None, attached=False, tell=lambda _: None, fault=altered)
        try:
            open_market(world.plan, lambda _: None)
            yield Town(world)
        finally:
            keep = os.environ.get("KEEP_LOGS")
            if keep:
                shutil.copytree(world.layout.logs, Path(keep) / world.layout.directory.name, dirs_exist_ok=True)
                for log in world.layout.directory.glob("*.log"):
                    shutil.copy(log, Path(keep) / world.layout.directory.name)
            world.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text("ascii", "replace")
        except OSError:
            continue
        if int(text[text.rfind(")") + 2 :].split()[1]) == parent:
            found.append(int(entry.parent.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
