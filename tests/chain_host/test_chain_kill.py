"""kill -9 in the middle of transactions: nothing that was acknowledged is lost."""

from pathlib import Path

import pytest

from tests.chain_host.dying import POINTS
from tests.chain_host.kill_run import AT_RANDOM, Round, counts, kill_rounds, table

ROUNDS = 2 * len(POINTS)


def check(rounds: list[Round], *, every_round: bool = True) -> None:
    assert any(each.acknowledged for each in rounds), table(rounds)
    assert not every_round or all(each.acknowledged for each in rounds), table(rounds)
    assert not any(each.missing for each in rounds), table(rounds)
    assert all(each.root_ok for each in rounds), table(rounds)


@pytest.mark.real
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, cache: Path):
    check(kill_rounds(tmp_path, 2, cache=cache, seed=1))


@pytest.mark.real
@pytest.mark.slow
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path, cache: Path):
    check(kill_rounds(tmp_path, 20, cache=cache, seed=2))


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_death_at_every_step_of_making_a_block_leaves_a_whole_block(tmp_path: Path, cache: Path):
    rounds = kill_rounds(tmp_path, ROUNDS, cache=cache, seed=3, mid_block=True)

    check(rounds, every_round=False)
    assert set(counts(rounds)) == {*POINTS, AT_RANDOM}, table(rounds)
