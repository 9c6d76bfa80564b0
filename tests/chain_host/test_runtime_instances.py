"""Used instances are as good as fresh ones, and the hashes inside the sandbox are the real ones."""

import hashlib

import pytest
import wasmtime
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_host.errors import RuntimeTrap
from chain_host.hashing import blake2_128, blake2_256, twox
from chain_host.overlay import Overlay
from chain_host.state import HeadState
from chain_host.wasm.engine import engine, unpacked
from chain_host.wasm.executor import Executor
from chain_host.wasm.hashing import NAMES
from chain_host.wasm.sections import written_from
from chain_host.world import runtime_blob

HASHED = "".join(f' (import "env" "{name}" (func ${name} (param i64) (result i32)))' for name in NAMES)
MEMORY = '(import "env" "memory" (memory 20)) (global (export "__heap_base") i32 (i32.const 1052672))'
FAT = "(i64.or (i64.extend_i32_u (local.get $at)) (i64.shl (i64.extend_i32_u (local.get $size)) (i64.const 32)))"
SIZES = {"twox_64": 8, "twox_128": 16, "twox_256": 32, "blake2_128": 16, "blake2_256": 32}


def compiled(text: str) -> tuple[wasmtime.Module, bytes]:
    code = bytes(wasmtime.wat2wasm(text))
    return wasmtime.Module(engine(), code), code


@pytest.fixture(scope="module")
def hasher() -> Executor:
    functions = "".join(
        f"""(func (export "{name}") (param $at i32) (param $size i32) (result i64)
            (i64.or (i64.extend_i32_u (call $ext_hashing_{name}_version_1 {FAT})) (i64.const {size << 32})))"""
        for name, size in SIZES.items()
    )
    module, code = compiled(f"(module {HASHED} {MEMORY} {functions})")
    return Executor(module, written_from=written_from(code))


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400))
def test_hashes_in_the_sandbox_are_those_of_the_libraries(hasher: Executor, data: bytes):
    expected = {
        "twox_64": twox(data, 8),
        "twox_128": twox(data, 16),
        "twox_256": twox(data, 32),
        "blake2_128": blake2_128(data),
        "blake2_256": blake2_256(data),
    }

    assert {name: hasher.call(Overlay(HeadState()), name, data) for name in SIZES} == expected


@pytest.mark.parametrize("size", [0, 1, 3, 4, 7, 8, 31, 32, 33, 127, 128, 129, 255, 256, 257, 100_000])
def test_every_edge_of_a_hash_block_is_right(hasher: Executor, size: int):
    data = bytes(index * 7 % 251 for index in range(size))

    assert hasher.call(Overlay(HeadState()), "blake2_256", data) == hashlib.blake2b(data, digest_size=32).digest()
    assert hasher.call(Overlay(HeadState()), "twox_64", data) == xxhash.xxh64_intdigest(data).to_bytes(8, "little")


def test_a_hash_of_bytes_outside_memory_is_a_trap():
    for name in NAMES:
        module, _code = compiled(
            f"""(module {HASHED} {MEMORY} (func (export "go") (param i32 i32) (result i64)
                (i64.extend_i32_u (call ${name} (i64.const 0x7fffffff7fffffff)))))"""
        )
        with pytest.raises(RuntimeTrap):
            Executor(module).call(Overlay(HeadState()), "go")


# Counts its calls in its data, and answers the count and the first byte behind the data.
COUNTING = f"""(module {MEMORY}
 (global $stack (mut i32) (i32.const 1048576))
 (data (i32.const 1048576) "\\07")
 (func (export "go") (param $at i32) (param $size i32) (result i64)
  (i32.store8 (i32.const 1048576) (i32.add (i32.load8_u (i32.const 1048576)) (i32.const 1)))
  (i32.store8 (i32.const 1048577) (i32.add (i32.load8_u (i32.const 1048577)) (i32.const 1)))
  (if (local.get $size) (then unreachable))
  (i64.const 0x0000000200100000)))"""


def test_what_a_call_wrote_is_gone_in_the_next_call_of_the_same_instance():
    module, code = compiled(COUNTING)
    assert written_from(code) == 1048576
    executor = Executor(module, written_from=1048576)

    answers = [executor.call(Overlay(HeadState()), "go") for _ in range(3)]

    assert answers == [b"\x08\x01"] * 3
    with pytest.raises(RuntimeTrap):
        executor.call(Overlay(HeadState()), "go", b"x")
    assert executor.call(Overlay(HeadState()), "go") == b"\x08\x01"


@pytest.mark.parametrize(
    "part",
    [
        '(global (mut i32) (i32.const 0)) (global (mut i64) (i64.const 0)) (data (i32.const 8) "x")',
        '(global (export "g") i32 (i32.const 0))',
    ],
    ids=["a second global that changes", "no data"],
)
def test_a_module_of_another_shape_gets_a_fresh_instance_each_time(part: str):
    assert written_from(bytes(wasmtime.wat2wasm(f"(module (memory 1) {part})"))) is None


def test_the_packaged_runtime_can_use_its_instances_again():
    assert written_from(unpacked(runtime_blob())) is not None


@given(st.binary(max_size=60))
def test_any_bytes_are_no_module_to_use_again(data: bytes):
    assert written_from(data) is None
    written_from(b"\0asm\1\0\0\0" + data)
