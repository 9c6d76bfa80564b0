"""Modules that nobody should have written: some that inspection sees, some that only a compiler can judge."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from refused_modules import MALFORMED, REFUSED
from wasm_bytes import HEADER, body, module, section, uleb, vector
from wasmtime import wat2wasm

from ainur_node.domain.manifest import MAX_MODULE

ROOT = Path(__file__).parents[2]
BODY = 128 * 1024 - 64
"""As long as a function may be, with room for its locals."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes handed in as a module, and the codes of findings of which one must be named."""

    name: str
    wasm: bytes
    codes: tuple[str, ...]


def _large_types() -> bytes:
    """Types as long as they may be, 8 MiB of them."""
    kind = b"\x60" + uleb(800) + b"\x7f" * 800 + b"\0"
    return HEADER + section(1, vector([kind] * 10_000))


def _groups_of_locals() -> bytes:
    """Millions of groups of no locals: long to read."""
    return module(functions=60, bodies=[body(locals_=[(0, 0x7F)] * (BODY // 2))] * 60)


# What one look at the bytes shows.
SEEN = (
    *(Sent(name, wasm, (code,)) for name, (wasm, code) in REFUSED.items() if name != "too large"),
    *(Sent(name, wasm, ("malformed",)) for name, wasm in MALFORMED.items()),
    Sent(
        "one type of seven million",
        HEADER + section(1, vector([b"\x60" + uleb(7 << 20) + b"\x7f" * (7 << 20) + b"\0"])),
        ("parameters",),
    ),
    Sent("eight megabytes of types", _large_types(), ("no-entry",)),
    Sent("eight megabytes of nothing", HEADER + section(0, b"\x01x" + bytes(MAX_MODULE - 32)), ("no-entry",)),
    Sent("eight megabytes of zeros", bytes(MAX_MODULE), ("malformed",)),
)

# What only the validator or the compiler, each in a jailed child, can say.
FOUND_BY_A_CHILD = (
    Sent(
        "body of random bytes",
        module(bodies=[body(hashlib.shake_256(b"body").digest(5_000))]),
        ("invalid", "malformed", "locals", "value-type"),
    ),
    Sent("addition of nothing", module(bodies=[body(b"\x6a")]), ("invalid",)),
    Sent("call of a function that is not there", module(bodies=[body(b"\x10\x63")]), ("invalid",)),
    Sent("atomics", module(bodies=[body(b"\xfe\x03\x00")]), ("invalid",)),
    Sent("relaxed vectors", module(bodies=[body(b"\xfd\x80\x02")]), ("invalid",)),
    Sent("garbage collection", module(bodies=[body(b"\xfb\x00\x00")]), ("invalid",)),
    Sent("exceptions", module(bodies=[body(b"\x06\x40\x0b")]), ("invalid",)),
    Sent("blocks that do not end", module(bodies=[body(b"\x02\x40" * 30_000)]), ("invalid",)),
)

TOO_DEAR = ("compile-deadline", "compile-memory", "compile-crash")
# Within all bounds of inspection, yet more than a compiler may spend on them.
BOMBS = (
    Sent("40,000 loops in each other", module(bodies=[body(b"\x03\x40" * 40_000 + b"\x0b" * 40_000)]), TOO_DEAR),
    Sent("loops side by side", module(functions=8, bodies=[body(b"\x03\x40\x0b" * (BODY // 3))] * 8), TOO_DEAR),
    Sent(
        "indirect calls",
        module(functions=12, tables=[b"\x70\0\x01"], bodies=[body(b"\x41\0\x11\0\0" * (BODY // 5))] * 12),
        TOO_DEAR,
    ),
)
# Dear, but within what a compiler may spend: accepted, and nobody may notice.
HEAVY = (
    Sent("50,000 functions", module(functions=50_000), ()),
    Sent("millions of empty groups of locals", _groups_of_locals(), ()),
    Sent("500,000 calls", module(functions=8, bodies=[body(b"\x10\x00" * (BODY // 2))] * 8), ()),
    Sent(
        "a table of 60,000 branches",
        module(
            bodies=[
                body(
                    b"\x02\x40" * 100
                    + b"\x41\0\x0e"
                    + uleb(60_000)
                    + bytes(n % 100 for n in range(60_000))
                    + b"\0"
                    + b"\x0b" * 100
                )
            ]
        ),
        (),
    ),
)


def repeated(wasm: bytes, size: int) -> bytes:
    """A real module whose functions come again and again until it has about ``size`` bytes."""
    sections: list[tuple[int, bytes]] = []
    at = len(HEADER)
    while at < len(wasm):
        number, (length, at) = wasm[at], _number(wasm, at + 1)
        sections.append((number, wasm[at : at + length]))
        at += length
    times = size // len(wasm)
    return HEADER + b"".join(section(n, _times(part, times) if n in (3, 10) else part) for n, part in sections)


def _times(part: bytes, times: int) -> bytes:
    count, at = _number(part, 0)
    return uleb(count * times) + part[at:] * times


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def starts_before_it_is_asked() -> bytes:
    """An endless start function."""
    text = '(module (memory (export "memory") 1) (func $s (loop $l (br $l))) (func (export "_start")) (start $s))'
    return bytes(wat2wasm(text))
