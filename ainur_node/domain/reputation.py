"""Scores: what a provider's record is worth in an auction (docs/protocol.md §5, §6.5)."""

from collections.abc import Sequence

NEUTRAL = 500_000
PERFECT = 1_000_000
# The chain keeps this many (epoch, score) entries per provider and capability.
HISTORY = 8


def score(good: int, bad: int, prior: int) -> int:
    """``⌊10^6·(a+K)/(a+b+2K)⌋``: 0 to 10^6, neutral without any record; all three in burned planck."""
    whole = good + bad + 2 * prior
    return PERFECT * (good + prior) // whole if whole else NEUTRAL


def score_at(history: Sequence[tuple[int, int]], epoch: int) -> int:
    """The score frozen for ``epoch``: the last (epoch, score) entry that is not after it.

    Before the first entry ever written a provider is neutral; when that entry was dropped, the oldest kept one counts.
    """
    for since, value in reversed(history):
        if since <= epoch:
            return value
    return history[0][1] if len(history) >= HISTORY else NEUTRAL


def penalty(reserve: int, quality_bps: int, quality: int) -> int:
    """``⌊R·w·(10^6−q) / 10^10⌋``: what a lower score costs, in planck, never negative."""
    return reserve * quality_bps * max(PERFECT - quality, 0) // 10**10
