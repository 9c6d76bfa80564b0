"""`ainur demo upgrade`: a new runtime under tasks in flight, through real processes."""

import pytest
from e2e_world import Ainur

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_no_task_is_lost_when_the_runtime_changes(ainur: Ainur) -> None:
    said = ainur("demo", "upgrade", timeout=600)

    assert said.code == 0, said
    found = said.data
    assert found["to"] == found["from"] + 1
    assert found["in_flight"]
    assert found["lost"] == []
    assert {row["phase"] for row in found["tasks"]} == {"settled"}
    assert found["audit"]["difference"] == 0
    assert list(ainur.home.iterdir()) == []
