"""Children of a daemon, on small real processes: readiness, restarts, stops, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ainur_node.errors import ConfigError, Transient
from ainur_node.supervisor import pids
from ainur_node.supervisor.children import MAX_LOG, Child, Children, Program

READY = "import json,sys,time,signal; print(json.dumps({'ready': True, 'n': 1}), flush=True); "


def program(code: str, name: str = "fake", **more: object) -> Program:
    return Program(name, [sys.executable, "-S", "-c", code], **more)  # type: ignore[arg-type]


@pytest.fixture
def told() -> list[dict[str, object]]:
    return []


@pytest.fixture
def children(told: list[dict[str, object]]) -> Iterator[Children]:
    all_of_them = Children(told.append)
    yield all_of_them
    all_of_them.stop()


def tend_until(children: Children, condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        children.tend(0.05)


def test_what_a_child_says_when_ready_is_kept(children: Children) -> None:
    child = children.start(program(READY + "time.sleep(60)"))

    children.wait_ready(child)

    assert child.ready == {"ready": True, "n": 1}
    assert child.identity is not None
    assert pids.alive(child.identity)


def test_other_output_is_no_readiness_and_never_blocks_the_child(children: Children) -> None:
    noise = "print('{broken'); print('x' * 300000); print('{\"ready\": 0}'); "
    child = children.start(program("import time; " + noise + READY + "print('y' * 300000, flush=True); time.sleep(60)"))

    children.wait_ready(child)

    assert child.ready is not None


def test_a_child_that_ended_is_started_again_with_growing_delays(
    children: Children, told: list[dict[str, object]]
) -> None:
    child = children.start(program(READY + "sys.exit(3)"))
    children.wait_ready(child)

    tend_until(children, lambda: child.restarts >= 2)

    assert [event["code"] for event in told[:2]] == [3, 3]
    assert [str(event["text"]).split(" in ")[-1] for event in told[:2]] == ["0.25 s", "0.50 s"]


def test_a_killed_child_comes_back(children: Children) -> None:
    child = children.start(program(READY + "time.sleep(60)"))
    children.wait_ready(child)
    first = child.identity
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)

    tend_until(children, lambda: child.ready is not None and child.identity != first)


def test_a_child_that_never_got_ready_fails_the_start_with_its_last_words(children: Children, tmp_path: Path) -> None:
    code = "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"
    child = children.start(program(code, log=tmp_path / "log"))

    with pytest.raises(Transient, match="no such thing"):
        children.wait_ready(child)


def test_a_child_that_says_why_it_cannot_start_is_quoted_with_its_hint(children: Children) -> None:
    code = """print('{"ready": false, "error": "no chain", "hint": "start it"}', flush=True); raise SystemExit(3)"""
    child = children.start(program(code))

    with pytest.raises(Transient, match="no chain") as failure:
        children.wait_ready(child)

    assert failure.value.hint == "start it"


def test_exit_four_before_readiness_blames_the_configuration(children: Children) -> None:
    child = children.start(program("raise SystemExit(4)"))

    with pytest.raises(ConfigError):
        children.wait_ready(child)


def test_a_child_that_takes_too_long_fails_the_start(children: Children) -> None:
    child = children.start(program("import time; time.sleep(60)", ready_within=0.3))

    with pytest.raises(Transient, match="not ready within"):
        children.wait_ready(child)


def test_stop_is_in_reverse_and_kills_what_does_not_listen(
    children: Children, told: list[dict[str, object]], tmp_path: Path
) -> None:
    note = f"signal.signal(15, lambda *_: (open({str(tmp_path / 'order')!r}, 'a').write(NAME), sys.exit(0))); "
    for name in ("a", "b"):
        children.wait_ready(
            children.start(program(f"NAME={name!r}; import signal,sys; " + note + READY + "time.sleep(60)", name=name))
        )
    deaf = program("import signal; signal.signal(15, signal.SIG_IGN); " + READY + "time.sleep(60)", stop_within=0.3)
    children.wait_ready(children.start(deaf))
    running = [child.identity for child in children if child.identity is not None]

    children.stop()

    assert (tmp_path / "order").read_text() == "ba"
    assert [event["step"] for event in told] == ["child-slow"]
    assert not any(pids.alive(one) for one in running)


def test_a_log_that_grew_too_long_is_moved_aside_while_the_child_writes(children: Children, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = READY + f"sys.stderr.write('x' * {MAX_LOG + 10}); sys.stderr.flush()\n"
    code += "while True: time.sleep(0.01); print('y', file=sys.stderr, flush=True)"
    children.wait_ready(children.start(program(code, log=log)))

    tend_until(children, lambda: (tmp_path / "log.1").exists() and 0 < log.stat().st_size < MAX_LOG)


def test_children_end_when_their_daemon_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys
from ainur_node.supervisor.children import Children, Program
children = Children(lambda _: None)
child = children.start(Program("c", [sys.executable, "-S", "-c", {READY + "time.sleep(60)"!r}]))
children.wait_ready(child)
print(child.identity.pid, child.identity.started, flush=True)
while True: children.tend(1)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        orphan = pids.Identity(*map(int, daemon.stdout.readline().split()))
        assert pids.alive(orphan)

        daemon.kill()

        assert pids.wait_gone([orphan], 5.0) == []


def test_a_pid_with_another_start_time_is_another_process() -> None:
    here = pids.ourselves()

    assert pids.alive(here)
    assert not pids.alive(pids.Identity(here.pid, here.started + 1))
    assert not pids.send(pids.Identity(here.pid, here.started + 1), signal.SIGKILL)


def test_damaged_pid_files_name_nobody(tmp_path: Path) -> None:
    path = tmp_path / "pids"
    pids.write(path, [pids.ourselves()])
    assert pids.read(path) == [pids.ourselves()]

    path.write_text("x\n1\n-1 5\n1 2 3\n")

    assert pids.read(path) == []
    assert pids.read(tmp_path / "none") == []


def test_the_child_class_needs_no_log(tmp_path: Path) -> None:
    assert Child(program("pass")).log_tail() == ""
    assert Child(program("pass", log=tmp_path / "none")).log_tail() == ""
    assert json.dumps({}) == "{}"
