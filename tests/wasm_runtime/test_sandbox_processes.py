"""Children die and come back; nothing is left behind; many jobs at once keep their order and their answers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from sandbox_modules import ECHO, execute, job, wat
from wasm_bytes import body, module

from wasm_runtime.crew import Worker
from wasm_runtime.pool import Pool, Settings, open_pool
from wasm_runtime.result import Exit, PoolBusy, Prepared

LOOP = wat("(loop $again (br $again))")
FOREVER = 1 << 49


def children() -> set[int]:
    """Living children of this process that run the sandbox's modules."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"wasm_runtime" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(int(pid))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Polls: what is waited for happens in other processes, which no clock of ours can wind."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - the fact is in another process
            await trio.sleep(0.01)


async def test_a_killed_worker_is_replaced(pool: Pool) -> None:
    assert (await execute(pool, ECHO)).output == b"hello"
    (victim,) = children()

    os.kill(victim, signal.SIGKILL)

    # A process has ended when its last thread has; only then can anybody know.
    (worker,) = pool._crew._alive
    await until(lambda: worker.child.has_ended)
    assert (await execute(pool, ECHO)).output == b"hello"
    assert children() != {victim}
    assert pool.statistics().crew.died == 1


async def test_a_worker_killed_in_the_middle_of_a_job_answers_with_engine(pool: Pool) -> None:
    prepared = await pool.prepare(LOOP)
    assert isinstance(prepared, Prepared)
    endings = []

    async def run() -> None:
        endings.append(await pool.run(job(prepared.module_sha256, fuel=FOREVER, deadline_ms=60_000)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await until(lambda: pool.statistics().crew.idle == 0)
        await trio.sleep(0.05)
        os.kill(children().pop(), signal.SIGKILL)

    assert endings[0].exit is Exit.ENGINE
    assert (await execute(pool, ECHO)).output == b"hello"


async def test_a_worker_that_does_not_answer_is_killed_by_the_pool(pool: Pool) -> None:
    prepared = await pool.prepare(LOOP)
    assert isinstance(prepared, Prepared)
    endings = []

    async def run() -> None:
        endings.append(await pool.run(job(prepared.module_sha256, fuel=FOREVER, deadline_ms=200)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await until(lambda: pool.statistics().crew.idle == 0)
        # Stopped, it cannot interrupt its guest by itself.
        os.kill(children().pop(), signal.SIGSTOP)

    assert (endings[0].exit, endings[0].detail) == (Exit.DEADLINE, "killed")
    assert (await execute(pool, ECHO)).output == b"hello"
    assert pool.statistics().crew.killed == 1


async def test_cancelling_a_job_kills_its_guest(pool: Pool) -> None:
    prepared = await pool.prepare(LOOP)
    assert isinstance(prepared, Prepared)
    (worker,) = children()

    with trio.move_on_after(0.1):
        await pool.run(job(prepared.module_sha256, fuel=FOREVER, deadline_ms=60_000))

    await until(lambda: not is_running(worker))
    assert (await execute(pool, ECHO)).output == b"hello"


async def test_a_stack_overflow_costs_the_worker_its_place(pool: Pool) -> None:
    (before,) = children()

    assert (await execute(pool, module(bodies=[body(b"\x10\x00")]))).exit is Exit.STACK_OVERFLOW

    await until(lambda: before not in children() and pool.statistics().crew.idle == 1)
    assert pool.statistics().crew.recycled == 1


async def test_a_worker_is_recycled_after_its_share_of_jobs(settings: Settings) -> None:
    async with open_pool(replace(settings, recycle_after=3)) as pool:
        for _ in range(7):
            assert (await execute(pool, ECHO)).output == b"hello"
        await until(lambda: pool.statistics().crew.recycled == 2)


async def test_leaving_the_pool_leaves_no_child(settings: Settings) -> None:
    async with open_pool(replace(settings, workers=2, spares=1)) as pool:
        await until(lambda: pool.statistics().crew.alive == 3)
        prepared = await pool.prepare(LOOP)
        assert isinstance(prepared, Prepared)
        with trio.move_on_after(0.1):
            await pool.run(job(prepared.module_sha256, fuel=FOREVER, deadline_ms=60_000))

    assert children() == set()


async def test_leaving_while_workers_still_start_leaves_no_child(settings: Settings) -> None:
    async with open_pool(replace(settings, workers=3)):
        pass

    assert children() == set()


async def test_a_worker_that_says_hello_while_the_pool_closes_is_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its greeting came before the cancellation: nothing interrupts a start that has its answer already.
    start = Worker.start

    async def already_greeted() -> Worker:
        with trio.CancelScope(shield=True):
            return await start()

    monkeypatch.setattr(Worker, "start", already_greeted)
    async with open_pool(replace(settings, workers=3)) as pool:
        await until(lambda: len(children()) == 3)

    assert pool.statistics().crew.alive == 0
    assert children() == set()


ORPHANS = """
import json, sys, trio
from pathlib import Path
from wasm_runtime.pool import Settings, open_pool
from wasm_runtime.result import Job

async def main():
    settings = Settings(Path(sys.argv[1]), Path(sys.argv[2]), workers=2, spares=1)
    async with open_pool(settings) as pool, trio.open_nursery() as nursery:
        prepared = await pool.prepare(bytes.fromhex(sys.argv[3]))
        job = Job(prepared.module_sha256, b"", bytes(32), 0, 1 << 49, 1 << 24, 1024, 600_000)
        for _ in range(2):
            nursery.start_soon(pool.run, job)
        while pool.statistics().crew.alive < 3 or pool.statistics().crew.idle > 1:
            await trio.sleep(0.01)
        print(json.dumps([worker.child.pid for worker in pool._crew._alive]), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def test_killing_the_parent_leaves_no_child_behind(settings: Settings) -> None:
    arguments = [str(settings.cache_dir), str(settings.key_file), LOOP.hex()]
    parent = subprocess.Popen(  # noqa: ASYNC220 - started in no time, and killed below
        [sys.executable, "-c", ORPHANS, *arguments], stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        pids = json.loads(await trio.to_thread.run_sync(parent.stdout.readline))
        assert len(pids) == 3
        assert all(is_running(pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()

    await until(lambda: not any(is_running(pid) for pid in pids), 5.0)


async def test_many_jobs_at_once_get_their_own_answers(settings: Settings) -> None:
    async with open_pool(replace(settings, workers=2, queue=100)) as pool:
        prepared = await pool.prepare(ECHO)
        assert isinstance(prepared, Prepared)
        answers: dict[int, bytes] = {}

        async def run(number: int) -> None:
            done = await pool.run(job(prepared.module_sha256, input=f"job {number}".encode()))
            answers[number] = done.output

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(run, number)

        assert answers == {number: f"job {number}".encode() for number in range(100)}
        assert pool.statistics().exits == {"OK": 100}


async def test_the_queue_is_bounded(settings: Settings) -> None:
    async with open_pool(replace(settings, queue=3)) as pool:
        prepared = await pool.prepare(LOOP)
        assert isinstance(prepared, Prepared)
        slow = job(prepared.module_sha256, fuel=FOREVER, deadline_ms=300)
        outcomes: list[str] = []

        async def run() -> None:
            try:
                outcomes.append((await pool.run(slow)).exit.name)
            except PoolBusy:
                outcomes.append("busy")

        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(run)

        assert (
            sorted(outcomes) == ["DEADLINE"] * 3 + ["busy"] * 3 or sorted(outcomes) == ["DEADLINE"] * 4 + ["busy"] * 2
        )


async def test_modules_wait_for_the_compiler_in_a_bounded_queue(settings: Settings) -> None:
    async with open_pool(replace(settings, compile_queue=2)) as pool:
        outcomes: list[str] = []

        async def prepare(number: int) -> None:
            try:
                await pool.prepare(wat(f"(call $exit (i32.const {number}))"))
                outcomes.append("prepared")
            except PoolBusy:
                outcomes.append("busy")

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(prepare, number)

        assert sorted(outcomes) == ["busy"] * 3 + ["prepared"] * 2


async def test_every_worker_gives_the_same_output_and_fuel(settings: Settings) -> None:
    async with open_pool(replace(settings, workers=2, spares=1, recycle_after=2)) as pool:
        runs = [await execute(pool, ECHO, input=b"x" * 5_000) for _ in range(12)]
        await until(lambda: pool.statistics().crew.recycled >= 3)

    assert len({(run.output, run.fuel_used, run.peak_memory, run.exit) for run in runs}) == 1


async def test_running_out_of_fuel_happens_at_the_same_place_everywhere(settings: Settings) -> None:
    half = wat("(loop $again (call $print (i32.const 2) (i32.const 0) (i32.const 1)) (br $again))")

    async with open_pool(replace(settings, workers=2, recycle_after=1)) as pool:
        runs = [await execute(pool, half, fuel=1_000_000) for _ in range(4)]

    assert len({(run.log, run.fuel_used, run.exit) for run in runs}) == 1


async def test_a_small_job_takes_a_few_milliseconds(pool: Pool) -> None:
    prepared = await pool.prepare(ECHO)
    assert isinstance(prepared, Prepared)
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        await pool.run(job(prepared.module_sha256))
        times.append(time.perf_counter() - begin)

    # The goal is 5 ms for most; the best of fifty says what the pool itself costs on a busy machine.
    assert min(times) < 0.005


def test_the_pool_does_not_import_the_engine() -> None:
    code = "import sys, wasm_runtime.pool; sys.exit(any(m.split('.')[0] == 'wasmtime' for m in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("bad", [b"", b"\xff\xff\xff\xff", b"\x01\0\0\0\xc1", b"\x05\0\0\0hello"])
async def test_a_child_that_talks_nonsense_is_gone(bad: bytes, tmp_path: Path) -> None:
    from wasm_runtime.child import Child, ChildGone

    (tmp_path / "liar.py").write_text(f"import os\nos.write(1, {bad!r})\n")
    sys.path.insert(0, str(tmp_path))
    try:
        child = await Child.start("liar")
        try:
            with pytest.raises(ChildGone):
                await child.receive(1000)
        finally:
            await child.kill()
    finally:
        sys.path.remove(str(tmp_path))
