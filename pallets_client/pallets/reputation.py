"""Pallet reputation: scores per provider and capability, written by settled escrows only."""

from __future__ import annotations

from dataclasses import dataclass

from pallets_client.records import NEUTRAL_SCORE

PALLET = "Reputation"
HISTORY = 8


@dataclass(frozen=True, slots=True)
class Score:
    """Good and bad evidence in planck as of market time ``last``, and q at the start of recent epochs."""

    a: int
    b: int
    last: int
    history: tuple[tuple[int, int], ...]
    paid: int
    unverified: int
    declined: int
    failed: int
    ruled_against: int


EMPTY = Score(0, 0, 0, (), 0, 0, 0, 0, 0)


def quality(a: int, b: int, k: int) -> int:
    """Score in millionths: ``⌊10^6·(a+K)/(a+b+2K)⌋``."""
    return 1_000_000 * (a + k) // (a + b + 2 * k)


def decayed(value: int, elapsed: int, half_life: int) -> int:
    """Evidence after ``elapsed`` ms: whole half-lives by shifts, linear in between; integers only."""
    halvings, rest = divmod(elapsed, half_life)
    if halvings >= 128:
        return 0
    value >>= halvings
    return value - value * rest // (2 * half_life)


def quality_at(score: Score | None, epoch: int) -> int:
    """Frozen score of an epoch: the last history entry that is not younger.

    500,000 while nothing had been written by then; the oldest entry kept when older ones were dropped.
    """
    if score is None or not score.history:
        return NEUTRAL_SCORE
    older = [q for at, q in score.history if at <= epoch]
    if older:
        return older[-1]
    return score.history[0][1] if len(score.history) == HISTORY else NEUTRAL_SCORE


def penalty(reserve: int, quality_bps: int, q: int) -> int:
    """What a score costs in the comparison of asks: ``⌊R·w·(10^6−q)/10^10⌋``."""
    return reserve * quality_bps * (1_000_000 - q) // 10**10
