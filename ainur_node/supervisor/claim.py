"""One daemon per home: a lock that ends with its holder, and the end of whatever an earlier holder left running."""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ainur_node.errors import ConfigError, Transient
from ainur_node.supervisor import pids
from ainur_node.supervisor.pids import Identity

LOCK_FILE = "daemon.lock"
CHILDREN_FILE = "daemon.children"
ORPHAN_PATIENCE = 3.0
"""Seconds that children of a killed daemon get to end by themselves, and again after each signal."""


class AlreadyRunning(ConfigError):  # noqa: N818 # named after what it refuses
    """Another daemon holds this home."""

    code = "already-running"

    def __init__(self, home: Path, pid: str) -> None:
        super().__init__(
            f"a daemon runs on {home} already (pid {pid})",
            hint=f"stop it first (ainur --home {home} stop), or name another home with --home",
        )
        self.pid = pid


@dataclass(slots=True)
class Claim:
    """The right to run the node of one home."""

    home: Path
    descriptor: int

    def remember(self, children: Iterable[Identity]) -> None:
        """Note which processes belong to this daemon, for the one that comes after a kill."""
        pids.write(self.home / CHILDREN_FILE, children)

    def release(self) -> None:
        """Give the right back once all children are gone."""
        (self.home / CHILDREN_FILE).unlink(missing_ok=True)
        (self.home / LOCK_FILE).unlink(missing_ok=True)
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def take(home: Path) -> Claim:
    """Take the right to run ``home``; raises AlreadyRunning naming the holder, Transient when orphans do not end."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / LOCK_FILE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(home, holder) from error
        # The last holder may have removed the file between our open and our lock: then the lock is on nothing.
        if _same(path, descriptor):
            break
        os.close(descriptor)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    claim = Claim(home, descriptor)
    _end_orphans(claim)
    return claim


def holder(home: Path) -> int | None:
    """Pid of the daemon that runs on ``home``, or None."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except OSError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)


def _same(path: Path, descriptor: int) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _end_orphans(claim: Claim) -> None:
    orphans = pids.wait_gone(pids.read(claim.home / CHILDREN_FILE), ORPHAN_PATIENCE)
    left = pids.end(orphans, patience=ORPHAN_PATIENCE)
    if left:
        claim.release()
        raise Transient(
            f"processes {[process.pid for process in left]} of an earlier daemon do not end",
            hint="end them, then start again",
        )
