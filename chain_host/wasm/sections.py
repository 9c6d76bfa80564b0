"""Custom sections of a module: where a runtime carries its version, readable without running it."""

from chain_host.errors import MalformedScale, RuntimeTrap
from chain_host.scale import Reader, blob, compact

MAGIC = b"\0asm\1\0\0\0"
MAX_SECTIONS = 1_024


def _leb(reader: Reader) -> int:
    value = shift = 0
    while shift < 35:
        byte = reader.uint(1)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7
    raise MalformedScale("a length of more than five bytes")


def custom_sections(wasm: bytes) -> dict[str, bytes]:
    """Contents of custom sections by name; the first of a name counts. Raises MalformedScale."""
    if wasm[:8] != MAGIC:
        raise MalformedScale("no WebAssembly module")
    reader, found = Reader(wasm, 8), dict[str, bytes]()
    for _ in range(MAX_SECTIONS):
        if reader.finished():
            return found
        kind = reader.uint(1)
        size = _leb(reader)
        end = reader.offset + size
        if kind == 0:
            name = reader.take(_leb(reader)).decode("utf-8", "replace")
            found.setdefault(name, reader.take(end - reader.offset))
        else:
            reader.take(size)
    raise MalformedScale("too many sections")


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
