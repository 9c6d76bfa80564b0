"""The process that keeps a world running: `python -m ainur_node.devnet.keeper DIRECTORY`."""

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from ainur_node.devnet import external
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.faults.parts import KeptParts
from ainur_node.devnet.layout import write_private
from ainur_node.devnet.plan import Plan, PlannedNode, postgres_of, read_plan
from ainur_node.errors import ConfigError, Transient
from ainur_node.supervisor import claim, pids
from ainur_node.supervisor.children import Child, Children, Program, die_with
from ainur_node.supervisor.claim import Claim
from ainur_node.supervisor.database import TendedDatabase
from ainur_node.supervisor.pids import Identity
from ainur_node.supervisor.stopping import StopSignal

if TYPE_CHECKING:
    from ainur_node.wiring import Alter

GENESIS_TIMEOUT = 120.0
_POLL = 0.01
_TEND = 0.5
# A world with a fault in its parts is looked after more often: the fault waits for a moment in the life of a task.
_TEND_TROUBLED = 0.02


class Stopped(Exception):  # noqa: N818 # not a fault
    """A stop signal came while the world was still starting."""


class Keeper:
    """Starts what a plan names, keeps it running until a stop signal, and stops it in reverse."""

    def __init__(self, plan: Plan, stop: StopSignal) -> None:
        self._plan = plan
        self._stop = stop
        self._claims: list[Claim] = []
        self._children = Children(self._tell, self._remember)
        self._children.watch(stop.descriptor)
        self._postgres = postgres_of(plan)
        self._fault = _fault(plan)
        self._began = time.monotonic()

    def run(self) -> None:
        """Run until a stop signal; raises ConfigError or Transient when the world does not come up."""
        try:
            with contextlib.suppress(Stopped):
                self._claim_all()
                self._start()
                self._keep()
        finally:
            self._end()

    def _claim_all(self) -> None:
        for directory in (self._plan.directory, *(node.home for node in self._plan.nodes)):
            self._claims.append(claim.take(Path(directory)))

    def _start(self) -> None:
        # The genesis compiles the runtime while the database makes its files: one core each.
        genesis = self._make_genesis()
        try:
            self._start_database()
            self._wait_genesis(genesis)
        finally:
            if genesis is not None and genesis.poll() is None:
                genesis.kill()
                genesis.wait()
        if self._plan.external:
            self._join_chain()
        else:
            self._start_chain()
        nodes = {node.name: self._children.start(self._node_program(node)) for node in self._plan.nodes}
        self._wait(*nodes.values())
        for node in self._plan.nodes:
            child = nodes[node.name]
            self._say("node", f"{node.name} runs", name=node.name, pid=_pid(child), peer_id=node.peer_id)
        _print({"ready": True, "pid": os.getpid()})

    def _start_chain(self) -> None:
        chain = self._children.start(self._chain_program())
        self._wait(chain)
        said = chain.ready or {}
        self._say("chain", "the chain runs", url=said.get("url"), genesis=said.get("genesis"), pid=_pid(chain))
        spec = json.loads((self._plan.layout.chain / "world.json").read_text("utf-8"))
        self._write_world(external.Identity(_bare(said.get("genesis")), _bare(spec["network_id"])))

    def _join_chain(self) -> None:
        plan = self._plan
        found = external.identity(plan.external)
        seed = bytes.fromhex(plan.layout.faucet_file.read_text("ascii"))
        external.fund(plan.external, seed, {bytes.fromhex(node.account): node.funds for node in plan.nodes})
        self._say("chain", "the nodes are funded on a chain outside", url=plan.external, genesis="0x" + found.genesis)
        self._write_world(found)

    def _keep(self) -> None:
        # Nobody reads our stdout once the world is up.
        with (self._plan.layout.logs / "keeper.log").open("ab") as log:
            os.dup2(log.fileno(), sys.stdout.fileno())
        database = TendedDatabase(self._postgres, self._tell)
        trouble, pause = self._trouble(), _TEND_TROUBLED if self._fault and self._fault.trouble else _TEND
        with contextlib.closing(trouble):
            while self._stop.asked is None:
                self._children.tend(pause)
                database.tend()
                next(trouble, None)

    def _trouble(self) -> Generator[None]:
        if self._fault is not None and self._fault.trouble is not None:
            yield from self._fault.trouble(KeptParts(self._plan.layout.logs, self._living))

    def _living(self) -> dict[str, Identity]:
        found = {child.name: child.identity for child in self._children if child.identity is not None}
        database = pids.identify(self._postgres.pid) if self._postgres.pid is not None else None
        return found | ({"database": database} if database is not None else {})

    def _end(self) -> None:
        children = list(self._children)
        self._children.stop_together(*[child for child in children if child.name != "chain"])
        self._children.stop()
        self._postgres.stop(discard=self._plan.layout.discard_file.exists())
        for each in reversed(self._claims):
            each.release()

    def _wait(self, *children: Child) -> None:
        self._children.wait_ready(*children, until=lambda: self._stop.asked is not None)
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._stop.asked is not None:
            raise Stopped

    def _make_genesis(self) -> subprocess.Popen[bytes] | None:
        layout = self._plan.layout
        if self._plan.external or (layout.chain / "world.json").exists():
            return None
        layout.logs.mkdir(mode=0o700, exist_ok=True)
        balances = layout.directory / "balances.json"
        write_private(balances, json.dumps(self._plan.balances()))
        params = layout.directory / "params.json"
        write_private(params, json.dumps({**(self._fault.params if self._fault else {}), **self._plan.params}))
        command = [sys.executable, "-m", "chain_host", "genesis", "--dir", str(layout.chain)]
        sudo = ["--sudo", self._plan.faucet, "--name", layout.directory.name]
        with (layout.logs / "genesis.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--balances", str(balances), "--params", str(params), *sudo],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 # no thread of ours runs yet
            )

    def _wait_genesis(self, genesis: subprocess.Popen[bytes] | None) -> None:
        deadline = time.monotonic() + GENESIS_TIMEOUT
        while genesis is not None and genesis.poll() is None:
            self._stop_if_asked()
            if time.monotonic() > deadline:
                raise Transient(f"the genesis was not made within {GENESIS_TIMEOUT:.0f} s", hint="is the machine busy?")
            time.sleep(_POLL)
        if genesis is not None and genesis.returncode != 0:
            said = (self._plan.layout.logs / "genesis.log").read_text("utf-8", "replace")[-600:].strip()
            raise ConfigError(f"the genesis could not be made: {said}", hint="is the installation complete?")

    def _start_database(self) -> None:
        server = self._postgres
        if not self._plan.node_command:
            # The database makes its files while we import what every node needs; no thread is left when we fork.
            making = threading.Thread(target=_quietly(server.init))
            making.start()
            _import_node()
            making.join()
        server.start()
        for node in self._plan.nodes:
            self._stop_if_asked()
            server.create_database(node.database)
        self._say("database", "the database runs", pid=server.pid)

    def _chain_program(self) -> Program:
        layout = self._plan.layout
        command = [sys.executable, "-m", "chain_host", "run", "--data", str(layout.chain)]
        return Program("chain", [*command, "--port", str(self._plan.chain_port)], log=layout.logs / "chain.log")

    def _node_program(self, node: PlannedNode) -> Program:
        log = self._plan.layout.logs / f"{node.name}.log"
        arguments = ["--home", node.home]
        if self._plan.node_command:
            return Program(node.name, [*self._plan.node_command, *arguments], log=log, ready_within=90.0)
        return Program(
            node.name, (), log=log, ready_within=90.0, function=partial(_node_main, arguments, self._alter(node))
        )

    def _alter(self, node: PlannedNode) -> "Alter | None":
        return self._fault.alter if self._fault is not None and node.name in self._fault.nodes else None

    def _write_world(self, chain: external.Identity) -> None:
        plan, layout = self._plan, self._plan.layout
        document = {
            "name": layout.directory.name,
            "genesis": chain.genesis,
            "network_id": chain.network_id,
            "chain_url": plan.chain_url,
            "chain_data": "" if plan.external else str(layout.chain),
            "bootstrap": [f"{node.listen}/p2p/{node.peer_id}" for node in plan.nodes],
            "faucet": str(layout.faucet_file),
            "fault": plan.fault,
            "nodes": [
                {key: getattr(node, key) for key in ("name", "home", "peer_id", "account", "ss58", "provider")}
                for node in plan.nodes
            ],
        }
        write_private(layout.world_file, json.dumps(document, indent=1) + "\n")

    def _say(self, step: str, text: str, **more: object) -> None:
        self._tell({"step": step, "text": text, "seconds": round(time.monotonic() - self._began, 2), **more})

    def _tell(self, event: dict[str, object]) -> None:
        _print(event)

    def _remember(self, children: list[Identity]) -> None:
        database = self._living().get("database")
        if self._claims:
            self._claims[0].remember([*children, *([database] if database else [])])


def _node_main(arguments: list[str], alter: "Alter | None") -> int:
    from ainur_node import node

    sys.argv = ["ainur-node", *arguments]
    return node.main(alter)


def _fault(plan: Plan) -> Fault | None:
    if not plan.fault:
        return None
    from ainur_node.devnet.faults import menu

    return menu.find(plan.fault)


def _import_node() -> None:
    """Load the code of a node, for all nodes at once: it takes seconds, mostly of libp2p."""
    importlib.import_module("ainur_node.node")
    gc.collect()
    gc.freeze()


def _quietly(function: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with contextlib.suppress(ConfigError, Transient):  # `start` comes upon the same trouble and reports it
            function()

    return run


def _print(event: dict[str, object]) -> None:
    # Whoever started us may be gone; the world need not end with it.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def _bare(digits: object) -> str:
    return str(digits).removeprefix("0x")


def _pid(child: Child) -> int | None:
    return child.identity.pid if child.identity is not None else None


def main() -> int:
    """Exit 0 after a stop signal; else the reason as a JSON line on stdout and the exit code it stands for."""
    plan = read_plan(Path(sys.argv[1]))
    # Stdout tells whoever started us about the world; the log is stderr.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with StopSignal() as stop:
        try:
            Keeper(plan, stop).run()
        except (ConfigError, Transient) as error:
            exit_code = 4 if isinstance(error, ConfigError) else 3
            code = getattr(error, "code", "config" if exit_code == 4 else "unavailable")
            reason = {"code": code, "what": str(error), "hint": error.hint, "exit": exit_code}
            _print({"error": reason})
            return exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
