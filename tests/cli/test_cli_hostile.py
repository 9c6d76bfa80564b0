"""Whatever is typed: a sentence and an exit code, never a traceback; and whatever breaks: a report."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import AIN, TASK, FakeNode, Type, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ainur_node.cli import app, values
from ainur_node.cli.app import NOUNS, run
from ainur_node.rpc.whereabouts import read_whereabouts, whereabouts_path

SUBMIT = ["task", "submit", "--agent", "summarize", "--input", "-", "--budget", "1"]
ODD = [
    "",
    " ",
    "-1",
    "-0.1",
    "NaN",
    "inf",
    "1e9",
    "0x10",
    "1,5",
    "1.0000000000001",
    "9" * 65,
    "\0",
    "١",
    "½",
    "--",
    "'",
    "\x1b[2J",
]


@pytest.mark.parametrize("budget", ODD)
def test_amounts_that_are_none_are_usage(ainur: Type, budget: str) -> None:
    typed = ainur(*SUBMIT[:-1], budget)

    assert typed.code == 2
    assert typed.err.startswith("ainur: ")


@pytest.mark.parametrize("deadline", [*ODD, "0", "0s", "0.0001s", "2d", "25h", "1h1m", "30 s"])
def test_deadlines_that_are_none_are_usage(ainur: Type, deadline: str) -> None:
    assert ainur(*SUBMIT, "--deadline", deadline).code == 2


@pytest.mark.parametrize(
    ("text", "ms"), [("30s", 30_000), ("1500ms", 1500), ("2m", 120_000), ("1h", 3_600_000), ("2.5", 2500)]
)
def test_deadlines_in_every_unit(text: str, ms: int) -> None:
    assert values.deadline(text) == ms


@pytest.mark.parametrize("ident", [*ODD, "abc", "g" * 64, "a" * 65, "../../etc/passwd"])
def test_ids_that_are_none_are_usage(ainur: Type, ident: str) -> None:
    for words in (["task", "show"], ["auction", "verify"], ["receipt", "show"], ["agent", "withdraw"]):
        assert ainur(*words, ident).code == 2


@pytest.mark.parametrize("name", [*ODD, "../n1", "n" * 65, "n1/../n2", "n 1"])
def test_node_names_that_are_none_are_usage_or_unreachable(ainur: Type, name: str) -> None:
    assert ainur("--node", name, "status").code in (2, 3)


@pytest.mark.parametrize("number", [*ODD, "0", "1001", "1.5"])
def test_numbers_out_of_bounds_are_usage(ainur: Type, number: str) -> None:
    assert ainur("task", "list", "--limit", number).code == 2


def test_addresses_need_their_checksum(ainur: Type) -> None:
    for account in (*ODD, "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694tz", "1" * 48, "ab" * 31):
        assert ainur("wallet", "transfer", account, "1").code == 2


def test_files_that_cannot_be_read_are_usage(ainur: Type, tmp_path: Path, node: FakeNode) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(values.MAX_INPUT + 1)
    door = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(door))
    for path in ("", "/nonexistent/x", str(tmp_path), str(loop), str(big), str(door), "/dev/zero", "a" * 5000):
        typed = ainur("task", "submit", "--agent", "s", "--input", path, "--budget", "1")
        assert typed.code == 2, path
        assert "ainur: " in typed.err
    assert node.asked == []


def test_a_pipe_without_a_writer_does_not_hold_the_command(ainur: Type, tmp_path: Path, node: FakeNode) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert ainur("task", "submit", "--agent", "s", "--input", str(tmp_path / "pipe"), "--budget", "1").code in (1, 2)


def test_results_cannot_be_written_everywhere(ainur: Type, tmp_path: Path, node: FakeNode) -> None:
    assert ainur("task", "result", TASK, "--out", str(tmp_path)).code == 2
    assert ainur("task", "result", TASK, "--out", "").code == 2


def test_homes_and_configurations_that_are_none_are_usage(ainur: Type, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert ainur("--home", str(tmp_path / "file"), "status").code == 2
    assert ainur("--home", "", "status").code == 2
    assert ainur("--home", "\0", "status").code == 2
    assert ainur("--home", "~nobody-of-that-name/x", "status").code == 2
    assert ainur("--home", "a" * 5000, "status").code == 2
    assert ainur("--config", "a" * 5000, "status").code == 2
    assert ainur("--config", str(tmp_path), "config", "check").code == 2
    assert ainur("--config", str(tmp_path / "none"), "config", "check").code == 2
    assert ainur("--config").code == 2


def test_a_home_of_somebody_else_is_a_configuration_error(ainur: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    def barred(home: Path) -> None:
        raise PermissionError(13, "Permission denied", str(home))

    monkeypatch.setattr("ainur_node.cli.target.read_whereabouts", barred)

    typed = ainur("status")

    assert typed.code == 4
    assert "run ainur as its owner" in typed.err


def test_bytes_that_are_no_text_are_usage(ainur: Type) -> None:
    for words in (["\udcff"], ["task", "\udcff"], ["task", "show", "\udcff\udcfe"], ["--home", "\udcff", "status"]):
        typed = ainur(*words)
        assert typed.code == 2
        typed.err.encode()


@given(
    st.lists(
        st.sampled_from([*NOUNS, "show", "list", "submit", "--json", "--node", "--home", "--", "-h", "-"])
        | st.text(max_size=12),
        max_size=5,
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_end_with_an_exit_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    # What would start processes is not started: only the words are of interest.
    for dangerous in ("demo", "devnet", "init", "run", "stop", "chain", "bench"):
        words = [word for word in words if word != dangerous]
    monkeypatch.chdir(home)

    code = run(words, {"AINUR_HOME": str(home)})

    assert code in (0, 1, 2, 3, 4)
    assert "Traceback" not in capsys.readouterr().err


def test_misspelled_words_are_guessed(ainur: Type) -> None:
    assert "did you mean 'task'" in ainur("tsak", "list").err
    assert "did you mean 'submit'" in ainur("task", "sumbit").err
    assert "ainur task submit --help" in ainur("task", "submit").err
    assert ainur("--frobnicate").code == 2


def test_no_word_shows_the_commands(ainur: Type) -> None:
    typed = ainur()
    assert typed.code == 2
    assert "ainur demo" in typed.err
    assert ainur("--json").json["error"]["hint"] == "ainur --help lists them"
    assert ainur("--help").code == 0
    assert ainur("task", "--help").code == 0
    assert ainur("--version").out.startswith("ainur ")


def test_half_a_command_is_usage_and_shows_the_other_half(ainur: Type) -> None:
    for noun in ("task", "wallet", "devnet", "config"):
        typed = ainur(noun, "--json")
        assert typed.code == 2
        assert f"usage: ainur {noun}" in typed.err
        assert "one of: " in typed.json["error"]["hint"]


def test_every_command_has_help_with_an_example(ainur: Type) -> None:
    for noun in NOUNS:
        for command in app._commands(noun)[1]:
            typed = ainur(*command.words.split(), "--help")
            assert typed.code == 0
            assert "example:\n  ainur " in typed.out
            assert command.words in command.example
            for option in ("--json", "--node", "--home", "--config"):
                assert option in typed.out


def test_options_of_every_command_may_stand_before_and_after_its_words(node: FakeNode, ainur: Type) -> None:
    assert ainur("--json", "status").json == ainur("status", "--json").json
    assert ainur("--home", str(node.home), "status").code == 0
    assert ainur("status", f"--home={node.home}").code == 0


def test_no_node_says_how_to_start_one(ainur: Type, tmp_path: Path) -> None:
    typed = ainur("status")
    assert typed.code == 3
    assert "ainur devnet up" in typed.err
    assert ainur("--home", str(tmp_path / "none"), "status", "--json").json["error"]["exit"] == 3


def test_a_node_that_died_leaves_a_stale_file(ainur: Type, home: Path, sockets: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with running(FakeNode(home), sockets):
        left = json.loads(whereabouts_path(home).read_text())
    whereabouts_path(home).write_text(json.dumps(left | {"pid": ended.pid}))

    typed = ainur("status")

    assert typed.code == 3
    assert "without a clean stop" in typed.err


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\xff", "[" * 10_000])
def test_a_damaged_node_file_is_unreachable(ainur: Type, home: Path, content: str) -> None:
    whereabouts_path(home).parent.mkdir()
    whereabouts_path(home).write_text(content)

    typed = ainur("status")

    assert typed.code == 3
    assert "damaged" in typed.err


def test_a_socket_that_nobody_serves_is_unreachable(ainur: Type, home: Path, sockets: Path) -> None:
    with running(FakeNode(home), sockets):
        left = whereabouts_path(home).read_text()
    whereabouts_path(home).write_text(left)

    typed = ainur("status")

    assert typed.code == 3
    assert "nobody answers" in typed.err
    assert "next:" in typed.err


def test_something_else_behind_the_socket_is_unreachable(ainur: Type, home: Path, sockets: Path) -> None:
    import threading

    with running(FakeNode(home), sockets):
        left = json.loads(whereabouts_path(home).read_text())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(sockets / "other"))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        whereabouts_path(home).write_text(json.dumps(left | {"rpc": str(sockets / "other")}))
        typed = ainur("status")
        thread.join()

    assert typed.code == 3


def test_a_bug_leaves_a_report_and_exits_with_70(ainur: Type, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ainur_node.cli.target.read_whereabouts", lambda home: 1 / 0)

    typed = ainur("--json", "status")

    assert typed.code == 70
    report = Path(typed.json["error"]["details"]["report"])
    assert "ZeroDivisionError" in report.read_text()
    assert str(report) in typed.err


def test_a_bug_in_the_node_is_told_with_its_report(ainur: Type, node: FakeNode) -> None:
    node.answers["node.status"] = KeyError("oops")

    typed = ainur("status")

    assert typed.code == 70
    assert "crash-" in typed.err


def test_answers_without_the_expected_fields_do_not_fall_over(ainur: Type, node: FakeNode) -> None:
    node.answers |= {"node.status": {}, "wallet.show": {}, "wallet.audit": {}, "auction.show": {}, "auction.verify": {}}
    node.answers |= {"chain.status": {}, "receipt.show": {}, "auction.why": {}}

    assert ainur("status").code == 0
    assert ainur("wallet", "show").code == 0
    assert ainur("wallet", "audit").code == 5
    for words in (["auction", "show"], ["auction", "why"], ["receipt", "show"]):
        assert ainur(*words, TASK).code == 0
    assert ainur("auction", "verify", TASK).code == 5


def test_money_is_never_a_float(node: FakeNode, ainur: Type) -> None:
    node.answers["wallet.show"] |= {"free": str(2**90), "spendable": str(2**90 - 1)}

    assert "1237940039285380.274899124224 AIN" in ainur("wallet", "show").out
    assert ainur("wallet", "show", "--json").json["free"] == str(2**90)
    assert AIN == 10**12


def test_a_written_file_of_whereabouts_is_read_back(home: Path, sockets: Path) -> None:
    with running(FakeNode(home), sockets) as node:
        here = read_whereabouts(home)
        assert here is not None
        assert here.name == node.name
        assert whereabouts_path(home).stat().st_mode & 0o777 == 0o600
    assert read_whereabouts(home) is None
