"""Runs one guest in this process: store, limits, the WASI calls, and the translation of every ending into an Exit."""

import ctypes
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import wasmtime

from wasm_runtime import frames, limits
from wasm_runtime.abi import agent1, preview1
from wasm_runtime.deadline import Deadline
from wasm_runtime.engine import new_engine
from wasm_runtime.result import EMPTY_TRANSCRIPT, Exit
from wasm_runtime.wasi import GuestExit, MemoryFault, OutputLimitHit, System

_TRAPS = {
    "OUT_OF_FUEL": Exit.OUT_OF_FUEL,
    "STACK_OVERFLOW": Exit.STACK_OVERFLOW,
    "INTERRUPT": Exit.DEADLINE,
}
_TYPES = {preview1.I32: wasmtime.ValType.i32, preview1.I64: wasmtime.ValType.i64}


class _FuelGone(Exception):  # noqa: N818 - named by what happened
    """A host call costs more than the guest has left."""


class _Memory:
    """wasi.GuestMemory on wasmtime, for one host call."""

    __slots__ = ("_caller", "_memory")

    def __init__(self, caller: Any, memory: Any) -> None:
        self._caller = caller
        self._memory = memory

    def charge(self, size: int) -> None:
        left = self._caller_fuel() - limits.HOST_CALL_FUEL - size * limits.HOST_BYTE_FUEL
        if left < 0:
            raise _FuelGone
        wasmtime.Store.set_fuel(self._caller, left)

    def _caller_fuel(self) -> int:
        # Store and Caller share the context that these methods work on, but only Store has the methods.
        return int(wasmtime.Store.get_fuel(self._caller))

    def _address(self, address: int, size: int) -> int:
        if address + size > self._memory.data_len(self._caller):
            raise MemoryFault
        return ctypes.addressof(self._memory.data_ptr(self._caller).contents) + address

    def read(self, address: int, size: int) -> bytes:
        return ctypes.string_at(self._address(address, size), size) if size else b""

    def write(self, address: int, data: bytes) -> None:
        if data:
            ctypes.memmove(self._address(address, len(data)), data, len(data))


class Runner:
    """Holds the engine, the loaded modules and the run in progress; one run at a time, in the main thread."""

    def __init__(self) -> None:
        self.engine = new_engine()
        self._deadline = Deadline(self.engine.increment_epoch)
        self._modules: OrderedDict[bytes, Any] = OrderedDict()
        self._system: System | None = None
        self._memory: Any = None
        # One linker for ever: a linker per run whose functions hold the run would never be freed.
        self._linker = wasmtime.Linker(self.engine)
        for name, (params, results) in preview1.FUNCTIONS.items():
            kind = wasmtime.FuncType([_TYPES[p]() for p in params], [_TYPES[r]() for r in results])
            self._linker.define_func(preview1.MODULE, name, kind, self._host(name), access_caller=True)

    def start(self) -> None:
        """Starts the thread that enforces deadlines."""
        self._deadline.start()

    def load(self, sha256: bytes, native: memoryview) -> str:
        """Makes native code runnable under its hash; the answer is empty or why it could not be."""
        try:
            module = wasmtime.Module.deserialize(self.engine, bytes(native))
            self._modules[sha256] = self._linker.instantiate_pre(module)
        except wasmtime.WasmtimeError as error:
            return str(error)[:500] or "unknown"
        while len(self._modules) > limits.LOADED_MODULES:
            self._modules.popitem(last=False)
        return ""

    def run(self, job: frames.Run) -> frames.Ran:
        """Runs a loaded module once, in a store of its own."""
        prepared = self._modules.get(job.sha256)
        if prepared is None:
            return _ran(Exit.ENGINE, detail="the module is not loaded here")
        self._modules.move_to_end(job.sha256)
        system = System(job.input, job.seed, job.clock_ms, output_limit=job.output_limit, log_limit=job.log_limit)
        self._system, self._memory = system, None
        store = wasmtime.Store(self.engine)
        peak = 0
        begin = time.thread_time_ns()
        try:
            store.set_limits(
                memory_size=job.memory_bytes,
                table_elements=limits.TABLE_ELEMENTS,
                instances=1,
                tables=limits.ModuleLimits().tables,
                memories=1,
            )
            store.set_fuel(job.fuel)
            with self._deadline.after(job.deadline_ms):
                store.set_epoch_deadline(1)
                ending, code, detail = self._call(prepared, store)
            cpu = time.thread_time_ns() - begin
            used = job.fuel if ending is Exit.OUT_OF_FUEL else job.fuel - store.get_fuel()
            if self._memory is not None:
                peak = self._memory.data_len(store)
        finally:
            self._system = self._memory = None
            store.close()
        # Half an output looks like a result; only a run that ended by itself has one.
        output = bytes(system.output) if ending in (Exit.OK, Exit.NONZERO) else b""
        return _ran(ending, code, output, bytes(system.log), used, cpu, peak, detail)

    def _call(self, prepared: Any, store: Any) -> tuple[Exit, int, str]:
        try:
            instance = prepared.instantiate(store)
        except wasmtime.Trap as trap:
            return _trapped(trap)
        except wasmtime.WasmtimeError as error:
            exceeded = "exceeds memory limits" in str(error)
            return (Exit.MEMORY if exceeded else Exit.BAD_MODULE), 0, str(error)[:200]
        exports = instance.exports(store)
        self._memory = exports[agent1.MEMORY]
        try:
            exports[agent1.ENTRY](store)
        except GuestExit as left:
            return (Exit.NONZERO if left.code else Exit.OK), left.code, ""
        except _FuelGone:
            return Exit.OUT_OF_FUEL, 0, "OUT_OF_FUEL"
        except OutputLimitHit:
            return Exit.OUTPUT_LIMIT, 0, "OUTPUT_LIMIT"
        except wasmtime.Trap as trap:
            return _trapped(trap)
        except wasmtime.WasmtimeError as error:
            return Exit.ENGINE, 0, str(error)[:200]
        return Exit.OK, 0, ""

    def _host(self, name: str) -> Callable[..., int | None]:
        def answer(caller: Any, *arguments: int) -> int:
            if self._system is None or self._memory is None:
                raise RuntimeError("a host call outside of a run")
            return self._system.call(name, _Memory(caller, self._memory), arguments)

        def leave(caller: Any, code: int) -> None:
            answer(caller, code)

        return leave if name == "proc_exit" else answer


def _trapped(trap: Any) -> tuple[Exit, int, str]:
    name = "UNKNOWN"
    with suppress(ValueError):  # a code that this release of the binding has no name for
        name = trap.trap_code.name if trap.trap_code is not None else name
    return _TRAPS.get(name, Exit.TRAP), 0, name


def _ran(
    ending: Exit,
    code: int = 0,
    output: bytes = b"",
    log: bytes = b"",
    fuel_used: int = 0,
    cpu_ns: int = 0,
    peak_memory: int = 0,
    detail: str = "",
) -> frames.Ran:
    return frames.Ran(
        exit=int(ending),
        code=code,
        output=output,
        log=log,
        fuel_used=fuel_used,
        cpu_ns=cpu_ns,
        peak_memory=peak_memory,
        host_transcript=EMPTY_TRANSCRIPT,
        detail=detail,
    )
