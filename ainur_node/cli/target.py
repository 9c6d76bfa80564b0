"""Which node a command talks to: one named of the devnet, else the devnet's submitter, else the home's own."""

import json
import re
from pathlib import Path

from ainur_node.cli.command import Usage
from ainur_node.rpc.client import Unreachable
from ainur_node.rpc.whereabouts import Whereabouts, is_running, read_whereabouts

MAX_WORLD_FILE = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


def current_devnet(home: Path) -> Path | None:
    """Home of the submitter of the devnet that was brought up last, when there is one."""
    pointer = home / "devnet" / "current"
    try:
        if pointer.is_symlink() or pointer.is_dir():
            found = pointer.resolve()
        elif pointer.is_file():
            found = Path(pointer.read_text(encoding="utf-8").strip())
        else:
            return None
        return found if found.is_dir() else None
    except (OSError, ValueError):
        return None


def devnet_homes(submitter: Path) -> dict[str, Path]:
    """Homes of all nodes of the devnet by name: from its world file, else the directories beside the submitter's."""
    for directory in (submitter.parent, submitter.parent.parent):
        homes = _from_world(directory / "world.json")
        if homes:
            return homes
    try:
        return {path.name: path for path in sorted(submitter.parent.iterdir()) if (path / "config.toml").is_file()}
    except OSError:
        return {}


def _from_world(path: Path) -> dict[str, Path]:
    return {str(node["name"]): Path(str(node["home"])) for node in _world(path) if "name" in node and "home" in node}


def _world(path: Path) -> list[dict[str, object]]:
    try:
        with path.open("rb") as file:
            nodes = json.loads(file.read(MAX_WORLD_FILE))["nodes"]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return []
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def names_of(home: Path) -> dict[str, str]:
    """Names of the nodes of the world that a home belongs to, by peer id and by account."""
    names: dict[str, str] = {}
    for node in _world(home / "world.json"):
        names |= {str(node[key]): str(node.get("name")) for key in ("peer_id", "account", "ss58") if node.get(key)}
    return names


def find_home(home: Path, node: str | None) -> Path:
    """Home of the node to talk to; Usage for a name that no node of the devnet has."""
    submitter = current_devnet(home)
    if node is None:
        if submitter is None or (read_quietly(submitter) is None and read_quietly(home) is not None):
            return home
        return submitter
    if _NAME.fullmatch(node) is None:
        raise Usage(f"--node {node[:40]!r} is not the name of a node", hint="names are letters, digits, '_' and '-'")
    if submitter is None:
        what = f"--node {node}: there is no devnet under {home}"
        raise Unreachable(what, hint="start one: ainur devnet up", code="no_devnet")
    homes = devnet_homes(submitter)
    if node not in homes:
        known = ", ".join(homes) or "none"
        raise Usage(f"--node {node}: the devnet has no such node", hint=f"its nodes: {known}")
    return homes[node]


def read_quietly(home: Path) -> Whereabouts | None:
    """What the node of this home published, or None for whatever reason."""
    try:
        return read_whereabouts(home)
    except ValueError:
        return None


def find_node(home: Path, node: str | None) -> Whereabouts:
    """Where the node can be asked; Unreachable says why not and what to do."""
    found = find_home(home, node)
    if not found.is_dir():
        hint = f"make it: ainur --home {found} init, or a whole world: ainur devnet up"
        raise Unreachable(f"there is no home at {found}", hint=hint, code="no_node")
    start = start_hint(home, found)
    try:
        here = read_whereabouts(found)
    except ValueError as exc:
        raise Unreachable(str(exc), hint=f"remove the file and start the node again: {start}", code="stale") from exc
    if here is None:
        raise Unreachable(f"no node runs in {found}", hint=start, code="no_node")
    if not is_running(here.pid):
        what = f"the node of {found} (pid {here.pid}) ended without a clean stop"
        raise Unreachable(what, hint=f"start it again, nothing is lost: {start}", code="stale")
    return here


def start_hint(home: Path, found: Path) -> str:
    """How the node of ``found`` is started."""
    if found != home:
        return "bring the devnet up: ainur devnet up"
    return f"ainur --home {home} run, or a whole world: ainur devnet up"
