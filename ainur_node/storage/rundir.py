"""A short private directory for sockets, whose paths the kernel limits to 107 bytes."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from ainur_node.errors import ConfigError

SOCKET_PATH_LIMIT = 107
LONGEST_NAME = len("/.s.PGSQL.5432.lock")
"""The longest file name that is put into a run directory."""


def run_directory(home: Path) -> Path:
    """Make and give the private (0700) run directory of `home`: `home/run`, or a short one when that cannot be
    the path of a socket.

    The short one lies in XDG_RUNTIME_DIR or the directory for temporary files, and its name is always the same for
    the same home. Raises ConfigError when it exists and belongs to somebody else.
    """
    wanted = Path(os.path.abspath(home)) / "run"  # noqa: PTH100 # resolve() would follow links that may change
    # A comma in a dsn separates hosts, so it cannot be part of a socket's path.
    if len(os.fsencode(wanted)) + LONGEST_NAME > SOCKET_PATH_LIMIT or "," in str(wanted):
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        if not base.is_dir() or len(os.fsencode(base)) > SOCKET_PATH_LIMIT - LONGEST_NAME - 30:
            base = Path("/tmp")  # noqa: S108 # the directory made in it is private
        wanted = base / f"ainur-{os.geteuid()}-{name}"
    return private_directory(wanted)


def private_directory(path: Path) -> Path:
    """Make `path` with mode 0700, or accept it when it is a directory of ours that nobody else may enter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if os.geteuid() == 0 and stat.S_ISDIR(found.st_mode):
            ours = True  # root may have given it to the server's user
        if not ours:
            raise ConfigError(
                f"{path} exists and is not ours", hint="remove it, or set XDG_RUNTIME_DIR to a private directory"
            ) from None
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    return path
