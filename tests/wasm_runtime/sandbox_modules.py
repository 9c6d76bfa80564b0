"""Small modules and jobs for the sandbox's tests."""

from dataclasses import replace

import wasmtime

from wasm_runtime.pool import Pool
from wasm_runtime.result import Execution, Job, Prepared

MIB = 1 << 20


def wat(body: str, *, memory: str = '(memory (export "memory") 1)', imports: str = "") -> bytes:
    """A module whose _start runs `body`, with fd_write, fd_read and whatever `imports` adds."""
    return bytes(
        wasmtime.wat2wasm(
            f"""(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            {imports}
            {memory}
            (func $print (param $fd i32) (param $at i32) (param $size i32)
              (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $size))
              (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func (export "_start") {body}))"""
        )
    )


ECHO = wat(
    """(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 60000))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $print (i32.const 1) (i32.const 64) (i32.load (i32.const 8)))"""
)


def job(module_sha256: bytes, **changes: object) -> Job:
    """A small job; `changes` replace its fields."""
    small = Job(module_sha256, b"hello", bytes(32), 1_700_000_000_000, 50_000_000, 16 * MIB, MIB, 5_000)
    return replace(small, **changes)  # type: ignore[arg-type]


async def execute(pool: Pool, wasm: bytes, **changes: object) -> Execution:
    """Prepares a module that must be acceptable and runs it once."""
    prepared = await pool.prepare(wasm)
    assert isinstance(prepared, Prepared), prepared
    return await pool.run(job(prepared.module_sha256, **changes))
