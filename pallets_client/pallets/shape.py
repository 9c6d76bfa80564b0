"""Turning decoded SCALE structs into records, refusing what does not have the record's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from pallets_client.errors import ChainMisbehaviour

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Variant:
    """A value of a SCALE enum: the variant's name and its fields by name (or by "0", "1", …)."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def record(cls: type[T], value: object) -> T:
    """``cls`` from the fields of a decoded struct; fields that the record does not know are ignored,
    and those it has a default for may be missing: an older runtime has none.

    Raises ChainMisbehaviour when one is missing or is no int, bool, bytes, record or list of bytes where
    the record says so.
    """
    if not isinstance(value, Mapping):
        raise ChainMisbehaviour(f"{cls.__name__}: a struct was expected, not {type(value).__name__}")
    arguments: dict[str, Any] = {}
    for item in fields(cls):  # type: ignore[arg-type]  # only dataclasses are passed
        name = item.name.rstrip("_")  # ``class`` is a keyword here
        if name not in value and item.default is not MISSING:
            continue
        if name not in value:
            raise ChainMisbehaviour(f"{cls.__name__}: the runtime has no field {name}")
        found = value[name]
        wanted = _PLAIN.get(str(item.type))
        if wanted is not None and type(found) is not wanted:
            raise ChainMisbehaviour(f"{cls.__name__}.{item.name}: {wanted.__name__} expected")
        if str(item.type) == "tuple[bytes, ...]":
            found = byte_strings(found, f"{cls.__name__}.{item.name}")
        arguments[item.name] = found
    return cls(**arguments)


def byte_strings(value: object, where: str) -> tuple[bytes, ...]:
    """A decoded vector of hashes or accounts as a tuple."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, bytes) for item in value):
        raise ChainMisbehaviour(f"{where}: a list of byte strings expected")
    return tuple(value)


def variant(value: object, where: str) -> Variant:
    """The value as a Variant, or ChainMisbehaviour."""
    if not isinstance(value, Variant):
        raise ChainMisbehaviour(f"{where}: an enum value expected")
    return value


_PLAIN: dict[str, type] = {"int": int, "bytes": bytes, "bool": bool}
