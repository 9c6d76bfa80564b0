"""Live connections of other processes are cut: a second handle on the very same socket shuts both directions down."""

import contextlib
import ctypes
import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

PIDFD_GETFD = 438
DATABASE_SOCKET = "/.s.PGSQL.5432"
# Reconnects of one pair that are cut again, and how long (seconds) each of them is waited for.
CUTS = 5
AGAIN_WITHIN = 1.0
_POLL = 0.005
_libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):  # noqa: N818 # named after what happened
    """The kernel lets nobody take another process's sockets."""


class Cutter:
    """Cuts what leads from one process to a peer: an IP port, or how the path of a socket ends.

    Raises Forbidden at once where the kernel lets nobody do that.
    """

    def __init__(self, pid: int, peer: int | str) -> None:
        for _, taken in _sockets(pid):
            taken.close()
        self._pid = pid
        self._peer = peer
        self._seen: set[str] = set()

    def cut(self) -> int:
        """Cut all connections that are there and were not cut before; how many that were."""
        done = 0
        for inode, taken in _sockets(self._pid):
            with taken:
                if inode in self._seen or not self._leads_there(taken):
                    continue
                self._seen.add(inode)
                with contextlib.suppress(OSError):  # it ended by itself at this moment
                    taken.shutdown(socket.SHUT_RDWR)
                    done += 1
        return done

    def _leads_there(self, taken: socket.socket) -> bool:
        try:
            peer = taken.getpeername()
        except OSError:
            return False  # it listens, or ended already
        if isinstance(self._peer, str):
            return isinstance(peer, str) and peer.endswith(self._peer)
        return isinstance(peer, tuple) and peer[1] == self._peer


def cut_again_and_again(cutters: list[Cutter]) -> int:
    """Cut a pair, then each new connection between the two, up to `CUTS` times; how many times it was cut."""
    rounds = 0
    deadline = time.monotonic() + AGAIN_WITHIN
    while rounds < CUTS and time.monotonic() < deadline:
        if sum(cutter.cut() for cutter in cutters):
            rounds += 1
            deadline = time.monotonic() + AGAIN_WITHIN
        time.sleep(_POLL)
    return rounds


def _sockets(pid: int) -> Iterator[tuple[str, socket.socket]]:
    """Handles of ours on the sockets of a process, with their names in its /proc."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for entry in _entries(pid):
            with contextlib.suppress(OSError):
                name = str(entry.readlink())
                if name.startswith("socket:") and (taken := _take(process, int(entry.name))) is not None:
                    yield name, socket.socket(fileno=taken)
    finally:
        os.close(process)


def _entries(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []
    except PermissionError as error:
        raise Forbidden(f"/proc/{pid}/fd: {error}") from error


def _take(process: int, descriptor: int) -> int | None:
    taken = int(_libc.syscall(PIDFD_GETFD, process, descriptor, 0))
    if taken >= 0:
        return taken
    code = ctypes.get_errno()
    if code in {errno.EBADF, errno.ESRCH}:
        return None
    raise Forbidden(f"pidfd_getfd: {os.strerror(code)}")
