"""The manifest of a package: what an agent can do, what goes in and out, what it needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import ModuleId, PackageId
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.task import Limits, VerificationClass

MAX_MANIFEST = 64 * 1024
MAX_FUEL = 10**12
MAX_MEMORY = 256 << 20
MAX_OUTPUT = 1 << 20
# The one limit of a module, at every door: sandbox, manifests, local socket, command line.
MAX_MODULE = 8 << 20
# Objects and lists inside one another; far below what any later reader of a schema can recurse through.
MAX_DEPTH = 32
LEAST_MEMORY = 64 * 1024  # one page of WebAssembly
TEXT = "text/plain"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked manifest; the package is named by the sha-256 of the manifest's bytes."""

    package: PackageId
    name: str
    version: str
    capability: str
    description: str
    verification_class: VerificationClass
    module: ModuleId
    module_size: int
    media_type: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    limits: Limits
    royalty_bps: int
    abi: int = 1

    @property
    def output_schema_hash(self) -> bytes:
        """sha-256 of the output schema as compact sorted JSON: what a task commits to."""
        return content_hash(json.dumps(self.output_schema, sort_keys=True, separators=(",", ":")).encode())


class _Malformed(Exception):  # noqa: N818 — never leaves this file
    pass


def read_manifest(raw: bytes) -> Manifest | Rejection:
    """The manifest behind bytes, or what is wrong with it."""
    if len(raw) > MAX_MANIFEST:
        return Rejection("bad_manifest", f"manifest.json has {len(raw)} bytes, at most {MAX_MANIFEST} are allowed")
    try:
        fields = json.loads(raw.decode(), parse_constant=_no_constant)
        return _read(raw, fields)
    except (ValueError, RecursionError) as exc:
        return Rejection("bad_manifest", f"manifest.json is not valid JSON: {exc}")
    except _Malformed as exc:
        return Rejection("bad_manifest", f"manifest.json: {exc}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _check_depth(fields: dict[str, Any]) -> None:
    level: list[Any] = [fields]
    for _ in range(MAX_DEPTH):
        values = [value for v in level for value in (v.values() if isinstance(v, dict) else v)]
        level = [value for value in values if isinstance(value, (dict, list))]
    if level:
        raise _Malformed(f"objects and lists may be nested at most {MAX_DEPTH} deep")


def _read(raw: bytes, f: Any) -> Manifest:
    if not isinstance(f, dict):
        raise _Malformed("it must be a JSON object")
    _check_depth(f)
    if type(f.get("manifest")) is not int or f["manifest"] != 1:
        raise _Malformed('"manifest" must be 1, the only version so far')
    module, limits = _dict(f, "module"), _dict(f, "limits")
    needs, gives = _dict(f, "input"), _dict(f, "output")
    classes = {c.name.lower(): c for c in VerificationClass}
    verification_class = f.get("class")
    if not isinstance(verification_class, str) or verification_class not in classes:
        raise _Malformed(f'"class" must be one of {", ".join(classes)}')
    media = needs.get("media_type")
    if media not in (TEXT, JSON):
        raise _Malformed(f'"input.media_type" must be {TEXT} or {JSON}')
    return Manifest(
        package=PackageId(content_hash(raw)),
        name=_name(f, "name"),
        version=_text(f, "version", 32),
        capability=_name(f, "capability"),
        description=_text(f, "description", 2000),
        verification_class=classes[verification_class],
        module=ModuleId(_hash(module, "sha256")),
        module_size=_whole(module, "size", MAX_MODULE),
        media_type=media,
        input_schema=_dict(needs, "schema"),
        output_schema=_dict(gives, "schema"),
        limits=Limits(
            fuel=_whole(limits, "fuel", MAX_FUEL),
            memory_kib=_whole(limits, "memory", MAX_MEMORY, least=LEAST_MEMORY) // 1024,
            output=_whole(limits, "output", MAX_OUTPUT),
        ),
        royalty_bps=_whole(f, "royalty_bps", 5_000, least=0),
    )


def _dict(fields: dict[str, Any], key: str) -> dict[str, Any]:
    value = fields.get(key)
    if not isinstance(value, dict):
        raise _Malformed(f'"{key}" must be an object')
    return value


def _text(fields: dict[str, Any], key: str, most: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise _Malformed(f'"{key}" must be a text of 1 to {most} characters')
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise _Malformed(f'"{key}" holds half a character, which no UTF-8 can carry')
    return value


def _name(fields: dict[str, Any], key: str) -> str:
    value = _text(fields, key, 64)
    if not value.isascii() or not all(c.isalnum() or c in "-_." for c in value):
        raise _Malformed(f'"{key}" may have ASCII letters, digits and - _ . only')
    return value


def _whole(fields: dict[str, Any], key: str, most: int, least: int = 1) -> int:
    value = fields.get(key)
    if type(value) is not int or not least <= value <= most:
        raise _Malformed(f'"{key}" must be a whole number from {least} to {most}')
    return value


def _hash(fields: dict[str, Any], key: str) -> bytes:
    value = fields.get(key)
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise _Malformed(f'"{key}" must be 64 hexadecimal digits')
    return raw
