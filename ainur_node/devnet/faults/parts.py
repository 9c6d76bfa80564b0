"""Parts of a world as its keeper knows them, for faults that break them."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ainur_node.supervisor import pids
from ainur_node.supervisor.pids import Identity

MAX_READ = 1 << 20


class Parts(Protocol):
    """The chain, the database and the nodes by name."""

    def facts(self, node: str) -> list[str]:
        """Kinds of the facts that a node has written down since the last look."""
        ...

    def send(self, part: str, how: signal.Signals) -> bool:
        """Send a signal to ``chain``, ``database`` or a node; False when it is not there now."""
        ...


class KeptParts:
    """The parts of a keeper: ``living`` tells which process each of them is at the moment."""

    def __init__(self, logs: Path, living: Callable[[], Mapping[str, Identity]]) -> None:
        self._logs = logs
        self._living = living
        self._read: dict[str, int] = {}

    def facts(self, node: str) -> list[str]:
        """Kinds of new facts in a node's log, oldest first; whole lines only, MAX_READ bytes at a time."""
        path = self._logs / f"{node}.log"
        start = self._read.get(node, 0)
        try:
            with path.open("rb") as log:
                size = log.seek(0, 2)
                log.seek(start if start <= size else 0)
                start, text = log.tell(), log.read(MAX_READ)
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read[node] = start + len(whole)
        return list(_facts(whole))

    def send(self, part: str, how: signal.Signals) -> bool:
        """Send a signal to a part, if it is there."""
        identity = self._living().get(part)
        return identity is not None and pids.send(identity, how)


def _facts(text: bytes) -> Iterator[str]:
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("event") == "fact":
            yield str(said.get("fact"))
