"""Compiles one inspected module in a child of its own; every way this can go wrong is a finding about the module."""

import signal

import trio

from wasm_runtime import frames
from wasm_runtime.child import Child, ChildGone
from wasm_runtime.limits import CompileLimits
from wasm_runtime.result import Finding, SandboxFault

START_SECONDS = 30.0
_CPU_SIGNALS = (-signal.SIGXCPU, -signal.SIGKILL)


async def compile_module(wasm: bytes, limits: CompileLimits) -> memoryview | Finding:
    """Native code, or why there is none. The child never outlives this call.

    Raises SandboxFault when no child starts, or when the machine is too busy to let it use its time.
    """
    child = await Child.start("wasm_runtime.compile", str(limits.cpu_seconds), str(limits.address_space))
    try:
        await _hello(child)
        return await _answer(child, wasm, limits)
    finally:
        await child.kill()


async def _hello(child: Child) -> None:
    try:
        with trio.fail_after(START_SECONDS):
            greeting = await child.receive(64 * 1024)
    except (ChildGone, trio.TooSlowError) as error:
        raise SandboxFault(f"the compiler did not start: {error}") from error
    if not isinstance(greeting, frames.Hello):
        raise SandboxFault("the compiler did not say hello")


async def _answer(child: Child, wasm: bytes, limits: CompileLimits) -> memoryview | Finding:
    with trio.move_on_after(limits.wall_seconds):
        try:
            await child.send(frames.Compile(wasm))
            answer = await child.receive(limits.native_size + 8192)
        except ChildGone as error:
            return _post_mortem(await child.wait(), str(error), limits)
        match answer:
            case frames.Compiled(error="", native=native):
                return native
            case frames.Compiled(error=words):
                return Finding("invalid", words)
            case _:
                return Finding("compile-crash", "the compiler gave no sensible answer")
    # A compiler never sleeps, and it is ended when its processor time is used up: this is not the module's fault.
    raise SandboxFault(f"the machine is too busy to compile the module within {limits.wall_seconds:g} s")


def _post_mortem(status: int, words: str, limits: CompileLimits) -> Finding:
    if status in _CPU_SIGNALS:
        return Finding("compile-deadline", f"compiling took more than {limits.cpu_seconds} s of processor time")
    if "memory allocation" in words or "MemoryError" in words:
        return Finding("compile-memory", f"compiling took more than {limits.address_space} bytes of memory")
    return Finding("compile-crash", f"the compiler ended with status {status}: {words[-300:]}")
