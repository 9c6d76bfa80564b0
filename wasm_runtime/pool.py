"""The sandbox as the daemon sees it: prepare modules, run jobs in a pool of jailed children, never touch the engine."""

import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import trio

from wasm_runtime.cache import Cache, Native, open_key
from wasm_runtime.compiler import compile_module
from wasm_runtime.crew import Crew, CrewStatistics, Worker
from wasm_runtime.inspect import inspect_module
from wasm_runtime.limits import CompileLimits, ModuleLimits, RunLimits, engine_id
from wasm_runtime.result import (
    Execution,
    Exit,
    Finding,
    Findings,
    Job,
    ModuleMalformed,
    NotPrepared,
    PoolBusy,
    Prepared,
    refused,
)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the pool keeps native code, how many children it has and what it lets through."""

    cache_dir: Path
    key_file: Path
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    spares: int = 1
    queue: int = 64
    """Jobs that may wait for a worker; one more is told to come back later."""
    compile_queue: int = 8
    recycle_after: int = 1000
    module: ModuleLimits = field(default_factory=ModuleLimits)
    compile: CompileLimits = field(default_factory=CompileLimits)
    run: RunLimits = field(default_factory=RunLimits)


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """What has happened since the pool was opened."""

    crew: CrewStatistics
    exits: Mapping[str, int]
    waiting: int
    compiling: int
    compiled: int
    cache_hits: int
    cache_refused: int
    findings: Mapping[str, int]


class Pool:
    """Prepares modules and runs jobs; made by `open_pool`."""

    def __init__(self, settings: Settings, cache: Cache, crew: Crew) -> None:
        self._settings = settings
        self._cache = cache
        self._crew = crew
        self._compiler = trio.Lock()
        self._threads = trio.CapacityLimiter(2)
        self._compiling = 0
        self._waiting = 0
        self._compiled = 0
        self._cache_hits = 0
        self._exits: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()

    @property
    def engine_id(self) -> bytes:
        """What receipts name as the engine of this pool."""
        return engine_id()

    async def prepare(self, wasm: bytes, sha256: bytes | None = None) -> Prepared | list[Finding]:
        """Inspects and compiles a module so that it can be run by its hash; a list says why not.

        Idempotent. Raises PoolBusy when too many modules wait to be compiled, SandboxFault when no compiler starts.
        """
        actual = await self._in_thread(_digest, wasm)
        if sha256 is not None and sha256 != actual:
            return self._refuse([Finding("hash", f"the bytes have the hash {actual.hex()}")])
        try:
            inspection = await self._in_thread(inspect_module, wasm, self._settings.module)
        except ModuleMalformed as error:
            return self._refuse([Finding("malformed", str(error))])
        if inspection.findings:
            return self._refuse(list(inspection.findings))
        return await self._compile(wasm, actual, inspection)

    async def run(self, job: Job) -> Execution:
        """Runs a prepared module once. What the guest does wrong is an Exit, never an exception.

        Raises ValueError for a job above the pool's limits, NotPrepared for an unknown module, PoolBusy when the
        queue is full, SandboxFault when no worker can be started. Cancelling kills the guest.
        """
        self._check(job)
        if self._waiting >= self._settings.queue:
            raise PoolBusy(f"{self._waiting} jobs are waiting")
        self._waiting += 1
        try:
            worker = await self._crew.take(job.module_sha256)
        finally:
            self._waiting -= 1
        try:
            execution = await self._run_on(worker, job)
        finally:
            self._crew.give_back(worker)
        self._exits[execution.exit.name] += 1
        return execution

    async def is_prepared(self, sha256: bytes) -> bool:
        """Whether `run` knows the module."""
        return await self._in_thread(self._cache.module, sha256) is not None

    def statistics(self) -> PoolStatistics:
        """Counters, and which layers of the jail hold."""
        return PoolStatistics(
            crew=self._crew.statistics(),
            exits=dict(self._exits),
            waiting=self._waiting,
            compiling=self._compiling,
            compiled=self._compiled,
            cache_hits=self._cache_hits,
            cache_refused=self._cache.refused,
            findings=dict(self._codes),
        )

    def _check(self, job: Job) -> None:
        most = self._settings.run
        for name, value, bound in (
            ("fuel", job.fuel, most.fuel),
            ("memory_bytes", job.memory_bytes, most.memory_bytes),
            ("output_limit", job.output_limit, most.output),
            ("deadline_ms", job.deadline_ms, most.deadline_ms),
            ("clock_ms", job.clock_ms, most.clock_ms),
            ("input", len(job.input), most.input),
        ):
            if not 0 <= value <= bound:
                raise ValueError(f"{name} is {value}, allowed is 0 to {bound}")
        if len(job.seed) != 32 or len(job.module_sha256) != 32:
            raise ValueError("seed and module hash have 32 bytes")

    async def _run_on(self, worker: Worker, job: Job) -> Execution:
        for _ in range(2):
            if job.module_sha256 not in worker.loaded:
                native = await self._native(job.module_sha256)
                if isinstance(native, Finding):
                    return refused(Exit.BAD_MODULE, f"{native.code}: {native.detail}")
                words = await worker.load(job.module_sha256, native)
                if worker.fate:
                    return refused(Exit.ENGINE, words)
                if words:
                    # Native code of another processor or build: make it again, once.
                    await self._in_thread(self._cache.discard, job.module_sha256)
                    continue
            return await worker.run(job, self._settings.run.log)
        return refused(Exit.BAD_MODULE, "the engine does not load the module")

    async def _native(self, sha256: bytes) -> Native | Finding:
        native = await self._in_thread(self._cache.native, sha256)
        if native is not None:
            return native
        wasm = await self._in_thread(self._cache.module, sha256)
        if wasm is None:
            raise NotPrepared(f"no module {sha256.hex()} is prepared here")
        prepared = await self.prepare(wasm, sha256)
        if isinstance(prepared, list):
            return prepared[0]
        native = await self._in_thread(self._cache.native, sha256)
        return native if native is not None else Finding("cache", "the compiled module was not kept")

    async def _compile(self, wasm: bytes, sha256: bytes, inspection: Findings) -> Prepared | list[Finding]:
        if self._compiling >= self._settings.compile_queue:
            raise PoolBusy(f"{self._compiling} modules wait to be compiled")
        self._compiling += 1
        try:
            # One at a time: a compiler may take a gigabyte, and jobs want the processors too.
            async with self._compiler:
                native = await self._in_thread(self._cache.native, sha256)
                hit = native is not None
                if native is None:
                    result = await compile_module(wasm, self._settings.compile)
                    if isinstance(result, Finding):
                        return self._refuse([result])
                    native = result
                    self._compiled += 1
                    await self._in_thread(self._cache.store, sha256, wasm, native)
                else:
                    self._cache_hits += 1
        finally:
            self._compiling -= 1
        return Prepared(sha256, engine_id(), len(wasm), len(native), hit, inspection)

    def _refuse(self, findings: list[Finding]) -> list[Finding]:
        self._codes.update(finding.code for finding in findings)
        return findings

    async def _in_thread(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await trio.to_thread.run_sync(function, *arguments, limiter=self._threads)


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[Pool]:
    """A pool with its first worker up; on leaving, every child is killed and reaped.

    Raises SandboxFault when no worker starts here, KeyExposedError when the cache's key is not secret.
    """
    await trio.to_thread.run_sync(_make_directory, settings.cache_dir)
    key = await trio.to_thread.run_sync(open_key, settings.key_file)
    first = await Worker.start()
    async with trio.open_nursery() as nursery:
        crew = Crew(
            nursery,
            workers=settings.workers,
            spares=settings.spares,
            recycle_after=settings.recycle_after,
        )
        crew.start(first)
        try:
            yield Pool(settings, Cache(settings.cache_dir, key), crew)
        finally:
            nursery.cancel_scope.cancel()
            await crew.close()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _make_directory(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
