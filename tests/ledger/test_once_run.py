"""A few rounds of the run that `python -m tests.ledger.once_run --rounds 200` does in full."""

import json
from pathlib import Path

import pytest

from tests.ledger.once_rounds import STEPS, run_rounds


@pytest.mark.slow  # a chain host, and a client process for each round
@pytest.mark.real
@pytest.mark.timeout(900)
def test_a_client_that_is_killed_at_every_step_pays_everything_exactly_once(tmp_path: Path, dsn: str) -> None:
    found = run_rounds(tmp_path, dsn, 2 * len(STEPS), 20_261_121, print)

    assert found["good"], json.dumps(found)
    assert found["missing"] == found["twice"] == 0
    assert found["intents"] >= len(STEPS)
    assert found["cuts"] > 0
