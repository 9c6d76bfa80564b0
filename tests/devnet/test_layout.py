"""Which home a command talks to, and what may be a world."""

import json
from pathlib import Path

import pytest

from ainur_node import config, keystore
from ainur_node.devnet import layout as layouts
from ainur_node.devnet.layout import DevnetError, Layout
from ainur_node.devnet.plan import make_plan, read_plan


def a_world(home: Path, name: str = "w-1") -> Layout:
    layout = layouts.new_layout(home, name)
    layout.directory.mkdir(parents=True)
    layout.world_file.write_text(json.dumps({"nodes": [{"name": "n1"}, {"name": "submitter"}]}))
    layouts.point_current(layout)
    return layout


def test_without_a_world_a_command_talks_to_the_home_itself(tmp_path: Path) -> None:
    assert layouts.resolve(tmp_path, None) == tmp_path


def test_with_a_world_it_talks_to_the_submitter_or_to_the_node_it_names(tmp_path: Path) -> None:
    layout = a_world(tmp_path)

    assert layouts.resolve(tmp_path, None) == layout.home("submitter")
    assert layouts.resolve(tmp_path, "n1") == layout.home("n1")


@pytest.mark.parametrize("name", ["n9", "", "../n1"])
def test_a_node_that_is_not_in_the_world_is_refused(tmp_path: Path, name: str) -> None:
    a_world(tmp_path)

    with pytest.raises(DevnetError) as refusal:
        layouts.resolve(tmp_path, name)

    assert refusal.value.code == "no-such-node"
    assert "n1, submitter" in refusal.value.hint


def test_naming_a_node_without_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DevnetError) as refusal:
        layouts.resolve(tmp_path, "n1")

    assert refusal.value.code == "no-world"


@pytest.mark.parametrize("name", ["current", "../x", "", "W", "a" * 40])
def test_names_that_are_no_worlds_are_refused(tmp_path: Path, name: str) -> None:
    if not name:
        assert layouts.new_layout(tmp_path, name).directory.parent == tmp_path / "devnet"
        return
    with pytest.raises(DevnetError):
        layouts.new_layout(tmp_path, name)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"nodes": 1}'])
def test_a_damaged_world_file_is_refused(tmp_path: Path, text: str) -> None:
    layout = a_world(tmp_path)
    layout.world_file.write_text(text)

    with pytest.raises(DevnetError):
        layouts.read_world(layout)


def test_a_plan_gives_every_node_its_own_keys_ports_and_database(tmp_path: Path) -> None:
    layout = layouts.new_layout(tmp_path, "w-2")
    layout.directory.mkdir(parents=True)

    plan = make_plan(layout, 3)

    names = [node.name for node in plan.nodes]
    assert names == ["n1", "n2", "n3", "submitter", "observer"]
    assert len({node.account for node in plan.nodes}) == len({node.peer_id for node in plan.nodes}) == 5
    assert len({node.listen for node in plan.nodes}) == 5
    for node in plan.nodes:
        home = Path(node.home)
        settings = config.load(home / "config.toml", environ={}).config
        assert settings.chain.url == plan.chain_url
        assert len(settings.mesh.bootstrap) == 4
        assert node.database in settings.database.url
        assert keystore.load(home).account.hex() == node.account
    assert read_plan(layout.directory) == plan


@pytest.mark.parametrize("count", [0, 2, 33, -1])
def test_a_number_of_providers_that_makes_no_market_is_refused(tmp_path: Path, count: int) -> None:
    layout = layouts.new_layout(tmp_path, "w-2")
    layout.directory.mkdir(parents=True)

    with pytest.raises(DevnetError) as refusal:
        make_plan(layout, count)

    assert refusal.value.code == "bad-nodes"
