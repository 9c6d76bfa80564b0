"""The diagrams of docs/states.md are those of the code, and show every state and every fact that may follow it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import test_provider_steps
import test_requester_steps

from ainur_node.domain import provider, requester

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def diagrams() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        import diagrams

        yield diagrams


def follows(life: object) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for phase, name in sys.modules["diagram_lives"].explored(life):
        found.setdefault(phase, set()).add(name)
    return found


def test_the_page_is_what_the_code_does(diagrams: ModuleType) -> None:
    written = (ROOT / "docs" / "states.md").read_text("utf-8") if diagrams.FILE.exists() else ""

    assert written == diagrams.written(), "run: make diagrams"


def test_every_phase_of_a_task_can_be_reached_and_every_fact_may_follow(diagrams: ModuleType) -> None:
    expected = {phase: set(names.split()) for phase, names in test_requester_steps.FOLLOWS.items() if names}
    for names in expected.values():
        names.update({"WinnerFailed"} if "Settled" in names else ())  # given back is one way to fail

    assert follows(diagrams.task_life()) == expected
    assert set(expected) | requester.FINAL == set(requester.Phase)


def test_every_phase_of_a_job_can_be_reached_and_every_fact_may_follow(diagrams: ModuleType) -> None:
    expected = {phase: set(names.split()) for phase, names in test_provider_steps.FOLLOWS.items() if names}

    assert follows(diagrams.job_life()) == expected
    assert set(expected) | provider.FINAL == set(provider.Phase)


def test_every_life_begins_once_and_ends_where_nothing_follows(diagrams: ModuleType) -> None:
    for section in diagrams.written().split("\n## ")[1:]:
        arrows = re.findall(r"^    (\S+) --> (\S+?)(?:: .*)?$", section, re.MULTILINE)
        sources, targets = {a for a, _ in arrows}, {b for _, b in arrows}
        assert len([a for a, _ in arrows if a == "[*]"]) == 1
        assert sources == targets, section
