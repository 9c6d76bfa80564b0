"""Crash reports: what a bug leaves behind so that somebody can repair it."""

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

MAX_REPORT = 256 << 10
"""A traceback that repeats itself must not fill the disk."""
MAX_REPORTS = 50
"""The oldest go first, so that a bug in a loop cannot fill the disk either."""


def write_crash_report(directory: Path, error: BaseException, doing: str) -> Path:
    """Write the traceback of ``error`` to a new file in ``directory`` (0600), else in the temporary directory."""
    lines = [
        f"at      {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
        f"doing   {doing[:500]}",
        f"python  {sys.version.split()[0]} on {sys.platform}, pid {os.getpid()}",
        "",
        "".join(traceback.format_exception(error)),
    ]
    text = "\n".join(lines).encode("utf-8", "backslashreplace")[:MAX_REPORT]
    for place in (directory, Path(tempfile.gettempdir())):
        try:
            return _write(place, text)
        except OSError:
            continue
    return Path("(no place to write a crash report)")


def _write(directory: Path, text: bytes) -> Path:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f"crash-{time.time_ns()}-", suffix=".txt", dir=directory)
    with os.fdopen(descriptor, "wb") as report:
        report.write(text)
    older = sorted(directory.glob("crash-*.txt"))[:-MAX_REPORTS]
    for path in older:
        path.unlink(missing_ok=True)
    return Path(name)
