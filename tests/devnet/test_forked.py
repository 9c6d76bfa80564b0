"""Children made by fork: they start with our memory and with nothing else of ours."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ainur_node.supervisor.children import Child, Children, Program
from ainur_node.supervisor.forked import Forked, fork
from ainur_node.supervisor.stopping import StopSignal

Start = Callable[..., Forked]


@pytest.fixture
def started() -> Iterator[Start]:
    made: list[Forked] = []

    def start(function: Callable[[], int], stderr: int | None = None) -> Forked:
        child = fork(function, name="fake", environment={"AINUR_FAKE": "yes"}, stderr=stderr, before=lambda: None)
        made.append(child)
        return child

    yield start
    for child in made:
        if child.stdout is not None:
            child.stdout.close()


@pytest.fixture
def children() -> Iterator[Children]:
    all_of_them = Children(lambda _: None)
    yield all_of_them
    all_of_them.stop()


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def serve() -> int:
    say('{"ready": true, "n": 2}')
    time.sleep(60)
    return 0


def test_its_result_is_its_exit_code(started: Start) -> None:
    child = started(lambda: 7)

    assert child.wait(5) == 7
    assert child.poll() == 7


def test_an_exception_is_told_and_ends_with_code_one(started: Start, tmp_path: Path) -> None:
    def fail() -> int:
        raise ValueError("out of luck")

    with (tmp_path / "log").open("ab") as log:
        child = started(fail, log.fileno())

    assert child.wait(5) == 1
    assert "out of luck" in (tmp_path / "log").read_text()


def test_a_child_that_exits_by_exception_keeps_its_code(started: Start) -> None:
    assert started(lambda: sys.exit(4)).wait(5) == 4


def test_it_has_its_own_session_environment_and_default_signals(started: Start) -> None:
    def tell() -> int:
        default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        say(f"{os.getsid(0) == os.getpid()} {os.environ['AINUR_FAKE']} {default}")
        return 0

    with StopSignal():
        child = started(tell)

    assert child.stdout is not None
    assert child.stdout.read() == b"True yes True\n"
    assert child.wait(5) == 0
    assert "AINUR_FAKE" not in os.environ


def test_it_keeps_no_lock_of_ours(started: Start, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        child = started(serve)
        assert child.stdout is not None
        child.stdout.readline()
    try:
        with (tmp_path / "lock").open("w") as again:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait(5) == -signal.SIGKILL


def test_waiting_for_one_that_runs_times_out(started: Start) -> None:
    child = started(serve)

    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.05)

    child.send_signal(signal.SIGTERM)
    assert child.wait(5) == -signal.SIGTERM


def test_it_is_a_child_like_any_other(children: Children) -> None:
    child: Child = children.start(Program("fake", (), function=serve))
    children.wait_ready(child)
    assert child.ready == {"ready": True, "n": 2}
    first = child.identity
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)

    deadline = time.monotonic() + 10
    while child.ready is None or child.identity == first:
        assert time.monotonic() < deadline
        children.tend(0.05)

    assert child.restarts == 1
