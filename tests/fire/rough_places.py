"""Places where a home should not be, and how to get there: small disks, other users, paths that are too long."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from e2e_world import DOCUMENT, ROOT, Ainur, Said

NOBODY = 65534
LONG = 200
"""Characters of a path at which no socket fits below it any more."""
SUBMIT = ("task", "submit", "--agent", "summarize", "--input", str(DOCUMENT), "--budget", "1", "--deadline", "60s")


@dataclass(frozen=True, slots=True)
class Shell:
    """A command line with its own user, working directory and environment; no home is named unless by ``words``."""

    prefix: tuple[str, ...] = ()
    python: str = sys.executable
    cwd: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, timeout: float = 240) -> Said:
        """Run one command with --json."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AINUR_", "XDG_"))}
        done = subprocess.run(
            [*self.prefix, self.python, "-m", "ainur_node", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**kept, **self.environment},
            cwd=self.cwd,
            check=False,
        )
        lines = done.stdout.splitlines()
        return Said(done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr)


def told(said: Said) -> tuple[int, str]:
    """Exit code and code of a refusal, which has a hint and no traceback."""
    assert said.data["error"]["hint"], said
    assert "Traceback" not in said.stderr, said
    return said.code, said.error


def purse(ainur: Ainur, name: str) -> tuple[str, str]:
    """What a node has free and held."""
    found = ainur("--node", name, "wallet", "balance").data
    return found["free"], json.dumps(found["held"], sort_keys=True)


def settled(said: Said) -> bool:
    """Whether a task was verified and paid."""
    return (said.code, said.data.get("phase"), said.data.get("outcome")) == (0, "settled", "paid")


@contextmanager
def ordinary_user() -> Iterator[Shell]:
    """The command line of an ordinary user: ourselves, unless we are root; skips where root cannot become one."""
    if os.geteuid() != 0:
        yield Shell()
        return
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
    with directory_of(NOBODY) as borrowed:
        for python in (sys.executable, *_borrow(borrowed)):
            # Its children must run too: a program in a closed directory can be started by root, but not start itself.
            again = f"import subprocess; subprocess.run([{python!r}, '-c', 'import ainur_node.node'], check=True)"
            tried = subprocess.run([*prefix, python, "-c", again], cwd="/", capture_output=True, check=False)
            if tried.returncode == 0:
                yield Shell(prefix, python)
                return
        pytest.skip(f"an ordinary user may not run this Python: {tried.stderr.decode()[-200:]}")


def _borrow(directory: Path) -> Iterator[str]:
    """A Python of this version that everybody may run, with the packages of this one."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for place in ("/usr/bin", "/usr/local/bin"):
        made = [f"{place}/{name}", "-m", "venv", "--without-pip", str(directory / "venv")]
        if Path(place, name).exists() and subprocess.run(made, capture_output=True, check=False).returncode == 0:
            packages = f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n{ROOT}\n"
            (directory / "venv" / "lib" / name / "site-packages" / "ours.pth").write_text(packages)
            yield str(directory / "venv" / "bin" / "python")
            return


@contextmanager
def directory_of(owner: int, base: str = "/tmp") -> Iterator[Path]:
    """A directory that belongs to a user; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="ainur-fire-", dir=base))
    try:
        if os.geteuid() == 0:
            os.chown(path, owner, owner)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def stretched(base: Path, length: int = LONG) -> Path:
    """A path below ``base`` of exactly that many characters, in parts that a file system takes."""
    path = base
    while len(str(path)) < length - 1:
        path /= "d" * min(100, length - len(str(path)) - 1)
    return path


class SmallDisk:
    """A file system of a few MiB in place of a directory, with what was in it; room is taken and given back."""

    def __init__(self, place: Path, kib: int) -> None:
        self.place = place
        self._kib = kib
        self._filler = place / "filler"

    def __enter__(self) -> "SmallDisk":
        keep = Path(tempfile.mkdtemp(prefix="ainur-fire-"))
        self._keep = keep
        found = self.place.stat()
        options = f"size={self._kib}k,mode={found.st_mode & 0o777:o},uid={found.st_uid},gid={found.st_gid}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(keep)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            keep.rmdir()
            pytest.skip(f"nothing may be mounted here: {done.stderr.strip()}")
        subprocess.run(["cp", "-a", f"{self.place}/.", str(keep)], check=True)
        subprocess.run(["mount", "--bind", str(keep), str(self.place)], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._filler.unlink()
        for place in (self.place, self._keep):
            subprocess.run(["umount", "--lazy", str(place)], check=False)
        self._keep.rmdir()

    def fill(self) -> None:
        """Take all the room that is left, to the last byte."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def clear(self) -> None:
        """Give it back."""
        self._filler.unlink()


def may_mount() -> None:
    """Skips where nothing may be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
