"""The configuration: what counts, where it came from, and what stops the start."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.config import HIDDEN, MAX_FILE, Config, Loaded, dump, load
from ainur_node.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def loaded(home: Path, text: str = "", **environ: str) -> Loaded:
    (home / "config.toml").write_text(text)
    return load(environ={"AINUR_HOME": str(home), **environ})


def refused(home: Path, text: str = "", **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(home, text, **environ)
    assert caught.value.hint
    return caught.value


def test_default_toml_names_every_key_with_its_default_and_a_reason() -> None:
    text = (CONFIGS / "default.toml").read_text()
    keys = {row.key: row.value for row in Loaded(Config(), {}).show()}

    tree = tomllib.loads(text)
    written = {f"{section}.{name}": value for section, entries in tree.items() for name, value in entries.items()}
    assert {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()} == keys
    assert list(written) == list(keys)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\w+ =", line):
            assert lines[number - 1].startswith("# "), f"no reason above {line}"
    assert load(CONFIGS / "default.toml", environ={}).config == Config()


def test_every_shipped_file_is_valid() -> None:
    for file in CONFIGS.glob("*.toml"):
        load(file, environ={})


def test_without_anything_the_defaults_count(tmp_path: Path) -> None:
    result = load(environ={"AINUR_HOME": str(tmp_path)})

    assert result.config.market.commit_window_ms == 1500
    assert result.config.home == tmp_path
    assert {row.source for row in result.show()} == {"default", "AINUR_HOME"}


def test_each_place_overrides_the_one_before_and_is_named(home: Path) -> None:
    (home / "config.toml").write_text(
        '[market]\ncapacity = 1\nmax_open_tasks = 2\n[node]\nname = "a"\n[log]\nlevel = "debug"'
    )
    environ = {"AINUR_HOME": str(home), "AINUR_MARKET__CAPACITY": "5", "AINUR_NODE__NAME": "b"}

    result = load(environ=environ, options={"node.name": "c"})

    rows = {row.key: (row.value, row.source) for row in result.show()}
    assert rows["market.max_open_tasks"] == (2, str(home / "config.toml"))
    assert rows["market.capacity"] == (5, "AINUR_MARKET__CAPACITY")
    assert rows["node.name"] == ("c", "command line")
    assert rows["log.level"] == ("debug", str(home / "config.toml"))
    assert rows["market.quality_bps"] == (400, "default")


def test_a_home_named_on_the_command_line_is_where_the_file_is_sought(home: Path) -> None:
    (home / "config.toml").write_text("[market]\ncapacity = 9")

    result = load(environ={"AINUR_HOME": "/elsewhere"}, options={"node.home": str(home)})

    assert result.config.market.capacity == 9
    assert result.config.home == home


def test_paths_start_at_the_home(home: Path) -> None:
    config = loaded(home, '[chain]\ndata = "c"\n[database]\ndata = "/db"').config

    assert config.path(config.chain.data) == home / "c"
    assert config.path(config.database.data) == Path("/db")
    assert config.path(config.rpc.socket) is None


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("[market]\ncommit_windwo_ms = 1", "market.commit_windwo_ms", "market.commit_window_ms"),
        ("[markt]\ncapacity = 1", "markt.capacity", "market.capacity"),
        ("[markt]", "[markt]", "default.toml"),
        ("capacity = 1", "capacity", "[section]"),
        ("[market]\ncapacity = -1", "market.capacity = -1", ""),
        ("[market]\ncapacity = 1025", "market.capacity = 1025", ""),
        ("[market]\ncapacity = true", "market.capacity = True", ""),
        ("[market]\ncapacity = 1.5", "market.capacity = 1.5", ""),
        ('[market]\ncapacity = "4"', "market.capacity = '4'", ""),
        ("[market.capacity]\nx = 1", "market.capacity", ""),
        ("[market]\nquality_bps = 401", "must be 0 to 400", ""),
        ('[log]\nlevel = "loud"', "debug, info, warning, error", ""),
        ("[log]\nlevel = 3", "log.level = 3", ""),
        ('[node]\nname = "two words"', "node.name", ""),
        ('[node]\nname = "' + "n" * 33 + '"', "node.name", ""),
        ('[mesh]\nlisten = "/ip4/0.0.0.0/tcp/1"', "must be a list", ""),
        ('[mesh]\nlisten = ["tcp://0.0.0.0:1"]', "/ip4/0.0.0.0/tcp/4601", ""),
        ("[mesh]\nlisten = [1]", "mesh.listen", ""),
        ('[mesh]\nbootstrap = ["/ip4/1.2.3.4/tcp/1"]', "p2p", ""),
        ('[chain]\nmode = "remote"', "needs chain.url", "ws://"),
        ('[chain]\nmode = "other"', "embedded, remote", ""),
        ('[chain]\nurl = "ws://x"', "not used", "remove chain.url"),
        ('[chain]\nmode = "remote"\nurl = "http://x"', "chain.url", ""),
        ("[market\n", "is not TOML", ""),
        ("[market]\ncapacity = 1\ncapacity = 2", "is not TOML", ""),
        ("x = " + "[" * 5000, "is not TOML", ""),
        ("# " + "x" * MAX_FILE, "larger than", ""),
    ],
)
def test_what_is_wrong_in_the_file_stops_the_start_and_is_named(home: Path, text: str, key: str, hint: str) -> None:
    error = refused(home, text)

    assert key in str(error)
    assert str(home / "config.toml") in str(error)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("AINUR_MARKET__CAPACITI", "1"),
        ("AINUR_MARKT__CAPACITY", "1"),
        ("AINUR_MARKET__CAPACITY", "many"),
        ("AINUR_MARKET__CAPACITY", ""),
        ("AINUR_MARKET__CAPACITY", "-"),
        ("AINUR_MARKET__CAPACITY", "9" * 30),
        ("AINUR_LOG__LEVEL", "loud"),
        ("AINUR_MESH__LISTEN", "/ip4/0.0.0.0/tcp/1,nonsense"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(home: Path, variable: str, text: str) -> None:
    assert variable in str(refused(home, **{variable: text}))


def test_lists_come_from_the_environment_with_commas(home: Path) -> None:
    result = loaded(home, AINUR_MESH__LISTEN="/ip4/0.0.0.0/tcp/1, /ip6/::/tcp/2", AINUR_MESH__BOOTSTRAP="")

    assert result.config.mesh.listen == ("/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/2")
    assert result.config.mesh.bootstrap == ()


def test_other_variables_are_left_alone(home: Path) -> None:
    loaded(home, AINUR_PASSPHRASE_FILE="/x", AINURX__Y="1", PATH="/bin")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml", environ={})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, environ={})


def test_a_password_is_never_shown(home: Path) -> None:
    secret = "postgresql://me:open-sesame@db/ainur"
    result = loaded(home, AINUR_DATABASE__URL=secret)

    assert result.config.database.url == secret
    assert "open-sesame" not in repr(result.config)
    assert HIDDEN in [row.value for row in result.show() if row.key == "database.url"]
    assert "open-sesame" not in str(result.show())
    for wrong in ("mysql://me:open-sesame@db", "postgresql://me:open sesame@db"):
        error = refused(home, AINUR_DATABASE__URL=wrong)
        assert "sesame" not in str(error) + error.hint


def test_an_unknown_option_of_the_command_line_is_named(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"node\.hom"):
        load(environ={}, options={"node.hom": "x"})


def test_what_is_dumped_is_read_back(home: Path) -> None:
    values: dict[str, dict[str, Any]] = {
        "node": {"name": "n1", "home": str(home / 'a "quoted" \\ päth')},
        "mesh": {"listen": ["/ip4/127.0.0.1/tcp/0"], "bootstrap": []},
        "market": {"capacity": 3},
    }

    (home / "config.toml").write_text(dump(values))
    config = load(home / "config.toml", environ={}).config

    assert (config.node.name, config.node.home) == ("n1", str(home / 'a "quoted" \\ päth'))
    assert (config.mesh.listen, config.market.capacity) == (("/ip4/127.0.0.1/tcp/0",), 3)
    with pytest.raises(ConfigError):
        dump({"node": {"nam": "x"}})


@given(st.text(max_size=40), st.sampled_from([row.key for row in Loaded(Config(), {}).show()]))
def test_any_text_in_any_variable_is_a_configuration_or_a_named_refusal(text: str, key: str) -> None:
    variable = "AINUR_" + key.upper().replace(".", "__")
    try:
        load(CONFIGS / "default.toml", environ={variable: text})
    except ConfigError as error:
        assert key in str(error)  # noqa: PT017 — a refusal is allowed, not required


@given(st.dictionaries(st.text(max_size=8), st.recursive(st.integers() | st.text(max_size=5), st.lists), max_size=3))
def test_any_option_is_a_configuration_or_a_refusal(options: dict[str, Any]) -> None:
    try:
        load(CONFIGS / "default.toml", environ={}, options=options)
    except ConfigError as error:
        assert "command line" in str(error)  # noqa: PT017 — a refusal is allowed, not required
