"""The pool's promises on well-behaved modules."""

import pytest
from sandbox_modules import ECHO, execute, job

from wasm_runtime.limits import engine_id
from wasm_runtime.pool import Pool
from wasm_runtime.result import EMPTY_TRANSCRIPT, Exit, NotPrepared, Prepared


async def test_a_prepared_module_answers_with_its_output_and_the_price(pool: Pool) -> None:
    done = await execute(pool, ECHO, input=b"hello")

    assert (done.exit, done.code, done.output, done.log) == (Exit.OK, 0, b"hello", b"")
    assert 0 < done.fuel_used < 50_000
    assert done.cpu_ns > 0
    assert done.peak_memory == 65536
    assert done.host_transcript == EMPTY_TRANSCRIPT


async def test_preparing_twice_compiles_once(fresh_pool: Pool) -> None:
    first = await fresh_pool.prepare(ECHO)
    second = await fresh_pool.prepare(ECHO)

    assert isinstance(first, Prepared)
    assert isinstance(second, Prepared)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.engine_id == engine_id()
    assert fresh_pool.statistics().compiled == 1


async def test_a_module_that_nobody_prepared_is_not_run(pool: Pool) -> None:
    with pytest.raises(NotPrepared):
        await pool.run(job(bytes(32)))


async def test_a_job_above_the_bounds_is_the_callers_mistake(pool: Pool) -> None:
    for changes in ({"memory_bytes": 1 << 40}, {"fuel": -1}, {"seed": b""}, {"input": bytes(5 << 20)}):
        with pytest.raises(ValueError):
            await execute(pool, ECHO, **changes)
