"""Custom sections of a module: where a runtime carries its version, readable without running it."""

from collections.abc import Iterator

from chain_host.errors import MalformedScale, RuntimeTrap
from chain_host.scale import Reader, blob, compact

MAGIC = b"\0asm\1\0\0\0"
MAX_SECTIONS = 1_024
_CUSTOM, _GLOBALS, _DATA = 0, 6, 11
_CONSTS, _END = (0x41, 0x42), 0x0B


def _leb(reader: Reader) -> int:
    value = shift = 0
    while shift < 35:
        byte = reader.uint(1)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7
    raise MalformedScale("a length of more than five bytes")


def sections(wasm: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, contents) of every section, in order. Raises MalformedScale."""
    if wasm[:8] != MAGIC:
        raise MalformedScale("no WebAssembly module")
    reader = Reader(wasm, 8)
    for _ in range(MAX_SECTIONS):
        if reader.finished():
            return
        kind = reader.uint(1)
        yield kind, reader.take(_leb(reader))
    raise MalformedScale("too many sections")


def custom_sections(wasm: bytes) -> dict[str, bytes]:
    """Contents of custom sections by name; the first of a name counts. Raises MalformedScale."""
    found = dict[str, bytes]()
    for kind, contents in sections(wasm):
        if kind == _CUSTOM:
            reader = Reader(contents)
            name = reader.take(_leb(reader)).decode("utf-8", "replace")
            found.setdefault(name, contents[reader.offset :])
    return found


def _constant(reader: Reader) -> int:
    """Value of an initializer that is one `i32.const` or `i64.const`. Raises MalformedScale for any other."""
    if reader.uint(1) not in _CONSTS:
        raise MalformedScale("an initializer that is no constant")
    value = shift = 0
    while shift < 70:
        byte = reader.uint(1)
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if reader.uint(1) != _END:
        raise MalformedScale("an initializer of more than one instruction")
    return value & 0xFFFFFFFF


def written_from(wasm: bytes) -> int | None:
    """Lowest address that a runtime's data is laid at, when memory from there on is all that tells a used instance
    from a fresh one: at most one global may change, the stack pointer, which every call that returns restores.

    None when the module is of another shape.
    """
    lowest: int | None = None
    try:
        for kind, contents in sections(wasm):
            reader = Reader(contents)
            if kind == _GLOBALS:
                mutable = 0
                for _ in range(_leb(reader)):
                    reader.uint(1)
                    mutable += reader.uint(1)
                    _constant(reader)
                if mutable > 1:
                    return None
            elif kind == _DATA:
                for _ in range(_leb(reader)):
                    if _leb(reader) != 0:
                        return None
                    start = _constant(reader)
                    reader.take(_leb(reader))
                    lowest = start if lowest is None else min(lowest, start)
    except MalformedScale:
        return None
    return lowest


def embedded_version(wasm: bytes) -> bytes | None:
    """SCALE `RuntimeVersion` of the `runtime_version` and `runtime_apis` sections, None without the former.

    Every node reads the version of a proposed runtime this way, so a host that asked the code instead would
    fork from them. Raises RuntimeTrap when a section is malformed.
    """
    try:
        sections = custom_sections(wasm)
        version = sections.get("runtime_version")
        if version is None:
            return None
        reader = Reader(version)
        head = blob(reader.blob()) + blob(reader.blob()) + reader.take(12)
        own = [reader.take(12) for _ in range(reader.count())]
        tail = reader.take(4) + (reader.take(1) if not reader.finished() else b"\0")
        listed = sections.get("runtime_apis")
        if listed is not None:
            apis = Reader(listed)
            own = [apis.take(12) for _ in range(-(-len(listed) // 12))]
    except MalformedScale as exc:
        raise RuntimeTrap(f"no readable version: {exc}") from exc
    return head + compact(len(own)) + b"".join(own) + tail
