"""Modules that are small to send and large to compile: the compiler is stopped, the pool is not."""

from dataclasses import replace

import pytest
from sandbox_modules import ECHO, MIB, execute
from wasm_bytes import body, module, uleb

from wasm_runtime.limits import CompileLimits, ModuleLimits
from wasm_runtime.pool import Pool, Settings, open_pool
from wasm_runtime.result import Finding, Prepared, SandboxFault

EVERYTHING = ModuleLimits(
    functions=10_000_000, body=64 * MIB, locals=50_000, locals_times_blocks=1 << 62, exports=1_000_000
)
"""As if the static parser let everything through: the compiling child is the second wall."""

LOOPS, LOCALS = 4_000, 10_000
READS = b"".join(b"\x20" + uleb(local) + b"\x1a" for local in range(LOCALS))
"""Every local is read inside of every loop, so that each of them is carried through each loop's head."""
LOOPS_AND_LOCALS = module(
    bodies=[body(b"\x03\x40" * LOOPS + READS + b"\x41\x00\x0d\x00\x0b" * LOOPS, [(LOCALS, 0x7F)])]
)
CALLS = module(bodies=[body(b"\x10\x00" * 500_000)])
MANY_FUNCTIONS = module(functions=300_000)


async def refused(pool: Pool, wasm: bytes) -> Finding:
    verdict = await pool.prepare(wasm)
    assert isinstance(verdict, list), verdict
    return verdict[0]


@pytest.mark.parametrize(
    "bomb", [LOOPS_AND_LOCALS, CALLS, MANY_FUNCTIONS], ids=["loops x locals", "calls", "functions"]
)
async def test_a_compile_bomb_ends_with_its_child(settings: Settings, bomb: bytes) -> None:
    narrow = CompileLimits(cpu_seconds=1, wall_seconds=20.0, address_space=512 * MIB)

    async with open_pool(replace(settings, module=EVERYTHING, compile=narrow)) as pool:
        assert (await refused(pool, bomb)).code in ("compile-deadline", "compile-memory", "compile-crash")
        # The compiler for the next module is a new one.
        assert (await execute(pool, ECHO)).output == b"hello"


async def test_a_compile_bomb_runs_out_of_memory_before_the_machine_does(settings: Settings) -> None:
    narrow = CompileLimits(cpu_seconds=20, wall_seconds=40.0, address_space=384 * MIB)

    async with open_pool(replace(settings, module=EVERYTHING, compile=narrow)) as pool:
        finding = await refused(pool, LOOPS_AND_LOCALS)

    assert finding.code in ("compile-memory", "compile-crash")


async def test_a_compiler_that_gets_no_time_is_killed_and_the_module_not_blamed(settings: Settings) -> None:
    impatient = CompileLimits(cpu_seconds=60, wall_seconds=0.2, address_space=1024 * MIB)

    async with open_pool(replace(settings, module=EVERYTHING, compile=impatient)) as pool:
        with pytest.raises(SandboxFault, match="too busy"):
            await pool.prepare(CALLS)
        # One that is quick enough does not wait for the other.
        assert pool.statistics().findings == {}


async def test_the_static_parser_stops_the_bombs_before_any_compiler_starts(fresh_pool: Pool) -> None:
    for bomb, code in ((LOOPS_AND_LOCALS, "locals"), (CALLS, "body"), (MANY_FUNCTIONS, "functions")):
        assert (await refused(fresh_pool, bomb)).code == code
    assert fresh_pool.statistics().compiled == 0


async def test_code_that_does_not_validate_is_refused_with_the_validators_words(pool: Pool) -> None:
    finding = await refused(pool, module(bodies=[body(b"\x6a")]))

    assert finding.code == "invalid"
    assert "expected" in finding.detail


SWITCHED_OFF = {
    "threads": b"\xfe\x03\x00",  # atomic.fence
    "relaxed simd": b"\xfd\x80\x02",
    "tail call": b"\x12\x00",
    "gc": b"\xfb\x00\x00",  # struct.new
    "exceptions": b"\x06\x40\x0b",  # try
}


async def test_instructions_of_switched_off_proposals_do_not_validate(pool: Pool) -> None:
    for name, code in SWITCHED_OFF.items():
        assert (await refused(pool, module(bodies=[body(code)]))).code == "invalid", name


async def test_bytes_that_do_not_have_the_announced_hash_are_refused(pool: Pool) -> None:
    verdict = await pool.prepare(ECHO, bytes(32))

    assert isinstance(verdict, list)
    assert verdict[0].code == "hash"


async def test_no_module_at_all_is_a_finding(pool: Pool) -> None:
    assert (await refused(pool, b"not wasm")).code == "malformed"
    assert pool.statistics().findings == {"malformed": 1}


async def test_the_compiler_sees_a_module_only_once(fresh_pool: Pool) -> None:
    verdicts = [await fresh_pool.prepare(ECHO) for _ in range(3)]

    assert all(isinstance(verdict, Prepared) for verdict in verdicts)
    assert fresh_pool.statistics().compiled == 1
