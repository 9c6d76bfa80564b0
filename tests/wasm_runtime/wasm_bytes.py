"""A little assembler for modules that no honest compiler makes."""

from collections.abc import Iterable

HEADER = b"\0asm\x01\0\0\0"
COMMAND = b"\x60\0\0"
"""The type () -> ()."""


def uleb(value: int) -> bytes:
    """An unsigned LEB128 number."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def vector(items: Iterable[bytes]) -> bytes:
    """A count and the items."""
    listed = list(items)
    return uleb(len(listed)) + b"".join(listed)


def name(text: str) -> bytes:
    """A string with its length."""
    return uleb(len(text.encode())) + text.encode()


def section(number: int, content: bytes) -> bytes:
    """A section with its size."""
    return bytes([number]) + uleb(len(content)) + content


def body(code: bytes = b"", locals_: Iterable[tuple[int, int]] = ()) -> bytes:
    """A function body; `locals_` are (how many, type)."""
    inner = vector(uleb(count) + bytes([kind]) for count, kind in locals_) + code + b"\x0b"
    return uleb(len(inner)) + inner


def module(
    *,
    types: Iterable[bytes] = (COMMAND,),
    imports: Iterable[bytes] = (),
    functions: int = 1,
    tables: Iterable[bytes] = (),
    memories: Iterable[bytes] = (b"\0\x01",),
    globals_: Iterable[bytes] = (),
    exports: Iterable[bytes] | None = None,
    start: int | None = None,
    elements: Iterable[bytes] = (),
    bodies: Iterable[bytes] | None = None,
    data: Iterable[bytes] = (),
    extra: bytes = b"",
) -> bytes:
    """A module whose function 0 is exported as _start and memory 0 as memory, unless told otherwise."""
    exported = [name("_start") + b"\0\0", name("memory") + b"\x02\0"] if exports is None else exports
    parts = [
        section(1, vector(types)),
        section(2, vector(imports)),
        section(3, vector([b"\0"] * functions)),
        section(4, vector(tables)),
        section(5, vector(memories)),
        section(6, vector(globals_)),
        section(7, vector(exported)),
        section(8, uleb(start)) if start is not None else b"",
        section(9, vector(elements)),
        section(10, vector([body()] * functions if bodies is None else bodies)),
        section(11, vector(data)),
        extra,
    ]
    return HEADER + b"".join(part for part in parts if part[1:] != b"\x01\0" or part[:1] == b"\x08")


def export(text: str, kind: int = 0, index: int = 0) -> bytes:
    """One export entry."""
    return name(text) + bytes([kind]) + uleb(index)


START_AND_MEMORY = (export("_start"), export("memory", 2))
