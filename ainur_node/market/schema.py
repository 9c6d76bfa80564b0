"""Inputs and outputs against the schemas of a manifest: bounded JSON, one clear sentence when it does not fit."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema


def wrap_text(document: bytes) -> bytes:
    """A UTF-8 document as the JSON task ``{"text": …}``; ValueError when it is not UTF-8."""
    return json.dumps({"text": document.decode()}, ensure_ascii=False, separators=(",", ":")).encode()


def mismatch(document: bytes, schema: Mapping[str, Any]) -> str | None:
    """Why the JSON document does not fit the schema, or None when it does."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError) as exc:
        return f"not valid JSON: {str(exc)[:200]}"
    validator = jsonschema.Draft202012Validator(schema)
    try:
        error = next(validator.iter_errors(value), None)
    except (RecursionError, jsonschema.SchemaError) as exc:
        return f"the schema cannot be applied: {str(exc)[:200]}"
    if error is None:
        return None
    where = "/".join(str(part) for part in error.absolute_path) or "the document"
    return f"{where}: {error.message[:200]}"


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """Why a schema is no schema, or None."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except (jsonschema.SchemaError, RecursionError) as exc:
        return str(exc)[:200]
    return None
