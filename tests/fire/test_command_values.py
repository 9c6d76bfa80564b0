"""Every command with every kind of bad value: a sentence, a code, an exit code; nothing else, and no money moves."""

import contextlib
import os
import pty
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command_table import Row, rows
from e2e_world import DOCUMENT, ROOT, Ainur, new_home, wait_until
from hypothesis import HealthCheck, given, settings
from odd_values import any_line, fixed_lines
from typed_lines import EXITS, Typed, barred, faults, type_line

from ainur_node.rpc.client import Client
from ainur_node.rpc.whereabouts import read_whereabouts

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(900)]

ROWS = rows()
EXAMPLES = 60
"""Lines that Hypothesis makes up for each command, beside those that are always tried."""
ASKS = {"no_node", "no_devnet"}
"""What a command says on an empty home when it needs a node."""
MOVES = {"submit", "transfer", "fund", "publish", "offer", "withdraw", "update", "retire", "channel", "dispute"}
"""Words of what may move money; of all others the purses are compared once, when all their lines were typed."""
NODES = ("submitter", "n1", "n2", "n3", "observer")
AGENT = str(ROOT / "agents" / "text-summary")
SUBMIT = ("task", "submit", "--agent", "summarize", "--input", str(DOCUMENT), "--budget", "1", "--deadline", "60s")

Purse = dict[str, dict[str, Any]]


@dataclass
class Town:
    """A running world with one paid task, whose money is looked at after every line."""

    ainur: Ainur
    known: dict[str, str]
    lines: dict[str, Client]
    before: Purse = field(default_factory=dict)

    def purse(self, *names: str) -> Purse:
        """What each of these nodes owns."""
        found = {name: self.lines[name].call("wallet.balance") for name in names or NODES}
        return {name: {"free": each["free"], "held": each["held"]} for name, each in found.items()}

    def settle(self) -> None:
        """Wait until no task and no job is open, and remember who owns what from here on."""
        wait_until(lambda: not any(each.call("node.status")["engine"]["open"] for each in self.lines.values()), 120)
        self.before = self.purse()

    def unmoved(self, typed: Typed) -> None:
        """No money moved by a line that was refused; what was carried out, or may have been, is waited for."""
        if typed.code in {1, 2, 4}:
            assert self.purse("submitter")["submitter"] == self.before["submitter"], typed
        else:
            self.settle()


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    home = new_home()
    ainur = Ainur(home)
    lines: dict[str, Client] = {}
    shutil.copy(DOCUMENT, home / "document")  # some commands write where they are told to
    try:
        assert ainur("devnet", "up", timeout=180).code == 0
        paid = ainur(*SUBMIT, "--wait", timeout=120)
        assert paid.code == 0, paid
        for name in NODES:
            here = read_whereabouts(home / "devnet" / "current" / ".." / name)
            assert here is not None
            lines[name] = Client(Path(here.rpc), timeout=60)
        agent = ainur("agent", "list").data["agents"][0]
        account = lines["n1"].call("wallet.balance")["ss58"]
        auction, task = paid.data["auction"], paid.data["task"]
        # A budget that nobody has: whatever else is right, the line is refused before money moves.
        known = {
            "AIN": "900000",
            "TASK": task,
            "ID": auction,
            "AGENT": agent["id"],
            "PACKAGE": agent["package"],
            "ACCOUNT": account,
        }
        town = Town(ainur, known | {"FILE": str(home / "document"), "DIR": AGENT, "PATH": AGENT}, lines)
        town.settle()
        yield town
    finally:
        for line in lines.values():
            line.close()
        assert ainur("devnet", "down", timeout=60).code == 0
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory so deep that `../..` stays in it, and an empty home beside it."""
    directory = tmp_path / "a" / "b" / "c"
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in [name for name in os.environ if name.startswith("AINUR_")]:
        monkeypatch.delenv(name)
    return tmp_path / "home"


def asks_a_node(row: Row, known: dict[str, str], home: Path) -> bool:
    """Whether a command is about a running node; others are tried where there is none to end."""
    typed = type_line(["--json", *row.line(known)], home)
    return typed.data.get("error", {}).get("code") in ASKS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_whatever_is_typed_ends_with_a_sentence_and_an_exit_code(
    row: Row, town: Town, place: Path, note: Callable[..., None]
) -> None:
    ends: Counter[int] = Counter()
    wrong: list[str] = []
    with barred():
        home = town.ainur.home if asks_a_node(row, town.known, place) else place

        def tried(line: list[str]) -> None:
            typed = type_line(line, home)
            ends[typed.code] += 1
            wrong.extend(faults(typed))
            if MOVES & set(row.words):
                town.unmoved(typed)

        try:
            for number, line in enumerate(fixed_lines(row, town.known)):
                tried(["--json", *line] if number % 3 else line)
            made_up(row, town, tried)
        finally:
            bugs = sum(count for code, count in ends.items() if code not in EXITS)
            asked = "a node" if home != place else "no node"
            bugs += len(wrong)
            more = {"refused": ends[1], "usage": ends[2], "away": ends[3], "config": ends[4]}
            note("commands", command=row.name, asks=asked, tried=ends.total(), done=ends[0], **more, bugs=bugs)
    assert town.purse() == town.before
    assert town.lines["submitter"].call("wallet.audit")["difference"] == 0
    assert not wrong, "\n".join(wrong[:5])


def made_up(row: Row, town: Town, tried: Callable[[list[str]], None]) -> None:
    """Lines that nobody thought of."""

    @given(any_line(row, town.known))
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def one(line: list[str]) -> None:
        tried([*line, "--json"] if len(line) % 2 else line)

    one()


@pytest.mark.parametrize(
    "odd", [b"\xff\xfe\x1b[2J", b"--\x1b]0;owned\x07", b"A" * 100_000], ids=["bytes", "escape", "long"]
)
def test_real_processes_end_alike(odd: bytes, town: Town, place: Path, note: Callable[..., None]) -> None:
    def typed(row: Row) -> Typed:
        argv = [sys.executable, "-m", "ainur_node", *row.words, "--json", odd, "--no-such-option"]
        done = subprocess.run(argv, env=town.ainur.environment(), capture_output=True, timeout=60, check=False)
        return Typed((*row.words, "--json"), done.returncode, done.stdout.decode(), done.stderr.decode(), 0)

    with ThreadPoolExecutor(2) as pool:
        all_typed = list(pool.map(typed, ROWS))

    note("processes", value=repr(odd[:20]), commands=len(all_typed), usage=sum(each.code == 2 for each in all_typed))
    assert [fault for each in all_typed for fault in faults(each)] == []
    assert {each.code for each in all_typed} == {2}
    assert town.purse() == town.before


def test_what_no_process_can_be_given_is_refused_before_it_starts(town: Town) -> None:
    with pytest.raises(ValueError, match="null byte"):
        town.ainur("task", "show", "a\0b")
    with pytest.raises(OSError, match="too long"):
        town.ainur("task", "show", "a" * 3_000_000)


@pytest.mark.parametrize(
    "words", [("task", "show"), ("task", "list", "--phase"), ("devnet", "up", "--fault"), ("demo",)]
)
def test_a_terminal_obeys_us_alone(words: tuple[str, ...], town: Town) -> None:
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "ainur_node", *words, "\x1b]0;owned\x07\x1b[2J\x9b5m"]
    with subprocess.Popen(argv, env=town.ainur.environment(), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end closes with the process
            while heard := os.read(ours, 1 << 16):
                shown += heard
        os.close(ours)

    assert process.returncode == 2
    assert b"ainur: " in shown
    assert [part for part in (b"\x07", b"\x1b]", b"\x1b[2J", b"\xc2\x9b") if part in shown] == []


@pytest.mark.parametrize("out", [".", "/nowhere/at/all", "/proc/1/fd/result", ""])
def test_a_result_that_could_not_be_written_is_not_paid_for(out: str, town: Town, place: Path) -> None:
    said = town.ainur(*SUBMIT, "--wait", "--out", out)

    assert said.code == 2
    assert town.purse() == town.before


def test_a_result_that_finds_no_room_is_kept(town: Town) -> None:
    said = town.ainur(*SUBMIT, "--wait", "--out", "/dev/full")
    town.settle()

    assert (said.code, said.error) == (1, "not_written")
    assert town.ainur("task", "list", "--limit", "1").data["tasks"][0]["phase"] == "settled"


def test_the_same_key_typed_at_once_pays_once(town: Town) -> None:
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: town.ainur(*SUBMIT, "--key", "rent of may"), range(3)))

    assert [each.code for each in said] == [0, 0, 0]
    assert len({each.data["task"] for each in said}) == 1
    shown = town.ainur("task", "watch", said[0].data["task"], timeout=120).data
    town.settle()
    assert shown["phase"] == "settled"
    assert town.ainur(*SUBMIT, "--key", "rent of may").data["repeated"] is True
    other = town.ainur(*SUBMIT, "--key", "rent of may", "--deadline", "50s")
    assert (other.code, other.error) == (1, "key_used")
    assert town.purse() == town.before
