"""A whole world on this machine: up, status, down."""

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ainur_node.devnet.asking import ask
from ainur_node.devnet.external import ExternalChain
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.layout import (
    DevnetError,
    Layout,
    current,
    devnet_directory,
    new_layout,
    point_current,
    read_world,
)
from ainur_node.devnet.market import SAMPLES, SUMMARY, open_market
from ainur_node.devnet.plan import Court, Plan, make_plan
from ainur_node.errors import ConfigError, Transient
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.rpc.whereabouts import read_whereabouts
from ainur_node.storage.launch import directory_away
from ainur_node.storage.rundir import run_directory
from ainur_node.supervisor import claim, pids
from ainur_node.supervisor.children import die_with

Tell = Callable[[dict[str, object]], None]

START_TIMEOUT = 180.0
STOP_PATIENCE = 30.0
MAX_LINE = 1 << 16


class World:
    """A world that this process started; `stop` ends it and removes its files."""

    def __init__(self, plan: Plan, process: subprocess.Popen[bytes], events: list[dict[str, Any]]) -> None:
        self.plan = plan
        self.layout = plan.layout
        self.events = events
        self._process = process

    @property
    def pid(self) -> int:
        """The keeper's process id."""
        return self._process.pid

    def node_pids(self) -> dict[str, int]:
        """Process id of each node by name, as it is now."""
        found = {}
        for node in self.plan.nodes:
            here = read_whereabouts(Path(node.home))
            if here is not None:
                found[node.name] = here.pid
        return found

    def stop(self) -> None:
        """End all processes and remove the world's directory."""
        if self._process.poll() is None:
            _discard(self.layout)
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _clear(self.layout)


def start(
    home: Path,
    nodes: int,
    *,
    world: str | None,
    attached: bool,
    tell: Tell,
    node_command: tuple[str, ...] = (),
    fault: Fault | None = None,
    chain: ExternalChain | None = None,
    court: Court | None = None,
) -> World:
    """Make a world and start it; the market is not there yet.

    An ``attached`` world ends with this process, any other is the home's current one. Raises DevnetError when there
    is one that runs, ConfigError, Transient; nothing is left then.
    """
    if attached:
        return _start(
            new_layout(home, world),
            nodes,
            node_command,
            attached=True,
            tell=tell,
            fault=fault,
            chain=chain,
            court=court,
        )
    try:
        with claim.take(devnet_directory(home)):
            running = current(home)
            if running is not None and (keeper := claim.holder(running.directory)) is not None:
                raise DevnetError(
                    "already-running",
                    f"the world {running.directory.name} is up (pid {keeper})",
                    hint="use it, or end it with: ainur devnet down",
                )
            if running is not None:
                _clear(running)  # what a killed keeper left
            made = new_layout(home, world)
            return _start(made, nodes, node_command, attached=False, tell=tell, fault=fault, chain=chain, court=court)
    finally:
        _remove_if_empty(devnet_directory(home))


def _start(
    layout: Layout,
    nodes: int,
    node_command: tuple[str, ...],
    *,
    attached: bool,
    tell: Tell,
    fault: Fault | None,
    chain: ExternalChain | None,
    court: Court | None,
) -> World:
    layout.directory.mkdir(mode=0o700, parents=True)
    try:
        # A world that ends with us is removed then: nobody waits for its database to reach the disk.
        plan = make_plan(layout, nodes, node_command, durable=not attached, fault=fault, chain=chain, court=court)
        tell({"step": "keys", "text": f"fresh keys and homes for {len(plan.nodes)} nodes", "nodes": len(plan.nodes)})
        layout.logs.mkdir(mode=0o700, exist_ok=True)
        if not attached:
            point_current(layout)  # from now on `down` finds it, also when we are killed before it is up
        process = _spawn(layout, attached=attached)
    except BaseException:
        _clear(layout)
        raise
    started = World(plan, process, [])
    try:
        _follow(process, started.events, tell)
    except BaseException:
        started.stop()
        raise
    return started


def up(
    home: Path,
    nodes: int = 3,
    *,
    world: str | None = None,
    tell: Tell = lambda _: None,
    node_command: tuple[str, ...] = (),
    fault: Fault | None = None,
    chain: ExternalChain | None = None,
) -> dict[str, Any]:
    """Start a world that stays, with the sample agents offered by every provider; what `status` says of it.

    A ``fault`` makes liars of some of its nodes; the summariser is all that such a world offers. With a ``chain`` the
    world runs none of its own.

    Raises DevnetError when one is up already, ConfigError, Transient, Refused, Unreachable; nothing is left then.
    """
    began = time.monotonic()
    started = start(
        home, nodes, world=world, attached=False, tell=tell, node_command=node_command, fault=fault, chain=chain
    )
    try:
        open_market(started.plan, tell, SAMPLES if fault is None else (SUMMARY,))
    except BaseException:
        started.stop()
        raise
    seconds = round(time.monotonic() - began, 1)
    tell({"step": "up", "text": f"the world {started.layout.directory.name} is up", "seconds": seconds})
    return status(home)


def status(home: Path) -> dict[str, Any]:
    """The current world as it is now; raises DevnetError when there is none."""
    layout = _current(home)
    world = read_world(layout)
    nodes = [_node_status(entry) for entry in world["nodes"]]
    heights = [node["height"] for node in nodes if node["height"] is not None]
    keeper = claim.holder(layout.directory)
    return {
        "world": layout.directory.name,
        "directory": str(layout.directory),
        "pid": keeper,
        "alive": keeper is not None,
        "genesis": world["genesis"],
        "fault": world.get("fault") or None,
        "chain": {"url": world["chain_url"], "height": max(heights, default=None)},
        "nodes": nodes,
    }


def down(home: Path, tell: Tell = lambda _: None) -> dict[str, Any]:
    """End the current world and remove all it made; raises DevnetError when there is none."""
    layout = _current(home)
    keeper = claim.holder(layout.directory)
    processes = pids.read(layout.directory / claim.CHILDREN_FILE)
    identity = pids.identify(keeper) if keeper is not None else None
    if identity is not None:
        tell({"step": "stopping", "text": f"stopping the world {layout.directory.name}", "pid": identity.pid})
        _discard(layout)
        pids.send(identity, signal.SIGTERM)
        if pids.wait_gone([identity], STOP_PATIENCE):
            pids.end([identity], patience=2.0)
    left = _clear(layout)
    stopped = [process.pid for process in ([identity] if identity else []) + processes]
    return {"world": layout.directory.name, "stopped": stopped, "left": left, "removed": str(layout.directory)}


def _current(home: Path) -> Layout:
    layout = current(home)
    if layout is None or not layout.directory.exists():
        raise DevnetError("no-world", f"there is no devnet in {home}", hint="start one with: ainur devnet up")
    return layout


def _spawn(layout: Layout, *, attached: bool) -> subprocess.Popen[bytes]:
    with (layout.logs / "keeper.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ainur_node.devnet.keeper", str(layout.directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={key: value for key, value in os.environ.items() if not key.startswith("AINUR_")},
            start_new_session=True,
            preexec_fn=die_with(os.getpid()) if attached else None,  # noqa: PLW1509 # no thread of ours runs yet
        )


def _follow(process: subprocess.Popen[bytes], events: list[dict[str, Any]], tell: Tell) -> None:
    """Pass the keeper's steps on until it is ready."""
    stdout = process.stdout
    if stdout is None:
        raise Transient("the keeper cannot be heard")
    deadline, rest = time.monotonic() + START_TIMEOUT, b""
    with stdout, selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise Transient(f"the world was not up within {START_TIMEOUT:.0f} s", hint="is the machine very busy?")
            data = os.read(stdout.fileno(), MAX_LINE)
            if not data:
                raise Transient("the keeper ended without a reason", hint="look into its log with --keep")
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                said = json.loads(line)
                if said.get("ready"):
                    return
                if "error" in said:
                    raise _failure(said["error"])
                events.append(said)
                tell(said)


def _failure(reason: dict[str, Any]) -> Exception:
    if reason["exit"] == 4:
        return DevnetError(reason["code"], reason["what"], hint=reason["hint"])
    return Transient(reason["what"], hint=reason["hint"])


def _node_status(entry: dict[str, Any]) -> dict[str, Any]:
    home = Path(entry["home"])
    row = {key: entry[key] for key in ("name", "home", "peer_id", "account", "ss58", "provider")}
    row |= {"pid": None, "alive": False, "peers": None, "offers": None, "height": None}
    try:
        said = ask(home, "node.status")
    except (Refused, Unreachable):
        return row
    return row | {
        "pid": said["pid"],
        "alive": True,
        "peers": said["peers"],
        "offers": said["offers"],
        "height": said["chain"]["height"],
    }


def _discard(layout: Layout) -> None:
    """Tell the keeper that all files go as soon as it has ended."""
    with contextlib.suppress(OSError):
        layout.discard_file.touch()


def _clear(layout: Layout) -> list[int]:
    """End what a killed keeper left, then remove the world's directory; pids that could not be ended."""
    left: list[int] = []
    if layout.directory.exists():
        with contextlib.suppress(ConfigError, Transient):
            claim.take(layout.directory).release()
        left = [process.pid for process in pids.read(layout.directory / claim.CHILDREN_FILE) if pids.alive(process)]
        _remove_run_directories(layout)
        shutil.rmtree(directory_away(layout.postgres), ignore_errors=True)
        shutil.rmtree(layout.directory, ignore_errors=True)
    link = layout.directory.parent / "current"
    if link.is_symlink() and link.readlink().parts[:1] == (layout.directory.name,):
        link.unlink()
    _remove_if_empty(layout.directory.parent)
    return left


def _remove_if_empty(devnet: Path) -> None:
    if claim.holder(devnet) is None:
        (devnet / claim.LOCK_FILE).unlink(missing_ok=True)  # of an `up` that was killed
    with contextlib.suppress(OSError):  # other worlds lie there, or it is gone already
        devnet.rmdir()


def _remove_run_directories(layout: Layout) -> None:
    """Remove what killed processes left where sockets of homes with long paths lie."""
    for home in (layout.directory, *(entry.parent for entry in layout.directory.glob("*/config.toml"))):
        directory = run_directory(home)
        if not directory.is_relative_to(layout.directory):
            shutil.rmtree(directory, ignore_errors=True)
