"""Child processes of a daemon: started in order, watched, started again with back-off, stopped in reverse."""

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ainur_node.errors import Bug, ConfigError, Transient
from ainur_node.supervisor import pids
from ainur_node.supervisor.forked import Forked, fork
from ainur_node.supervisor.pids import Identity

Tell = Callable[[dict[str, object]], None]

MAX_LINE = 1 << 16
"""Bytes of one line on a child's stdout: more is cut, so that a child cannot fill our memory."""
MAX_LOG = 8 << 20
"""Bytes of a child's log before it is moved aside; one older file is kept."""
FIRST_DELAY, LONGEST_DELAY = 0.25, 15.0
"""Seconds between an unexpected end and the next start: doubled each time, so that a broken child costs little."""
STEADY_AFTER = 60.0
"""Seconds a child must run before its delay starts small again."""
CONFIG_EXIT = 4
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """What to start and how long it may take; ``log`` takes its stderr (None: ours).

    A ``function`` is run in a fork of this process instead of the command; it returns the exit code.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    ready_within: float = 60.0
    stop_within: float = 8.0
    function: Callable[[], int] | None = None


class CannotStart(ConfigError):  # noqa: N818 # named after what happened
    """A child said that somebody must change something first."""

    def __init__(self, what: str, hint: str, code: str) -> None:
        super().__init__(what, hint=hint)
        self.code = code or "configuration"


class DidNotStart(Transient):
    """A child ended before it was ready; trying again may help."""

    def __init__(self, what: str, hint: str, code: str) -> None:
        super().__init__(what, hint=hint)
        self.code = code or "unavailable"


class Child:
    """One program and the process that runs it at the moment."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ready: dict[str, object] | None = None
        self.was_ready = False
        self.refusal: tuple[str, str, str] | None = None
        self.restarts = 0
        self.identity: Identity | None = None
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.next_start = 0.0
        self._delay = FIRST_DELAY
        self._began = 0.0
        self._line = b""

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    def start(self) -> None:
        """Start the process; it is told to end when this thread does."""
        if threading.current_thread() is not threading.main_thread():
            raise Bug("children must be started in the main thread, which they die with")
        log = self._open_log()
        try:
            self.process = self._popen(log) if self.program.function is None else self._fork(self.program.function, log)
        finally:
            if log is not None:
                os.close(log)
        self.identity = pids.identify(self.process.pid)
        self.ready, self.refusal, self._line, self._began = None, None, b"", time.monotonic()

    def _popen(self, log: int | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(self.program.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **self.program.environment},
            start_new_session=True,  # Ctrl-C goes to the supervisor, which stops things in order
            preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 # no thread of ours runs yet
        )

    def _fork(self, function: Callable[[], int], log: int | None) -> Forked:
        program, death = self.program, die_with(os.getpid())
        return fork(function, name=program.name, environment=program.environment, stderr=log, before=death)

    def read(self) -> bool:
        """Take what the process printed; False once it closed its stdout."""
        if self.process is None or self.process.stdout is None:
            return False
        data = os.read(self.process.stdout.fileno(), MAX_LINE)
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest[:MAX_LINE]
        for line in lines:
            if self.ready is None and line.lstrip().startswith(b"{"):
                self._take(line)
        return bool(data)

    def ended(self) -> int | None:
        """Exit code of a process that ended, None while it runs."""
        return self.process.poll() if self.process is not None else None

    def schedule(self) -> float:
        """Decide when to start again; the delay in seconds."""
        now = time.monotonic()
        if now - self._began > STEADY_AFTER:
            self._delay = FIRST_DELAY
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY)
        self.next_start, self.restarts = now + delay, self.restarts + 1
        return delay

    def overdue(self) -> bool:
        """Whether it should have been ready by now."""
        return self.ready is None and time.monotonic() - self._began > self.program.ready_within

    def log_tail(self) -> str:
        """The last lines of its log, for people."""
        if self.program.log is None:
            return ""
        try:
            with self.program.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return " | ".join(line for line in text.strip().splitlines()[-4:])[-800:]

    def cut_log(self) -> None:
        """Move a log aside that grew too long; it is opened for appending, so the process writes on at its start."""
        path = self.program.log
        if path is not None and path.exists() and path.stat().st_size > MAX_LOG:
            shutil.copyfile(path, path.with_name(path.name + ".1"))
            os.truncate(path, 0)

    def close(self) -> None:
        """Forget a process that ended."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process, self.identity, self.ready = None, None, None

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if isinstance(said, dict) and said.get("ready") is True:
            self.ready, self.was_ready = said, True
        elif isinstance(said, dict) and isinstance(said.get("error"), str):
            self.refusal = said["error"], str(said.get("hint", "")), str(said.get("code", ""))

    def _open_log(self) -> int | None:
        if self.program.log is None:
            return None
        self.program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cut_log()
        return os.open(self.program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


class Children:
    """All children of one daemon, in the order in which they were started; main thread only."""

    def __init__(self, tell: Tell, remember: Callable[[list[Identity]], None] = lambda _: None) -> None:
        self._tell = tell
        self._remember = remember
        self._children: list[Child] = []
        self._watched: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self._children))

    def watch(self, descriptor: int) -> None:
        """Wake `tend` when this descriptor can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ)

    def start(self, program: Program) -> Child:
        """Start one more child; it is not ready yet."""
        child = Child(program)
        self._children.append(child)
        self._launch(child)
        return child

    def wait_ready(self, *children: Child, until: Callable[[], bool] = lambda: False) -> None:
        """Tend until all of these are ready, or ``until`` says so.

        Raises ConfigError when one ended with exit code 4 before it was ever ready, Transient when it ended otherwise
        or took too long.
        """
        while not until() and not all(child.ready for child in children):
            self.tend(0.5)
            for child in children:
                if child.overdue():
                    raise Transient(
                        f"{child.name} was not ready within {child.program.ready_within:.0f} s: {child.log_tail()}",
                        hint=f"see {child.program.log or 'the lines above'}",
                    )

    def tend(self, timeout: float) -> None:
        """Wait for something to happen, at most ``timeout`` seconds, and see to it.

        A child that ended after it was ready is started again later; one that never got ready raises as in
        `wait_ready`.
        """
        waiting = [child.next_start - time.monotonic() for child in self._children if child.process is None]
        pause = max(0.0, min([timeout, *waiting]))
        for key, _ in self._selector.select(pause):
            self._hear(key.fd)
        for child in self._children:
            if child.process is not None:
                code = child.ended()
                if code is not None:
                    self._mourn(child, code)
                else:
                    child.cut_log()
            elif time.monotonic() >= child.next_start and not self._stopping:
                self._launch(child)

    def stop(self) -> None:
        """Stop all children, the last started first: SIGTERM, then SIGKILL for those that take too long."""
        self._stopping = True
        while self._children:
            self.stop_together(self._children[-1])

    def stop_together(self, *children: Child) -> None:
        """Stop these children at the same time and forget them."""
        running = [child for child in children if child.process is not None]
        for how in (signal.SIGTERM, signal.SIGKILL):
            for child in running:
                if child.process is not None:
                    child.process.send_signal(how)
            running = self._wait_ended(running)
            for child in running:
                self._tell({"step": "child-slow", "text": f"{child.name} does not stop", "name": child.name})
        for child in children:
            self._unwatch(child)
            child.close()
            self._children.remove(child)
        self._note()

    def _wait_ended(self, children: list[Child]) -> list[Child]:
        deadline = time.monotonic() + max((child.program.stop_within for child in children), default=0.0)
        left = children
        while left and time.monotonic() < deadline:
            for key, _ in self._selector.select(0.02):
                self._hear(key.fd)
            left = [child for child in left if child.ended() is None]
        return left

    def _hear(self, descriptor: int) -> None:
        child = self._watched.get(descriptor)
        if child is None or child.read():
            return
        self._unwatch(child)
        if child.process is not None:
            # A process that closed its stdout is about to end: see it now, not at the next turn.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(0.2)

    def _launch(self, child: Child) -> None:
        child.start()
        if child.process is not None and child.process.stdout is not None:
            descriptor = child.process.stdout.fileno()
            self._watched[descriptor] = child
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._note()

    def _mourn(self, child: Child, code: int) -> None:
        self._unwatch(child)
        refusal = child.refusal
        if refusal is not None:
            what, hint, reason = refusal
            said = f"{child.name}: {what}"
        else:
            tail = child.log_tail()
            said = f"{child.name} ended with code {code}" + (f": {tail}" if tail else "")
            hint, reason = f"see {child.program.log or 'the lines above'}", ""
        child.close()
        self._note()
        if not child.was_ready:
            child.next_start = float("inf")
            raise CannotStart(said, hint, reason) if code == CONFIG_EXIT else DidNotStart(said, hint, reason)
        delay = child.schedule()
        self._tell(
            {
                "step": "child-ended",
                "text": f"{said}; it is started again in {delay:.2f} s",
                "name": child.name,
                "code": code,
            }
        )

    def _unwatch(self, child: Child) -> None:
        for descriptor in [key for key, value in self._watched.items() if value is child]:
            del self._watched[descriptor]
            self._selector.unregister(descriptor)

    def _note(self) -> None:
        self._remember([child.identity for child in self._children if child.identity is not None])


def die_with(parent: int) -> Callable[[], None]:
    """Make a ``preexec_fn`` after which the child gets SIGTERM when the thread that started it ends."""

    def ask() -> None:
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died between fork and prctl
                os._exit(1)

    return ask
