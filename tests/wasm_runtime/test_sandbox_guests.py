"""Guests that misbehave while they run: each ends in a typed exit, and the pool goes on."""

import json
import struct

from sandbox_modules import ECHO, MIB, execute, job, wat
from wasm_bytes import START_AND_MEMORY, body, export, module

from wasm_runtime.limits import HOST_CALL_FUEL
from wasm_runtime.pool import Pool
from wasm_runtime.result import Exit, Prepared

LOOP = "(loop $again (br $again))"
FUEL = 50_000_000
FILL = "(loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $again))"
FLOOD = "(loop $again (call $print (i32.const 1) (i32.const 0) (i32.const 65536)) (br $again))"
GROW = "(loop $again (drop (memory.grow (i32.const 1))) (br $again))"

ENDINGS = [
    ("endless loop", LOOP, {}, Exit.OUT_OF_FUEL),
    (
        "endless host calls",
        "(loop $again (call $print (i32.const 2) (i32.const 0) (i32.const 1)) (br $again))",
        {},
        Exit.OUT_OF_FUEL,
    ),
    ("endless growing", GROW, {}, Exit.OUT_OF_FUEL),
    ("endless filling", FILL, {}, Exit.OUT_OF_FUEL),
    ("loop longer than its time", LOOP, {"fuel": 1 << 49, "deadline_ms": 100}, Exit.DEADLINE),
    ("filling longer than its time", FILL, {"fuel": 1 << 49, "deadline_ms": 100}, Exit.DEADLINE),
    ("output flood", FLOOD, {"fuel": 1 << 40}, Exit.OUTPUT_LIMIT),
    (
        "one byte too many",
        "(call $print (i32.const 1) (i32.const 0) (i32.const 11))",
        {"output_limit": 10},
        Exit.OUTPUT_LIMIT,
    ),
    ("unreachable", "(unreachable)", {}, Exit.TRAP),
    ("division by zero", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", {}, Exit.TRAP),
    ("outside of memory", "(drop (i32.load (i32.const 0x7fffffff)))", {}, Exit.TRAP),
    ("exit code", "(call $exit (i32.const 7))", {}, Exit.NONZERO),
    ("exit zero", "(call $exit (i32.const 0))", {}, Exit.OK),
    ("no fuel at all", "(nop)", {"fuel": 0}, Exit.OUT_OF_FUEL),
    ("fuel for less than a host call", "(call $exit (i32.const 0))", {"fuel": HOST_CALL_FUEL}, Exit.OUT_OF_FUEL),
]


async def test_a_guest_ends_as_it_deserves(pool: Pool) -> None:
    for name, code, changes, ending in ENDINGS:
        await ends_so(pool, name, code, changes, ending)


async def ends_so(pool: Pool, name: str, code: str, changes: dict[str, int], ending: Exit) -> None:
    done = await execute(pool, wat(code), **changes)

    assert done.exit is ending, (name, done)
    assert done.fuel_used <= changes.get("fuel", FUEL)
    if ending is Exit.OUT_OF_FUEL:
        assert done.fuel_used == changes.get("fuel", FUEL)
    if ending not in (Exit.OK, Exit.NONZERO):
        assert done.output == b""
    # The next tenant finds a working sandbox.
    assert (await execute(pool, ECHO)).output == b"hello"


async def test_recursion_overflows_the_guests_stack_and_nothing_else(pool: Pool) -> None:
    deep = module(bodies=[body(b"\x10\x00")])

    assert (await execute(pool, deep)).exit is Exit.STACK_OVERFLOW
    assert (await execute(pool, ECHO)).output == b"hello"


async def test_exit_codes_are_signed_as_in_receipts(pool: Pool) -> None:
    done = await execute(pool, wat("(call $exit (i32.const -2))"))

    assert (done.exit, done.code) == (Exit.NONZERO, -2)


async def test_initial_memory_above_the_jobs_is_refused_before_it_exists(pool: Pool) -> None:
    large = wat("(nop)", memory='(memory (export "memory") 1024)')

    assert (await execute(pool, large, memory_bytes=16 * MIB)).exit is Exit.MEMORY
    assert (await execute(pool, large, memory_bytes=64 * MIB)).exit is Exit.OK


async def test_memory_stops_growing_at_the_limit(pool: Pool) -> None:
    # Grows until the host says no, then prints how many pages it got.
    count = wat(
        """(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.store (i32.const 64) (memory.size))
        (call $print (i32.const 1) (i32.const 64) (i32.const 4))"""
    )

    done = await execute(pool, count, memory_bytes=16 * MIB)

    assert struct.unpack("<I", done.output) == (256,)
    assert done.peak_memory == 16 * MIB


async def test_tables_stop_growing_at_the_limit(pool: Pool) -> None:
    grown = wat(
        """(i32.store (i32.const 64) (table.grow $t (ref.null func) (i32.const 20000)))
        (call $print (i32.const 1) (i32.const 64) (i32.const 4))""",
        imports="",
        memory='(memory (export "memory") 1) (table $t 1 funcref)',
    )

    assert (await execute(pool, grown)).output == b"\xff\xff\xff\xff"


async def test_a_log_is_cut_and_does_not_end_the_run(pool: Pool) -> None:
    chatty = wat(
        """(local $n i32) (loop $again
        (call $print (i32.const 2) (i32.const 0) (i32.const 60000))
        (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5))))"""
    )

    done = await execute(pool, chatty)

    assert done.exit is Exit.OK
    assert len(done.log) == 64 * 1024


async def test_a_segment_outside_of_memory_is_a_trap_before_the_start(pool: Pool) -> None:
    outside = module(data=[b"\0\x41" + b"\xff\xff\xff\xff\x07" + b"\x0b\x01x"], exports=START_AND_MEMORY)

    assert (await execute(pool, outside)).exit is Exit.TRAP


async def test_a_guest_that_asks_to_sleep_is_answered_at_once(pool: Pool) -> None:
    sleeper = wat(
        """(i64.store (i32.const 88) (i64.const 3600000000000))
        (i32.store (i32.const 200) (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))
        (call $print (i32.const 1) (i32.const 200) (i32.const 4))""",
        imports='(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))',
    )

    done = await execute(pool, sleeper, deadline_ms=2_000)

    assert (done.exit, done.output) == (Exit.OK, struct.pack("<I", 52))


BAD_POINTERS = [
    ("vectors outside", "(call $write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 8))", 21),
    ("vectors at the very end", "(call $write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 8))", 21),
    ("too many vectors", "(call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8))", 28),
    ("unknown descriptor", "(call $write (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8))", 8),
    ("write to stdin", "(call $write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8))", 8),
    ("read from stdout", "(call $read (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 8))", 8),
    ("answer outside", "(call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 65533))", 21),
]


async def test_a_bad_pointer_is_an_error_number(pool: Pool) -> None:
    for name, call, errno in BAD_POINTERS:
        answer = wat(f"(i32.store (i32.const 64) {call}) (call $print (i32.const 1) (i32.const 64) (i32.const 4))")

        assert struct.unpack("<I", (await execute(pool, answer)).output) == (errno,), name


async def test_data_outside_of_memory_is_not_read(pool: Pool) -> None:
    leak = wat(
        """(i32.store (i32.const 0) (i32.const 65000)) (i32.store (i32.const 4) (i32.const 70000))
        (i32.store (i32.const 64) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $print (i32.const 1) (i32.const 64) (i32.const 4))"""
    )

    assert (await execute(pool, leak)).output == struct.pack("<I", 21)


async def test_files_cannot_be_opened(pool: Pool) -> None:
    opener = wat(
        """(i32.store (i32.const 64) (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
            (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 8)))
        (i32.store (i32.const 68) (call $prestat (i32.const 3) (i32.const 8)))
        (call $print (i32.const 1) (i32.const 64) (i32.const 8))""",
        imports="""(import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))""",
    )

    assert (await execute(pool, opener)).output == struct.pack("<II", 8, 8)


CLOCK_AND_CHANCE = wat(
    """(drop (call $random (i32.const 64) (i32.const 16))) (drop (call $random (i32.const 80) (i32.const 16)))
    (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 96)))
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 104)))
    (call $print (i32.const 1) (i32.const 64) (i32.const 48))""",
    imports="""(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))""",
)


async def test_chance_comes_from_the_seed_and_time_from_the_job(pool: Pool) -> None:
    one = await execute(pool, CLOCK_AND_CHANCE, seed=bytes(32), clock_ms=1_000)
    same = await execute(pool, CLOCK_AND_CHANCE, seed=bytes(32), clock_ms=1_000)
    other = await execute(pool, CLOCK_AND_CHANCE, seed=b"\1" * 32, clock_ms=2_000)

    assert one.output == same.output
    assert one.fuel_used == same.fuel_used == other.fuel_used
    assert one.output[:16] != one.output[16:32]
    assert one.output[:32] != other.output[:32]
    assert struct.unpack("<QQ", one.output[32:]) == (1_000_001_000, 1_000_002_000)
    assert struct.unpack("<QQ", other.output[32:]) == (2_000_001_000, 2_000_002_000)


async def test_a_nan_is_the_same_on_every_machine(pool: Pool) -> None:
    nan = wat(
        """(f64.store (i32.const 64) (f64.div (f64.const -nan:0xbeef) (f64.const 0)))
        (f32.store (i32.const 72) (f32.sqrt (f32.const -1)))
        (call $print (i32.const 1) (i32.const 64) (i32.const 12))"""
    )

    assert (await execute(pool, nan)).output == bytes.fromhex("000000000000f87f" + "0000c07f")


async def test_input_is_read_in_pieces_and_then_ends(pool: Pool) -> None:
    # Reads 7 bytes at a time into 64.. and echoes each piece until nothing comes.
    pieces = wat(
        """(loop $again
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 7))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (i32.load (i32.const 8)) (then
          (call $print (i32.const 1) (i32.const 64) (i32.load (i32.const 8))) (br $again))))"""
    )
    text = json.dumps({"text": "ä" * 500}).encode()

    assert (await execute(pool, pieces, input=text)).output == text


async def test_unknown_exits_of_a_guest_never_reach_the_caller_as_exceptions(pool: Pool) -> None:
    prepared = await pool.prepare(module(exports=[*START_AND_MEMORY, export("x", 0, 0)]))
    assert isinstance(prepared, Prepared)

    for _ in range(50):
        assert (await pool.run(job(prepared.module_sha256))).exit is Exit.OK
