"""Interrupts a guest when its wall time is over, without touching the one that comes after it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """One thread that calls `interrupt` when the run in progress is late.

    It sleeps towards the earliest deadline it knows and is not woken for later ones, so that a short run pays for a
    lock and nothing else.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._due: float | None = None
        self._sleeps_until: float | None = None

    def start(self) -> None:
        """Starts the thread; it ends with the process."""
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    @contextmanager
    def after(self, milliseconds: int) -> Iterator[None]:
        """The body is interrupted after `milliseconds`; once it is left, never."""
        due = time.monotonic() + milliseconds / 1000
        with self._changed:
            self._due = due
            if self._sleeps_until is None or due < self._sleeps_until:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due = None

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                if self._due is not None and now >= self._due:
                    self._interrupt()
                    self._due = None
                self._sleeps_until = self._due
                self._changed.wait(None if self._due is None else self._due - now)
