"""Calls as JSON: what an intent is kept as, whatever runtime it will be encoded for in the end."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pallets_client.pallets.shape import Variant
from pallets_client.records import Call

MAX_DEPTH = 32
"""Of nested values: the deepest call of ours has five."""


class NotACall(ValueError):  # noqa: N818 — named after what it found
    """Text that no call was written as."""


def dump_call(call: Call) -> str:
    """The call as JSON with keys in order: equal calls give equal texts."""
    return json.dumps(_plain(call), sort_keys=True, separators=(",", ":"))


def load_call(text: str) -> Call:
    """The call back; records come as mappings of their fields, which encode to the same bytes."""
    try:
        found = _value(json.loads(text), 0)
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise NotACall(f"this is no stored call: {exc}") from exc
    if not isinstance(found, Call):
        raise NotACall("this is a value, but no call")
    return found


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case bytes() | bytearray():
            return {"hex": bytes(value).hex()}
        case str():
            return {"text": value}
        case Call():
            return {"call": f"{value.pallet}.{value.name}", "args": {k: _plain(v) for k, v in value.args.items()}}
        case Variant():
            return {"variant": value.name, "fields": {k: _plain(v) for k, v in value.fields.items()}}
        case Mapping():
            return {"record": {str(k): _plain(v) for k, v in value.items()}}
        case list() | tuple():
            return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        # A field that is a Python keyword has an underscore behind it here, and none on chain.
        return {"record": {f.name.rstrip("_"): _plain(getattr(value, f.name)) for f in fields(value)}}
    raise TypeError(f"a {type(value).__name__} is no argument of a call")


def _value(plain: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    match plain:
        case None | bool() | int():
            return plain
        case list():
            return tuple(_value(item, depth + 1) for item in plain)
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case {"text": str(words)}:
            return words
        case {"call": str(name), "args": dict(args)}:
            pallet, _, method = name.partition(".")
            return Call(pallet, method, {k: _value(v, depth + 1) for k, v in args.items()})
        case {"variant": str(name), "fields": dict(named)}:
            return Variant(name, {k: _value(v, depth + 1) for k, v in named.items()})
        case {"record": dict(named)}:
            return {k: _value(v, depth + 1) for k, v in named.items()}
    raise ValueError("a value of no known kind")
