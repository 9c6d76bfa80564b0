"""Counters and stage times of a node: implements ports.Observer, read by ``ainur status``."""

import os
import time
from collections import defaultdict, deque
from typing import Any

# The last this many durations per stage make its percentiles.
WINDOW = 512
MAX_NAMES = 2048


class Counters:
    """Counts by name and recent durations by stage; bounded in names and samples."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._counts: dict[str, int] = {}
        self._times: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WINDOW))
        self._runs: dict[str, int] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter; past the bound of names everything else is counted as ``other``."""
        if name not in self._counts and len(self._counts) >= MAX_NAMES:
            name = "other"
        self._counts[name] = self._counts.get(name, 0) + by

    def time(self, name: str, seconds: float) -> None:
        """Record one duration."""
        if name in self._times or len(self._times) < MAX_NAMES:
            self._times[name].append(seconds)
            self._runs[name] = self._runs.get(name, 0) + 1

    def counters(self) -> dict[str, int]:
        """All counts."""
        return dict(sorted(self._counts.items()))

    def stages(self) -> dict[str, dict[str, Any]]:
        """Count, p50, p95 and p99 in ms of every stage."""
        return {name: _percentiles(self._runs[name], sorted(samples)) for name, samples in sorted(self._times.items())}


def _percentiles(count: int, samples: list[float]) -> dict[str, Any]:
    def at(share: float) -> float:
        return round(samples[min(len(samples) - 1, int(share * len(samples)))] * 1000, 2)

    return {"count": count, "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99)}


class SystemClock:
    """Wall time and randomness of this machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def random(self, size: int) -> bytes:
        """Unpredictable bytes."""
        return os.urandom(size)
