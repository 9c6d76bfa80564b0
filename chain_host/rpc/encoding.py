"""JSON forms of headers, blocks and versions."""

import json
from typing import Any

from chain_host.block import Block, Header
from chain_host.runtime_api import RuntimeVersion


def hexed(data: bytes | None) -> str | None:
    """`0x…`, or None."""
    return None if data is None else "0x" + data.hex()


def header_json(header: Header) -> dict[str, Any]:
    """A header as `chain_getHeader` gives it."""
    return {
        "parentHash": hexed(header.parent),
        "number": hex(header.number),
        "stateRoot": hexed(header.state_root),
        "extrinsicsRoot": hexed(header.extrinsics_root),
        "digest": {"logs": [hexed(item) for item in header.digest]},
    }


def block_json(block: Block) -> dict[str, Any]:
    """A block as `chain_getBlock` gives it."""
    extrinsics = [hexed(extrinsic) for extrinsic in block.extrinsics]
    return {"block": {"header": header_json(block.header), "extrinsics": extrinsics}, "justifications": None}


def version_json(version: RuntimeVersion) -> dict[str, Any]:
    """A version as `state_getRuntimeVersion` gives it."""
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": [[hexed(name), number] for name, number in version.apis],
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.system_version,
    }


def dumps(value: object) -> str:
    """Compact JSON text."""
    return json.dumps(value, separators=(",", ":"))
