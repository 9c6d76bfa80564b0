"""Jailed execution of untrusted modules."""

from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain.receipt import Exit


@dataclass(frozen=True, slots=True)
class Job:
    """One execution: limits are ceilings, ``clock`` is the guest's time in ms."""

    module: bytes
    input: bytes
    seed: bytes
    clock: int
    fuel: int
    memory_kib: int
    output_limit: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Run:
    """How a job ended."""

    exit: Exit
    code: int
    output: bytes
    log: bytes
    fuel_used: int
    cpu_ns: int
    peak_memory_kib: int
    host_transcript: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a module is refused: stable code and detail."""

    code: str
    detail: str


class Sandbox(Protocol):
    """Runs untrusted modules in jailed child processes."""

    engine: bytes

    async def prepare(self, wasm: bytes) -> list[Finding]:
        """Inspect, compile and cache a module; empty when it may run."""
        ...

    async def run(self, job: Job) -> Run:
        """Run a prepared module; Transient when no worker could be had."""
        ...
