"""Time, randomness, counters and readiness."""

from typing import Protocol

from trio import TaskStatus


class Clock(Protocol):
    """Wall time in ms for display, and randomness; fakes make both repeatable."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def random(self, size: int) -> bytes:
        """``size`` unpredictable bytes."""
        ...


class Observer(Protocol):
    """Counts what happens; never fails, never blocks."""

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        ...

    def time(self, name: str, seconds: float) -> None:
        """Record how long one thing took."""
        ...


# What a service calls once when it is ready.
Readiness = TaskStatus[None]
