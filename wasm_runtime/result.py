"""Records that cross the border of the sandbox: jobs in, executions and findings out."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum

EMPTY_TRANSCRIPT = hashlib.sha256(b"").digest()
"""sha-256 of a transcript without host calls: what every run of a pure agent reports."""


class Exit(IntEnum):
    """How a run ended. The numbers go into receipts and never change."""

    OK = 0
    NONZERO = 1
    OUT_OF_FUEL = 2
    TRAP = 3
    STACK_OVERFLOW = 4
    DEADLINE = 5
    OUTPUT_LIMIT = 6
    MEMORY = 7
    BAD_MODULE = 8
    ENGINE = 9

    @property
    def is_provable(self) -> bool:
        """Whether anybody who replays the job must see the same ending.

        Stack depth depends on the compiler's frames, deadlines on the machine, so they prove nothing.
        """
        return self in (Exit.OK, Exit.NONZERO, Exit.OUT_OF_FUEL, Exit.TRAP)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one prepared module; everything that may influence the replayable part is in here.

    `memory_bytes` bounds the linear memory, `output_limit` the bytes on stdout, `deadline_ms` the wall time.
    `clock_ms` is the guest's virtual time in milliseconds since 1970; `seed` feeds its random numbers.
    """

    module_sha256: bytes
    input: bytes
    seed: bytes
    clock_ms: int
    fuel: int
    memory_bytes: int
    output_limit: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Execution:
    """What a run did. `cpu_ns` is measured; `peak_memory` is linear memory in bytes; the rest is replayable."""

    exit: Exit
    code: int
    output: bytes
    log: bytes
    fuel_used: int
    cpu_ns: int
    peak_memory: int
    host_transcript: bytes = EMPTY_TRANSCRIPT
    detail: str = ""
    """For people: the trap's name or what went wrong. Not part of any receipt."""


def refused(ending: Exit, detail: str) -> Execution:
    """An execution that produced nothing."""
    return Execution(exit=ending, code=0, output=b"", log=b"", fuel_used=0, cpu_ns=0, peak_memory=0, detail=detail)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a module is not accepted: a stable code and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Import:
    """One function that a module asks of the host."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What the static parser saw; acceptable when `findings` is empty."""

    findings: tuple[Finding, ...] = ()
    imports: tuple[Import, ...] = ()
    exports: tuple[str, ...] = ()
    functions: int = 0
    memory_pages: int = 0
    size: int = 0

    def __bool__(self) -> bool:
        return bool(self.findings)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A module that was inspected and compiled, and can be run by its hash."""

    module_sha256: bytes
    engine_id: bytes
    size: int
    native_size: int
    from_cache: bool
    inspection: Findings = field(default_factory=Findings)


class SandboxFault(Exception):  # noqa: N818 - named by what happened
    """Something that is neither the guest's nor the caller's fault."""


class PoolBusy(SandboxFault):
    """The queue is full; try again later."""


class NotPrepared(SandboxFault):
    """No module with that hash has been prepared on this machine."""


class ModuleMalformed(ValueError):  # noqa: N818 - named by what happened
    """The bytes are no WebAssembly module; `offset` says where reading stopped."""

    def __init__(self, detail: str, offset: int) -> None:
        super().__init__(f"{detail} (at byte {offset})")
        self.detail = detail
        self.offset = offset
