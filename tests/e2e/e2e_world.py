"""The command line as a process, and a look at what it leaves behind."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainur_node.supervisor import pids
from ainur_node.supervisor.pids import Identity

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "LICENSE"


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended: exit code, the JSON object of its last line, and everything else."""

    code: int
    data: dict[str, Any]
    stderr: str

    @property
    def error(self) -> str:
        """The code of a refusal."""
        return str(self.data.get("error", {}).get("code", ""))


@dataclass(frozen=True, slots=True)
class Ainur:
    """The command line on one home."""

    home: Path

    def environment(self) -> dict[str, str]:
        """Ours without anything that would talk to another world."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AINUR_")}
        return kept | {"AINUR_HOME": str(self.home)}

    def __call__(self, *words: str, timeout: float = 60, **more: str) -> Said:
        """Run one command with --json."""
        done = subprocess.run(
            [sys.executable, "-m", "ainur_node", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment() | more,
            cwd="/",
            check=False,
        )
        lines = done.stdout.splitlines()
        return Said(done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr)

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start a command and go on."""
        return subprocess.Popen(
            [sys.executable, "-m", "ainur_node", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment() | more,
            cwd="/",
        )


def new_home() -> Path:
    """A home with a path as short as a user's."""
    return Path(tempfile.mkdtemp(prefix="ainur-e2e-"))


def processes_of(home: Path) -> list[Identity]:
    """Every process that names this home in its command line, working directory or environment."""
    found = []
    wanted = str(home).encode()
    for entry in Path("/proc").glob("[0-9]*"):
        told = b""
        for name in ("cmdline", "environ"):
            try:
                told += (entry / name).read_bytes()
            except OSError:
                continue
        with contextlib.suppress(OSError):
            told += os.readlink(entry / "cwd").encode()  # noqa: PTH115
        identity = pids.identify(int(entry.name)) if wanted in told else None
        if identity is not None and identity.pid != os.getpid():
            found.append(identity)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a fact; fails the test when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def read_until(process: "subprocess.Popen[str]", words: str) -> None:
    """Read a program's output up to a line with these words; fails with all of it when the program ends before."""
    assert process.stdout is not None
    heard = []
    for line in process.stdout:
        heard.append(line)
        if words in line:
            return
    raise AssertionError("".join(heard))
