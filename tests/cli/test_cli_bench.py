"""``ainur bench`` and ``ainur demo``: what they do with what they see."""

from pathlib import Path
from typing import Any

import pytest
from cli_world import AIN, FakeNode, Type

from ainur_node.cli.bench import Sample, percentiles, stages
from ainur_node.config import MarketConfig
from ainur_node.devnet.proof import NotProven

STORY = {
    "scenario": "task",
    "task": "3f" * 32,
    "auction": "a" * 64,
    "bids": 3,
    "winner": "n1",
    "ask": str(AIN // 5),
    "penalty": "0",
    "second": str(AIN // 4),
    "paid": str(AIN // 4),
    "fee": str(AIN // 400),
    "reserve": str(AIN),
    "budget": str(AIN),
    "fees": {"n1": "1000"},
    "result_sha256": "c" * 64,
    "transcript": "d" * 64,
    "escrow": "released",
    "reputation": {"before": 500_000, "after": 501_234},
    "nodes": [{"name": "n1", "pid": 7, "peer_id": "12D3"}],
    "balances": {"before": {"n1": str(AIN)}, "after": {"n1": str(AIN + AIN // 4)}},
    "audit": {"difference": 0},
    "verify": "ainur auction verify x",
    "seconds": 12.5,
}


def test_percentiles_are_nearest_ranks() -> None:
    assert percentiles([float(n) for n in range(1, 101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([2.0]) == {"p50": 2.0, "p95": 2.0, "p99": 2.0}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}


def test_stages_are_the_times_between_facts() -> None:
    sample = Sample(3.0, "settled", [("Submitted", 1000), ("Funded", 1100), ("Settled", 3000)])

    assert stages([sample]) == {
        "Funded": {"p50": 0.1, "p95": 0.1, "p99": 0.1},
        "Settled": {"p50": 1.9, "p95": 1.9, "p99": 1.9},
    }


def test_a_bench_measures_the_running_node(node: FakeNode, ainur: Type, home: Path) -> None:
    (home / "devnet" / "w-a").mkdir(parents=True)
    (home / "devnet" / "w-a" / "submitter").symlink_to(home)
    (home / "devnet" / "current").symlink_to(Path("w-a") / "submitter")

    typed = ainur("bench", "e2e", "--tasks", "6", "--at-once", "3", "--alone", "2", "--json")

    assert typed.code == 0, typed.err
    found = typed.json
    assert node.params("task.submit")["budget"] == str(AIN)
    assert found["ends"] == {"settled": 8}
    market = MarketConfig()
    assert found["windows"] == {"commit_ms": market.commit_window_ms, "reveal_ms": market.reveal_window_ms}
    assert found["stages"]["Settled"]["p50"] == 1.02
    assert found["throughput"]["tasks_per_second"] > 0
    assert found["latency"]["p99"] is not None
    assert "tasks per second" in ainur("bench", "e2e", "--tasks", "1", "--alone", "1").out


def test_a_bench_with_failures_exits_with_5(node: FakeNode, ainur: Type, home: Path) -> None:
    (home / "devnet" / "w-a").mkdir(parents=True)
    (home / "devnet" / "w-a" / "submitter").symlink_to(home)
    (home / "devnet" / "current").symlink_to(Path("w-a") / "submitter")
    node.story = [*node.story[:2], {**node.story[2], "phase": "refunded"}]

    typed = ainur("bench", "e2e", "--tasks", "1", "--alone", "1", "--json")

    assert typed.code == 5
    assert typed.json["failed"] == 2


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces the demo's world with a story."""
    from ainur_node.devnet import demo

    asked: dict[str, Any] = {}

    def run_demo(home: Path, scenario: str = "task", *, keep: bool, document: Path | None, tell: Any) -> dict[str, Any]:
        asked.update({"home": home, "scenario": scenario, "keep": keep, "document": document})
        tell({"step": "chain", "text": "the chain runs", "seconds": 1.0})
        if asked.get("fails"):
            raise NotProven(["the escrow is open"], {"task": "x"})
        return STORY

    monkeypatch.setattr(demo, "run_demo", run_demo)
    return asked


def test_the_demo_tells_its_story_on_stdout(told: dict[str, Any], ainur: Type, home: Path) -> None:
    typed = ainur("demo", "--keep")

    assert typed.code == 0
    assert told["keep"] is True
    assert told["home"] == home
    assert "the chain runs" in typed.out
    assert "0.25 AIN and 0.0025 AIN fee" in typed.out
    assert "500000 → 501234" in typed.out


def test_the_demo_has_every_field_of_its_contract(told: dict[str, Any], ainur: Type) -> None:
    typed = ainur("demo", "--json")

    assert typed.out.count("\n") == 1
    assert set(STORY) <= set(typed.json)
    assert "the chain runs" in typed.err


def test_a_demo_that_proves_nothing_exits_with_5(told: dict[str, Any], ainur: Type) -> None:
    told["fails"] = True

    typed = ainur("demo", "--json")

    assert typed.code == 5
    assert typed.json["error"]["code"] == "not_proven"
    assert "the escrow is open" in typed.err


def test_scenarios_are_listed_and_checked(told: dict[str, Any], ainur: Type) -> None:
    assert "task" in ainur("demo", "--list", "--json").json["scenarios"]
    assert ainur("demo", "nonsense").code == 2
    assert ainur("demo", "--input", "/nonexistent").code == 2
