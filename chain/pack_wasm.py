"""pack_wasm.py IN OUT: check a runtime module and write it without its names and producer notes.

The names are a third of the blob and nobody needs them on chain. Only the standard library is used.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DROPPED = {"name", "producers", "target_features"}
NEEDED_SECTIONS = {"runtime_version", "runtime_apis"}
NEEDED_EXPORTS = {
    "Core_version",
    "Core_execute_block",
    "Core_initialize_block",
    "Metadata_metadata",
    "BlockBuilder_apply_extrinsic",
    "BlockBuilder_finalize_block",
    "BlockBuilder_inherent_extrinsics",
    "TaggedTransactionQueue_validate_transaction",
    "GenesisBuilder_build_state",
    "GenesisBuilder_get_preset",
    "__heap_base",
}
CUSTOM, IMPORT, EXPORT = 0, 2, 7


class Section(NamedTuple):
    """One section: its kind, the name of a custom one, its payload and all of its bytes."""

    kind: int
    name: str
    payload: bytes
    whole: bytes


def leb(data: bytes, at: int) -> tuple[int, int]:
    """Unsigned LEB128 at ``at`` and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def text(data: bytes, at: int) -> tuple[str, int]:
    """Length-prefixed UTF-8 at ``at`` and the offset behind it."""
    length, at = leb(data, at)
    return data[at : at + length].decode(), at + length


def sections(module: bytes) -> Iterator[Section]:
    """All sections in order; ValueError when this is no version 1 module."""
    if module[:8] != b"\0asm\1\0\0\0":
        raise ValueError("not a WebAssembly module")
    at = 8
    while at < len(module):
        start, kind = at, module[at]
        size, at = leb(module, at + 1)
        payload = module[at : at + size]
        name = text(payload, 0)[0] if kind == CUSTOM else ""
        at += size
        yield Section(kind, name, payload, module[start:at])


def features(payload: bytes) -> set[str]:
    """Names of the features that the linker saw in use."""
    _, at = text(payload, 0)
    count, at = leb(payload, at)
    used = set()
    for _ in range(count):
        sign, (feature, at) = payload[at : at + 1], text(payload, at + 1)
        if sign != b"-":
            used.add(feature)
    return used


def exports(payload: bytes) -> set[str]:
    """Names of all exports."""
    count, at = leb(payload, 0)
    names = set()
    for _ in range(count):
        name, at = text(payload, at)
        _, at = leb(payload, at + 1)
        names.add(name)
    return names


def pack(module: bytes) -> bytes:
    """The module without dropped sections; ValueError when a host could not run it."""
    parts = list(sections(module))
    found = {part.name for part in parts}
    if not found >= NEEDED_SECTIONS:
        raise ValueError(f"sections missing: {sorted(NEEDED_SECTIONS - found)}")
    offered = {name for part in parts if part.kind == EXPORT for name in exports(part.payload)}
    if not offered >= NEEDED_EXPORTS:
        raise ValueError(f"exports missing: {sorted(NEEDED_EXPORTS - offered)}")
    used = {name for part in parts if part.name == "target_features" for name in features(part.payload)}
    if not used <= {"mutable-globals"}:
        raise ValueError(f"instructions beyond the first WebAssembly version: {sorted(used)}")
    return module[:8] + b"".join(part.whole for part in parts if part.name not in DROPPED)


def main(source: str, target: str) -> None:
    """Pack the file ``source`` into ``target``."""
    module = Path(source).read_bytes()
    packed = pack(module)
    Path(target).write_bytes(packed)
    print(f"packed {len(module)} -> {len(packed)} bytes")  # noqa: T201 - the build log is its only reader


if __name__ == "__main__":
    main(*sys.argv[1:])
