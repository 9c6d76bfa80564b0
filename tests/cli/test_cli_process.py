"""The command line as a process: fast, light, and polite to pipes."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import FakeNode

HEAVY = ("trio", "libp2p", "substrateinterface", "wasmtime", "asyncpg", "rich", "typer", "nacl")


def ainur(*words: str, home: Path, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ainur_node", *words],
        env=os.environ | {"AINUR_HOME": str(home)},
        capture_output=True,
        timeout=60,
        check=False,
        **more,  # type: ignore[call-overload]
    )


def test_help_comes_at_once(home: Path) -> None:
    # Processor time, not wall time: other processes of the machine do not count.
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ainur("--help", home=home).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    assert min(took) < 0.4


@pytest.mark.parametrize(
    "words", [["--help"], ["task", "submit", "--help"], ["status"], ["task", "list"], ["wallet", "audit"]]
)
def test_plain_commands_load_nothing_heavy(node: FakeNode, home: Path, words: list[str]) -> None:
    script = (
        "import os, sys\n"
        "from ainur_node.cli.app import run\n"
        f"code = run({words!r}, os.environ)\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"AINUR_HOME": str(home)},
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.decode().splitlines()[-1] == "0 []", done.stderr


def test_json_is_alone_on_stdout(node: FakeNode, home: Path) -> None:
    done = ainur(
        "task",
        "submit",
        "--agent",
        "summarize",
        "--input",
        "-",
        "--budget",
        "1",
        "--wait",
        "--json",
        home=home,
        input=b"text",
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 1
    assert done.stdout.isascii()
    assert b"3 bids" in done.stderr


def test_bytes_that_are_no_text_on_the_argument_line(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ainur_node", "task", b"\xff\xfe"], capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_terminal_of_another_encoding_gets_question_marks(node: FakeNode, home: Path) -> None:
    node.shown |= {"capability": "zusammenfassen-für-übermorgen"}
    environment = os.environ | {"AINUR_HOME": str(home), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "ainur_node", "task", "show", "3fa9c1d2" + "0" * 56],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"f?r" in done.stdout


@pytest.mark.parametrize("words", [["task", "list"], ["bench", "--help"]])
def test_a_reader_that_leaves_is_no_accident(node: FakeNode, home: Path, words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ainur_node", *words],
            env=os.environ | {"AINUR_HOME": str(home)},
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)

    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.returncode == 141


def test_ctrl_c_while_waiting_leaves_the_task_alone(node: FakeNode, home: Path) -> None:
    import signal

    node.story = node.story[:1]
    waiting = subprocess.Popen(
        [sys.executable, "-m", "ainur_node", "task", "watch", "3fa9c1d2" + "0" * 56],
        env=os.environ | {"AINUR_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert waiting.stderr is not None
    assert b"submitted" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)

    assert waiting.returncode == 130
    assert b"Traceback" not in said
    assert "task.cancel" not in [method for method, _ in node.asked]
