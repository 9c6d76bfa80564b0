"""What nodes answer, as values: hex strings, headers, blocks; everything malformed is the node's fault."""

from __future__ import annotations

from collections.abc import Sequence

from pallets_client.errors import ChainMisbehaviour
from pallets_client.hashing import blake2_256
from pallets_client.records import Head
from pallets_client.scale import encode_compact

MAX_LOGS = 64  # digest items of a header
_ENVIRONMENT_UPDATED = "0x08"  # DigestItem::RuntimeEnvironmentUpdated: the block after this has a new runtime


def unhex(value: object, size: int | None = None) -> bytes:
    """Bytes of a 0x-string; raises ChainMisbehaviour for anything else or another size."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ChainMisbehaviour(f"a hex string was expected, not {value!r:.80}")
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError as exc:
        raise ChainMisbehaviour("the node sent hex that is none") from exc
    if size is not None and len(raw) != size:
        raise ChainMisbehaviour(f"{size} bytes were expected, not {len(raw)}")
    return raw


def tohex(value: bytes) -> str:
    """0x-string of bytes."""
    return "0x" + value.hex()


def parse_header(header: object) -> tuple[Head, bytes, bytes]:
    """Head, parent hash and state root of a header as JSON; the hash is computed, never believed."""
    if not isinstance(header, dict) or not isinstance(header.get("digest"), dict):
        raise ChainMisbehaviour("the node sent a header without its parts")
    try:
        number = int(header["number"], 16)
    except (KeyError, TypeError, ValueError) as exc:
        raise ChainMisbehaviour("the node sent a header without a number") from exc
    logs = header["digest"].get("logs")
    if not isinstance(logs, list) or len(logs) > MAX_LOGS or not 0 <= number < 2**32:
        raise ChainMisbehaviour("the node sent a header out of bounds")
    parent = unhex(header.get("parentHash"), 32)
    state_root = unhex(header.get("stateRoot"), 32)
    encoded = (
        parent
        + encode_compact(number)
        + state_root
        + unhex(header.get("extrinsicsRoot"), 32)
        + encode_compact(len(logs))
        + b"".join(unhex(log) for log in logs)
    )
    return Head(number, blake2_256(encoded)), parent, state_root


def upgrades_runtime(header: object) -> bool:
    """Whether a header says that the blocks after it are executed by another runtime."""
    digest = header.get("digest") if isinstance(header, dict) else None
    logs = digest.get("logs") if isinstance(digest, dict) else None
    return isinstance(logs, list) and _ENVIRONMENT_UPDATED in logs


def parse_block(answer: object) -> tuple[Head, bytes, bytes, Sequence[bytes]]:
    """Head, parent, state root and extrinsics of what ``chain_getBlock`` answers."""
    if not isinstance(answer, dict) or not isinstance(answer.get("block"), dict):
        raise ChainMisbehaviour("the node sent a block without its parts")
    head, parent, state_root = parse_header(answer["block"].get("header"))
    extrinsics = answer["block"].get("extrinsics")
    if not isinstance(extrinsics, list):
        raise ChainMisbehaviour("the node sent a block without extrinsics")
    return head, parent, state_root, [unhex(raw) for raw in extrinsics]
