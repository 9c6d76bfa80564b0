"""Which process is meant by a pid: its number and the moment it began, so that a reused number is no match."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_POLL = 0.02
_STATE_FIELD = 0
_START_FIELD = 19  # field 22 of proc(5), counted after the command name


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: ``started`` is in clock ticks since boot."""

    pid: int
    started: int


def identify(pid: int) -> Identity | None:
    """The living process of this number; None when there is none or it is only waiting to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = text[text.rfind(")") + 2 :].split()  # a command name may hold spaces and brackets
    if len(fields) <= _START_FIELD or fields[_STATE_FIELD] in {"Z", "X"}:
        return None
    return Identity(pid, int(fields[_START_FIELD]))


def ourselves() -> Identity:
    """This process."""
    found = identify(os.getpid())
    if found is None:
        raise OSError("/proc does not know this process")
    return found


def alive(process: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identify(process.pid) == process


def send(process: Identity, how: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone already."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        # The descriptor pins the process, so the number cannot be given away between this check and the signal.
        if not alive(process):
            return False
        signal.pidfd_send_signal(descriptor, how)
        return True
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(descriptor)


def wait_gone(processes: Iterable[Identity], timeout: float) -> list[Identity]:
    """Wait until none of them runs any more, at most ``timeout`` seconds; those that still do."""
    deadline = time.monotonic() + timeout
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL)
        left = [process for process in left if alive(process)]
    return left


def end(processes: Iterable[Identity], *, patience: float) -> list[Identity]:
    """Ask processes to end, kill those that do not within ``patience`` seconds; those that even so remain."""
    left = list(processes)
    for how in (signal.SIGTERM, signal.SIGKILL):
        for process in left:
            send(process, how)
        left = wait_gone(left, patience)
    return left


def write(path: Path, processes: Iterable[Identity]) -> None:
    """Keep processes in a file, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text("".join(f"{process.pid} {process.started}\n" for process in processes), "ascii")
    fresh.replace(path)


def read(path: Path) -> list[Identity]:
    """Processes kept by `write`; empty when there is no such file or it was damaged."""
    found = []
    with contextlib.suppress(OSError):
        for line in path.read_text("ascii", "replace").splitlines():
            parts = line.split()
            if len(parts) == 2 and all(part.isdecimal() for part in parts):
                found.append(Identity(int(parts[0]), int(parts[1])))
    return found
