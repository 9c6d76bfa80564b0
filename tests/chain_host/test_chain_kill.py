"""kill -9 in the middle of transactions: nothing that was acknowledged is lost."""

from pathlib import Path

import pytest

from tests.chain_host.kill_run import Round, kill_rounds, table


def check(rounds: list[Round]) -> None:
    assert all(each.acknowledged for each in rounds), table(rounds)
    assert not any(each.missing for each in rounds), table(rounds)
    assert all(each.root_ok for each in rounds), table(rounds)


@pytest.mark.real
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, cache: Path):
    check(kill_rounds(tmp_path, 2, cache=cache, seed=1))


@pytest.mark.real
@pytest.mark.slow
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path, cache: Path):
    check(kill_rounds(tmp_path, 20, cache=cache, seed=2))
