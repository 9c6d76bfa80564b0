"""``ainur config``: what is in force and where it comes from."""

from pathlib import Path
from typing import Any

from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Report
from ainur_node.cli.screen import Screen


def load(ask: Ask, home: Path) -> Any:
    """The checked configuration of a home; ConfigError names the key that is wrong."""
    from ainur_node import config

    file = ask.config or _file_of(home)
    return config.load(file, options={"node.home": str(home)})


def config_home(ask: Ask) -> Path:
    """The home itself when it has a configuration of its own, else that of the node which commands talk to."""
    return ask.target if ask.node or _file_of(ask.home) is None else ask.home


def _file_of(home: Path) -> Path | None:
    file = home / "config.toml"
    return file if file.exists() else None


def check(ask: Ask) -> Report:
    """Read the configuration as the node would, and start nothing."""
    loaded = load(ask, config_home(ask))
    changed = sum(row.source != "default" for row in loaded.show())
    data = {"ok": True, "keys": len(loaded.show()), "changed": changed, "home": str(loaded.config.home)}
    return Report(data, lambda screen: screen.say(f"good: {changed} of {data['keys']} keys differ from their default"))


def show(ask: Ask) -> Report:
    """Every key with its value and its source."""
    rows = [(row.key, row.value, row.source) for row in load(ask, config_home(ask)).show()]
    data = {"config": {key: {"value": value, "source": source} for key, value, source in rows}}

    def text(screen: Screen) -> None:
        screen.table(("key", "value", "source"), [(key, _shown(value), source) for key, value, source in rows])

    return Report(data, text)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


COMMANDS = [
    Command("config check", "read the configuration, start nothing", "ainur --config node.toml config check", check),
    Command("config show", "every key with its value and its source", "ainur config show --json", show),
]
