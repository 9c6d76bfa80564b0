"""SCALE codec of one runtime: a pair of closures per type of its metadata, so that a value costs microseconds.

Decoded values: ints, bools, str; ``bytes`` for byte arrays and vectors; lists, tuples; dicts for structs with
named fields; the inner value for newtypes; None or the value for options; ``Variant`` for other enums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pallets_client import scale
from pallets_client.errors import CallMalformed, ChainMisbehaviour
from pallets_client.metadata import Case, Field, Type
from pallets_client.pallets.shape import Variant
from pallets_client.scale import Decoder, Encoder


class Codec:
    """Encoders and decoders of all types of one runtime, made when first asked for."""

    def __init__(self, types: Sequence[Type]) -> None:
        self._types = types
        self._decoders: dict[int, Decoder] = {}
        self._encoders: dict[int, Encoder] = {}
        # Nested calls are values of pallets_client.records.Call; the runtime registers how to encode them.
        self.call_encoders: dict[int, Encoder] = {}

    def type(self, type_id: int) -> Type:
        """The type with this id."""
        if not 0 <= type_id < len(self._types):
            raise ChainMisbehaviour(f"metadata names type {type_id}, which it does not define")
        return self._types[type_id]

    def decode(self, type_id: int, data: bytes) -> Any:
        """The value that fills ``data`` exactly; raises ChainMisbehaviour for anything else."""
        try:
            value, end = self.decoder(type_id)(data, 0)
        except RecursionError as exc:
            raise ChainMisbehaviour("SCALE value is nested too deeply") from exc
        if end != len(data):
            raise ChainMisbehaviour(f"{len(data) - end} bytes left after a SCALE value")
        return value

    def encode(self, type_id: int, value: Any) -> bytes:
        """Bytes of a value; raises CallMalformed when it does not fit the type."""
        try:
            return self.encoder(type_id)(value)
        except (TypeError, OverflowError, AttributeError, KeyError, RecursionError) as exc:
            raise CallMalformed(f"a value does not fit its SCALE type: {exc}") from exc

    def decoder(self, type_id: int) -> Decoder:
        """Decoder of a type."""
        found = self._decoders.get(type_id)
        if found is None:
            # A recursive type meets this stand-in while its own decoder is being made.
            self._decoders[type_id] = lambda data, at: self._decoders[type_id](data, at)  # noqa: PLW0108  # late binding
            found = self._decoders[type_id] = self._make_decoder(self.type(type_id))
        return found

    def encoder(self, type_id: int) -> Encoder:
        """Encoder of a type."""
        if type_id in self.call_encoders:
            return self.call_encoders[type_id]
        found = self._encoders.get(type_id)
        if found is None:
            self._encoders[type_id] = lambda value: self._encoders[type_id](value)  # noqa: PLW0108  # late binding
            found = self._encoders[type_id] = self._make_encoder(self.type(type_id))
        return found

    def is_empty(self, type_id: int) -> bool:
        """Whether values of the type have no bytes."""
        found = self.type(type_id)
        if found.shape == "composite":
            return all(self.is_empty(field.type) for field in found.fields)
        return found.shape == "tuple" and all(self.is_empty(item) for item in found.items)

    # decoding ------------------------------------------------------------------------------------------

    def _make_decoder(self, found: Type) -> Decoder:
        match found.shape:
            case "primitive":
                return scale.primitive_decoder(found.primitive)
            case "compact":
                return scale.decode_compact
            case "composite":
                return self.fields_decoder(found.fields)
            case "tuple":
                return scale.tuple_decoder([self.decoder(item) for item in found.items])
            case "array":
                if self._is_byte(found.items[0]):
                    return scale.bytes_decoder(found.length)
                return scale.tuple_decoder([self.decoder(found.items[0])] * found.length)
            case "sequence":
                return self._sequence_decoder(found.items[0])
            case "variant":
                return self._variant_decoder(found)
            case _:
                raise ChainMisbehaviour(f"type {'::'.join(found.path)} is not supported")

    def fields_decoder(self, fields: Sequence[Field]) -> Decoder:
        """Decoder of a struct or of a variant's fields."""
        decoders = [self.decoder(field.type) for field in fields]
        if fields and fields[0].name is not None:
            return scale.struct_decoder([str(field.name) for field in fields], decoders)
        if len(decoders) == 1:
            return decoders[0]
        return scale.tuple_decoder(decoders)

    def _is_byte(self, type_id: int) -> bool:
        found = self.type(type_id)
        return found.shape == "primitive" and found.primitive == "u8"

    def _sequence_decoder(self, item: int) -> Decoder:
        if self._is_byte(item):
            return scale.decode_blob
        decode = self.decoder(item)
        empty = self.is_empty(item)

        def sequence(data: bytes, at: int) -> tuple[list[Any], int]:
            count, at = scale.decode_compact(data, at)
            if count > (scale.MAX_EMPTY_ITEMS if empty else len(data) - at):
                raise ChainMisbehaviour("a SCALE vector announces more items than it has bytes")
            values = []
            for _ in range(count):
                value, at = decode(data, at)
                values.append(value)
            return values, at

        return sequence

    def _variant_decoder(self, found: Type) -> Decoder:
        if found.path == ("Option",):
            some = next(case for case in found.cases if case.name == "Some")
            return scale.option_decoder(self.decoder(some.fields[0].type))
        table: dict[int, tuple[str, list[str], list[Decoder]]] = {
            case.index: (
                case.name,
                [field.name or str(number) for number, field in enumerate(case.fields)],
                [self.decoder(field.type) for field in case.fields],
            )
            for case in found.cases
        }
        where = "::".join(found.path)

        def variant(data: bytes, at: int) -> tuple[Variant, int]:
            if at >= len(data) or data[at] not in table:
                raise ChainMisbehaviour(f"no such variant of {where}")
            name, names, decoders = table[data[at]]
            at += 1
            values = {}
            for key, decode in zip(names, decoders, strict=True):
                values[key], at = decode(data, at)
            return Variant(name, values), at

        return variant

    # encoding ------------------------------------------------------------------------------------------

    def _make_encoder(self, found: Type) -> Encoder:
        match found.shape:
            case "primitive":
                return scale.primitive_encoder(found.primitive)
            case "compact":
                return scale.encode_compact
            case "composite":
                return self.fields_encoder(found.fields)
            case "tuple":
                return scale.tuple_encoder([self.encoder(item) for item in found.items])
            case "array":
                if self._is_byte(found.items[0]):
                    return scale.bytes_encoder(found.length)
                return scale.tuple_encoder([self.encoder(found.items[0])] * found.length)
            case "sequence":
                if self._is_byte(found.items[0]):
                    return scale.encode_blob
                return scale.sequence_encoder(self.encoder(found.items[0]))
            case "variant":
                return self._variant_encoder(found)
            case _:
                raise CallMalformed(f"type {'::'.join(found.path)} is not supported")

    def fields_encoder(self, fields: Sequence[Field]) -> Encoder:
        """Encoder of a struct (a mapping or a record) or of a newtype's inner value."""
        encoders = [self.encoder(field.type) for field in fields]
        if fields and fields[0].name is not None:
            return scale.struct_encoder([str(field.name) for field in fields], encoders)
        if len(encoders) == 1:
            return encoders[0]
        return scale.tuple_encoder(encoders)

    def _variant_encoder(self, found: Type) -> Encoder:
        if found.path == ("Option",):
            some = next(case for case in found.cases if case.name == "Some")
            inner = self.encoder(some.fields[0].type)
            return lambda value: b"\x00" if value is None else b"\x01" + inner(value)
        table = {case.name: (bytes([case.index]), self._case_encoder(case)) for case in found.cases}
        where = "::".join(found.path)

        def variant(value: Any) -> bytes:
            if not isinstance(value, Variant) or value.name not in table:
                raise CallMalformed(f"{value!r} is no variant of {where}")
            index, encode = table[value.name]
            return index + encode(value.fields)

        return variant

    def _case_encoder(self, case: Case) -> Encoder:
        names = [field.name or str(number) for number, field in enumerate(case.fields)]
        return scale.struct_encoder(names, [self.encoder(field.type) for field in case.fields])
