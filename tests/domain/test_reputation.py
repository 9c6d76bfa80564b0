"""Scores and penalties: the same rule as chain/primitives/src/score.rs, to the unit."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ainur_node.domain.money import MAX_BUDGET
from ainur_node.domain.reputation import HISTORY, NEUTRAL, PERFECT, penalty, score, score_at

evidence = st.integers(0, 2**90)


@given(evidence, evidence, st.integers(1, 2**90))
def test_a_score_is_the_floor_of_its_exact_value(good: int, bad: int, prior: int) -> None:
    assert score(good, bad, prior) == floor(PERFECT * Fraction(good + prior, good + bad + 2 * prior))


@given(evidence, evidence, evidence, evidence)
@example(0, 0, 0, 1)
def test_good_work_never_lowers_and_bad_never_raises(good: int, bad: int, prior: int, more: int) -> None:
    now = score(good, bad, prior)

    assert 0 <= now <= PERFECT
    if good + bad + prior:
        assert score(good + more, bad, prior) >= now >= score(good, bad + more, prior)


@pytest.mark.parametrize(
    ("good", "bad", "prior", "expected"),
    [(0, 0, 7, NEUTRAL), (0, 0, 0, NEUTRAL), (2**90, 0, 1, 999_999), (0, 2**90, 0, 0), (3, 1, 1, 666_666)],
)
def test_scores_as_the_chain_tests_them(good: int, bad: int, prior: int, expected: int) -> None:
    assert score(good, bad, prior) == expected


@given(st.integers(0, MAX_BUDGET), st.integers(0, 10_000), st.integers(0, PERFECT))
def test_a_penalty_is_the_floor_of_its_exact_value(reserve: int, weight: int, quality: int) -> None:
    exact = reserve * Fraction(weight, 10_000) * Fraction(PERFECT - quality, PERFECT)

    assert penalty(reserve, weight, quality) == floor(exact)
    assert 0 <= penalty(reserve, weight, quality) <= reserve


@pytest.mark.parametrize(
    ("reserve", "weight", "quality", "expected"),
    [
        (1_000_000, 400, PERFECT, 0),
        (1_000_000, 400, NEUTRAL, 20_000),
        (1_000_000, 400, 0, 40_000),
        (MAX_BUDGET, 10_000, 0, MAX_BUDGET),
        (1_000_000, 400, PERFECT + 1, 0),
        (1_000_000, 400, 2**32 - 1, 0),
    ],
)
def test_penalties_as_the_chain_tests_them(reserve: int, weight: int, quality: int, expected: int) -> None:
    assert penalty(reserve, weight, quality) == expected


def test_the_frozen_score_is_the_last_entry_not_after_the_epoch() -> None:
    some = [(3, 10), (5, 20)]

    assert [score_at(some, epoch) for epoch in (0, 2, 3, 4, 5, 99)] == [NEUTRAL, NEUTRAL, 10, 10, 20, 20]
    assert score_at([], 0) == NEUTRAL


def test_before_a_dropped_first_entry_the_oldest_kept_one_counts() -> None:
    full = [(epoch + 3, epoch) for epoch in range(HISTORY)]

    assert score_at(full, 0) == 0
    assert score_at(full, 4) == 1
    assert score_at(full[:-1], 0) == NEUTRAL
    assert score_at([*full, (99, 7)], 0) == 0


def test_the_constants_are_those_of_the_chain() -> None:
    assert (NEUTRAL, PERFECT, HISTORY) == (500_000, 1_000_000, 8)
