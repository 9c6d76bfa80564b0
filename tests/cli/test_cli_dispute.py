"""``ainur dispute``: what is asked of the node, what people read, and how refusals end."""

from pathlib import Path
from typing import Any

import pytest
from cli_world import AIN, TASK, FakeNode, Type, refusal

CASE, ESCROW = "c" * 64, "e" * 64
SHOWN: dict[str, Any] = {
    "case": CASE,
    "escrow": ESCROW,
    "payer": "a" * 64,
    "payee": "b" * 64,
    "role": "payee",
    "ground": "replay_differs",
    "state": "ruled",
    "ends_at": 1_900_000_000_000,
    "price": str(AIN // 4),
    "round": 0,
    "rounds": [
        {
            "round": 0,
            "seats": 5,
            "arbiters": [
                {"arbiter": "d" * 64, "seats": 3, "vote": "revealed", "holds": True, "payee_bps": 0},
                {"arbiter": "f" * 64, "seats": 2, "vote": "waiting"},
            ],
        }
    ],
    "ruling": {"payee_bps": 0, "for": "payer", "holds": True, "output_sha256": "9" * 64},
    "appealable": True,
    "appeals": [],
    "outcome": None,
}
ARBITER = {"account": "b" * 64, "arbiter": True, "stake": str(5 * AIN), "locked": "0", "units": 5, "withdraw_at": None}
QUOTE = {
    "dry_run": True,
    "holds": {"Escrow::DisputeBond": str(AIN)},
    "pays": "0",
    "burns": "1",
    "fees": {"Escrow.appeal": "1"},
    "total": str(AIN + 1),
    "spendable": str(2 * AIN),
    "affordable": True,
}


@pytest.fixture
def court(node: FakeNode) -> FakeNode:
    row = {"case": CASE, "escrow": ESCROW, "role": "payee", "state": "ruled", "round": 0}
    node.answers |= {
        "dispute.show": SHOWN,
        "dispute.list": {"cases": [row], "arbiter": ARBITER},
        "dispute.open": {**SHOWN, "state": "unanswered", "ruling": None, "rounds": [], "repeated": False},
        "dispute.appeal": {**SHOWN, "state": "drawing", "bond": str(AIN)},
        "dispute.evidence": {"case": CASE, "exhibit": "1" * 64, "bytes": 5, "by": "payee"},
        "dispute.vote": {"case": CASE, "holds": True, "payee_bps": 0, "output_sha256": "9" * 64, "seats": 2},
        "dispute.join": {**ARBITER, "added": str(5 * AIN), "block": 9},
        "dispute.leave": {**ARBITER, "how": "leaving", "block": 9, "withdraw_at": 1_900_000_000_000},
    }
    node.answers["dispute.denounce"] = {"case": CASE, "seats": 3, "reward": "1", "burned": "2"}
    for name in ("open", "evidence", "vote", "appeal", "join", "leave", "denounce"):
        node.answers[f"quote.dispute_{name}"] = QUOTE
    return node


def lines(tmp_path: Path) -> dict[str, list[str]]:
    """A whole line of each command that signs."""
    file = tmp_path / "log.txt"
    file.write_text("a log")
    return {
        "open": [TASK, "--ground", "schema_invalid"],
        "evidence": [CASE, str(file)],
        "vote": [CASE],
        "appeal": [CASE[:8]],
        "join": ["5"],
        "leave": [],
        "denounce": [CASE, "d" * 64, "--holds", "yes", "--payee-share", "0", "--output", "9" * 64, "--salt", "0" * 64],
    }


def test_every_command_asks_the_node_for_just_its_thing(court: FakeNode, ainur: Type, tmp_path: Path) -> None:
    for verb, rest in lines(tmp_path).items():
        court.asked.clear()
        typed = ainur("dispute", verb, *rest, "--json")
        assert typed.code == 0, (verb, typed.err)
        assert court.asked[-1][0] == f"dispute.{verb}"
        assert ainur("dispute", verb, *rest).out


def test_a_dry_run_asks_for_the_price_and_for_nothing_else(court: FakeNode, ainur: Type, tmp_path: Path) -> None:
    for verb, rest in lines(tmp_path).items():
        court.asked.clear()
        typed = ainur("dispute", verb, *rest, "--dry-run")
        assert typed.code == 0, (verb, typed.err)
        asked = [method for method, _ in court.asked if method != "dispute.list"]
        assert asked == [f"quote.dispute_{verb}"]
        assert "nothing was signed" in typed.err


def test_a_case_is_shown_with_its_panels_and_its_ruling(court: FakeNode, ainur: Type) -> None:
    shown = ainur("dispute", "show", CASE[:6])
    assert "round 1: 5 seats" in shown.out
    assert "for the payer" in shown.out
    assert "replay differs" in shown.out
    assert ainur("dispute", "show", CASE, "--json").json["ruling"]["payee_bps"] == 0
    assert "5 AIN at stake" in ainur("dispute", "show").out


def test_what_a_person_decides_goes_along_with_the_vote(court: FakeNode, ainur: Type) -> None:
    ainur("dispute", "vote", CASE, "--holds", "no", "--payee-share", "7500")
    method, asked = court.asked[-1]
    assert method == "dispute.vote"
    assert (asked["holds"], asked["payee_bps"]) == (False, 7_500)


def test_a_task_is_disputed_by_its_first_digits(court: FakeNode, ainur: Type) -> None:
    whole = str(court.answers["task.list"]["tasks"][0]["task"])
    for extra in ([], ["--dry-run"]):
        typed = ainur("dispute", "open", whole[:6], *extra)
        assert typed.code == 0, typed.err
        assert court.asked[-1][1]["task"] == whole
    assert ainur("dispute", "open", "000000").code == 2


def test_refusals_and_typing_errors_end_with_their_codes(court: FakeNode, ainur: Type) -> None:
    court.answers["dispute.appeal"] = refusal("final", "this ruling is the last")
    refused = ainur("dispute", "appeal", CASE, "--json")
    assert refused.code == 1
    assert refused.json["error"]["code"] == "final"
    assert ainur("dispute", "show", "abcdef").code == 2
    assert ainur("dispute", "open", TASK, "--ground", "mood").code == 2
    assert ainur("dispute", "vote", CASE, "--payee-share", "10001").code == 2
    assert ainur("dispute", "join", "much").code == 2
    opening = ["--holds", "yes", "--payee-share", "0", "--output", "9" * 64]
    assert ainur("dispute", "denounce", CASE, "d" * 64, *opening, "--salt", "0" * 63).code == 2


def test_a_join_that_nobody_answers_says_how_to_ask_again_without_joining_twice(court: FakeNode, ainur: Type) -> None:
    court.answers["dispute.join"] = refusal("transient", "the chain is away", 3)
    lost = ainur("dispute", "join", "5", "--json")
    assert lost.code == 3
    assert "--key" in lost.json["error"]["hint"]
