"""Raw chain specifications: the JSON that native nodes load, of a genesis or of the state after any kept block."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from .chain import make_genesis
from .errors import StateDiscarded, StoreError, UnknownBlock, WorldError
from .state import HeadState
from .store import DATABASE, BlockReader, Genesis

MAX_SPEC = 512 << 20
PROPERTIES = {"tokenSymbol": "AIN", "tokenDecimals": 12, "ss58Format": 42}


def raw_spec(state: dict[bytes, bytes], name: str, **properties: Any) -> dict[str, Any]:
    """The specification of a chain whose block 0 has this state; `properties` are added to those of the token."""
    return {
        "name": name,
        "id": "ainur",
        "chainType": "Development",
        "bootNodes": [],
        "telemetryEndpoints": None,
        "protocolId": None,
        "properties": {**PROPERTIES, **properties},
        "codeSubstitutes": {},
        "genesis": {
            "raw": {
                "top": {"0x" + key.hex(): "0x" + value.hex() for key, value in sorted(state.items())},
                "childrenDefault": {},
            }
        },
    }


def spec_bytes(spec: dict[str, Any]) -> bytes:
    """Compact JSON."""
    return json.dumps(spec, separators=(",", ":")).encode()


def genesis_of_spec(data: bytes) -> tuple[str, Genesis]:
    """(name of the chain, block 0) of a raw specification. Raises WorldError."""
    try:
        spec = json.loads(data)
        name, top = str(spec["name"]), spec["genesis"]["raw"]["top"]
        state = {_unhex(key): _unhex(value) for key, value in top.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise WorldError(f"no raw chain specification: {exc!r}") from exc
    try:
        return name, make_genesis(state, data)
    except StoreError as exc:
        raise WorldError(f"no raw chain specification: {exc}") from exc


def _unhex(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} does not start with 0x")
    return bytes.fromhex(text[2:])


def read_spec(path: Path) -> tuple[str, Genesis]:
    """The specification of a file. Raises WorldError."""
    try:
        if path.stat().st_size > MAX_SPEC:
            raise WorldError(f"{path} is too large for a chain specification")
        return genesis_of_spec(path.read_bytes())
    except OSError as exc:
        raise WorldError(f"no chain specification: {exc}") from exc


def exported_spec(directory: Path, number: int | None = None) -> dict[str, Any]:
    """The state after a block, the head for None, as a specification of its own.

    The directory's chain may be running: the state is read in one transaction. Raises StoreError, UnknownBlock,
    StateDiscarded; StoreError also when the state does not have the root of its block.
    """
    path = directory / DATABASE
    if not path.is_file():
        raise StoreError(f"there is no chain in {directory}")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as db:
            db.execute("BEGIN")
            return _exported(db, BlockReader(db), number)
    except sqlite3.Error as exc:
        raise StoreError(f"the chain in {directory} cannot be read: {exc}") from exc


def _exported(db: sqlite3.Connection, reader: BlockReader, number: int | None) -> dict[str, Any]:
    head = reader.head_number()
    number = head if number is None else number
    header = reader.header(number)
    if header is None:
        raise UnknownBlock(f"no block {number}: the head is {head}")
    if number < reader.oldest_state():
        raise StateDiscarded(f"the state of block {number} is no longer kept")
    state: dict[bytes, bytes] = dict(db.execute("SELECT key, value FROM state"))
    for key, old in db.execute("SELECT key, old FROM undo WHERE number > ? ORDER BY number DESC", (number,)):
        if old is None:
            state.pop(key, None)
        else:
            state[key] = old
    if HeadState(state).root != header.state_root:
        raise StoreError(f"the stored state of block {number} has not the root that its header names")
    try:
        name = str(json.loads(reader.meta("spec") or b"{}").get("name", "Ainur"))
    except ValueError:
        name = "Ainur"
    taken = {"number": number, "hash": "0x" + header.hash.hex(), "stateRoot": "0x" + header.state_root.hex()}
    return raw_spec(state, name, exportedFrom=taken)
