"""How long the event loop keeps everybody waiting, measured by a task that wants to run every 20 ms."""

from collections import deque
from pathlib import Path

import trio

TICK = 0.02
WINDOW_SECONDS = 60.0
# One a tick for a whole window; a loop that lags ticks less often.
MAX_SAMPLES = 3000
_STATUS = Path("/proc/self/status")


class Pulse:
    """Lags of the loop: how much later than asked a sleeping task ran again."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)
        self._most = 0.0
        self._due = 0.0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Tick until cancelled."""
        self._due = trio.current_time() + TICK
        task_status.started()
        while True:
            await trio.sleep_until(self._due)
            now = trio.current_time()
            lag = now - self._due
            self._most = max(self._most, lag)
            self._samples.append((now, lag))
            # From now, not from when it was due: one long wait is one sample, not a row of made-up ones.
            self._due = now + TICK

    def lags(self) -> dict[str, float]:
        """The longest lag since the start, and the longest and the 99th percentile of the last minute, in ms."""
        recent = sorted(self._since(WINDOW_SECONDS))
        return {
            "lag_ms_max": _ms(self._most),
            "lag_ms_max_60s": _ms(recent[-1]) if recent else 0.0,
            "lag_ms_p99_60s": _ms(recent[int(0.99 * (len(recent) - 1))]) if recent else 0.0,
        }

    def longest(self, seconds: float) -> float:
        """The longest lag of the last ``seconds``, at most the last minute, in ms."""
        return _ms(max(self._since(seconds), default=0.0))

    def _since(self, seconds: float) -> list[float]:
        begin = trio.current_time() - seconds
        return [lag for at, lag in self._samples if at >= begin]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def memory_kib() -> int:
    """Resident memory of this process in KiB; 0 where the system does not tell."""
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
