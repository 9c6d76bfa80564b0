"""A world under siege: its nodes as targets, what they say of themselves, and tasks that go on meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from e2e_world import DOCUMENT, Ainur
from stranger_sieges import Target

from ainur_node.devnet.asking import ask
from ainur_node.devnet.layout import current, read_world
from ainur_node.domain.money import PLANCK_PER_AIN

PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class Health:
    """All nodes at one moment: pid and memory (KiB) of each, and the longest lag of any since the last look (ms)."""

    pids: dict[str, int]
    memory: dict[str, int]
    lag_ms: float
    counters: dict[str, int]

    def growth_mib(self, since: Health) -> float:
        """The most that any node grew."""
        return max((self.memory[name] - since.memory[name]) / 1024 for name in self.memory)


class Besieged:
    """One world and its nodes."""

    def __init__(self, there: Ainur) -> None:
        layout = current(there.home)
        assert layout is not None
        known = read_world(layout)
        self.homes = {entry["name"]: Path(entry["home"]) for entry in known["nodes"]}
        self.genesis = bytes.fromhex(known["genesis"])
        self._looked = time.monotonic()

    def status(self, name: str, **params: Any) -> dict[str, Any]:
        """What one node says of itself."""
        return ask(self.homes[name], "node.status", **params)

    def targets(self, ids: tuple[bytes, ...]) -> list[Target]:
        """Every node, as a stranger would find it."""
        return [Target(name, self.status(name)["addresses"][0], self.genesis, ids) for name in self.homes]

    def names(self, task: dict[str, Any]) -> list[bytes]:
        """Hashes that mean something to the nodes: of a task's auction and escrow, of packages and modules."""
        agents = ask(self.homes["submitter"], "agent.list")["agents"]
        told = [task.get("auction"), task.get("escrow"), *(a[what] for a in agents for what in ("package", "module"))]
        return [bytes.fromhex(each) for each in dict.fromkeys(told) if each]

    def look(self) -> Health:
        """How everybody is."""
        now = time.monotonic()
        span, self._looked = int((now - self._looked) * 1000) + 20, now
        said = {name: self.status(name, recent_ms=min(span, 60_000)) for name in self.homes}
        counters: dict[str, int] = {}
        for each in said.values():
            for name, value in each["mesh"].items():
                counters[name] = counters.get(name, 0) + int(value)
        return Health(
            {name: int(each["pid"]) for name, each in said.items()},
            {name: int(each["rss_kib"]) for name, each in said.items()},
            max(float(each["loop"]["lag_ms_max_recent"]) for each in said.values()),
            counters,
        )

    def task(self) -> dict[str, Any]:
        """One task from its submission to its end."""
        params = {"capability": "summarize", "input": DOCUMENT.read_bytes(), "media": "text/plain"}
        home = self.homes["submitter"]
        found = ask(home, "task.submit", **params, budget=str(PLANCK_PER_AIN), deadline_ms=30_000)["task"]
        deadline = time.monotonic() + PATIENCE
        while not (shown := ask(home, "task.show", task=found))["final"]:
            assert time.monotonic() < deadline, f"a task does not end: {shown}"
            time.sleep(0.1)
        return shown


def settled_at_once(end: dict[str, Any]) -> bool:
    """Whether a task was paid at its first attempt."""
    return (end["phase"].lstrip("="), end["attempt"]) == ("settled", 0)


class Trade:
    """Tasks one after another, in a thread of their own, for as long as the block lasts."""

    def __init__(self, besieged: Besieged) -> None:
        self._besieged = besieged
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None
        self.during = ""
        """What is being tried; only to be shown with a task that went wrong."""
        self.ends = 0
        self.odd: list[str] = []
        """Tasks that did not settle at the first attempt."""

    def __enter__(self) -> Trade:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE)
        if self._error is not None:
            raise self._error

    def wait_for(self, count: int) -> None:
        """Until so many tasks have ended, or one of them did not."""
        while self.ends < count and self._thread.is_alive():
            self._over.wait(0.1)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                began = self.during
                end = self._besieged.task()
                self.ends += 1
                if not settled_at_once(end):
                    why = ask(self._besieged.homes["submitter"], "auction.why", task=end["task"])
                    self.odd.append(
                        f"{end['phase']} at {end['attempt']}, from {began!r} to {self.during!r}: {end} {why}"
                    )
        except BaseException as error:  # noqa: BLE001 # reason: raised again in the thread of the test
            self._error = error
