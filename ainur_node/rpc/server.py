"""The node's side of the local protocol: a unix socket for our own user, bounded in every direction."""

import contextlib
import errno
import os
import secrets
import socket
import stat
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import trio

from ainur_node.errors import ConfigError
from ainur_node.ports import Readiness
from ainur_node.rpc import frames
from ainur_node.rpc.connection import Connection, Desk
from ainur_node.rpc.messages import NOBODY, Failure, Handler, Problem, StreamHandler, encode

MAX_CONNECTIONS = 128
"""Far above the commands one user runs at once; each may hold a few buffers of one frame."""
MAX_SOCKET_PATH = 107
"""The kernel's bound on the path of a unix socket."""
BACKLOG = 128
GREETING_REFUSED = 2.0
"""Seconds to hand a refusal to a connection that will not be served."""


def peer_uid(sock: trio.socket.SocketType) -> int:
    """User id of the process at the other end, from the kernel."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)


@dataclass(slots=True)
class Counts:
    """What happened since the start."""

    accepted: int = 0
    refused_user: int = 0
    refused_full: int = 0
    broken: int = 0


class Server:
    """Serves ``handlers`` and ``streams`` at ``socket_path``; faults leave a report in ``crash_dir``."""

    def __init__(
        self,
        socket_path: Path,
        handlers: Mapping[str, Handler],
        streams: Mapping[str, StreamHandler] | None = None,
        *,
        crash_dir: Path | None = None,
        max_connections: int = MAX_CONNECTIONS,
        uid_of: Callable[[trio.socket.SocketType], int] = peer_uid,
    ) -> None:
        self._path = socket_path
        self._desk = Desk(handlers, streams or {}, crash_dir or socket_path.parent / "crashes")
        self._max_connections = max_connections
        self._uid_of = uid_of
        self._open = 0
        self._counts = Counts()

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; the socket is there when the task reports started and gone when it ends.

        ConfigError when another daemon listens there or the directory is open to others.
        """
        listener = bind(self._path)
        inode = self._path.stat().st_ino
        try:
            async with trio.open_nursery() as nursery:
                task_status.started()
                await self._accept(listener, nursery)
        finally:
            listener.close()
            # A successor may have taken the name already: only our own socket is removed.
            with contextlib.suppress(OSError):
                if self._path.stat().st_ino == inode:
                    self._path.unlink()

    def statistics(self) -> dict[str, int]:
        """Counters for people."""
        return {
            "connections": self._open,
            "accepted": self._counts.accepted,
            "refused_user": self._counts.refused_user,
            "refused_full": self._counts.refused_full,
            "broken": self._counts.broken,
            "requests": self._desk.requests,
            "bugs": self._desk.bugs,
        }

    async def _accept(self, listener: trio.socket.SocketType, nursery: trio.Nursery) -> None:
        while True:
            try:
                sock, _ = await listener.accept()
            except OSError as exc:
                if exc.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED):
                    raise
                await trio.sleep(0.05)
                continue
            self._counts.accepted += 1
            if self._open >= 2 * self._max_connections:
                # Not even a refusal can be afforded: nobody honest is here.
                sock.close()
                self._counts.refused_full += 1
                continue
            self._open += 1
            nursery.start_soon(self._serve, trio.SocketStream(sock))

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            async with stream:
                if self._uid_of(stream.socket) not in (os.getuid(), 0):
                    self._counts.refused_user += 1
                    await _refuse(stream, Problem("forbidden", "this node serves the user who started it"))
                elif self._open > self._max_connections:
                    self._counts.refused_full += 1
                    hint = f"{self._max_connections} connections are open: try again in a moment"
                    await _refuse(stream, Problem("busy", hint, exit=3))
                elif not await Connection(stream, self._desk).run():
                    self._counts.broken += 1
        finally:
            self._open -= 1


async def _refuse(stream: trio.SocketStream, problem: Problem) -> None:
    with trio.move_on_after(GREETING_REFUSED), contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(frames.frame(encode(Failure(NOBODY, problem))))
        await stream.send_eof()
        # The other side is about to say hello: it should find our word, not a broken pipe.
        while await stream.receive_some(4096):
            pass


def bind(path: Path) -> trio.socket.SocketType:
    """A listening socket at ``path``, readable and writable by our user alone from its first moment."""
    if len(os.fsencode(path)) > MAX_SOCKET_PATH - 9:
        raise ConfigError(f"the socket path {path} is too long", hint="use a shorter --home")
    _check_directory(path.parent)
    _clear_stale(path)
    # Bound under another name and renamed: at its final name the socket already has its mode.
    fresh = path.with_name(f".{secrets.token_hex(3)}")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind(os.fspath(fresh))
        fresh.chmod(0o600)
        sock.listen(BACKLOG)
        fresh.rename(path)
    except OSError as exc:
        sock.close()
        fresh.unlink(missing_ok=True)
        raise ConfigError(f"cannot listen at {path}: {exc.strerror}", hint="check the permissions of --home") from exc
    return trio.socket.from_stdlib_socket(sock)


def _check_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = directory.stat()
    except OSError as exc:
        raise ConfigError(f"cannot use {directory}: {exc.strerror}", hint="check the permissions of --home") from exc
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"others may enter {directory}", hint=f"chmod 700 {directory}, owned by the node's user")


def _clear_stale(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as exc:
            raise ConfigError(f"{path} is in the way: {exc}", hint="remove it when no node runs") from exc
    raise ConfigError(f"another node answers at {path}", hint="stop it first: ainur stop")
