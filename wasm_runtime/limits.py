"""Every bound of the sandbox, and the engine profile with its id; never imports the engine itself."""

import hashlib
import json
from dataclasses import dataclass

MIB = 1 << 20
PAGE = 1 << 16

ENGINE_VERSION = "50.0.1"
"""The wasmtime release that receipts name. Fuel changes between releases, so a worker with another one refuses."""

ENGINE_SETTINGS: dict[str, bool | int | str] = {
    "cranelift_nan_canonicalization": True,
    "cranelift_opt_level": "speed",
    "consume_fuel": True,
    "epoch_interruption": True,
    "max_wasm_stack": 512 * 1024,
    # Copy-on-write images make instantiation free of fuel on some systems and not on others.
    "memory_init_cow": False,
    "parallel_compilation": False,
    "shared_memory": False,
    "strategy": "cranelift",
    "wasm_bulk_memory": True,
    "wasm_custom_page_sizes": False,
    "wasm_exceptions": False,
    "wasm_function_references": False,
    "wasm_gc": False,
    "wasm_memory64": False,
    "wasm_multi_memory": False,
    "wasm_multi_value": True,
    "wasm_reference_types": True,
    "wasm_relaxed_simd": False,
    "wasm_simd": True,
    "wasm_stack_switching": False,
    "wasm_tail_call": False,
    "wasm_threads": False,
    "wasm_wide_arithmetic": False,
}
"""The deterministic profile, applied attribute by attribute: what is hashed is what is set."""

HOST_CALL_FUEL = 5_000
"""Fuel of one host call. A call into the host takes about 10 us; the engine itself would charge nothing for it."""

HOST_BYTE_FUEL = 1
"""Fuel per byte that a host call copies."""

TABLE_ELEMENTS = 10_000
"""Of all tables of a module together, before and after growing."""

LOADED_MODULES = 16
"""Compiled modules that a worker keeps ready; the one used least recently gives way."""


def engine_id() -> bytes:
    """32 bytes that change whenever two honest machines could disagree about output or fuel."""
    profile = {
        "engine": f"wasmtime {ENGINE_VERSION}",
        "settings": ENGINE_SETTINGS,
        "abi": "agent/1",
        "host_call_fuel": HOST_CALL_FUEL,
        "host_byte_fuel": HOST_BYTE_FUEL,
        "table_elements": TABLE_ELEMENTS,
    }
    return hashlib.sha256(json.dumps(profile, sort_keys=True, separators=(",", ":")).encode()).digest()


@dataclass(frozen=True, slots=True)
class ModuleLimits:
    """What the static parser accepts. Each bound stops a module that is cheap to send and dear to compile."""

    size: int = 8 * MIB
    types: int = 10_000
    parameters: int = 1_000
    imports: int = 64
    functions: int = 50_000
    exports: int = 64
    globals: int = 10_000
    tables: int = 4
    table_elements: int = TABLE_ELEMENTS
    memory_pages: int = 4096
    data_segments: int = 10_000
    """Without copy-on-write images each is compiled to code that copies it: 10,000 take 2 s, 40,000 take 20 s."""
    element_segments: int = 10_000
    elements: int = 100_000
    body: int = 128 * 1024
    locals: int = 2_000
    locals_times_blocks: int = 8_000_000
    custom_sections: int = 256
    name_bytes: int = 1024


@dataclass(frozen=True, slots=True)
class CompileLimits:
    """What the compiling child may use."""

    cpu_seconds: int = 10
    wall_seconds: float = 60.0
    address_space: int = 1024 * MIB
    native_size: int = 256 * MIB


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The most that a job may ask for; `Pool.run` refuses a job above them."""

    fuel: int = 1 << 50
    memory_bytes: int = 256 * MIB
    input: int = 4 * MIB
    output: int = 4 * MIB
    log: int = 64 * 1024
    deadline_ms: int = 600_000
    clock_ms: int = 1 << 43
