"""A child that goes on from this process's memory instead of starting Python again: imports are paid for once."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import IO, NoReturn

_POLL = 0.01
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


class Forked:
    """What `subprocess.Popen` offers of a process, for one made by `fork`."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout: IO[bytes] | None = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = 0  # somebody else reaped it; how it ended is lost
                return self.returncode
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Exit code once it ended; raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(_POLL)
        return code

    def send_signal(self, how: int) -> None:
        """Signal it unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, how)


def fork(
    function: Callable[[], int],
    *,
    name: str,
    environment: Mapping[str, str],
    stderr: int | None,
    before: Callable[[], None],
) -> Forked:
    """Run ``function`` in a child with its own session, stdin closed and stdout on a pipe; its result is the exit code.

    Of our open files the child keeps none, of our signal handlers neither. No other thread may run at this moment.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _become(function, name, environment, writer, stderr, before)
    os.close(writer)
    return Forked(pid, os.fdopen(reader, "rb", buffering=0))


def _become(
    function: Callable[[], int],
    name: str,
    environment: Mapping[str, str],
    stdout: int,
    stderr: int | None,
    before: Callable[[], None],
) -> NoReturn:
    code = 1
    try:
        before()
        os.setsid()
        _libc.prctl(_PR_SET_NAME, f"ainur {name}".encode()[:15], 0, 0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(stdout, 1)
        if stderr is not None:
            os.dup2(stderr, 2)
        # Whatever our streams were replaced with: the child's go to the files it was given.
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        # Locks and pipes of ours must not live on in a child that outlives us for a moment.
        os.closerange(3, os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 1024)
        os.environ.update(environment)
        code = function()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 # reason: nothing may return into the parent's code
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
