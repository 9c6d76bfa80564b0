"""ports.Sandbox on wasm_runtime: modules are compiled and run in jailed children, never in this process."""

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ainur_node import ports
from ainur_node.domain.manifest import MAX_MODULE
from ainur_node.domain.receipt import Exit
from ainur_node.errors import ConfigError, Transient
from wasm_runtime import limits, pool, result
from wasm_runtime.cache import KeyExposedError

_SHORTAGES = {
    errno.ENOSPC: "free space on the disk that holds the node's home",
    errno.EDQUOT: "free space on the disk that holds the node's home",
    errno.EMFILE: "raise the node's limit of open files (ulimit -n)",
    errno.ENFILE: "raise the machine's limit of open files (fs.file-max)",
    errno.EAGAIN: "give the node more memory or processes",
    errno.ENOMEM: "give the node more memory or processes",
}
"""What a machine runs out of, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`directory` keeps compiled modules and the key of their MACs; `workers` jobs run at once."""

    directory: Path
    workers: int
    spares: int = 1
    queue: int = 64
    recycle_after: int = 1000
    run: limits.RunLimits = field(default_factory=limits.RunLimits)


class JailedSandbox:
    """ports.Sandbox; made by `open_sandbox`."""

    def __init__(self, workers: pool.Pool, run: limits.RunLimits) -> None:
        self._pool = workers
        self._limits = run
        self.engine = workers.engine_id

    async def prepare(self, wasm: bytes) -> list[ports.Finding]:
        """Inspects, compiles and caches a module; empty when it may run.

        Transient when too many wait, or when the machine is short of disk, memory, files or processes.
        """
        try:
            prepared = await self._pool.prepare(wasm)
        except result.SandboxFault as error:
            raise Transient(f"the sandbox could not prepare the module: {error}") from error
        except OSError as error:
            raise _not_now("the sandbox could not prepare the module", error) from error
        if isinstance(prepared, result.Prepared):
            return []
        return [ports.Finding(finding.code, finding.detail) for finding in prepared]

    async def run(self, job: ports.Job) -> ports.Run:
        """Runs a prepared module; Transient when no worker could be had or the module must be prepared again.

        Transient, too, when the machine is short of disk, memory, files or processes.
        A job above the sandbox's own bounds is refused with Exit.ENGINE: its limits come from strangers.
        """
        order = result.Job(
            module_sha256=job.module,
            input=job.input,
            seed=job.seed,
            clock_ms=job.clock,
            fuel=job.fuel,
            memory_bytes=job.memory_kib * 1024,
            output_limit=job.output_limit,
            deadline_ms=min(job.deadline_ms, self._limits.deadline_ms),
        )
        try:
            done = await self._pool.run(order)
        except ValueError as error:
            done = result.refused(result.Exit.ENGINE, str(error))
        except result.NotPrepared as error:
            raise Transient(str(error), hint="hand the module in again") from error
        except result.SandboxFault as error:
            raise Transient(f"no worker could be had: {error}") from error
        except OSError as error:
            raise _not_now("the sandbox could not run the job", error) from error
        log = done.log or done.detail.encode()
        return ports.Run(
            exit=Exit(done.exit),
            code=done.code,
            output=done.output,
            log=log,
            fuel_used=done.fuel_used,
            cpu_ns=done.cpu_ns,
            peak_memory_kib=done.peak_memory // 1024,
            host_transcript=done.host_transcript,
        )

    def statistics(self) -> pool.PoolStatistics:
        """Counters, and which layers of the jail this machine allows."""
        return self._pool.statistics()


@asynccontextmanager
async def open_sandbox(settings: Settings) -> AsyncIterator[JailedSandbox]:
    """A sandbox with its first worker up; on leaving, no child is left.

    ConfigError when none can be started here, Transient when the machine is short of something just now.
    """
    own = pool.Settings(
        cache_dir=settings.directory / "modules",
        key_file=settings.directory / "modules.key",
        workers=settings.workers,
        spares=settings.spares,
        queue=settings.queue,
        recycle_after=settings.recycle_after,
        module=limits.ModuleLimits(size=MAX_MODULE),
        run=settings.run,
    )
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(pool.open_pool(own))
        except (result.SandboxFault, KeyExposedError) as error:
            raise ConfigError(f"the sandbox does not start: {error}") from error
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise _not_now("the sandbox does not start", error) from error
            raise ConfigError(f"the sandbox does not start: {error}", hint="check the permissions of --home") from error
        yield JailedSandbox(opened, settings.run)


def _not_now(what: str, error: OSError) -> Transient:
    # A node with jobs under way goes on, whatever the error: it may not end for what its operator can mend.
    hint = _SHORTAGES.get(error.errno or 0, "look at the disk that holds the node's home")
    return Transient(f"{what}: {error.strerror or error}", hint=hint)
