"""A chain host that ends itself with SIGKILL at one chosen step: `python -m tests.chain_host.dying POINT COUNT -- …`.

`POINT` is one of `POINTS`; the process dies the COUNT-th time it gets there while it makes a block with extrinsics
of clients. What follows `--` is the command line of `python -m chain_host`.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from chain_host import __main__ as program
from chain_host import store
from chain_host.authoring import Author
from chain_host.chain import Chain
from chain_host.node import Node
from chain_host.overlay import Overlay
from chain_host.runtime_api import RuntimeApi
from chain_host.state import HeadState
from chain_host.store import Store

POINTS = (
    "block started",  # Core_initialize_block has returned
    "inside a runtime call",  # a host function of an extrinsic is being served
    "extrinsic applied",  # between two extrinsics
    "block finished",  # BlockBuilder_finalize_block has returned, nothing is sealed
    "sealed, not stored",
    "transaction begun",
    "block row written",
    "state partly written",  # between the statements of one transaction
    "before commit",
    "while committing",  # some microseconds into COMMIT, wherever its writes and syncs are by then
    "after commit",  # durable, but nobody was told and memory is still of the block before
    "memory changed",  # the new head can be read by others
    "before telling",
)
COMMIT_SECONDS = 0.01  # a commit is over by then


def die() -> None:
    """As from outside: no handler, no flush, no finally."""
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Dies at the COUNT-th passage of one point; `busy` while a block with a client's extrinsic is made."""

    def __init__(self, point: str, count: int) -> None:
        self.point = point
        self.busy = False
        self._left = count

    def pass_by(self, point: str) -> None:
        if self._last(point):
            die()

    def pass_into_commit(self) -> None:
        """Die from another thread a random moment later."""
        if self._last("while committing"):
            moment = time.perf_counter() + random.random() ** 3 * COMMIT_SECONDS
            threading.Thread(target=_die_at, args=(moment,), daemon=True).start()

    def _last(self, point: str) -> bool:
        if point != self.point or not self.busy:
            return False
        self._left -= 1
        return self._left == 0


def _die_at(moment: float) -> None:
    while time.perf_counter() < moment:
        time.sleep(0)
    die()


def after(owner: Any, name: str, then: Callable[[], None]) -> None:
    """Call `then` after a method."""
    honest = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        result = honest(*arguments, **options)
        then()
        return result

    setattr(owner, name, wrapped)


def before(owner: Any, name: str, first: Callable[[], None]) -> None:
    """Call `first` before a method."""
    honest = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        first()
        return honest(*arguments, **options)

    setattr(owner, name, wrapped)


def arm(countdown: Countdown) -> None:
    """Put the passages of `POINTS` into the classes of the host."""

    def passing(point: str) -> Callable[[], None]:
        return lambda: countdown.pass_by(point)

    after(RuntimeApi, "initialize_block", passing("block started"))
    before(Overlay, "append", passing("inside a runtime call"))
    after(RuntimeApi, "apply", passing("extrinsic applied"))
    after(RuntimeApi, "finalize_block", passing("block finished"))
    before(Chain, "append", passing("sealed, not stored"))
    after(Store, "_insert", passing("block row written"))
    after(Store, "append", passing("after commit"))
    after(HeadState, "commit", passing("memory changed"))
    after(Node, "_seal", passing("before telling"))
    _arm_database(countdown)
    _watch_extrinsics(countdown)


def _arm_database(countdown: Countdown) -> None:
    honest = store._connect

    def connect(directory: Any) -> Any:
        db = honest(directory)

        def trace(statement: str) -> None:
            if statement.startswith("COMMIT"):
                countdown.pass_by("before commit")
                countdown.pass_into_commit()
            elif "INTO state" in statement or "INTO undo" in statement:
                countdown.pass_by("state partly written")
            elif "INTO blocks" in statement:
                countdown.pass_by("transaction begun")

        db.set_trace_callback(trace)
        return db

    store._connect = connect


def _watch_extrinsics(countdown: Countdown) -> None:
    """A block counts once a client's extrinsic waits for it: heartbeats die for nobody."""
    honest = Author.seal

    def seal(self: Author, extrinsics: Any, timestamp: int) -> Any:
        waiting = list(extrinsics)
        countdown.busy = bool(waiting)
        return honest(self, waiting, timestamp)

    Author.seal = seal  # type: ignore[method-assign]


def main() -> int:
    """Arm, then be the chain host."""
    arm(Countdown(sys.argv[1], int(sys.argv[2])))
    sys.argv = ["chain_host", *sys.argv[sys.argv.index("--") + 1 :]]
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
