"""Token buckets and a dedupe set, all of them bounded in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable


class RateLimit:
    """One token bucket per key: `rate` per second, bursts of `burst`; unused keys are forgotten first.

    A key never seen before has `start` tokens, or a full bucket when that is not given.
    """

    def __init__(
        self, rate: float, burst: float, capacity: int, clock: Callable[[], float], start: float | None = None
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._start = burst if start is None else start
        self._capacity = capacity
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def allows(self, key: Hashable) -> bool:
        """Take one token of `key`; False when there is none left."""
        return self._take(key, 1.0)

    def begin(self, key: Hashable) -> None:
        """Let the tokens of a key grow from now on, before it asks for any."""
        self._take(key, 0.0)

    def _take(self, key: Hashable, wanted: float) -> bool:
        now = self._clock()
        tokens, since = self._buckets.pop(key, (self._start, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        granted = tokens >= wanted
        self._buckets[key] = (tokens - wanted if granted else tokens, now)
        # A forgotten key starts again, so the capacity has to be well above the number of peers that can be
        # connected at once.
        while len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return granted


class SeenSet:
    """Remembers up to `capacity` ids for `ttl` seconds from their first sight."""

    def __init__(self, capacity: int, ttl: float, clock: Callable[[], float]) -> None:
        self._capacity = capacity
        self._ttl = ttl
        self._clock = clock
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def _drop_expired(self) -> None:
        horizon = self._clock() - self._ttl
        while self._seen:
            oldest = next(iter(self._seen))
            if self._seen[oldest] > horizon and len(self._seen) <= self._capacity:
                return
            del self._seen[oldest]

    def has(self, key: bytes) -> bool:
        """Whether the id was added within the last `ttl` seconds."""
        since = self._seen.get(key)
        return since is not None and since > self._clock() - self._ttl

    def add(self, key: bytes) -> bool:
        """Remember the id; True when it was new."""
        if self.has(key):
            return False
        self._seen.pop(key, None)
        self._seen[key] = self._clock()
        self._drop_expired()
        return True
