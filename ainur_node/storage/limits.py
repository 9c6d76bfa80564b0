"""The limits that every store checks before it writes, so that all of them refuse the same."""

import json
from collections.abc import Sequence

from ainur_node.errors import Bug
from ainur_node.ports import OutboxRow

MAX_DOCUMENT = 8 << 20
"""Characters of one JSON document: a life's state, fact, order or document never comes near it."""
MAX_ORDERS = 256
"""Orders that one fact may cause: one per bidder of the largest auction."""
MAX_NAME = 64
MAX_KEY = 256
MAX_NOTE = 2000
MAX_PAGE = 10_000
MAX_RAW = 1 << 20
_INT8 = 1 << 63


def check_name(value: str) -> None:
    """Raise Bug unless `value` is a short printable name (a life, a kind, a phase)."""
    if not (0 < len(value) <= MAX_NAME and value.isascii() and value.isprintable()):
        raise Bug(f"not a name: {value[:80]!r}")


def check_key(value: bytes) -> None:
    """Raise Bug unless `value` has 1 to MAX_KEY bytes."""
    if not 0 < len(value) <= MAX_KEY:
        raise Bug(f"a key of {len(value)} bytes")


def check_sha256(value: bytes) -> None:
    """Raise Bug unless `value` has 32 bytes."""
    if len(value) != 32:
        raise Bug(f"a sha-256 of {len(value)} bytes")


def check_number(value: int, least: int = 0) -> None:
    """Raise Bug unless `value` fits a signed 64-bit column and is at least `least`."""
    if not least <= value < _INT8:
        raise Bug(f"number out of range: {value}")


def check_page(limit: int) -> None:
    """Raise Bug unless a page of `limit` rows is allowed."""
    if not 0 < limit <= MAX_PAGE:
        raise Bug(f"a page of {limit} rows")


def short_note(text: str) -> str:
    """Cut free text to what a note column holds, without what PostgreSQL cannot store."""
    return text[:MAX_NOTE].encode("utf-8", "replace").decode().replace("\0", "�")


def check_document(text: str) -> None:
    """Raise Bug unless `text` is one JSON document that PostgreSQL will take."""
    if len(text) > MAX_DOCUMENT:
        raise Bug(f"a document of {len(text)} characters")
    try:
        text.encode()
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Bug(f"not a JSON document: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def check_commit(
    life: str,
    key: bytes,
    expected: int,
    fact_kind: str,
    fact: str,
    state: str,
    phase: str,
    orders: Sequence[tuple[str, str]],
) -> None:
    """Raise Bug for arguments of a commit that no engine should produce."""
    for name in (life, fact_kind, phase, *(kind for kind, _ in orders)):
        check_name(name)
    check_key(key)
    check_number(expected)
    if len(orders) > MAX_ORDERS:
        raise Bug(f"{len(orders)} orders from one fact")
    for document in (fact, state, *(body for _, body in orders)):
        check_document(document)


def check_outbox(row: OutboxRow) -> None:
    """Raise Bug for an outbox row that cannot be stored."""
    check_key(row.ref)
    check_key(row.account)
    check_key(row.hash)
    check_name(row.call)
    check_number(row.nonce)
    check_number(row.era_end)
    check_document(row.intent)
    if len(row.raw) > MAX_RAW:
        raise Bug(f"an extrinsic of {len(row.raw)} bytes")
    if row.outcome is not None:
        raise Bug("an extrinsic is written before its outcome is known")


def check_blob(sha256: bytes, size: int, kind: str, refs: Sequence[bytes]) -> None:
    """Raise Bug for an index row that cannot be stored."""
    check_sha256(sha256)
    check_number(size)
    check_name(kind)
    for ref in refs:
        check_key(ref)
