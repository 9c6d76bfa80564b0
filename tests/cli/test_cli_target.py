"""Which node a command talks to."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import AUCTION, TASK, FakeNode, Type, running


@pytest.fixture
def devnet(home: Path, sockets: Path) -> Iterator[dict[str, FakeNode]]:
    """A devnet of three nodes that only pretend, with the home's own node beside it."""
    directory = home / "devnet" / "w-abc"
    nodes = {}
    for name in ("submitter", "n1", "observer"):
        (directory / name).mkdir(parents=True)
        nodes[name] = FakeNode(directory / name, name)
    world = {"nodes": [{"name": n, "home": str(node.home), "peer_id": f"12D3KooW{n * 8}"} for n, node in nodes.items()]}
    (directory / "world.json").write_text(json.dumps(world))
    (home / "devnet" / "current").symlink_to(Path("w-abc") / "submitter")
    nodes["own"] = FakeNode(home, "own")
    with running(nodes["submitter"], sockets), running(nodes["n1"], sockets), running(nodes["own"], sockets):
        yield nodes


def name_of(typed: object) -> str:
    return str(typed.json["name"])  # type: ignore[attr-defined]


def test_without_a_name_the_devnets_submitter_is_asked(devnet: dict[str, FakeNode], ainur: Type) -> None:
    assert name_of(ainur("status", "--json")) == "submitter"


def test_a_name_finds_its_node(devnet: dict[str, FakeNode], ainur: Type) -> None:
    assert name_of(ainur("--node", "n1", "status", "--json")) == "n1"
    assert name_of(ainur("status", "--json", "--node", "n1")) == "n1"


def test_a_name_nobody_has_lists_those_there_are(devnet: dict[str, FakeNode], ainur: Type) -> None:
    typed = ainur("--node", "n9", "status")

    assert typed.code == 2
    assert "submitter, n1, observer" in typed.err


def test_a_node_that_is_down_is_unreachable(devnet: dict[str, FakeNode], ainur: Type) -> None:
    typed = ainur("--node", "observer", "status")

    assert typed.code == 3
    assert "ainur devnet up" in typed.err


def test_a_devnet_that_ended_gives_way_to_the_homes_own_node(home: Path, sockets: Path, ainur: Type) -> None:
    (home / "devnet" / "w-old" / "submitter").mkdir(parents=True)
    (home / "devnet" / "current").symlink_to(Path("w-old") / "submitter")
    with running(FakeNode(home, "own"), sockets):
        assert name_of(ainur("status", "--json")) == "own"


def test_a_dangling_pointer_is_no_devnet(home: Path, sockets: Path, ainur: Type) -> None:
    (home / "devnet").mkdir()
    (home / "devnet" / "current").symlink_to("nowhere")
    with running(FakeNode(home, "own"), sockets):
        assert name_of(ainur("status", "--json")) == "own"
        assert ainur("--node", "n1", "status").code == 3


@pytest.mark.parametrize("world", ["", "{}", '{"nodes": 3}', '{"nodes": [1, {"name": "x"}]}', "[" * 5000])
def test_a_damaged_world_file_falls_back_to_the_directories(
    devnet: dict[str, FakeNode], home: Path, ainur: Type, world: str
) -> None:
    (home / "devnet" / "w-abc" / "world.json").write_text(world)
    (devnet["n1"].home / "config.toml").write_text("")

    assert name_of(ainur("--node", "n1", "status", "--json")) == "n1"


def test_people_read_names_where_programs_read_ids(devnet: dict[str, FakeNode], ainur: Type) -> None:
    submitter = devnet["submitter"]
    (submitter.home / "world.json").write_text(
        json.dumps({"nodes": [{"name": "n2", "account": "b" * 64, "peer_id": "12D3KooWxyz"}]})
    )
    submitter.answers["agent.list"]["agents"][0]["node"] = "12D3KooWxyz"

    assert "n2" in ainur("auction", "verify", "a" * 64).out
    assert "n2" in ainur("agent", "list").out
    assert ainur("agent", "list", "--json").json["agents"][0]["node"] == "12D3KooWxyz"


def test_an_observer_verifies_by_the_submitters_task(devnet: dict[str, FakeNode], ainur: Type) -> None:
    stranger = devnet["n1"]
    stranger.answers["task.list"] = {"tasks": []}
    stranger.known = {AUCTION}

    for ident in (TASK, TASK[:8], AUCTION):
        typed = ainur("--node", "n1", "auction", "verify", ident)
        assert typed.code == 0, typed.err
        assert stranger.params("auction.verify") == {"auction": AUCTION}

    typed = ainur("--node", "n1", "auction", "verify", "f" * 64)
    assert typed.code == 1
    assert "unknown_auction" in typed.err


def test_the_story_calls_nodes_by_their_names(devnet: dict[str, FakeNode], ainur: Type) -> None:
    submitter = devnet["submitter"]
    (submitter.home / "world.json").write_text(json.dumps({"nodes": [{"name": "n2", "account": "b" * 64}]}))
    submitter.story[1] = submitter.story[1] | {"text": "bbbbbbbbbbbb wins"}

    assert "n2 wins" in ainur("task", "watch", TASK).err


def test_the_nodes_of_a_devnet_are_not_run_or_stopped_alone(devnet: dict[str, FakeNode], ainur: Type) -> None:
    assert ainur("--node", "n1", "stop").code == 2
    assert ainur("--node", "n1", "run").code == 2
