"""`ainur run`: the processes of one home, from the first to be started to the last to be stopped."""

import sys
from pathlib import Path

import structlog

from ainur_node import config as configuration
from ainur_node.config import Config
from ainur_node.errors import ConfigError
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.rundir import run_directory
from ainur_node.supervisor import claim
from ainur_node.supervisor.children import Child, Children, Program, Tell
from ainur_node.supervisor.claim import Claim
from ainur_node.supervisor.database import TendedDatabase
from ainur_node.supervisor.listening import check_listen, check_port, free_ports
from ainur_node.supervisor.stopping import StopSignal

_TEND = 0.5
DATABASE = "ainur"
CATCH_UP_SECONDS = 3600.0
"""A node that follows is ready once it has executed the blocks of its world."""
_DESCRIBED = {False: ("world.json",), True: ("spec.json", "world.json")}
"""Files that tell a chain host of its genesis, when it makes blocks and when it follows."""


def run(home: Path, config_path: Path | None = None, *, tell: Tell = lambda _: None) -> int:
    """Run the node of a home until SIGTERM or SIGINT; 0 after a clean stop. Main thread only.

    ``tell`` gets ``{"step", "text", …}`` for people to follow. Raises AlreadyRunning, PortInUse and other
    ConfigErrors before anything is started; Transient when a part does not come up.
    """
    # Stdout belongs to the command line.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    config = configuration.load(config_path, options={"node.home": str(home)}).config
    with StopSignal() as stop:
        held = claim.take(config.home)
        try:
            _check_ports(config)
            _Daemon(config, config_path, held, stop, tell).run()
        finally:
            held.release()
    return 0


def _check_ports(config: Config) -> None:
    check_listen(config.mesh.listen, "mesh.listen")
    if config.chain.mode != "remote":
        check_port("127.0.0.1", config.chain.port, "chain.port")


class _Daemon:
    def __init__(self, config: Config, config_path: Path | None, held: Claim, stop: StopSignal, tell: Tell) -> None:
        self._config = config
        self._config_path = config_path
        self._stop = stop
        self._tell = tell
        self._children = Children(tell, held.remember)
        self._children.watch(stop.descriptor)
        self._postgres = None if config.database.url else _postgres(config)

    def run(self) -> None:
        environment: dict[str, str] = {}
        try:
            # Asked between the steps, so that a stop during a slow start does not have to wait for all of it.
            for step in (self._start_database, self._start_chain, self._start_node):
                if self._stop.asked is None:
                    environment.update(step(environment))
            database = TendedDatabase(self._postgres, self._tell) if self._postgres is not None else None
            while self._stop.asked is None:
                self._children.tend(_TEND)
                if database is not None:
                    database.tend()
        finally:
            self._tell({"step": "stopping", "text": "stopping the node"})
            self._children.stop()
            if self._postgres is not None:
                self._postgres.stop()

    def _start_database(self, environment: dict[str, str]) -> dict[str, str]:
        if self._postgres is None:
            return {}
        self._postgres.start()
        dsn = self._postgres.create_database(DATABASE)
        self._tell({"step": "database", "text": "the database runs", "pid": self._postgres.pid})
        return {"AINUR_DATABASE__URL": dsn}

    def _start_chain(self, environment: dict[str, str]) -> dict[str, str]:
        chain = self._config.chain
        if chain.mode == "remote":
            return {}
        follows = chain.mode == "follow"
        data, runtime = self._config.path(chain.data), self._config.path(chain.runtime)
        if data is None or not any((data / name).exists() for name in _DESCRIBED[follows]):
            raise ConfigError(f"there is no chain in {data}", hint=f"make one: ainur --home {self._config.home} init")
        # A port of its own choice would be another one after a restart, and the node would not find it.
        port = chain.port or free_ports(1)[0]
        command = [sys.executable, "-m", "chain_host", "run", "--data", str(data), "--port", str(port)]
        command += ["--keep-blocks", str(chain.keep_states)]
        if chain.keep_bodies:
            command += ["--keep-bodies", str(chain.keep_bodies)]
        if follows:
            command.append("--follow")
        elif runtime is not None:
            command += ["--runtime", str(runtime)]
        said = self._wait(self._children.start(Program("chain", command, log=self._log("chain"))))
        # From here on the node sees a chain like any other: one that answers at an address.
        mode = "follow" if follows else "remote"
        return {"AINUR_CHAIN__MODE": mode, "AINUR_CHAIN__URL": str(said.get("url", ""))}

    def _start_node(self, environment: dict[str, str]) -> dict[str, str]:
        command = [sys.executable, "-m", "ainur_node.node", "--home", str(self._config.home)]
        if self._config_path is not None:
            command += ["--config", str(self._config_path)]
        within = CATCH_UP_SECONDS if self._config.chain.mode == "follow" else 90.0
        program = Program("node", command, environment, log=self._log("node"), ready_within=within)
        self._wait(self._children.start(program))
        return {}

    def _wait(self, child: Child) -> dict[str, object]:
        self._children.wait_ready(child, until=lambda: self._stop.asked is not None)
        said = child.ready or {}
        self._tell({**said, "step": child.name, "text": f"the {child.name} runs", "pid": _pid(child)})
        return said

    def _log(self, name: str) -> Path:
        return self._config.home / "logs" / f"{name}.log"


def _postgres(config: Config) -> EmbeddedPostgres:
    data = config.path(config.database.data)
    if data is None:
        raise ConfigError("database.data is empty", hint="name a directory, or set database.url")
    return EmbeddedPostgres(data, run_directory(config.home), pg_bin=config.path(config.database.pg_bin))


def _pid(child: Child) -> int | None:
    return child.identity.pid if child.identity is not None else None
