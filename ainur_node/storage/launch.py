"""As which user and where PostgreSQL runs, since it refuses to be root, and how it dies with who started it."""

import ctypes
import hashlib
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ainur_node.errors import ConfigError

INNER_ID = 1000
"""The uid and gid that root appears as inside the user namespace; outside it stays root."""
UNPRIVILEGED = ("postgres", "nobody")
"""Users asked, in this order, to run the server where root may not make a user namespace."""

AWAY = Path("/var/lib/ainur")
"""Holds a directory for each database of root that an unprivileged user runs."""

_PR_SET_PDEATHSIG = 1
_NAMESPACE = ("unshare", "-U", f"--map-user={INNER_ID}", f"--map-group={INNER_ID}")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Identity:
    """`prefix` goes before the program; directories are owned by `owner` (None: the calling user)."""

    prefix: tuple[str, ...]
    owner: tuple[int, int] | None
    name: str

    def own(self, directory: Path) -> None:
        """Give one directory, never its parents, to the user that the server runs as."""
        if self.owner is not None:
            os.chown(directory, *self.owner)

    def can_reach(self, path: Path) -> bool:
        """Whether the server's user may enter a directory, or run a program."""
        return _succeeds(*self.prefix, "test", "-x", str(path))

    def command(self, program: Path, *arguments: str) -> list[str]:
        """A command line for a server that gets SIGINT when its parent dies."""
        prefix = self.prefix
        if prefix[:1] == ("setpriv",):
            # A change of user clears the signal, so setpriv has to set it after that change.
            prefix = ("setpriv", "--pdeathsig", "INT", *prefix[1:])
        return [*prefix, str(program), *arguments]


@dataclass(frozen=True, slots=True)
class Place:
    """Who runs a server, and where its data and its socket lie for that user."""

    identity: Identity
    data: Path
    sockets: Path


def choose_place(data_dir: Path, run_dir: Path) -> Place:
    """Decide how to run: as ourselves; as root in a user namespace, or else as an unprivileged user.

    An unprivileged user gets a directory of its own, since a home is closed to it and stays so. Whoever owns data
    that is there goes on running it. Raises ConfigError when root can do none of these.
    """
    if os.geteuid() != 0:
        return Place(Identity((), None, "this user"), data_dir, run_dir)
    away = directory_away(data_dir)
    if data_dir.exists() and (found := data_dir.stat()).st_uid != 0:
        return Place(_as_user(found.st_uid, found.st_gid), data_dir, away)
    if (away / "data").exists():
        found = (away / "data").stat()
        return Place(_as_user(found.st_uid, found.st_gid), away / "data", away)
    if namespaces_work():
        return Place(Identity(_NAMESPACE, None, "root in a user namespace"), data_dir, run_dir)
    identity = next(filter(None, map(_named, UNPRIVILEGED)), None)
    if identity is not None and not (data_dir / "PG_VERSION").exists():
        return Place(identity, away / "data", away)
    raise ConfigError(
        "PostgreSQL does not run as root, and this machine forbids user namespaces",
        hint="run the node as an ordinary user, or set database.url",
    )


def directory_away(data_dir: Path) -> Path:
    """Where an unprivileged user keeps the data that root wanted in `data_dir`."""
    return AWAY / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]


def namespaces_work() -> bool:
    """Whether root may make a user namespace here; containers often forbid it."""
    return _succeeds(*_NAMESPACE, "true")


def _as_user(uid: int, gid: int) -> Identity:
    prefix = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--")
    return Identity(prefix, (uid, gid), f"uid {uid}")


def _named(name: str) -> Identity | None:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    return _as_user(user.pw_uid, user.pw_gid)


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def die_with(parent: int) -> Callable[[], None]:
    """Make a `preexec_fn` after which the child gets SIGINT when the thread that started it ends."""

    def ask() -> None:
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != parent:  # it died between fork and prctl
                os._exit(1)

    return ask


def clean_environment() -> dict[str, str]:
    """What the server may see of our environment: no PG* variable, no locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
