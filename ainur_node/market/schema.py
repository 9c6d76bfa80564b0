"""Inputs and outputs against the schemas of a manifest: bounded JSON, bounded work, one clear sentence as the answer.

Schemas come from strangers, and whoever submits or wins applies them. References can fetch URLs and fan out without
end, a regular expression can backtrack for years, and Python's `re` does not let other threads run meanwhile. So a
manifest may use none of the keywords below; without them, the work is at most values in the document times values in
the schema, which is counted before it begins.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import referencing
import trio

REFUSED = frozenset(
    {"$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties", "uniqueItems"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
# Values in the document times values in the schema: judged in the daemon's own loop, and at all. A step takes some µs.
INLINE_STEPS = 10_000
MAX_STEPS = 4_000_000
# Values in a schema: holding one against the schema of schemas takes half a millisecond for each.
MAX_SCHEMA = 1_000
# Steps alone do not bound this: a number as text grows with its square, so long whole numbers are refused by `json`.
THREADS_AT_ONCE = 1

_CANNOT = "the schema cannot be applied: "
_MAPS_OF_SCHEMAS = ("properties", "$defs", "definitions", "dependentSchemas")
_VALUES = frozenset({"enum", "const", "default", "examples"})
_NO_REFERENCES: referencing.Registry[Any] = referencing.Registry()
_threads = trio.CapacityLimiter(THREADS_AT_ONCE)


def wrap_text(document: bytes) -> bytes:
    """A UTF-8 document as the JSON task ``{"text": …}``; ValueError when it is not UTF-8."""
    return json.dumps({"text": document.decode()}, ensure_ascii=False, separators=(",", ":")).encode()


async def check(document: bytes, schema: Mapping[str, Any]) -> str | None:
    """As `mismatch`, beside the loop when it may take long."""
    if len(document) * _count(schema, INLINE_STEPS) <= INLINE_STEPS:
        return mismatch(document, schema)
    return await trio.to_thread.run_sync(mismatch, document, schema, limiter=_threads)


def mismatch(document: bytes, schema: Mapping[str, Any]) -> str | None:
    """Why the JSON document does not fit the schema, or None when it does; never raises."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError) as exc:
        return f"not valid JSON: {str(exc)[:200]}"
    keyword = _refused(schema)
    if keyword is not None:
        return f"{_CANNOT}{keyword} may not be used"
    steps = _count(value, MAX_STEPS) * _count(schema, MAX_STEPS)
    if steps > MAX_STEPS:
        return f"{_CANNOT}it needs {steps:,} steps on this document, {MAX_STEPS:,} are allowed"
    try:
        # The registry is empty: with the library's own, a reference to a URL would be fetched from there.
        validator = jsonschema.Draft202012Validator(schema, registry=_NO_REFERENCES)
        error = next(validator.iter_errors(value), None)
    except Exception as exc:  # noqa: BLE001 # reason: whatever a broken schema does to the library is the schema's fault
        return f"{_CANNOT}{type(exc).__name__}: {str(exc)[:160]}"
    if error is None:
        return None
    where = "/".join(str(part) for part in error.absolute_path)[:100] or "the document"
    return f"{where}: {_shortened(error.message)}"


def _shortened(message: str) -> str:
    """Both ends of a sentence: the value stands first and may be long, what is wrong with it comes last."""
    return message if len(message) <= 200 else f"{message[:60]} … {message[-120:]}"


async def fault(schema: Mapping[str, Any]) -> str | None:
    """As `schema_fault`, beside the loop."""
    return await trio.to_thread.run_sync(schema_fault, schema, limiter=_threads)


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """Why a schema may not stand in a manifest, or None."""
    if _count(schema, MAX_SCHEMA) > MAX_SCHEMA:
        return f"it has more than {MAX_SCHEMA} values"
    keyword = _refused(schema)
    if keyword is not None:
        return f"{keyword} may not be used"
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except (jsonschema.SchemaError, RecursionError) as exc:
        return str(exc)[:200]
    return None


def _refused(schema: object) -> str | None:
    """A refused keyword where keywords stand: names of properties and plain values may be what they like."""
    level = [schema]
    while level:
        found = level.pop()
        if isinstance(found, list):
            level.extend(found)
        elif isinstance(found, Mapping):
            used = REFUSED.intersection(found)
            if used:
                return min(used)
            level.extend(_below(found))
    return None


def _below(schema: Mapping[str, Any]) -> Iterator[object]:
    for keyword, value in schema.items():
        if keyword in _MAPS_OF_SCHEMAS and isinstance(value, Mapping):
            yield from value.values()
        elif keyword not in _VALUES:
            yield value


def _count(value: object, enough: int) -> int:
    """Values in a JSON value, itself and names included; counted no further than ``enough``."""
    count, level = 0, [value]
    while level and count <= enough:
        item = level.pop()
        count += 1
        if isinstance(item, Mapping):
            count += len(item)
            level.extend(item.values())
        elif isinstance(item, list):
            level.extend(item)
    return count
