"""Faults that break parts: what they see of a world, and when they strike."""

import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ainur_node.devnet.faults import breaking
from ainur_node.devnet.faults.menu import find
from ainur_node.devnet.faults.parts import KeptParts
from ainur_node.supervisor.pids import Identity


def fact(kind: str) -> str:
    return json.dumps({"event": "fact", "fact": kind}) + "\n"


def nobody() -> Mapping[str, Identity]:
    return {}


def test_facts_are_told_once_and_only_when_their_line_is_whole(tmp_path: Path) -> None:
    parts, log = KeptParts(tmp_path, nobody), tmp_path / "n1.log"
    assert parts.facts("n1") == []

    log.write_text(fact("Funded") + "no JSON\n" + '{"event": "peer_met"}\n[]\n' + fact("Cleared")[:-1])
    assert parts.facts("n1") == ["Funded"]
    with log.open("a") as more:
        more.write("\n" + fact("Escrowed"))

    assert parts.facts("n1") == ["Cleared", "Escrowed"]
    assert parts.facts("n1") == []


def test_a_log_that_was_cut_is_read_from_its_start(tmp_path: Path) -> None:
    parts, log = KeptParts(tmp_path, nobody), tmp_path / "n1.log"
    log.write_text(fact("Funded") * 10)
    assert len(parts.facts("n1")) == 10

    log.write_text(fact("Cleared"))

    assert parts.facts("n1") == ["Cleared"]


def test_a_part_that_is_not_there_is_sent_nothing(tmp_path: Path) -> None:
    assert not KeptParts(tmp_path, nobody).send("chain", signal.SIGKILL)


class Told:
    """Parts that do as they are told by the test."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.sent: list[tuple[str, signal.Signals]] = []

    def facts(self, node: str) -> list[str]:
        news, self.news = self.news, []
        return news

    def send(self, part: str, how: signal.Signals) -> bool:
        self.sent.append((part, how))
        return True


@pytest.mark.parametrize(
    ("name", "part", "moment"), [("chain-restarts", "chain", "Cleared"), ("database-restarts", "database", "Escrowed")]
)
def test_a_part_is_killed_once_for_each_moment(name: str, part: str, moment: str) -> None:
    trouble, parts = find(name).trouble, Told()
    assert trouble is not None
    turns = trouble(parts)

    for news in (["Funded"], [moment], [], ["Settled"], [moment]):
        parts.news = news
        next(turns)

    assert parts.sent == [(part, signal.SIGKILL)] * 2


def test_a_stopped_winner_goes_on_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, parts = 100.0, Told()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    turns = breaking.stops_the_winner(parts)
    next(turns)

    parts.news = ["Awarded"]
    next(turns)
    next(turns)
    assert parts.sent == [("n1", signal.SIGSTOP)]
    now += breaking.STOPPED_SECONDS + 1
    next(turns)

    assert parts.sent == [("n1", signal.SIGSTOP), ("n1", signal.SIGCONT)]


def test_a_stopped_winner_goes_on_when_its_world_ends() -> None:
    parts = Told()
    turns = breaking.stops_the_winner(parts)
    parts.news = ["Awarded"]
    next(turns)

    turns.close()  # type: ignore[attr-defined]

    assert parts.sent == [("n1", signal.SIGSTOP), ("n1", signal.SIGCONT)]
