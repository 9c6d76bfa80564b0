"""What the local protocol leaves on disk: where a node is, and reports of bugs."""

import json
import os
from pathlib import Path

import pytest

from ainur_node.rpc import crash
from ainur_node.rpc.crash import write_crash_report
from ainur_node.rpc.whereabouts import (
    Whereabouts,
    is_running,
    read_whereabouts,
    remove_whereabouts,
    whereabouts_path,
    write_whereabouts,
)

HERE = Whereabouts(7, "/run/rpc.sock", "12D3", ["/ip4/127.0.0.1/tcp/1"], "ab", "cd", "ws://x", "n1", 1)


def test_where_a_node_is_can_be_read_back_and_forgotten(tmp_path: Path) -> None:
    write_whereabouts(tmp_path, HERE)
    write_whereabouts(tmp_path, HERE)

    assert read_whereabouts(tmp_path) == HERE
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["node.json"]
    remove_whereabouts(tmp_path)
    remove_whereabouts(tmp_path)
    assert read_whereabouts(tmp_path) is None


@pytest.mark.parametrize("change", [{"pid": "7"}, {"pid": -1}, {"pid": True}, {"rpc": None}, {"rpc": 3}])
def test_odd_values_are_damage(tmp_path: Path, change: dict[str, object]) -> None:
    write_whereabouts(tmp_path, HERE)
    path = whereabouts_path(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(ValueError, match="damaged"):
        read_whereabouts(tmp_path)


def test_more_fields_than_we_know_are_from_a_newer_node(tmp_path: Path) -> None:
    write_whereabouts(tmp_path, HERE)
    path = whereabouts_path(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}))

    assert read_whereabouts(tmp_path) == HERE


def test_processes_run_or_do_not() -> None:
    assert is_running(os.getpid())
    assert not is_running(2**40)


def test_reports_are_private_short_and_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "MAX_REPORTS", 3)
    monkeypatch.setattr(crash, "MAX_REPORT", 200)

    for _ in range(6):
        path = write_crash_report(tmp_path / "crashes", ValueError("é" * 5000), "testing \udcff")

    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size <= 200
    assert len(list((tmp_path / "crashes").iterdir())) == 3


def test_a_report_finds_another_place_when_the_first_is_barred(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    path = write_crash_report(tmp_path / "file" / "crashes", ValueError("x"), "testing")

    assert path.exists()
    path.unlink()
