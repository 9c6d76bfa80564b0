"""SIGTERM and SIGINT as a fact that a waiting loop can see, instead of an exception at a random place."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignal:
    """While entered, a stop signal sets ``asked`` and makes ``descriptor`` readable; main thread only."""

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self.descriptor = -1
        self._writer = -1
        self._before: dict[signal.Signals, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self.descriptor, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self.descriptor)
        os.close(self._writer)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = signal.Signals(number)
