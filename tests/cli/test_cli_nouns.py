"""The other nouns, one answer each: what goes to the node, what is shown, how it exits."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cli_world import AGENT, AIN, AUCTION, BEGAN, ESCROW, PACKAGE, TASK, FakeNode, Type, refusal

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
BOB_KEY = "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    directory = tmp_path / "pkg"
    directory.mkdir()
    (directory / "manifest.json").write_text(json.dumps({"module": {"file": "a.wasm"}}))
    (directory / "a.wasm").write_bytes(b"\0asm\1\0\0\0")
    return directory


def test_status_shows_the_node_and_its_stages(node: FakeNode, ainur: Type) -> None:
    typed = ainur("status")

    assert typed.code == 0
    assert "fake (pid" in typed.out
    assert "up 1 h 2 min" in typed.out
    assert "2012.5" in typed.out
    assert "150 MiB of memory, lag 2.5 ms (at most 31.4 ms)" in typed.out
    assert ainur("status", "--json").json["peers"] == 4


def test_publish_sends_both_files_and_tells_its_steps(node: FakeNode, ainur: Type, package: Path) -> None:
    typed = ainur("agent", "publish", str(package), "--ask", "0.2")

    assert typed.code == 0
    assert node.params("agent.publish") == {
        "manifest": (package / "manifest.json").read_bytes(),
        "wasm": b"\0asm\1\0\0\0",
        "ask": str(AIN // 5),
    }
    assert AGENT in typed.out
    assert "stored" in typed.err
    assert ainur("agent", "publish", str(package), "--ask", "0.2", "--json").json["package"] == PACKAGE


def test_publish_ends_with_the_nodes_refusal(node: FakeNode, ainur: Type, package: Path) -> None:
    node.publishing = [{"text": "stored"}, refusal("stake_too_low", "fund the account")]  # type: ignore[list-item]

    typed = ainur("agent", "publish", str(package), "--ask", "0.2")

    assert typed.code == 1
    assert "stake_too_low" in typed.err


@pytest.mark.parametrize("manifest", ["{", "[]", "{}", '{"module":{"file":"../a.wasm"}}', '{"module":{"file":7}}'])
def test_manifests_that_name_no_file_beside_them_are_usage(
    node: FakeNode, ainur: Type, package: Path, manifest: str
) -> None:
    (package / "manifest.json").write_text(manifest)

    assert ainur("agent", "publish", str(package), "--ask", "0.2").code == 2


def test_offer_withdraw_and_show_name_agents_whole_or_by_their_first_digits(node: FakeNode, ainur: Type) -> None:
    assert ainur("agent", "offer", PACKAGE, "--ask", "0.3").code == 0
    assert node.params("agent.offer") == {"package": PACKAGE, "ask": "300000000000"}
    assert ainur("agent", "withdraw", AGENT).code == 0
    assert node.params("agent.withdraw") == {"agent": AGENT}
    assert "0.2 AIN" in ainur("agent", "show", AGENT).out
    assert ainur("agent", "withdraw", AGENT[:10]).code == 0
    assert node.params("agent.withdraw") == {"agent": AGENT}
    assert ainur("agent", "withdraw", "0123456789").code == 2


def test_retire_ends_an_agent_for_good(node: FakeNode, ainur: Type) -> None:
    typed = ainur("agent", "retire", AGENT[:10])

    assert (typed.code, node.params("agent.retire")) == (0, {"agent": AGENT})
    assert "for good" in typed.out


def test_update_keeps_name_and_ask_of_the_agent(node: FakeNode, ainur: Type, package: Path) -> None:
    named = {"name": "text-summary", "module": {"file": "a.wasm"}}
    (package / "manifest.json").write_text(json.dumps(named))
    assert ainur("agent", "update", AGENT, str(package)).code == 0
    assert node.params("agent.publish")["ask"] == str(AIN // 5)
    assert ainur("agent", "update", AGENT, str(package), "--ask", "0.3").code == 0
    assert node.params("agent.publish")["ask"] == str(3 * AIN // 10)

    node.answers["agent.show"] = {"id": AGENT, "name": "text-summary", "ask": None}
    assert ainur("agent", "update", AGENT, str(package)).code == 2
    node.answers["agent.show"] = {"id": AGENT, "name": "another", "ask": "1"}
    assert ainur("agent", "update", AGENT, str(package)).code == 2


def test_agent_list_has_the_fields_of_the_contract(node: FakeNode, ainur: Type) -> None:
    typed, as_json = ainur("agent", "list", "--capability", "summarize"), ainur("agent", "list", "--json")

    assert node.asked[0][1] == {"capability": "summarize"}
    assert "0.2 AIN" in typed.out
    assert "sealed" in typed.out
    assert set(as_json.json["agents"][0]) == {"id", "name", "capability", "ask", "node", "package", "reputation"}


def test_lint_ends_with_1_when_nodes_would_refuse(node: FakeNode, ainur: Type, package: Path) -> None:
    assert ainur("agent", "lint", str(package)).code == 0
    node.answers["agent.lint"] = {"ok": False, "findings": [{"code": "forbidden_import", "detail": "env.system"}]}
    typed = ainur("agent", "lint", str(package / "a.wasm"))
    assert typed.code == 1
    assert "forbidden_import: env.system" in typed.out


def test_auctions_are_found_by_their_own_id_or_their_tasks(node: FakeNode, ainur: Type) -> None:
    typed = ainur("auction", "verify", AUCTION, "--counterfactual")

    assert typed.code == 0
    assert node.params("auction.verify") == {"auction": AUCTION, "counterfactual": True}
    assert "won" in typed.out
    assert "0.25 AIN" in typed.out

    node.answers["auction.show"] = refusal("unknown_auction")
    assert ainur("auction", "show", TASK).code == 1
    assert [params for _, params in node.asked[-2:]] == [{"auction": TASK}, {"task": TASK}]


def test_an_auction_that_does_not_hold_exits_with_5(node: FakeNode, ainur: Type) -> None:
    node.answers["auction.verify"] |= {"ok": False, "faults": ["the price is wrong"]}

    typed = ainur("auction", "verify", AUCTION)

    assert typed.code == 5
    assert "the price is wrong" in typed.out
    assert ainur("auction", "verify", AUCTION, "--json").json["ok"] is False


def test_why_counts_reasons_in_sentences(node: FakeNode, ainur: Type) -> None:
    assert "2 × ask_above_reserve: they ask more" in ainur("auction", "why", "3fa9c1").out


def test_receipts_replay(node: FakeNode, ainur: Type) -> None:
    assert "fuel_used" in ainur("receipt", "show", TASK).out
    assert "same result" in ainur("receipt", "verify", TASK).out
    node.answers["receipt.verify"] = {"ok": False, "replayed": True, "checks": [{"name": "output", "ok": False}]}
    typed = ainur("receipt", "verify", TASK)
    assert typed.code == 5
    assert "FAIL  output" in typed.out


def test_wallet_shows_money_in_ain_and_planck(node: FakeNode, ainur: Type) -> None:
    assert "98 AIN" in ainur("wallet", "show").out
    assert "held: EscrowFunds" in ainur("wallet", "balance").out
    assert ainur("wallet", "balance", "--json").json["free"] == str(99 * AIN)
    assert ainur("wallet", "balance", BOB).code == 0
    assert node.params("wallet.balance") == {"account": BOB_KEY}


def test_wallet_tells_what_can_be_claimed_and_when(node: FakeNode, ainur: Type) -> None:
    claim = {"amount": str(AIN // 4), "at": BEGAN, "why": "review_over", "task": TASK, "escrow": ESCROW}
    node.answers["wallet.balance"] = node.answers["wallet.balance"] | {"claimable": [claim]}

    assert "0.25 AIN at 2026-09-21 14:13:20Z, unless the payer answers before" in ainur("wallet", "balance").out
    assert ainur("wallet", "balance", "--json").json["claimable"][0]["at"] == "2026-09-21T14:13:20.000Z"


def test_wallet_moves_money_in_planck(node: FakeNode, ainur: Type) -> None:
    assert ainur("wallet", "fund", "100").code == 0
    assert node.params("wallet.fund") == {"amount": str(100 * AIN)}
    assert ainur("wallet", "transfer", BOB, "0.000000000001").code == 0
    sent = node.params("wallet.transfer")
    assert (sent["to"], sent["amount"]) == (BOB_KEY, "1")
    assert ainur("wallet", "transfer", BOB, "1", "--key", "rent of may").code == 0
    assert node.params("wallet.transfer") == {"to": BOB_KEY, "amount": str(AIN), "key": "rent of may"}
    assert sent["key"] != "rent of may"


def test_the_ledger_can_be_asked_for_what_is_pending(node: FakeNode, ainur: Type) -> None:
    assert "VcgAuction.open" in ainur("wallet", "ledger").out
    assert ainur("wallet", "ledger", "--pending").code == 0
    assert node.params("wallet.ledger") == {"pending": True, "limit": 20}


def test_an_audit_that_does_not_balance_exits_with_5(node: FakeNode, ainur: Type) -> None:
    typed = ainur("wallet", "audit")
    assert typed.code == 0
    assert "difference" in typed.out
    node.answers["wallet.audit"] |= {"difference": "1"}
    assert ainur("wallet", "audit").code == 5


def test_chain_status(node: FakeNode, ainur: Type) -> None:
    assert "spec version" in ainur("chain", "status").out


def test_a_new_wallet_has_an_address_and_is_made_once(ainur: Type, home: Path) -> None:
    made = ainur("wallet", "new", "--json")

    assert made.code == 0
    assert len(made.json["account"]) == 64
    assert made.json["ss58"].startswith("5")
    again = ainur("wallet", "new")
    assert again.code == 4
    assert again.err


def test_config_errors_name_the_key(ainur: Type, home: Path) -> None:
    (home / "config.toml").write_text("[market]\ncommit_windw_ms = 3\n")

    typed = ainur("config", "check")

    assert typed.code == 4
    assert "market.commit_windw_ms" in typed.err


def test_config_show_has_every_source(ainur: Type, home: Path) -> None:
    (home / "config.toml").write_text('[node]\nname = "mine"\n')

    shown = ainur("config", "show", "--json").json["config"]

    assert shown["node.name"] == {"value": "mine", "source": str(home / "config.toml")}
    assert shown["chain.mode"]["source"] == "default"
    assert ainur("config", "check").code == 0


def test_stop_without_a_node_is_done_already(ainur: Type) -> None:
    typed = ainur("stop", "--json")

    assert typed.code == 0
    assert typed.json["stopped"] is False


def test_there_is_no_devnet_to_take_down(ainur: Type) -> None:
    assert ainur("devnet", "down").code == 3
    assert ainur("devnet", "up", "--nodes", "2").code == 2


def test_an_auctions_ends_are_utc_times_and_market_time_is_kept_beside(node: FakeNode, ainur: Type) -> None:
    shown = {"auction": AUCTION, "state": "open", "commit_end": 5_000, "reveal_end": 9_000, "market_now": 4_000}
    node.answers["auction.show"] = shown

    found = ainur("auction", "show", AUCTION, "--json").json

    assert found["market_time"] == {"commit_end": 5_000, "reveal_end": 9_000}
    ends = [datetime.fromisoformat(found[name]) for name in ("commit_end", "reveal_end")]
    assert ends[1] - ends[0] == timedelta(seconds=4)
    assert all(end.utcoffset() == timedelta(0) for end in ends)
    assert str(ends[0].year) in ainur("auction", "show", AUCTION).out


def test_times_of_the_ledger_are_utc(node: FakeNode, ainur: Type) -> None:
    at = ainur("wallet", "ledger", "--json").json["rows"][0]["at"]
    assert at.endswith("Z")
    assert datetime.fromisoformat(at).utcoffset() == timedelta(0)


def test_bytes_and_json_do_not_share_stdout(node: FakeNode, ainur: Type) -> None:
    assert ainur("task", "result", TASK, "--out", "-", "--json").json["error"]["code"] == "usage"
    assert ainur("task", "result", TASK, "--out", "-").code == 0


def test_options_of_waiting_need_wait(node: FakeNode, ainur: Type, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("words")
    line = ["task", "submit", "--agent", "summarize", "--input", str(tmp_path / "in.txt"), "--budget", "1"]
    typed = ainur(*line, "--out", str(tmp_path / "out.json"))
    assert typed.code == 2
    assert "--wait" in typed.err


def test_agents_that_nobody_offers_are_named(node: FakeNode, ainur: Type) -> None:
    node.answers["agent.list"] = {"agents": []}
    assert "nobody offers translate" in ainur("agent", "list", "--capability", "translate").out


def test_an_offer_taken_back_is_shown_as_withdrawn(node: FakeNode, ainur: Type) -> None:
    row = {"id": AGENT, "name": "a", "capability": "c", "ask": None, "own": True, "node": "n1", "package": PACKAGE}
    node.answers["agent.list"] = {"agents": [row, {**row, "own": False}]}
    out = ainur("agent", "list").out
    assert "withdrawn" in out
    assert "sealed" in out


def test_a_home_without_keys_is_not_run(ainur: Type, tmp_path: Path) -> None:
    typed = ainur("--home", str(tmp_path / "nobody"), "run")
    assert typed.code == 4
    assert "init" in typed.err
    assert not (tmp_path / "nobody").exists()


def test_status_tells_of_orders_that_were_set_aside(node: FakeNode, ainur: Type) -> None:
    assert "set aside" not in ainur("status").out
    node.answers["node.status"] |= {"engine": {"parked": 2}}

    assert "2 orders ended the node three times and are set aside" in ainur("status").out


CHANNEL = "4c" * 32


def channel_answer(**changes: object) -> dict[str, object]:
    return {
        "channel": CHANNEL,
        "direction": "paying",
        "payer": "ab" * 32,
        "payee": BOB_KEY,
        "state": "open",
        "deposit": str(5 * AIN),
        "promised": str(AIN),
        "left": str(4 * AIN),
        "steps": 7,
        "expires_at": 1_790_000_000_000,
        "chain": {"deposit": str(5 * AIN), "claimed": "0", "left": str(5 * AIN), "closing_at": None},
        **changes,
    }


def test_a_channel_is_opened_topped_up_and_shown(node: FakeNode, ainur: Type) -> None:
    node.answers |= {
        "channel.open": channel_answer(),
        "channel.top_up": channel_answer(),
        "channel.show": channel_answer(),
        "channel.list": {"channels": [channel_answer()]},
    }

    assert "5 AIN set aside" in ainur("channel", "open", BOB, "5", "--challenge", "30s").out
    assert node.params("channel.open") == {"payee": BOB_KEY, "deposit": str(5 * AIN), "challenge_ms": 30_000}
    assert ainur("channel", "top-up", CHANNEL, "2.5").code == 0
    assert node.params("channel.top_up") == {"channel": CHANNEL, "amount": str(5 * AIN // 2)}
    assert ainur("channel", "show", CHANNEL[:8], "--json").json["expires_at"] == "2026-09-21T14:13:20.000Z"
    assert "4c4c4c4c" in ainur("channel", "show").out
    assert ainur("channel", "show", "777777").code == 2
    assert ainur("channel", "open", "nobody", "5").code == 2


def test_a_channel_is_closed_by_both_or_by_the_chain(node: FakeNode, ainur: Type) -> None:
    node.answers["channel.close"] = channel_answer(how="mutual", paid=str(AIN), returned=str(4 * AIN), block=9)
    assert "both sides signed the end" in ainur("channel", "close", CHANNEL).out
    assert node.params("channel.close") == {"channel": CHANNEL, "alone": False}
    node.answers["channel.close"] = channel_answer(how="requested", closes_at=1_790_000_000_000)
    typed = ainur("channel", "close", CHANNEL, "--alone")
    assert "may claim until 2026-09-21 14:13:20Z" in typed.out
    assert node.params("channel.close") == {"channel": CHANNEL, "alone": True}
