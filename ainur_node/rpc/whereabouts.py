"""``run/node.json`` in a home: where a running node can be asked, and who it is."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

MAX_FILE = 64 << 10


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A running node: process id, socket, identity; ``started`` in ms since 1970."""

    pid: int
    rpc: str
    peer_id: str
    addresses: list[str]
    account: str
    genesis: str
    chain_url: str
    name: str
    started: int


def whereabouts_path(home: Path) -> Path:
    """Where a node of this home says how it can be reached."""
    return home / "run" / "node.json"


def write_whereabouts(home: Path, here: Whereabouts) -> None:
    """Publish atomically: a reader sees the old file or the new one, never half of one."""
    path = whereabouts_path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".node-{secrets.token_hex(4)}.json")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(here), file)
    fresh.replace(path)


def remove_whereabouts(home: Path) -> None:
    """A clean stop leaves nothing to be misled by."""
    whereabouts_path(home).unlink(missing_ok=True)


def read_whereabouts(home: Path) -> Whereabouts | None:
    """What the node of this home published; None when there is nothing, ValueError when it is not readable."""
    path = whereabouts_path(home)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise ValueError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    try:
        record = json.loads(raw)
        known = {item.name: record[item.name] for item in fields(Whereabouts)}
        here = Whereabouts(**known)
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise ValueError(f"{path} is damaged") from exc
    if len(raw) > MAX_FILE or type(here.pid) is not int or here.pid <= 0 or type(here.rpc) is not str:
        raise ValueError(f"{path} is damaged")
    return here


def is_running(pid: int) -> bool:
    """Whether a process with this id lives, ours or not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
