"""The pulse: a loop that keeps its tasks waiting is seen, and forgotten after a minute."""

import os

from hypothesis import given
from hypothesis import strategies as st
from trio import Nursery, run, sleep
from trio.testing import MockClock, wait_all_tasks_blocked

from ainur_node.pulse import MAX_SAMPLES, TICK, WINDOW_SECONDS, Pulse, memory_kib


async def test_a_loop_that_is_on_time_has_no_lag(nursery: Nursery, autojump_clock: MockClock) -> None:
    pulse = Pulse()
    assert pulse.lags() == {"lag_ms_max": 0.0, "lag_ms_max_60s": 0.0, "lag_ms_p99_60s": 0.0}
    await nursery.start(pulse.run)
    await sleep(1)

    assert pulse.lags() == {"lag_ms_max": 0.0, "lag_ms_max_60s": 0.0, "lag_ms_p99_60s": 0.0}


async def test_a_loop_that_stands_still_is_seen_for_a_minute_and_its_worst_for_ever(
    nursery: Nursery, mock_clock: MockClock
) -> None:
    pulse = Pulse()
    await nursery.start(pulse.run)
    await wait_all_tasks_blocked()
    mock_clock.jump(TICK + 0.3)  # nobody ran for 0.3 s longer than the pulse had asked for
    await wait_all_tasks_blocked()
    assert pulse.lags() == {"lag_ms_max": 300.0, "lag_ms_max_60s": 300.0, "lag_ms_p99_60s": 300.0}

    mock_clock.autojump_threshold = 0.0
    await sleep(10)
    assert pulse.lags() == {"lag_ms_max": 300.0, "lag_ms_max_60s": 300.0, "lag_ms_p99_60s": 0.0}
    assert (pulse.longest(5), pulse.longest(15)) == (0.0, 300.0)
    await sleep(WINDOW_SECONDS)
    assert pulse.lags() == {"lag_ms_max": 300.0, "lag_ms_max_60s": 0.0, "lag_ms_p99_60s": 0.0}


async def test_samples_are_bounded(nursery: Nursery, autojump_clock: MockClock) -> None:
    pulse = Pulse()
    await nursery.start(pulse.run)
    await sleep(2 * MAX_SAMPLES * TICK)

    assert len(pulse._samples) == MAX_SAMPLES


@given(st.lists(st.floats(0, 5), min_size=1, max_size=30))
def test_one_stall_is_one_sample_and_the_worst_one_is_told(stalls: list[float]) -> None:
    clock, pulse = MockClock(), Pulse()

    async def stand_still_now_and_then() -> None:
        from trio import open_nursery

        async with open_nursery() as nursery:
            await nursery.start(pulse.run)
            for stall in stalls:
                await wait_all_tasks_blocked()
                clock.jump(TICK + stall)
            await wait_all_tasks_blocked()
            assert len(pulse._samples) == len(stalls)
            assert abs(pulse.lags()["lag_ms_max"] - 1000 * max(stalls)) <= 0.1
            nursery.cancel_scope.cancel()

    run(stand_still_now_and_then, clock=clock)


def test_memory_grows_by_what_is_kept() -> None:
    before = memory_kib()
    kept = os.urandom(32 << 20)

    assert before > 1024
    assert memory_kib() - before > (16 << 10)
    del kept
