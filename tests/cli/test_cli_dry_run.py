"""``--dry-run`` asks for a price and does nothing else; orders that are pending say what to do about them."""

import json
from pathlib import Path

import pytest
from cli_world import AIN, BEGAN, PACKAGE, TASK, FakeNode, Type, refusal

from ainur_node.cli import app
from ainur_node.cli.command import Parser
from ainur_node.rpc.messages import ExitCode

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


@pytest.fixture
def lines(tmp_path: Path) -> dict[str, list[str]]:
    """A whole line of each command that signs, by the question that asks for its price."""
    package, text = tmp_path / "pkg", tmp_path / "in.txt"
    package.mkdir()
    (package / "manifest.json").write_text(json.dumps({"module": {"file": "a.wasm"}}))
    (package / "a.wasm").write_bytes(b"\0asm\1\0\0\0")
    text.write_text("a text")
    return {
        "quote.transfer": ["wallet", "transfer", BOB, "1"],
        "quote.fund": ["wallet", "fund", "100"],
        "quote.submit": ["task", "submit", "--agent", "summarize", "--input", str(text), "--budget", "1.5"],
        "quote.cancel": ["task", "cancel", TASK],
        "quote.publish": ["agent", "publish", str(package), "--ask", "0.2"],
        "quote.offer": ["agent", "offer", PACKAGE, "--ask", "0.2"],
        "quote.retire": ["agent", "retire", PACKAGE],
    }


def test_a_dry_run_asks_for_the_price_and_for_nothing_else(
    node: FakeNode, ainur: Type, lines: dict[str, list[str]]
) -> None:
    for method, line in lines.items():
        node.asked.clear()
        typed = ainur(*line, "--dry-run")

        assert typed.code == 0, (method, typed.err)
        assert [asked for asked, _ in node.asked] == [method]
        assert "would hold: Escrow::EscrowFunds" in typed.out
        assert "fee of VcgAuction.open" in typed.out
        assert "1.01 AIN" in typed.out
        assert "nothing was signed" in typed.err
        assert ainur(*line, "--dry-run", "--json").json["total"] == str(AIN + AIN // 100)


def test_every_command_that_sends_money_has_a_dry_run(lines: dict[str, list[str]]) -> None:
    with_option = set()
    for noun in app.NOUNS:
        for command in app._commands(noun)[1]:
            parser = Parser(prog="x")
            command.options(parser)
            if any("--dry-run" in action.option_strings for action in parser._actions):
                with_option.add(command.words)

    others = "agent retire, agent update, channel close, channel open, channel top-up, dispute appeal, dispute denounce"
    others += ", dispute evidence, dispute join, dispute leave, dispute open, dispute vote"
    assert with_option == {" ".join(line[:2]) for line in lines.values()} | set(others.split(", "))


def test_a_price_that_the_account_cannot_pay_exits_with_1(
    node: FakeNode, ainur: Type, lines: dict[str, list[str]]
) -> None:
    node.answers["quote.transfer"]["affordable"] = False

    said = ainur(*lines["quote.transfer"], "--dry-run", "--json")

    assert said.code == said.json["error"]["exit"] == ExitCode.REFUSED
    assert said.json["error"]["code"] == "not_affordable"
    assert said.json["error"]["hint"]


def test_pending_shows_what_is_queued_in_flight_and_dead_with_what_to_do(node: FakeNode, ainur: Type) -> None:
    node.answers["wallet.ledger"] = {
        "rows": [{"at": BEGAN, "call": "VcgAuction.open", "hash": "3" * 64, "nonce": 5, "state": "in flight"}],
        "queued": [{"at": BEGAN, "call": "Balances.transfer_keep_alive", "intent": "4" * 64, "state": "queued"}],
        "dead": [
            {
                "at": BEGAN,
                "call": "Balances.transfer_keep_alive",
                "intent": "5" * 64,
                "why": "refused: no money",
                "todo": "ainur wallet fund 100",
            }
        ],
    }

    typed = ainur("wallet", "ledger", "--pending")

    assert typed.code == 0
    assert "queued" in typed.out
    assert "in flight" in typed.out
    assert "refused: no money" in typed.out
    assert "next: ainur wallet fund 100" in typed.out
    assert len(ainur("wallet", "ledger", "--pending", "--json").json["dead"]) == 1


def test_an_answer_that_was_lost_says_how_to_ask_again_without_paying_twice(node: FakeNode, ainur: Type) -> None:
    node.answers["wallet.transfer"] = refusal("unavailable", "try again", ExitCode.UNREACHABLE)  # type: ignore[assignment]

    typed = ainur("wallet", "transfer", BOB, "1")

    assert typed.code == ExitCode.UNREACHABLE
    assert f"--key {node.params('wallet.transfer')['key']}" in typed.err
