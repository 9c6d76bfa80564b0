"""``ainur task``: hand in, follow, read."""

import io
import json
import sys
from functools import partial
from pathlib import Path

import pytest
from cli_world import AIN, BEGAN, OTHER, STORY, TASK, FakeNode, Type, refusal

from ainur_node.cli import task
from ainur_node.rpc.client import Client


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "README.md"
    path.write_text("# A project\n\nIt summarises.\n")
    return str(path)


def submit(document: str, *more: str) -> list[str]:
    return [
        "task",
        "submit",
        "--agent",
        "summarize",
        "--input",
        document,
        "--budget",
        "1.5",
        "--deadline",
        "30s",
        *more,
    ]


def test_a_submission_reaches_the_node_in_planck_and_milliseconds(node: FakeNode, ainur: Type, document: str) -> None:
    typed = ainur(*submit(document))

    assert typed.code == 0
    assert node.params("task.submit") == {
        "capability": "summarize",
        "input": Path(document).read_bytes(),
        "media": "text/plain",
        "budget": "1500000000000",
        "deadline_ms": 30_000,
        "key": node.params("task.submit")["key"],
    }
    assert TASK in typed.out
    assert "1.5 AIN" in typed.out


def test_json_goes_to_the_last_line_of_stdout_and_nothing_else(node: FakeNode, ainur: Type, document: str) -> None:
    typed = ainur("--json", *submit(document))

    assert typed.out.count("\n") == 1
    assert typed.json["task"] == TASK
    assert typed.json["budget"] == "1500000000000"


def test_a_json_file_is_handed_in_as_json(node: FakeNode, ainur: Type, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('{"text": "a"}')

    assert ainur(*submit(str(path))).code == 0
    assert node.params("task.submit")["media"] == "application/json"


def test_stdin_is_an_input(node: FakeNode, ainur: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))

    assert ainur(*submit("-")).code == 0
    assert node.params("task.submit")["input"] == b"from a pipe"


def test_waiting_tells_the_story_and_prints_the_result(node: FakeNode, ainur: Type, document: str) -> None:
    typed = ainur(*submit(document, "--wait"))

    assert typed.code == 0
    assert json.loads(typed.out) == {"summary": "It works."}
    assert "3 bids, n2 wins" in typed.err
    assert "2.10 s" in typed.err
    assert "paid 0.25 AIN" in typed.err


def test_waiting_with_json_gives_one_object_with_everything(node: FakeNode, ainur: Type, document: str) -> None:
    typed = ainur("--json", *submit(document, "--wait"))

    assert typed.out.count("\n") == 1
    assert typed.json["phase"] == "settled"
    assert typed.json["price"] == str(AIN // 4)
    assert typed.json["result"]["output"] == {"summary": "It works."}
    assert typed.json["submitted_at"] == "2026-09-21T14:13:20.000Z"
    assert "3 bids" in typed.err


@pytest.mark.parametrize(
    ("phase", "verified", "code"),
    [
        ("settled", True, 0),
        ("settled", False, 5),
        ("disputed", False, 5),
        ("refunded", False, 1),
        ("refused", False, 1),
        ("cancelled", False, 1),
        ("=settled", True, 0),
    ],
)
def test_the_exit_code_tells_how_a_task_ended(
    node: FakeNode,
    ainur: Type,
    document: str,
    phase: str,
    verified: bool,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task, "ANSWER_SECONDS", 0.2)
    node.shown |= {"phase": phase, "verified": verified, "outcome": "no_sale", "reasons": [["ask_above_reserve", 2]]}
    node.story = [*STORY[:2], {**STORY[2], "phase": phase, "final": phase != "disputed"}]

    typed = ainur(*submit(document, "--wait"))

    assert typed.code == code
    if code == 1:
        assert "2 × ask_above_reserve" in typed.out
        assert "ainur auction why" in typed.out
    if code == 5:
        assert "not verified" in typed.out


def test_a_dispute_whose_provider_gives_back_is_followed_to_the_end(node: FakeNode, ainur: Type, document: str) -> None:
    refuted = {**STORY[1], "kind": "Disputed", "phase": "disputed", "text": "disputed on chain"}
    anew = {**STORY[1], "kind": "WinnerFailed", "seq": 3, "phase": "funding", "text": "n1 gave the money back"}
    node.story = [STORY[0], refuted, anew, {**STORY[2], "seq": 4}]

    typed = ainur(*submit(document, "--wait"))

    assert typed.code == 0
    assert "n1 gave the money back" in typed.err
    assert typed.err.count("disputed on chain") == 1


def test_waiting_has_an_end_and_the_task_goes_on(node: FakeNode, ainur: Type, document: str) -> None:
    node.story = STORY[:1]

    typed = ainur(*submit(document, "--wait", "--timeout", "200ms"))

    assert typed.code == 3
    assert f"ainur task watch {TASK[:12]}" in typed.err


def test_the_result_can_be_written_to_a_file(node: FakeNode, ainur: Type, document: str, tmp_path: Path) -> None:
    assert ainur(*submit(document, "--wait", "--out", str(tmp_path / "out"))).code == 0
    assert (tmp_path / "out").read_bytes() == b'{"summary":"It works."}'


def test_a_refusal_shows_code_hint_and_amounts(node: FakeNode, ainur: Type, document: str) -> None:
    node.answers["task.submit"] = refusal(
        "budget_above_spendable", "fund the account", spendable=str(AIN), budget=str(2 * AIN), missing=str(AIN)
    )

    typed = ainur(*submit(document))
    as_json = ainur("--json", *submit(document))

    assert typed.code == as_json.code == 1
    assert "budget_above_spendable" in typed.err
    assert "spendable: 1 AIN" in typed.err
    assert "budget: 2 AIN" in typed.err
    assert as_json.json["error"]["code"] == "budget_above_spendable"
    assert as_json.json["error"]["details"]["spendable"] == str(AIN)


def test_bytes_that_are_no_text_are_refused_before_anything_is_sent(
    node: FakeNode, ainur: Type, tmp_path: Path
) -> None:
    path = tmp_path / "in"
    for data, code in ((b"\xff\xfe", "input_not_text"), (b"", "input_empty")):
        path.write_bytes(data)
        typed = ainur("--json", *submit(str(path)))
        assert typed.code == 1
        assert typed.json["error"]["code"] == code
    path.with_suffix(".json").write_text("{")
    assert ainur("--json", *submit(str(path.with_suffix(".json")))).json["error"]["code"] == "input_not_json"
    assert node.asked == []


def test_a_lost_answer_says_how_to_ask_again_without_paying_twice(
    node: FakeNode, ainur: Type, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.stuck = True
    monkeypatch.setattr("ainur_node.cli.asking.Client", partial(Client, timeout=0.2))

    lost = ainur("--json", *submit(document))

    assert lost.code == 3
    assert f"--key {node.params('task.submit')['key']}" in lost.json["error"]["hint"]
    node.stuck = False
    node.answers["task.submit"]["repeated"] = True
    again = ainur(*submit(document, "--key", "rent of may"))
    assert again.code == 0
    assert node.params("task.submit")["key"] == "rent of may"
    assert "not a second time" in again.out


@pytest.mark.parametrize("key", ["", "a" * 65, "\x1b[2J", "a\nb"])
def test_keys_that_are_none_are_usage(node: FakeNode, ainur: Type, document: str, key: str) -> None:
    assert ainur(*submit(document, "--key", key)).code == 2
    assert node.asked == []


def test_a_phase_is_the_nodes_business(node: FakeNode, ainur: Type) -> None:
    assert ainur("task", "list", "--phase", "settled").code == 0
    assert node.params("task.list") == {"limit": 20, "phase": "settled"}

    node.answers["task.list"] = refusal("bad_phase", "there are: funding, bidding", 2)
    typed = ainur("task", "list", "--phase", "bogus", "--json")

    assert typed.code == 2
    assert typed.json["error"]["code"] == "bad_phase"


def test_show_has_the_history_with_times(node: FakeNode, ainur: Type) -> None:
    typed = ainur("task", "show", TASK)

    assert typed.code == 0
    assert "3.12 s  paid 0.25 AIN" in typed.out
    assert "1.5 AIN" in typed.out


def test_the_first_digits_of_a_task_are_enough(node: FakeNode, ainur: Type) -> None:
    assert ainur("task", "show", "3fa9c1").code == 0
    assert node.params("task.show") == {"task": TASK}


def test_ambiguous_and_unknown_digits_are_refused(node: FakeNode, ainur: Type) -> None:
    node.answers["task.list"]["tasks"].append({**node.answers["task.list"]["tasks"][1], "task": OTHER[:-1] + "1"})

    assert "2 tasks" in ainur("task", "show", "3fa9ff").err
    assert ainur("task", "show", "abcdef").code == 2


def test_watch_follows_to_the_end(node: FakeNode, ainur: Type) -> None:
    typed = ainur("task", "watch", TASK)

    assert typed.code == 0
    assert "3 bids" in typed.err


def test_a_result_that_is_no_json_is_described_and_written(node: FakeNode, ainur: Type, tmp_path: Path) -> None:
    node.answers["task.result"]["output"] = b"\x00\x01"

    assert "no JSON" in ainur("task", "result", TASK).out
    assert ainur("--json", "task", "result", TASK).json["output_hex"] == "0001"
    assert ainur("task", "result", TASK, "--out", str(tmp_path / "r")).code == 0
    assert (tmp_path / "r").read_bytes() == b"\x00\x01"


def test_an_unverified_result_says_so(node: FakeNode, ainur: Type) -> None:
    node.answers["task.result"]["verified"] = False

    assert ainur("task", "result", TASK).code == 5


def test_cancel_too_late_is_a_refusal(node: FakeNode, ainur: Type) -> None:
    assert ainur("task", "cancel", TASK).code == 0
    node.answers["task.cancel"] = {"task": TASK, "cancelled": False}
    typed = ainur("task", "cancel", TASK)
    assert typed.code == 1
    assert "too late" in typed.out


def test_list_shows_short_ids_in_text_and_whole_ones_in_json(node: FakeNode, ainur: Type) -> None:
    text, as_json = ainur("task", "list"), ainur("task", "list", "--json")

    assert f"{TASK[:8]}…" in text.out
    assert TASK not in text.out
    assert as_json.json["tasks"][0]["task"] == TASK
    assert as_json.json["tasks"][0]["at"] == "2026-09-21T14:13:20.000Z"
    assert BEGAN == 1_790_000_000_000


def test_words_of_other_nodes_cannot_move_the_cursor(node: FakeNode, ainur: Type, document: str) -> None:
    node.story = [*STORY[:2], {**STORY[2], "text": "\x1b[2Jpaid\x07\r\n"}]

    typed = ainur(*submit(document, "--wait"))

    assert "\x1b" not in typed.err
    assert "\x07" not in typed.err
