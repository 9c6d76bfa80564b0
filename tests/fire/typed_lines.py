"""A line typed in this process: what it printed, how it ended, and what must hold of every one."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from ainur_node import keystore
from ainur_node.cli.app import run
from ainur_node.errors import Transient

EXITS = {0, 1, 2, 3, 4, 5}
SECONDS = 8.0
"""For a refusal; on a quiet machine they take milliseconds."""
STDIN = b"a document from stdin\n"


@dataclass(frozen=True)
class Typed:
    """How a line ended."""

    line: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object of the last line."""
        lines = self.out.splitlines()
        try:
            found = json.loads(lines[-1])
        except (ValueError, IndexError):
            return {}
        return found if isinstance(found, dict) else {}


@contextmanager
def barred() -> Iterator[None]:
    """No program is started, replaced or signalled: what would do so is told to come again later."""
    with (
        patch.object(subprocess, "Popen", _Barred),
        patch.object(os, "execv", _no),
        patch.object(os, "fork", _no),
        patch.object(signal, "pidfd_send_signal", _no),
        patch.object(keystore, "INTERACTIVE", keystore.DEVELOPMENT),
        patch.dict(keystore.create.__kwdefaults__, cost=keystore.DEVELOPMENT),
    ):
        yield


def _no(*_: object, **__: object) -> NoReturn:
    raise Transient("no programs are started here", hint="try again later")


class _Barred(subprocess.Popen[bytes]):
    def __init__(self, *_: object, **__: object) -> None:
        _no()

    def __del__(self) -> None:
        """There is nothing to wait for."""


def type_line(line: list[str], home: Path) -> Typed:
    """Carry out one line as the console script does."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    stdin = io.TextIOWrapper(io.BytesIO(STDIN))
    began = time.monotonic()
    with patch.multiple(sys, stdout=out, stderr=err, stdin=stdin):
        code = int(run(line, {"AINUR_HOME": str(home)}))
    seconds = time.monotonic() - began
    return Typed(tuple(line), code, _text(out), _text(err), seconds)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw: Callable[[], bytes] = stream.buffer.getvalue  # type: ignore[attr-defined]
    return raw().decode("utf-8")


def faults(typed: Typed) -> list[str]:
    """What is wrong with how a line ended, whatever was typed; nothing, as a rule."""
    printed = typed.out + typed.err
    found = {
        "exit code": typed.code not in EXITS,
        "traceback": "Traceback" in printed,
        "terminal escape": bool(controls(printed)),
        "slow": typed.code != 0 and typed.seconds > SECONDS,
    }
    if "--json" in typed.line and not helped(typed):
        found["not one JSON object alone"] = typed.out.count("\n") != 1 or not typed.data
        if typed.code in {1, 2, 3, 4}:
            error = typed.data.get("error", {})
            found["no code, hint or exit"] = (
                not (error.get("code") and error.get("hint")) or error["exit"] != typed.code
            )
    return [f"{what}: {typed}"[:600] for what, wrong in found.items() if wrong]


def helped(typed: Typed) -> bool:
    """Whether the line asked for help and got it."""
    return typed.code == 0 and typed.out.startswith(("usage: ", "ainur "))


def controls(text: str) -> list[str]:
    """Characters that a terminal would obey, beside line ends and tabs; and those that turn text around."""
    return [c for c in text if c not in "\n\t" and not (c.isprintable() or c == " ")]
