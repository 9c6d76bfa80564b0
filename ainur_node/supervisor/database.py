"""A database server that is started again whenever it ends, with growing pauses and for as long as it takes."""

import time
from typing import Protocol

from ainur_node.errors import ConfigError, Transient
from ainur_node.supervisor.children import FIRST_DELAY, LONGEST_DELAY, STEADY_AFTER, Tell


class Server(Protocol):
    """What `EmbeddedPostgres` offers."""

    def poll(self) -> int | None:
        """Exit code of a server that ended by itself."""
        ...

    def start(self) -> str:
        """Start; Transient or ConfigError when it does not come up."""
        ...

    def stop(self) -> None:
        """Clean up after it."""
        ...


class TendedDatabase:
    """Looks after a server that is already running; main thread only."""

    def __init__(self, server: Server, tell: Tell) -> None:
        self._server = server
        self._tell = tell
        self._down = False
        self._delay = FIRST_DELAY
        self._began = time.monotonic()
        self._next_start = 0.0

    def tend(self) -> None:
        """See to it; never raises for a server that does not come up, because the next turn tries again.

        A server that could not be started says nothing of itself any more, so it is remembered here that it is down.
        """
        now = time.monotonic()
        if not self._down and self._server.poll() is not None:
            if now - self._began > STEADY_AFTER:
                self._delay = FIRST_DELAY
            self._down, self._next_start = True, now + self._delay
            self._say(f"the database ended; it is started again in {self._delay:.2f} s")
        if not self._down or now < self._next_start:
            return
        self._delay = min(self._delay * 2, LONGEST_DELAY)
        try:
            self._server.stop()
            self._server.start()
        except (Transient, ConfigError) as error:
            self._next_start = time.monotonic() + self._delay
            self._say(f"the database does not start: {error}; once more in {self._delay:.2f} s")
        else:
            self._down, self._began = False, time.monotonic()

    def _say(self, text: str) -> None:
        self._tell({"step": "child-ended", "text": text, "name": "database"})
