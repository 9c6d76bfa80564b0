"""The configuration of a node: frozen records, checked when read, each value with the place it came from."""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from ainur_node.errors import ConfigError

PREFIX = "AINUR_"
FILE_NAME = "config.toml"
MAX_FILE = 1 << 20
MAX_LIST = 256
HIDDEN = "(hidden)"

Value = str | int | float | bool | tuple[str, ...]


def _key(
    default: Value,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = "",
    secret: bool = False,
    many: bool = False,
) -> Any:
    """``many``: a text that may also be written as a list, and is then kept with commas."""
    rules = {"least": least, "most": most, "choices": choices, "pattern": pattern, "secret": secret, "many": many}
    return field(default=default, metadata=rules, repr=not secret)


_ADDRESS = r"/(ip4|ip6|dns4|dns6)/[^/]+/tcp/\d{1,5}"
_AIN = r"\d{1,9}(\.\d{1,12})?"
_BLANK = r"[^\x00-\x1f\x7f]*"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Who and where this node is; relative paths of other sections start at `home`."""

    home: str = _key("~/.ainur", pattern=r"[^\x00]+")
    name: str = _key("node", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
    max_blob_mib: int = _key(4096, least=1, most=1 << 24)


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """Where peers find this node, and where it finds the first of them."""

    listen: tuple[str, ...] = _key(("/ip4/127.0.0.1/tcp/4601",), pattern=_ADDRESS)
    bootstrap: tuple[str, ...] = _key((), pattern=_ADDRESS + r"/p2p/[1-9A-HJ-NP-Za-km-z]{20,80}")
    max_peers: int = _key(128, least=1, most=4096)


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Which chain: one that this node makes (embedded), one that answers at `url`, one address or several (remote), or
    one whose blocks this node takes from peers and executes itself (follow); and its fees.
    """

    mode: str = _key("embedded", choices=("embedded", "remote", "follow"))
    url: str = _key("", pattern=r"|wss?://[^\s,]+([\s,]+wss?://[^\s,]+){0,7}", many=True)
    max_fee: str = _key("0.1", pattern=_AIN)
    daily_fees: str = _key("100", pattern=_AIN)
    port: int = _key(9944, least=0, most=65535)
    data: str = _key("chain", pattern=r"[^\x00]+")
    runtime: str = _key("", pattern=_BLANK)
    keep_states: int = _key(65_536, least=1, most=1 << 31)
    keep_bodies: int = _key(0, least=0, most=1 << 31)


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where facts are kept: the embedded server, or any server at `url`."""

    url: str = _key("", pattern=r"|postgres(ql)?://\S+", secret=True)
    data: str = _key("database", pattern=r"[^\x00]+")
    pg_bin: str = _key("", pattern=_BLANK)
    pool: int = _key(8, least=2, most=64)


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """What strangers' code may use here; an agent's own limits can only be lower."""

    workers: int = _key(0, least=0, most=256)
    memory_mib: int = _key(256, least=1, most=4096)
    fuel: int = _key(10_000_000_000, least=1_000_000, most=1 << 62)
    deadline_ms: int = _key(30_000, least=100, most=3_600_000)
    output_kib: int = _key(1024, least=1, most=65_536)


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """Windows of an auction and how much this node takes on; times in milliseconds."""

    commit_window_ms: int = _key(1500, least=100, most=600_000)
    reveal_window_ms: int = _key(4000, least=200, most=600_000)
    start_within_ms: int = _key(20_000, least=1000, most=86_400_000)
    deliver_within_ms: int = _key(60_000, least=1000, most=86_400_000)
    review_within_ms: int = _key(60_000, least=1000, most=86_400_000)
    challenge_window_ms: int = _key(0, least=0, most=604_800_000)
    capacity: int = _key(64, least=0, most=1024)
    max_open_tasks: int = _key(512, least=1, most=100_000)
    quality_bps: int = _key(400, least=0, most=400)


@dataclass(frozen=True, slots=True)
class CourtConfig:
    """Whether this node judges disputes of others, with how much at stake (AIN), and how often it appeals its own."""

    arbitrate: bool = _key(False)  # a default, not an argument
    stake: str = _key("5", pattern=_AIN)
    appeals: int = _key(1, least=0, most=2)


@dataclass(frozen=True, slots=True)
class RpcConfig:
    """The door for the command line."""

    socket: str = _key("", pattern=_BLANK)


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is written about the node's work."""

    level: str = _key("info", choices=("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True)
class Config:
    """All sections. Methods give paths with `~` and the home worked out."""

    node: NodeConfig = field(default_factory=NodeConfig)
    mesh: MeshConfig = field(default_factory=MeshConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    market: MarketConfig = field(default_factory=MarketConfig)
    court: CourtConfig = field(default_factory=CourtConfig)
    rpc: RpcConfig = field(default_factory=RpcConfig)
    log: LogConfig = field(default_factory=LogConfig)

    @property
    def home(self) -> Path:
        """The home as an absolute path."""
        return Path(os.path.abspath(Path(self.node.home).expanduser()))  # noqa: PTH100 # links stay links

    def path(self, value: str) -> Path | None:
        """A path from another section, relative to the home; None for an empty text."""
        return self.home / Path(value).expanduser() if value else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One key for `config show`: `value` is hidden for secrets, `source` is a file, a variable or `default`."""

    key: str
    value: Value
    source: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration and where each value that is not a default came from."""

    config: Config
    sources: Mapping[str, str]

    def show(self) -> list[Shown]:
        """Every key with its value and its source, in the order of configs/default.toml."""
        rows = []
        for section in fields(Config):
            record = getattr(self.config, section.name)
            for each in fields(record):
                value = getattr(record, each.name)
                if each.metadata["secret"] and value:
                    value = HIDDEN
                key = f"{section.name}.{each.name}"
                rows.append(Shown(key, value, self.sources.get(key, "default")))
        return rows


def load(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, Value] | None = None,
) -> Loaded:
    """Read defaults, then the file, then the environment, then `options` (keys such as `node.home`).

    Without `file`, `config.toml` in the home is read when there is one. Raises ConfigError naming key and source for
    an unknown key or a value of the wrong kind or size.
    """
    environ = os.environ if environ is None else environ
    given = dict(options or {})
    found: dict[str, tuple[Value, str]] = {}
    late = _from_environment(environ)
    late.update({_known(key, "command line"): (value, "command line") for key, value in given.items()})
    if file is None:
        home = late.get("node.home", (NodeConfig().home, ""))[0]
        candidate = Path(str(home)).expanduser() / FILE_NAME
        file = candidate if candidate.exists() else None
    if file is not None:
        found.update(_from_file(file))
    found.update(late)
    values = {key: _checked(key, value, source) for key, (value, source) in found.items()}
    sections = {
        section.name: _section(section.name)(
            **{key.split(".")[1]: value for key, value in values.items() if key.split(".")[0] == section.name}
        )
        for section in fields(Config)
    }
    config = Config(**sections)
    sources = {key: source for key, (_, source) in found.items()}
    _check_together(config, sources)
    return Loaded(config, sources)


def dump(values: Mapping[str, Mapping[str, Value]]) -> str:
    """Write sections as TOML, after checking them: what `load` reads back."""
    lines = []
    for section, entries in values.items():
        lines.append(f"[{section}]")
        for name, value in entries.items():
            checked = _checked(_known(f"{section}.{name}", "dump"), value, "dump")
            shown = list(checked) if isinstance(checked, tuple) else checked
            lines.append(f"{name} = {json.dumps(shown, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)


def _section(name: str) -> Any:
    factory = next(each.default_factory for each in fields(Config) if each.name == name)
    if factory is MISSING:
        raise KeyError(name)
    return factory


_RULES: dict[str, tuple[Value, Mapping[str, Any]]] = {
    f"{section.name}.{each.name}": (cast(Value, each.default), each.metadata)
    for section in fields(Config)
    for each in fields(_section(section.name))
}


def _known(key: str, source: str) -> str:
    if key not in _RULES:
        near = difflib.get_close_matches(key, _RULES, n=1)
        hint = f"did you mean {near[0]}?" if near else "configs/default.toml lists every key"
        raise ConfigError(f"unknown key {key} ({source})", hint=hint)
    return key


def _from_file(file: Path) -> dict[str, tuple[Value, str]]:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_FILE + 1)
        if len(text) > MAX_FILE:
            raise ConfigError(f"{file} is larger than {MAX_FILE} bytes", hint="is this a configuration?")
        tree = tomllib.loads(text.decode())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", hint="correct --config") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is not TOML: {error}", hint="configs/default.toml shows the form") from error
    found: dict[str, tuple[Value, str]] = {}
    for section, entries in tree.items():
        if not isinstance(entries, dict):
            raise ConfigError(f"unknown key {section} ({file})", hint="every key is in a [section]")
        for name, value in entries.items():
            found[_known(f"{section}.{name}", str(file))] = (value, str(file))
        if section not in {each.name for each in fields(Config)}:
            raise ConfigError(f"unknown section [{section}] ({file})", hint="configs/default.toml lists them")
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Value, str]]:
    found: dict[str, tuple[Value, str]] = {}
    if environ.get(PREFIX + "HOME"):
        found["node.home"] = (environ[PREFIX + "HOME"], PREFIX + "HOME")
    for variable, text in sorted(environ.items()):
        match = re.fullmatch(PREFIX + r"([A-Z]+)__([A-Z0-9_]+)", variable)
        if match is not None:
            key = _known(f"{match[1]}.{match[2]}".lower(), variable)
            found[key] = (_parsed(text, _RULES[key][0]), variable)
    return found


def _parsed(text: str, default: Value) -> Value:
    """Read the text of a variable as the kind of value that the key has; `_checked` refuses what is left a text."""
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, bool) and text in ("true", "false"):
        return text == "true"
    if isinstance(default, int) and re.fullmatch(r"-?[0-9_]{1,20}", text) and text.strip("-_"):
        return int(text)
    return text


def _checked(key: str, value: object, source: str) -> Value:
    default, rules = _RULES[key]
    shown = HIDDEN if rules["secret"] else repr(value)[:200]

    def refuse(wanted: str) -> ConfigError:
        return ConfigError(f"{key} = {shown} ({source}): {wanted}", hint="configs/default.toml explains every key")

    if rules["many"] and isinstance(value, list) and all(type(each) is str for each in value):
        value = ", ".join(value)
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or not all(type(each) is str for each in value):
            raise refuse("must be a list of texts")
        if len(value) > MAX_LIST:
            raise refuse(f"at most {MAX_LIST} entries")
        wrong = [each for each in value if not re.fullmatch(rules["pattern"], each)]
        if wrong:
            raise refuse(f"{wrong[0][:200]!r} has not the form {_example(key)}")
        return tuple(value)
    if isinstance(default, bool):
        if type(value) is not bool:
            raise refuse("must be true or false")
        return value
    if isinstance(default, int):
        if type(value) is not int:
            raise refuse("must be a whole number")
        if not rules["least"] <= value <= rules["most"]:
            raise refuse(f"must be {rules['least']} to {rules['most']}")
        return value
    if type(value) is not str:
        raise refuse("must be a text")
    if rules["choices"] and value not in rules["choices"]:
        raise refuse("must be one of " + ", ".join(rules["choices"]))
    if rules["pattern"] and not re.fullmatch(rules["pattern"], value):
        raise refuse(f"has not the form {_example(key)}")
    return value


def _example(key: str) -> str:
    return {
        "mesh.listen": "/ip4/0.0.0.0/tcp/4601",
        "mesh.bootstrap": "/ip4/192.0.2.1/tcp/4601/p2p/12D3KooW…",
        "chain.url": "ws://127.0.0.1:9944",
        "chain.max_fee": "of an amount in AIN, such as 0.1",
        "chain.daily_fees": "of an amount in AIN, such as 100",
        "database.url": "postgresql://user:password@host/name",
        "node.name": "of a name: letters, digits, dots and dashes, at most 32",
    }.get(key, "of a path")


def _check_together(config: Config, sources: Mapping[str, str]) -> None:
    chain = config.chain
    if chain.mode == "remote" and not chain.url:
        raise ConfigError(
            f'chain.mode = "remote" ({sources.get("chain.mode", "default")}) needs chain.url',
            hint="set chain.url to a node's address such as ws://127.0.0.1:9944",
        )
    if chain.mode == "embedded" and chain.url:
        raise ConfigError(
            f'chain.url ({sources["chain.url"]}) is not used with chain.mode = "embedded"',
            hint='remove chain.url, or set chain.mode = "remote"',
        )
