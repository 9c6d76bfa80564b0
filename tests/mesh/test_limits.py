"""Token buckets and the seen set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ainur_node.mesh.limits import RateLimit, SeenSet


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_counts() -> None:
    clock = Clock()
    limit = RateLimit(2.0, 5.0, 10, clock)

    assert [limit.allows("a") for _ in range(6)] == [True] * 5 + [False]
    clock.now += 1.0
    assert [limit.allows("a") for _ in range(3)] == [True, True, False]
    assert limit.allows("b")


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_never_more_than_burst_plus_rate_times_time(pauses: list[float]) -> None:
    clock = Clock()
    limit = RateLimit(3.0, 4.0, 10, clock)
    granted = 0

    for pause in pauses:
        clock.now += pause
        granted += limit.allows("a")

    assert granted <= 4 + 3 * clock.now + 1e-6


def test_a_newcomer_has_little_and_saves_up_from_the_moment_it_is_known() -> None:
    clock = Clock()
    limit = RateLimit(10.0, 50.0, 10, clock, start=5.0)

    limit.begin("patient")
    clock.now = 2.0

    assert sum(limit.allows("patient") for _ in range(100)) == 25
    assert sum(limit.allows("hasty") for _ in range(100)) == 5
    limit.begin("patient")
    assert not limit.allows("patient")


def test_keys_are_bounded() -> None:
    limit = RateLimit(1.0, 1.0, 10, Clock())

    for n in range(1000):
        limit.allows(n)

    assert len(limit._buckets) == 10


def test_an_id_is_new_once_until_its_time_is_over() -> None:
    clock = Clock()
    seen = SeenSet(10, 5.0, clock)

    assert seen.add(b"x")
    assert not seen.add(b"x")
    assert seen.has(b"x")
    clock.now = 5.0
    assert not seen.has(b"x")
    assert seen.add(b"x")


def test_ids_are_bounded_and_expire() -> None:
    clock = Clock()
    seen = SeenSet(10, 5.0, clock)

    for n in range(1000):
        seen.add(bytes([n % 256, n // 256]))
    assert len(seen) == 10

    clock.now = 6.0
    seen.add(b"new")
    assert len(seen) == 1
