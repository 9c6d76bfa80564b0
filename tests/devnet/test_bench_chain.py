"""The chain's bench: its arithmetic, what it says of chains that are not there, and one small real run."""

import json
from pathlib import Path
from typing import Any

import pytest

from ainur_node.cli.app import run
from ainur_node.devnet import bench_chain, bench_chains
from pallets_client.keys import Sr25519, development_seed
from pallets_client.records import Call

CALL = Call("System", "remark", {"remark": b""})


def row(**changes: Any) -> dict[str, Any]:
    return {"chain": "embedded", "rpc_per_second": 500.0, "largest_block": 40, **changes}


def test_goals_are_compared_with_what_was_reached() -> None:
    found = bench_chain.goals(row(inside={"built_per_second": 950.0, "followed_per_second": None}))

    assert found["rpc_per_second"] == {"goal": 600, "reached": 500.0, "met": False}
    assert found["built_per_second"]["met"] is True
    assert found["followed_per_second"] == {"goal": 1_300, "reached": None, "met": False}


def test_what_bounds_a_chain_is_told_from_its_own_numbers() -> None:
    apart = {"validated_per_second": 2_000.0, "built_per_second": 1_000.0}

    assert "checking for the pool 0.50 ms" in bench_chain.bounds(row(inside=apart))
    assert "roots and disk 0.50 ms" in bench_chain.bounds(row(inside=apart))
    assert bench_chain.bounds(row()) == "not measured"
    assert "2 s" in bench_chain.bounds(row(chain="native"))
    assert "each extrinsic" in bench_chain.bounds(row(chain="chopsticks"))


def test_batches_hold_calls_of_one_account_and_count_all_of_them() -> None:
    ann, bob = (Sr25519(development_seed(name)) for name in ("ann", "bob"))

    packed, counts = bench_chain._packed([(ann, CALL), (bob, CALL), (ann, CALL), (ann, CALL)], 2)

    assert counts == [2, 1, 1]
    assert [(key.account, len(call.args["calls"])) for key, call in packed] == [
        (ann.account, 2),
        (ann.account, 1),
        (bob.account, 1),
    ]


def test_a_chain_that_is_not_installed_is_told_as_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_chains, "_make_world", lambda world, bank: None)
    monkeypatch.setenv("AINUR_CHAIN_NODE", str(tmp_path / "none"))
    monkeypatch.setenv("AINUR_CHOPSTICKS", str(tmp_path / "none"))
    line = ["bench", "chain", "--only", "native", "--only", "chopsticks", "--json"]

    code = run(line, {"AINUR_HOME": str(tmp_path / "home")})

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == 5
    assert "make chain-node" in found["skipped"]["native"]
    assert "make chopsticks" in found["skipped"]["chopsticks"]
    assert found["chains"] == []


@pytest.mark.slow  # a chain host, and the same blocks again in two others
@pytest.mark.real
def test_a_small_bench_counts_every_call_and_both_instances_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["bench", "chain", "--only", "embedded", "--calls", "24", "--batched", "8", "--accounts", "2", "--json"]

    code = run(line, {"AINUR_HOME": str(tmp_path / "home")})

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    (embedded,) = found["chains"]
    assert code == 0
    assert (embedded["calls"], embedded["refused"]) == (24, 0)
    assert embedded["batches"]["calls"] == 8
    assert embedded["inside"]["agree"] is True
    assert embedded["inside"]["calls"] == 12
    assert all(embedded[name] > 0 for name in ("rpc_per_second", "pool_per_second", "cpu_ms_per_call"))
    assert set(found["goals"]) == set(bench_chain.GOALS)
