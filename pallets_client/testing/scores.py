"""In-memory pallet reputation: written by settled escrows only."""

from __future__ import annotations

from dataclasses import replace

from pallets_client.pallets.reputation import EMPTY, HISTORY, Score, decayed, quality
from pallets_client.testing.world import World

MAX_EVIDENCE = 2**90
BLAME = 10  # an unattributed failure weighs ten fees


def paid(world: World, provider: bytes, capability: bytes, fee: int, *, verified: bool) -> None:
    """An accepted or released delivery; only a verified one is evidence."""
    score = _at_now(world, provider, capability)
    if verified:
        score = replace(score, a=score.a + fee, paid=score.paid + 1)
    else:
        score = replace(score, unverified=score.unverified + 1, paid=score.paid + 1)
    _store(world, provider, capability, score)


def declined(world: World, provider: bytes, capability: bytes) -> None:
    """A declined award."""
    score = _at_now(world, provider, capability)
    _store(world, provider, capability, replace(score, declined=score.declined + 1))


def gave_back(world: World, provider: bytes, capability: bytes) -> None:
    """Delivered, then given back before any dispute."""
    score = _at_now(world, provider, capability)
    _store(world, provider, capability, replace(score, failed=score.failed + 1))


def failed(world: World, provider: bytes, capability: bytes, fee: int) -> None:
    """Nothing was delivered in time."""
    score = _at_now(world, provider, capability)
    score = replace(score, b=score.b + BLAME * fee, failed=score.failed + 1)
    _store(world, provider, capability, score)


def ruled_against(world: World, provider: bytes, capability: bytes, fee: int) -> None:
    """A ruling was lost, or the provider gave back while disputed."""
    score = _at_now(world, provider, capability)
    score = replace(score, b=score.b + BLAME * fee, ruled_against=score.ruled_against + 1)
    _store(world, provider, capability, score)


def _at_now(world: World, provider: bytes, capability: bytes) -> Score:
    score = world.scores.get((provider, capability), replace(EMPTY, last=world.now))
    elapsed = world.now - score.last
    half_life = world.params.half_life
    return replace(
        score,
        a=decayed(score.a, elapsed, half_life),
        b=decayed(score.b, elapsed, half_life),
        last=world.now,
    )


def _store(world: World, provider: bytes, capability: bytes, score: Score) -> None:
    score = replace(score, a=min(score.a, MAX_EVIDENCE), b=min(score.b, MAX_EVIDENCE))
    epoch, q = world.epoch + 1, quality(score.a, score.b, world.params.score_k)
    history = [kept for kept in score.history if kept[0] < epoch]
    history = [*history, (epoch, q)][-HISTORY:]
    world.scores[provider, capability] = replace(score, history=tuple(history))
    world.emit("Reputation", "Recorded", provider=provider, capability=capability, epoch=epoch, score=q)
