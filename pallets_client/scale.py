"""SCALE: closures that decode from (bytes, offset) and encode to bytes, bounds-checked, to be composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pallets_client.errors import CallMalformed, ChainMisbehaviour

Decoder = Callable[[bytes, int], tuple[Any, int]]
Encoder = Callable[[Any], bytes]

MAX_EMPTY_ITEMS = 65_536  # items of zero bytes: a length alone must not cost memory
_INTEGERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "u256": 32}
_SIGNED = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16, "i256": 32}


def decode_compact(data: bytes, at: int) -> tuple[int, int]:
    """A compact integer at an offset, and the offset after it."""
    if at >= len(data):
        raise ChainMisbehaviour("SCALE value ends too early")
    first = data[at]
    mode = first & 3
    if mode == 0:
        return first >> 2, at + 1
    size = 2 if mode == 1 else 4 if mode == 2 else (first >> 2) + 5
    end = at + size
    if end > len(data):
        raise ChainMisbehaviour("SCALE value ends too early")
    if mode == 3:
        return int.from_bytes(data[at + 1 : end], "little"), end
    return int.from_bytes(data[at:end], "little") >> 2, end


def encode_compact(value: int) -> bytes:
    """The shortest compact form."""
    if value < 0:
        raise CallMalformed("a compact integer is not negative")
    if value < 1 << 6:
        return bytes([value << 2])
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    size = max(4, (value.bit_length() + 7) // 8)
    if size > 67:
        raise CallMalformed("a compact integer has at most 536 bits")
    return bytes([(size - 4) << 2 | 3]) + value.to_bytes(size, "little")


def primitive_decoder(name: str) -> Decoder:
    """Decoder of a primitive by its name: integers, bool, and text for the rest."""
    if name in _INTEGERS or name in _SIGNED:
        size, signed = _INTEGERS.get(name) or _SIGNED[name], name in _SIGNED

        def integer(data: bytes, at: int) -> tuple[int, int]:
            end = at + size
            if end > len(data):
                raise ChainMisbehaviour("SCALE value ends too early")
            return int.from_bytes(data[at:end], "little", signed=signed), end

        return integer
    return decode_bool if name == "bool" else decode_text


def decode_bool(data: bytes, at: int) -> tuple[bool, int]:
    """A bool at an offset."""
    if at >= len(data) or data[at] > 1:
        raise ChainMisbehaviour("a SCALE bool is 0 or 1")
    return data[at] == 1, at + 1


def decode_text(data: bytes, at: int) -> tuple[str, int]:
    """UTF-8 text with a compact length."""
    raw, at = decode_blob(data, at)
    try:
        return raw.decode(), at
    except UnicodeDecodeError as exc:
        raise ChainMisbehaviour("SCALE text is not UTF-8") from exc


def decode_blob(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes with a compact length."""
    count, at = decode_compact(data, at)
    end = at + count
    if end > len(data):
        raise ChainMisbehaviour("SCALE value ends too early")
    return data[at:end], end


def bytes_decoder(length: int) -> Decoder:
    """Decoder of a byte array of fixed length."""

    def fixed(data: bytes, at: int) -> tuple[bytes, int]:
        end = at + length
        if end > len(data):
            raise ChainMisbehaviour("SCALE value ends too early")
        return data[at:end], end

    return fixed


def tuple_decoder(decoders: Sequence[Decoder]) -> Decoder:
    """Decoder of values one after the other."""

    def items(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        values = []
        for decode in decoders:
            value, at = decode(data, at)
            values.append(value)
        return tuple(values), at

    return items


def struct_decoder(names: Sequence[str], decoders: Sequence[Decoder]) -> Decoder:
    """Decoder of named fields one after the other."""
    pairs = list(zip(names, decoders, strict=True))

    def struct(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        values = {}
        for name, decode in pairs:
            values[name], at = decode(data, at)
        return values, at

    return struct


def option_decoder(inner: Decoder) -> Decoder:
    """Decoder of None or an inner value."""

    def option(data: bytes, at: int) -> tuple[Any, int]:
        if at >= len(data) or data[at] > 1:
            raise ChainMisbehaviour("a SCALE option begins with 0 or 1")
        return inner(data, at + 1) if data[at] else (None, at + 1)

    return option


def primitive_encoder(name: str) -> Encoder:
    """Encoder of a primitive by its name."""
    if name in _INTEGERS or name in _SIGNED:
        size, signed = _INTEGERS.get(name) or _SIGNED[name], name in _SIGNED
        return lambda value: int.to_bytes(value, size, "little", signed=signed)
    return encode_bool if name == "bool" else lambda value: encode_blob(value.encode())


def encode_bool(value: Any) -> bytes:
    """A bool; nothing else that is true or false."""
    if not isinstance(value, bool):
        raise CallMalformed(f"{value!r} is not a bool")
    return b"\x01" if value else b"\x00"


def encode_blob(value: Any) -> bytes:
    """Bytes behind their compact length."""
    return encode_compact(len(value)) + bytes(memoryview(value))


def bytes_encoder(length: int) -> Encoder:
    """Encoder of a byte array of fixed length."""

    def fixed(value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != length:
            raise CallMalformed(f"{length} bytes expected, not {value!r:.80}")
        return value

    return fixed


def tuple_encoder(encoders: Sequence[Encoder]) -> Encoder:
    """Encoder of values one after the other."""

    def items(value: Any) -> bytes:
        if len(value) != len(encoders):
            raise CallMalformed(f"{len(encoders)} items expected")
        return b"".join(encode(item) for encode, item in zip(encoders, value, strict=True))

    return items


def sequence_encoder(inner: Encoder) -> Encoder:
    """Encoder of a vector."""
    return lambda value: encode_compact(len(value)) + b"".join(map(inner, value))


def struct_encoder(names: Sequence[str], encoders: Sequence[Encoder]) -> Encoder:
    """Encoder of a mapping with exactly these names, or of a record with these attributes."""
    pairs = list(zip(names, encoders, strict=True))
    # A record spells a field that is a Python keyword with an underscore behind it.
    attributes = [(f"{name}_" if name == "class" else name, encode) for name, encode in pairs]

    def struct(value: Any) -> bytes:
        if isinstance(value, Mapping):
            if len(value) != len(pairs):
                raise CallMalformed(f"fields {', '.join(names)} expected, not {', '.join(value)}")
            return b"".join([encode(value[name]) for name, encode in pairs])
        return b"".join([encode(getattr(value, name)) for name, encode in attributes])

    return struct
