"""The worker processes: kept warm, lent one at a time, replaced when spent, never more than asked for."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import trio

from wasm_runtime import frames
from wasm_runtime.cache import Native
from wasm_runtime.child import Child, ChildGone
from wasm_runtime.limits import LOADED_MODULES, engine_id
from wasm_runtime.result import Execution, Exit, Job, SandboxFault, refused

START_SECONDS = 30.0
LOAD_SECONDS = 30.0
GRACE_SECONDS = 0.5
"""How long after a job's deadline the worker may still answer by itself before it is killed."""
BACKOFF_SECONDS = 5.0
_FRAME_SLACK = 4096
_SPENT_EXITS = frozenset((Exit.STACK_OVERFLOW, Exit.DEADLINE, Exit.ENGINE))


@dataclass(frozen=True, slots=True)
class CrewStatistics:
    """Processes by fate, and layer of the jail -> how it holds in the newest worker."""

    alive: int
    idle: int
    started: int
    recycled: int
    killed: int
    died: int
    layers: Mapping[str, str]


@dataclass(eq=False, slots=True)
class Worker:
    """One running child and what the pool knows about it."""

    child: Child
    layers: Mapping[str, str]
    loaded: dict[bytes, None] = field(default_factory=dict)
    runs: int = 0
    fate: str = ""
    """Empty while it may be used again; else the counter of CrewStatistics it will end in."""

    @classmethod
    async def start(cls) -> "Worker":
        """A worker that has said hello; raises SandboxFault when it does not."""
        child = await Child.start("wasm_runtime.worker")
        try:
            with trio.fail_after(START_SECONDS):
                greeting = await child.receive(64 * 1024)
        except (ChildGone, trio.TooSlowError) as error:
            await child.kill()
            raise SandboxFault(f"the worker did not start: {error}") from error
        except BaseException:
            await child.kill()
            raise
        if not isinstance(greeting, frames.Hello) or greeting.engine_id != engine_id():
            await child.kill()
            raise SandboxFault("the worker runs another engine")
        return cls(child, greeting.layers)

    async def load(self, sha256: bytes, native: Native) -> str:
        """Hands over checked native code; the answer is empty or why the engine refused it."""
        self.fate = "killed"
        with trio.move_on_after(LOAD_SECONDS):
            try:
                await self.child.send(frames.Load(sha256, memoryview(native)))
                answer = await self.child.receive(_FRAME_SLACK)
            except ChildGone as error:
                self.fate = "died"
                return str(error) or "the worker died"
            if isinstance(answer, frames.Loaded):
                self.fate = ""
                if not answer.error:
                    self.loaded[sha256] = None
                    while len(self.loaded) > LOADED_MODULES:
                        del self.loaded[next(iter(self.loaded))]
                return answer.error
        return "the worker did not load the module in time"

    async def run(self, job: Job, log_limit: int) -> Execution:
        """Runs a loaded module; what does not answer in time is killed before this returns."""
        self.fate = "killed"
        self.runs += 1
        # The order of use must be the child's own, so that both forget the same module.
        self.loaded[job.module_sha256] = self.loaded.pop(job.module_sha256)
        order = frames.Run(
            sha256=job.module_sha256,
            input=job.input,
            seed=job.seed,
            clock_ms=job.clock_ms,
            fuel=job.fuel,
            memory_bytes=job.memory_bytes,
            output_limit=job.output_limit,
            log_limit=log_limit,
            deadline_ms=job.deadline_ms,
        )
        with trio.move_on_after(job.deadline_ms / 1000 + GRACE_SECONDS):
            try:
                await self.child.send(order)
                answer = await self.child.receive(job.output_limit + log_limit + _FRAME_SLACK)
            except ChildGone as error:
                self.fate = "died"
                return refused(Exit.ENGINE, str(error) or "the worker died")
            execution = _read(answer, job, log_limit)
            self.fate = "recycled" if execution.exit in _SPENT_EXITS else ""
            return execution
        await self.child.kill()
        return refused(Exit.DEADLINE, "killed")


class Crew:
    """Keeps `workers` + `spares` children alive inside a nursery; at most `workers` run at once."""

    def __init__(self, nursery: trio.Nursery, *, workers: int, spares: int, recycle_after: int) -> None:
        self._nursery = nursery
        self._size = workers + spares
        self._recycle_after = recycle_after
        self._turns = trio.Semaphore(workers)
        self._ready = trio.Semaphore(0)
        self._idle: list[Worker] = []
        self._alive: set[Worker] = set()
        self._fates: Counter[str] = Counter()
        self._layers: Mapping[str, str] = {}
        self._closed = False

    def start(self, first: Worker) -> None:
        """Takes over the first child, which shows that it can be done, and starts the others in the background."""
        self._add(first)
        for _ in range(self._size - 1):
            self._nursery.start_soon(self._hire)

    async def take(self, sha256: bytes) -> Worker:
        """Waits for a turn and a worker; one that has loaded the module is preferred."""
        await self._turns.acquire()
        try:
            while True:
                await self._ready.acquire()
                chosen = next((worker for worker in reversed(self._idle) if sha256 in worker.loaded), self._idle[-1])
                self._idle.remove(chosen)
                if not chosen.child.has_ended:
                    return chosen
                # It died while idle: no job of anybody's is to pay for that.
                chosen.fate = "died"
                self._nursery.start_soon(self._replace, chosen)
        except BaseException:
            self._turns.release()
            raise

    def give_back(self, worker: Worker) -> None:
        """Ends the turn; a spent worker is replaced in the background."""
        self._turns.release()
        if not worker.fate and worker.runs >= self._recycle_after:
            worker.fate = "recycled"
        if worker.fate:
            self._nursery.start_soon(self._replace, worker)
        else:
            self._idle.append(worker)
            self._ready.release()

    async def close(self) -> None:
        """Kills every child and waits for its end."""
        self._closed = True
        with trio.CancelScope(shield=True):
            for worker in tuple(self._alive):
                await worker.child.kill()
                self._alive.discard(worker)

    def statistics(self) -> CrewStatistics:
        """Counters since the start."""
        return CrewStatistics(
            alive=len(self._alive),
            idle=len(self._idle),
            started=self._fates["started"],
            recycled=self._fates["recycled"],
            killed=self._fates["killed"],
            died=self._fates["died"],
            layers=self._layers,
        )

    def _add(self, worker: Worker) -> None:
        self._fates["started"] += 1
        self._layers = worker.layers
        self._alive.add(worker)
        self._idle.append(worker)
        self._ready.release()

    async def _replace(self, worker: Worker) -> None:
        await worker.child.kill()
        self._alive.discard(worker)
        self._fates[worker.fate] += 1
        await self._hire()

    async def _hire(self) -> None:
        pause = 0.05
        while True:
            try:
                worker = await Worker.start()
            except (SandboxFault, OSError):
                # No memory or no process to be had right now: the others go on, and this one is tried again.
                await trio.sleep(pause)
                pause = min(2 * pause, BACKOFF_SECONDS)
                continue
            if self._closed:
                # Its greeting came just before the cancellation, and `close` does not know it.
                await worker.child.kill()
            else:
                self._add(worker)
            return


def _read(answer: frames.Message, job: Job, log_limit: int) -> Execution:
    """Believes a worker only what an honest one could say: it held untrusted code."""
    if not isinstance(answer, frames.Ran):
        return refused(Exit.ENGINE, "the worker gave no sensible answer")
    try:
        ending = Exit(answer.exit)
    except ValueError:
        return refused(Exit.ENGINE, f"the worker knows an exit {answer.exit}")
    within = (
        0 <= answer.fuel_used <= job.fuel
        and 0 <= answer.peak_memory <= job.memory_bytes
        and -(1 << 31) <= answer.code < 1 << 31
        and 0 <= answer.cpu_ns < math.inf
        and len(answer.output) <= job.output_limit
        and len(answer.log) <= log_limit
        and len(answer.host_transcript) == 32
    )
    if not within:
        return refused(Exit.ENGINE, "the worker reports more than the job allows")
    return Execution(
        exit=ending,
        code=answer.code,
        output=answer.output,
        log=answer.log,
        fuel_used=answer.fuel_used,
        cpu_ns=answer.cpu_ns,
        peak_memory=answer.peak_memory,
        host_transcript=answer.host_transcript,
        detail=answer.detail[:500],
    )
