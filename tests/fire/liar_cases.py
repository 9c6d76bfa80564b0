"""What a lie is to a test: the world it is told in, the tasks handed in there, and what it must come to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from liar_world import LiarWorld


@dataclass(frozen=True, slots=True)
class Ending:
    """How a lie ended, in the words of the printed table."""

    outcome: str
    who_lost: str
    what: str
    evidence: str


Shown = list[dict[str, Any]]
"""The tasks of a case as `task show` told them in the end, in the order in which they were handed in."""


@dataclass(frozen=True, slots=True)
class Case:
    """One lie: a fault of the menu, the tasks that bring it about, and the check of what came of it.

    ``tasks`` are handed in one after the other. With ``final`` each is waited for until it has ended at the submitter,
    at most ``patience`` seconds; a case whose task never ends there waits for its facts in ``expect``.
    """

    fault: str
    expect: Callable[[LiarWorld, Shown], Ending]
    tasks: int = 1
    budget: str = "1"
    deadline: str = "60s"
    final: bool = True
    patience: float = 90.0
