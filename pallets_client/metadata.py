"""Runtime metadata V14: parsed once from the node's bytes into plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pallets_client.errors import ChainMisbehaviour

MAX_METADATA = 4 * 1024 * 1024  # bytes; this runtime has about 200 KiB
_MAGIC = b"meta"
_PRIMITIVES = (
    *("bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "u256"),
    *("i8", "i16", "i32", "i64", "i128", "i256"),
)

Shape = Literal["composite", "variant", "sequence", "array", "tuple", "primitive", "compact", "bits"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct or variant; ``type`` is a type id."""

    name: str | None
    type: int


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of an enum; ``docs`` joined into one line."""

    name: str
    fields: tuple[Field, ...]
    index: int
    docs: str


@dataclass(frozen=True, slots=True)
class Type:
    """A type: which members are set depends on ``shape``."""

    path: tuple[str, ...]
    shape: Shape
    fields: tuple[Field, ...] = ()
    cases: tuple[Case, ...] = ()
    items: tuple[int, ...] = ()
    length: int = 0
    primitive: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage item; ``hashers`` is empty for a plain value."""

    name: str
    hashers: tuple[str, ...]
    key: int | None
    value: int
    default: bytes
    optional: bool


@dataclass(frozen=True, slots=True)
class Pallet:
    """A pallet; ``calls``, ``events`` and ``errors`` are type ids."""

    name: str
    index: int
    prefix: str
    storage: dict[str, Storage]
    calls: int | None
    events: int | None
    errors: int | None
    constants: dict[str, tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Metadata:
    """All that a client needs; ``extensions`` are (identifier, extra type, additional type)."""

    types: tuple[Type, ...]
    pallets: tuple[Pallet, ...]
    extensions: tuple[tuple[str, int, int], ...]
    extrinsic_version: int


_HASHERS = (
    *("Blake2_128", "Blake2_256", "Blake2_128Concat"),
    *("Twox128", "Twox256", "Twox64Concat", "Identity"),
)


class _Reader:
    """Bounds-checked cursor over the metadata bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise ChainMisbehaviour("metadata ends too early")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def compact(self) -> int:
        first = self.u8()
        mode = first & 3
        if mode == 0:
            return first >> 2
        if mode == 3:
            return int.from_bytes(self.take((first >> 2) + 4), "little")
        rest = self.take(1 if mode == 1 else 3)
        return int.from_bytes(bytes([first]) + rest, "little") >> 2

    def count(self) -> int:
        value = self.compact()
        if value > len(self.data) - self.at:
            raise ChainMisbehaviour("metadata announces more items than it has bytes")
        return value

    def bytes(self) -> bytes:
        return self.take(self.count())

    def text(self) -> str:
        try:
            return self.bytes().decode()
        except UnicodeDecodeError as exc:
            raise ChainMisbehaviour("metadata holds text that is not UTF-8") from exc

    def texts(self) -> tuple[str, ...]:
        return tuple(self.text() for _ in range(self.count()))

    def option(self) -> bool:
        return self.u8() != 0


def parse(data: bytes) -> Metadata:
    """Metadata from what ``state_getMetadata`` returns; raises ChainMisbehaviour for anything odd."""
    if len(data) > MAX_METADATA:
        raise ChainMisbehaviour(f"metadata of {len(data)} bytes")
    reader = _Reader(data)
    if reader.take(4) != _MAGIC:
        raise ChainMisbehaviour("metadata without its magic number")
    version = reader.u8()
    if version != 14:
        raise ChainMisbehaviour(f"metadata version {version}, 14 was expected")
    types = tuple(_type(reader, number) for number in range(reader.count()))
    pallets = tuple(_pallet(reader) for _ in range(reader.count()))
    reader.compact()  # the type of an extrinsic
    extrinsic_version = reader.u8()
    extensions = tuple((reader.text(), reader.compact(), reader.compact()) for _ in range(reader.count()))
    return Metadata(types, pallets, extensions, extrinsic_version)


def _type(reader: _Reader, number: int) -> Type:
    if reader.compact() != number:
        raise ChainMisbehaviour("metadata types are out of order")
    path = reader.texts()
    for _ in range(reader.count()):  # type parameters say nothing about bytes
        reader.text()
        if reader.option():
            reader.compact()
    shape = reader.u8()
    found = _definition(reader, shape, path)
    reader.texts()
    return found


def _definition(reader: _Reader, shape: int, path: tuple[str, ...]) -> Type:
    match shape:
        case 0:
            return Type(path, "composite", fields=_fields(reader))
        case 1:
            cases = tuple(
                Case(reader.text(), _fields(reader), reader.u8(), " ".join(reader.texts()).strip())
                for _ in range(reader.count())
            )
            return Type(path, "variant", cases=cases)
        case 2:
            return Type(path, "sequence", items=(reader.compact(),))
        case 3:
            length = reader.u32()
            return Type(path, "array", items=(reader.compact(),), length=length)
        case 4:
            return Type(path, "tuple", items=tuple(reader.compact() for _ in range(reader.count())))
        case 5:
            primitive = reader.u8()
            if primitive >= len(_PRIMITIVES):
                raise ChainMisbehaviour(f"metadata names primitive {primitive}")
            return Type(path, "primitive", primitive=_PRIMITIVES[primitive])
        case 6:
            return Type(path, "compact", items=(reader.compact(),))
        case 7:
            return Type(path, "bits", items=(reader.compact(), reader.compact()))
        case _:
            raise ChainMisbehaviour(f"metadata holds type definition {shape}")


def _fields(reader: _Reader) -> tuple[Field, ...]:
    fields = []
    for _ in range(reader.count()):
        name = reader.text() if reader.option() else None
        type_id = reader.compact()
        if reader.option():
            reader.text()
        reader.texts()
        fields.append(Field(name, type_id))
    return tuple(fields)


def _pallet(reader: _Reader) -> Pallet:
    name = reader.text()
    prefix, storage = name, {}
    if reader.option():
        prefix = reader.text()
        storage = {item.name: item for item in (_storage(reader) for _ in range(reader.count()))}
    calls = reader.compact() if reader.option() else None
    events = reader.compact() if reader.option() else None
    constants: dict[str, tuple[int, bytes]] = {}
    for _ in range(reader.count()):
        constant = reader.text()
        constants[constant] = (reader.compact(), reader.bytes())
        reader.texts()
    errors = reader.compact() if reader.option() else None
    return Pallet(name, reader.u8(), prefix, storage, calls, events, errors, constants)


def _storage(reader: _Reader) -> Storage:
    name = reader.text()
    optional = reader.u8() == 0
    hashers: tuple[str, ...] = ()
    key: int | None = None
    if reader.u8() == 1:
        codes = [reader.u8() for _ in range(reader.count())]
        if any(code >= len(_HASHERS) for code in codes):
            raise ChainMisbehaviour(f"metadata: {name} has an unknown hasher")
        hashers = tuple(_HASHERS[code] for code in codes)
        key = reader.compact()
    value = reader.compact()
    default = reader.bytes()
    reader.texts()
    return Storage(name, hashers, key, value, default, optional)
