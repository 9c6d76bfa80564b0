"""Where the parts of a devnet lie, and which world a home talks to."""

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainur_node.errors import ConfigError

SUBMITTER, OBSERVER = "submitter", "observer"
MIN_PROVIDERS, MAX_PROVIDERS = 3, 32
"""Fewer make no second price worth showing; more than 32 processes of one world starve a single machine."""
_WORLD_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class DevnetError(ConfigError):
    """The devnet cannot do that as things stand; ``code`` says which of the reasons it is."""

    def __init__(self, code: str, what: str, *, hint: str) -> None:
        super().__init__(what, hint=hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one world; nothing here touches the disk."""

    directory: Path

    @property
    def chain(self) -> Path:
        """Data of the chain host."""
        return self.directory / "chain"

    @property
    def postgres(self) -> Path:
        """Data of the shared database server."""
        return self.directory / "postgres"

    @property
    def logs(self) -> Path:
        """What every process wrote to its stderr."""
        return self.directory / "logs"

    @property
    def world_file(self) -> Path:
        """What programs may know about the world; every node's home has a link to it."""
        return self.directory / "world.json"

    @property
    def faucet_file(self) -> Path:
        """Secret seed of the account that funds others, in hex."""
        return self.directory / "faucet.key"

    @property
    def plan_file(self) -> Path:
        """What the keeper has to start."""
        return self.directory / "plan.json"

    @property
    def discard_file(self) -> Path:
        """There when the world ends for good: its keeper need not leave the database in order."""
        return self.directory / "discard"

    def home(self, node: str) -> Path:
        """Home of a node of this world."""
        return self.directory / node


def devnet_directory(home: Path) -> Path:
    """Where the worlds of a home lie."""
    return home / "devnet"


def new_layout(home: Path, world: str | None) -> Layout:
    """Paths of a world to be made; raises DevnetError when there is one of that name or the name is none."""
    name = world or f"w-{secrets.token_hex(3)}"
    if _WORLD_NAME.fullmatch(name) is None or name == "current":
        raise DevnetError("bad-name", f"{name!r} cannot name a world", hint="use lower-case letters, digits and -")
    layout = Layout(Path(os.path.abspath(devnet_directory(home))) / name)  # noqa: PTH100 # links must stay links
    if layout.directory.exists():
        raise DevnetError("world-exists", f"there is a world {name} already", hint="end it with: ainur devnet down")
    return layout


def current(home: Path) -> Layout | None:
    """The world that ``devnet/current`` points at, if any."""
    link = devnet_directory(home) / "current"
    if not link.is_symlink():
        return None
    target = link.parent / link.readlink()
    return Layout(target.parent)


def point_current(layout: Layout) -> None:
    """Let ``devnet/current`` point at the submitter of a world."""
    link = layout.directory.parent / "current"
    fresh = link.with_name(f".current-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(layout.directory.name) / SUBMITTER)
    fresh.replace(link)


def resolve(home: Path, node: str | None) -> Path:
    """The home that a command talks to.

    A named node of the current world, else the world's submitter, else ``home`` itself. Raises DevnetError when there
    is no such node.
    """
    layout = current(home)
    if node is None:
        return home if layout is None or not layout.world_file.exists() else layout.home(SUBMITTER)
    if layout is None or not layout.world_file.exists():
        raise DevnetError("no-world", f"there is no devnet in {home}", hint="start one with: ainur devnet up")
    names = [str(entry["name"]) for entry in read_world(layout)["nodes"]]
    if node not in names:
        raise DevnetError(
            "no-such-node", f"there is no node {node!r} in this world", hint=f"choose one of: {', '.join(names)}"
        )
    return layout.home(node)


def read_world(layout: Layout) -> dict[str, Any]:
    """The world file; raises DevnetError when it is missing or damaged."""
    try:
        document = json.loads(layout.world_file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DevnetError(
            "no-world", f"{layout.world_file} cannot be read: {error}", hint="end the world with: ainur devnet down"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("nodes"), list):
        raise DevnetError("no-world", f"{layout.world_file} is damaged", hint="end the world with: ainur devnet down")
    return document


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner only, whole or not at all."""
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
