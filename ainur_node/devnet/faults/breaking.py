"""Parts of a world that break: processes that die or stand still, clocks that are wrong."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ainur_node.devnet.faults.fault import WINNER, Altered, Fault
from ainur_node.devnet.faults.parts import Parts
from ainur_node.devnet.layout import SUBMITTER

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

HOUR_MS = 3_600_000
STOPPED_SECONDS = 6.0


def _dies_at(part: str, fact: str) -> Callable[[Parts], Iterator[None]]:
    """Kills a part whenever the submitter has written a fact of this kind down."""

    def trouble(parts: Parts) -> Iterator[None]:
        while True:
            if fact in parts.facts(SUBMITTER):
                parts.send(part, signal.SIGKILL)
            yield

    return trouble


def stops_the_winner(parts: Parts) -> Iterator[None]:
    """Stops n1 whenever it has won, for STOPPED_SECONDS."""
    until = 0.0
    try:
        while True:
            if "Awarded" in parts.facts(WINNER) and parts.send(WINNER, signal.SIGSTOP):
                until = time.monotonic() + STOPPED_SECONDS
            if until and time.monotonic() > until:
                parts.send(WINNER, signal.SIGCONT)
                until = 0.0
            yield
    finally:
        if until:
            parts.send(WINNER, signal.SIGCONT)


class AheadClock(Altered):
    """A wall clock that is an hour ahead."""

    def now_ms(self) -> int:
        """An hour later than it is."""
        return int(self._honest.now_ms()) + HOUR_MS


def clock_ahead(outside: "Outside") -> "Outside":
    """Live an hour ahead."""
    return replace(outside, clock=AheadClock(outside.clock))


FAULTS = (
    Fault(
        name="chain-restarts",
        sentence="the chain's process is killed at each award, and started again",
        ends="the task waits for the chain, then goes on; the winner is paid once",
        nodes=(),
        trouble=_dies_at("chain", "Cleared"),
    ),
    Fault(
        name="database-restarts",
        sentence="the database server of all nodes is killed at each award, and started again",
        ends="the nodes wait for it, then go on; the winner is paid once",
        nodes=(),
        trouble=_dies_at("database", "Escrowed"),
    ),
    Fault(
        name="stopped-provider",
        sentence="n1 stands still for 6 s whenever it has won",
        ends="n1 goes on where it stood, delivers in time and is paid",
        nodes=(),
        trouble=stops_the_winner,
    ),
    Fault(
        name="clock-ahead",
        sentence="n1's clock is an hour ahead",
        ends="nothing comes of it: deadlines are the chain's; n1 wins and is paid",
        nodes=(WINNER,),
        alter=clock_ahead,
    ),
)
