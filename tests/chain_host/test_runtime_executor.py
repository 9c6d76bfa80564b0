"""Calls of a runtime: bounds on time, memory and pointers, with small modules written for the purpose."""

import time

import pytest
import wasmtime

from chain_host.errors import RuntimeTrap
from chain_host.overlay import Overlay
from chain_host.state import HeadState
from chain_host.wasm.engine import Modules, engine, unpacked
from chain_host.wasm.executor import Executor

IMPORTS = """
 (import "env" "memory" (memory 20))
 (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
 (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
 (import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
 (import "env" "ext_storage_read_version_1" (func $read (param i64 i64 i32) (result i64)))
 (import "env" "ext_storage_commit_transaction_version_1" (func $commit))
 (import "env" "ext_nonsense_version_1" (func $nonsense (param i32)))
 (global (export "__heap_base") i32 (i32.const 1048576))
"""


def executor(body: str) -> Executor:
    text = f'(module {IMPORTS} (func (export "go") (param $at i32) (param $size i32) (result i64) {body}))'
    return Executor(wasmtime.Module(engine(), wasmtime.wat2wasm(text)))


ECHO = """(i64.or (i64.extend_i32_u (local.get $at))
                  (i64.shl (i64.extend_i32_u (local.get $size)) (i64.const 32)))"""


def test_arguments_go_in_and_results_come_out():
    assert executor(ECHO).call(Overlay(HeadState()), "go", b"hello") == b"hello"


@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1, 20 << 20])
def test_large_arguments_fit(size):
    data = b"x" * size

    assert executor(ECHO).call(Overlay(HeadState()), "go", data) == data


def test_an_endless_loop_is_stopped():
    started = time.monotonic()

    with pytest.raises(RuntimeTrap, match="interrupt"):
        executor("(loop $on (br $on)) (i64.const 0)").call(Overlay(HeadState()), "go", seconds=0.2)

    assert time.monotonic() - started < 5


def test_endless_recursion_is_stopped():
    text = (
        f'(module {IMPORTS} (func $f (export "go") (param i32 i32) (result i64) (call $f (i32.const 0) (i32.const 0))))'
    )

    with pytest.raises(RuntimeTrap, match="stack"):
        Executor(wasmtime.Module(engine(), wasmtime.wat2wasm(text))).call(Overlay(HeadState()), "go")


def test_memory_is_bounded():
    greedy = "(loop $on (drop (call $malloc (i32.const 16777216))) (br $on)) (i64.const 0)"

    with pytest.raises(RuntimeTrap):
        executor(greedy).call(Overlay(HeadState()), "go")


@pytest.mark.parametrize(
    "body",
    [
        "(i64.const -1)",
        "(i64.const 0x7fffffff00000000)",
        "(i64.const 0x00000001ffffffff)",
        "(call $get (i64.const -1))",
        "(call $set (i64.const 0x0000000100000000) (i64.const 0x7fffffffffffffff)) (i64.const 0)",
        "(call $read (i64.const 0) (i64.const 0x00000010fffffff8) (i32.const 0))",
        "(drop (call $malloc (i32.const -1))) (i64.const 0)",
        "(call $commit) (i64.const 0)",
        "(call $nonsense (i32.const 1)) (i64.const 0)",
        "unreachable",
    ],
)
def test_whatever_a_runtime_does_wrong_is_a_trap_without_a_trace(body):
    overlay = Overlay(HeadState({b"": b"a value that is read"}))
    overlay.put(b"before", b"1")

    with pytest.raises(RuntimeTrap):
        executor("(call $set (i64.const 0x0000000400000000) (i64.const 0x0000000400000000)) " + body).call(
            overlay, "go", b"data"
        )

    assert overlay.changes() == {b"before": b"1"}


def test_the_same_executor_serves_after_a_trap():
    once = executor("(if (local.get $size) (then unreachable)) (i64.const 0)")

    with pytest.raises(RuntimeTrap):
        once.call(Overlay(HeadState()), "go", b"x")
    assert once.call(Overlay(HeadState()), "go") == b""


def test_writes_of_a_question_are_thrown_away():
    overlay = Overlay(HeadState())
    writing = executor("(call $set (i64.const 0x0000000400000000) (i64.const 0x0000000400000000)) (i64.const 0)")

    writing.call(overlay, "go", keep=False)
    assert overlay.changes() == {}
    writing.call(overlay, "go")
    assert overlay.changes() == {bytes(4): bytes(4)}


def test_reading_from_an_offset_answers_what_is_left():
    overlay = Overlay(HeadState({b"": b"0123456789"}))
    reading = "(call $read (i64.const 0) (i64.const 0x0000000400000010) (i32.const 7))"

    assert executor(reading).call(overlay, "go") == b"\1" + (3).to_bytes(4, "little")


def test_a_missing_export_and_a_broken_module_are_traps():
    with pytest.raises(RuntimeTrap, match="no Core_nothing"):
        executor("(i64.const 0)").call(Overlay(HeadState()), "Core_nothing")
    with pytest.raises(RuntimeTrap):
        Modules(None).load(b"\0asm\1\0\0\0 garbage")
    with pytest.raises(RuntimeTrap):
        unpacked(bytes.fromhex("52bc537646db8e05") + b"no zstd")


def test_compiled_code_that_others_could_write_is_not_run(tmp_path):
    code = wasmtime.wat2wasm(f"(module {IMPORTS})")
    private = tmp_path / "cache"
    Modules(private).load(bytes(code))
    (kept,) = private.iterdir()

    kept.write_bytes(b"not machine code")
    Modules(private).load(bytes(code))
    assert kept.stat().st_size > 1000

    before = kept.stat().st_mtime_ns
    private.chmod(0o777)
    Modules(private).load(bytes(code))
    assert kept.stat().st_mtime_ns != before
