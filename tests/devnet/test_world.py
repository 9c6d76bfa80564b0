"""A world on the real chain host and database, with nodes that have no market: up, restarts, down, nothing left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ainur_node.devnet import layout as layouts
from ainur_node.devnet import world
from ainur_node.devnet.layout import DevnetError
from ainur_node.errors import Transient
from ainur_node.supervisor import pids
from ainur_node.supervisor.pids import Identity

pytestmark = pytest.mark.real


def processes_below(directory: Path) -> list[Identity]:
    """Every process that names the directory in its command line, working directory or environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + os.readlink(entry / "cwd").encode()  # noqa: PTH115
        except OSError:
            continue
        identity = pids.identify(int(entry.name))
        if str(directory).encode() in told and identity is not None and identity.pid != os.getpid():
            found.append(identity)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def test_a_world_comes_up_heals_and_goes_down_without_a_trace(short_home: Path, fake_node: tuple[str, ...]) -> None:
    told: list[dict[str, object]] = []
    script = f"""
import sys, json
from pathlib import Path
from ainur_node.devnet import world
print(json.dumps(world.up(Path({str(short_home)!r}), 3, node_command={fake_node!r})))
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)

    seen = world.status(short_home)
    assert seen["alive"]
    assert [node["name"] for node in seen["nodes"]] == ["n1", "n2", "n3", "submitter", "observer"]
    assert all(node["alive"] and node["peers"] == 4 for node in seen["nodes"])
    assert len({node["pid"] for node in seen["nodes"]}) == 5
    assert layouts.resolve(short_home, None).name == "submitter"

    with pytest.raises(DevnetError) as refusal:
        world.up(short_home, 3, node_command=fake_node)
    assert refusal.value.code == "already-running"

    killed = seen["nodes"][0]["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: world.status(short_home)["nodes"][0]["pid"] not in {killed, None})

    gone = world.down(short_home, told.append)
    assert gone["left"] == []
    assert list(short_home.iterdir()) == []
    assert processes_below(short_home) == []
    with pytest.raises(DevnetError):
        world.status(short_home)


def test_down_cleans_up_after_a_killed_keeper(short_home: Path, fake_node: tuple[str, ...]) -> None:
    started = world.start(short_home, 3, world="w-a", attached=True, tell=lambda _: None, node_command=fake_node)
    layouts.point_current(started.layout)
    os.kill(started.pid, signal.SIGKILL)

    world.down(short_home)

    assert list(short_home.iterdir()) == []
    assert processes_below(short_home) == []
    started.stop()


def test_down_ends_a_world_whose_start_was_killed(short_home: Path, fake_node: tuple[str, ...]) -> None:
    script = f"""
from pathlib import Path
from ainur_node.devnet import world
world.up(Path({str(short_home)!r}), 3, node_command={fake_node!r}, tell=lambda event: print(event["step"], flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        while program.stdout.readline() not in {"database\n", ""}:
            pass
        program.kill()

    gone = world.down(short_home)

    assert gone["stopped"]
    assert list(short_home.iterdir()) == []
    assert processes_below(short_home) == []


@pytest.mark.slow
def test_a_world_that_belongs_to_a_killed_program_ends_with_it(short_home: Path, fake_node: tuple[str, ...]) -> None:
    script = f"""
import sys, time
from pathlib import Path
from ainur_node.devnet import world
home, nodes = Path({str(short_home)!r}), {fake_node!r}
w = world.start(home, 3, world=None, attached=True, tell=lambda _: None, node_command=nodes)
print("up", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        assert len(processes_below(short_home)) >= 7

        program.kill()

        wait_until(lambda: processes_below(short_home) == [])


def test_a_world_whose_nodes_cannot_start_says_why_and_leaves_nothing(short_home: Path) -> None:
    broken = (sys.executable, "-c", "import sys; print('out of luck', file=sys.stderr); sys.exit(3)")

    with pytest.raises(Transient, match="out of luck"):
        world.up(short_home, 3, node_command=broken)

    assert processes_below(short_home) == []
    assert list(short_home.iterdir()) == []
