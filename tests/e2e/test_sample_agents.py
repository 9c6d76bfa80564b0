"""All agents of the repository in one world: published, hired by name, checked against what Python says, proven."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import csv_reference
import pytest
from e2e_world import ROOT, Ainur, Said

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

AGENTS = {"text-summary": "summarize", "csv-profile": "profile-csv", "json-query": "query-json"}


@pytest.fixture
def market(ainur: Ainur) -> Iterator[Ainur]:
    """A world in which n2 offers every agent for less than the others do, by the command line."""
    up = ainur("devnet", "up", timeout=240)
    assert up.code == 0, up
    try:
        for name, capability in AGENTS.items():
            directory = str(ROOT / "agents" / name)
            assert ainur("--node", "n2", "agent", "lint", directory, timeout=120).data["ok"]
            said = ainur("--node", "n2", "agent", "publish", directory, "--ask", "0.1", timeout=240)
            assert (said.code, said.data["capability"]) == (0, capability), said
        yield ainur
        assert ainur("wallet", "audit").data["difference"] == 0
    finally:
        assert ainur("devnet", "down", timeout=60).code == 0


def paid_for(market: Ainur, agent: str, document: Path, tmp_path: Path) -> bytes:
    """The output of a task, settled with n2; receipt and auction verify, the latter at a node that took no part."""
    out = tmp_path / "result.json"
    words = ("--agent", agent, "--input", str(document), "--budget", "1", "--deadline", "60s", "--out", str(out))
    done: Said = market("task", "submit", *words, "--wait", timeout=300)
    assert (done.code, done.data["phase"], done.data["outcome"]) == (0, "settled", "paid"), done
    n2 = next(node for node in market("devnet", "status").data["nodes"] if node["name"] == "n2")
    assert done.data["winner"]["provider"] == n2["account"]
    receipt = market("receipt", "verify", str(done.data["task"]), timeout=120)
    assert (receipt.code, receipt.data["ok"]) == (0, True), receipt
    auction = market("--node", "observer", "auction", "verify", str(done.data["auction"]), timeout=120)
    assert auction.code == 0, auction
    assert all(check["ok"] for check in auction.data["checks"])
    return out.read_bytes()


def orders(count: int) -> list[dict[str, Any]]:
    """Made-up sales: always the same."""
    chance = random.Random(4)
    customers = ["Ada", "Chidi", 'Grün, "Söhne"', "李", ""]
    return [
        {
            "order": 1000 + number,
            "day": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "customer": chance.choice(customers),
            "price": str(Decimal(chance.randint(1, 99_999)) / 100),
            "paid": chance.random() < 0.7,
        }
        for number in range(count)
    ]


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The orders as RFC 4180 wants them."""
    quoted = [
        [str(row["order"]), row["day"], '"' + row["customer"].replace('"', '""') + '"', row["price"], str(row["paid"])]
        for row in rows
    ]
    return "\r\n".join(",".join(cells) for cells in [list(rows[0]), *quoted]) + "\r\n"


def test_each_agent_is_found_hired_paid_and_right(market: Ainur, tmp_path: Path) -> None:
    assert {row["name"]: row["capability"] for row in market("agent", "list").data["agents"]} == AGENTS
    rows = orders(2_000)

    text = as_csv(rows)
    (tmp_path / "orders.json").write_text(json.dumps({"csv": text}, ensure_ascii=False))
    found = json.loads(paid_for(market, "csv-profile", tmp_path / "orders.json", tmp_path))
    assert found == csv_reference.profile(text)
    assert found["columns"][3]["sum"] == str(sum(Decimal(row["price"]) for row in rows))

    query = ".orders | map(select(.paid and .order >= 2500)) | sort_by(.day, .order) | map(.order)"
    (tmp_path / "query.json").write_text(json.dumps({"document": {"orders": rows}, "query": query}))
    found = json.loads(paid_for(market, "json-query", tmp_path / "query.json", tmp_path))
    late = sorted((row for row in rows if row["paid"] and row["order"] >= 2500), key=lambda r: (r["day"], r["order"]))
    assert found == {"results": [[row["order"] for row in late]]}

    document = ROOT / "LICENSE"
    found = json.loads(paid_for(market, "text-summary", document, tmp_path))
    flat = " ".join(document.read_text().split())
    places = [flat.find(" ".join(sentence.split())) for sentence in found["sentences"]]
    assert len(places) == 3
    assert -1 not in places
    assert places == sorted(places)
    assert all(keyword.lower() in flat.lower() for keyword in found["keywords"])

    examples = {name: ROOT / "agents" / name / "example.json" for name in ("csv-profile", "json-query")}
    found = json.loads(paid_for(market, "csv-profile", examples["csv-profile"], tmp_path))
    assert found == csv_reference.profile(json.loads(examples["csv-profile"].read_text())["csv"])
    found = json.loads(paid_for(market, "json-query", examples["json-query"], tmp_path))
    assert found == {"results": [[{"customer": "Ada", "total": 14.5}, {"customer": "Chidi", "total": 29.0}]]}
