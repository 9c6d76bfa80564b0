"""What `ainur demo upgrade` calls a proof."""

from typing import Any

import pytest

from ainur_node.devnet.upgrade_demo import upgrade_faults


def story(**changes: Any) -> dict[str, Any]:
    good = {"from": 1, "to": 2, "in_flight": [{"task": "ab", "phase": "running"}], "lost": []}
    return good | {"audit": {"difference": 0}} | changes


def test_a_story_without_a_loss_is_proven() -> None:
    assert upgrade_faults(story(), 7, 7) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": 1}, "the runtime went from 1 to 1"),
        ({"in_flight": []}, "no task was in flight when the runtime changed"),
        ({"lost": ["ab", "cd"]}, "2 tasks were not paid"),
        ({"audit": {"difference": 1}}, "the audit differs: money was lost or made"),
    ],
)
def test_each_broken_promise_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert upgrade_faults(story(**changes), 7, 7) == [sentence]


def test_a_changed_issuance_is_a_fault() -> None:
    assert upgrade_faults(story(), 7, 8) == ["the audit differs: money was lost or made"]
