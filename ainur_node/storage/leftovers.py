"""What a killed server leaves: a pid file that lies, processes that are about to end, a run directory."""

import contextlib
import fcntl
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from ainur_node.errors import Transient

_log = structlog.get_logger(__name__)

ORPHAN_PATIENCE = 20.0
"""Seconds an orphaned server may take to end after SIGINT, and again after SIGQUIT."""
_POLL = 0.02
_STATUS_LINE = 7


@dataclass(slots=True)
class Claim:
    """The right to start and stop the server of one data directory; ends with the process that holds it."""

    descriptor: int

    def release(self) -> None:
        """Give the right back."""
        os.close(self.descriptor)


def claim(data_dir: Path) -> Claim:
    """Take the right to run `data_dir`; raises Transient when another living process has it."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    lock_file = data_dir.with_name(data_dir.name + ".lock")
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Transient(
            f"another process runs the database in {data_dir}", hint="stop it, or give this node its own home"
        ) from error
    return Claim(descriptor)


def is_ready(data_dir: Path, pid: int | None) -> bool:
    """Whether the server `pid` says in its pid file that it takes connections."""
    lines = _pid_file(data_dir)
    return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"


def clear(data_dir: Path) -> None:
    """End servers that outlived the process which held the claim, and remove a pid file that nobody owns.

    The caller holds the claim, so whatever still runs on `data_dir` has lost its owner. Raises Transient when it
    cannot be ended.
    """
    for how in (signal.SIGINT, signal.SIGQUIT):
        orphans = _postmasters(data_dir)
        if not orphans:
            break
        for pid in orphans:
            _log.warning("database_orphan", pid=pid, signal=how.name)
            _signal(pid, how)
        _wait_gone(data_dir)
    orphans = _servers(data_dir)
    if orphans:
        _wait_gone(data_dir)  # backends of a killed server notice its death by themselves
        orphans = _servers(data_dir)
    if orphans:
        raise Transient(f"processes {orphans} still use {data_dir}", hint="end them, then start the node again")
    # Its number may meanwhile belong to some other program, which would keep the server from starting.
    (data_dir / "postmaster.pid").unlink(missing_ok=True)


def remove_run_dir(run_dir: Path) -> None:
    """Remove the socket of a server that was killed, and the directory when nothing else is in it."""
    for entry in run_dir.glob(".s.PGSQL.*"):
        entry.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others keep their sockets here too
        run_dir.rmdir()


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _servers(data_dir: Path) -> list[int]:
    """Every PostgreSQL process that works in `data_dir`; the postmaster and its children all have it as cwd."""
    found = []
    wanted = os.path.realpath(data_dir)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text().strip() == "postgres" and os.readlink(entry / "cwd") == wanted:  # noqa: PTH115
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or belongs to a user whose processes we may not look at
            continue
    return sorted(found)


def _postmasters(data_dir: Path) -> list[int]:
    lines = _pid_file(data_dir)
    named = int(lines[0]) if lines and lines[0].isdecimal() else 0
    return [pid for pid in _servers(data_dir) if pid == named]


def _signal(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def _wait_gone(data_dir: Path) -> None:
    deadline = time.monotonic() + ORPHAN_PATIENCE
    while _servers(data_dir) and time.monotonic() < deadline:
        time.sleep(_POLL)
