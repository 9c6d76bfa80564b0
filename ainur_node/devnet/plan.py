"""A world before it runs: keys, ports, configurations and money, written down for the keeper to start."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ainur_node import keystore
from ainur_node.devnet.external import ExternalChain
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.homes import Home, make_keys, write_config
from ainur_node.devnet.layout import (
    MAX_PROVIDERS,
    MIN_PROVIDERS,
    OBSERVER,
    SUBMITTER,
    DevnetError,
    Layout,
    write_private,
)
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.rundir import run_directory
from ainur_node.supervisor.listening import free_ports
from pallets_client.keys import Sr25519, new_seed

ARBITER = "a"
"""Their names are a1, a2 …"""
PROVIDER_FUNDS = SUBMITTER_FUNDS = 1_000 * PLANCK_PER_AIN
OBSERVER_FUNDS = 100 * PLANCK_PER_AIN
FAUCET_FUNDS = 1_000_000 * PLANCK_PER_AIN
CONNECTIONS_PER_NODE = 12
PROVIDER_CAPACITY = 64
"""Jobs a provider takes on at once: fifty tasks submitted together are to settle, not to be turned away."""
SPARE_CONNECTIONS = 16
"""Database connections for an operator and for making databases, beside those of the nodes."""


@dataclass(frozen=True, slots=True)
class Court:
    """Nodes of a world that do nothing but judge, with parameters of the genesis and settings of every node."""

    arbiters: int
    params: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One node process to start."""

    name: str
    home: str
    database: str
    listen: str
    peer_id: str
    account: str
    ss58: str
    provider: bool

    @property
    def funds(self) -> int:
        """Planck that its account starts with."""
        return OBSERVER_FUNDS if self.name == OBSERVER else PROVIDER_FUNDS


@dataclass(frozen=True, slots=True)
class Plan:
    """One world to start; without a ``node_command`` nodes are forked from a keeper that has their code in memory."""

    directory: str
    chain_port: int
    faucet: str
    node_command: tuple[str, ...]
    durable: bool
    fault: str = ""
    nodes: list[PlannedNode] = field(default_factory=list)
    external: str = ""
    """Address of a chain that somebody else runs; empty: this world runs its own."""
    params: dict[str, int] = field(default_factory=dict)
    """Patches of the market's parameters in the genesis, over those of the fault."""

    @property
    def layout(self) -> Layout:
        """Paths of the world."""
        return Layout(Path(self.directory))

    @property
    def chain_url(self) -> str:
        """Where the chain answers."""
        return self.external or f"ws://127.0.0.1:{self.chain_port}"

    def balances(self) -> dict[str, int]:
        """Planck of each account at genesis, by address."""
        return {self.faucet: FAUCET_FUNDS} | {node.ss58: node.funds for node in self.nodes}

    def write(self) -> None:
        """Write the plan into its world's directory."""
        write_private(self.layout.plan_file, json.dumps(asdict(self), indent=1) + "\n")


def read_plan(directory: Path) -> Plan:
    """The plan of a world's directory, as `Plan.write` left it."""
    document: dict[str, Any] = json.loads(Layout(directory).plan_file.read_text("utf-8"))
    nodes = [PlannedNode(**entry) for entry in document.pop("nodes")]
    command = tuple(document.pop("node_command"))
    return Plan(**document, node_command=command, nodes=nodes)


def postgres_of(plan: Plan) -> EmbeddedPostgres:
    """The database server of a world, not started."""
    return EmbeddedPostgres(
        plan.layout.postgres,
        run_directory(plan.layout.directory),
        max_connections=SPARE_CONNECTIONS + CONNECTIONS_PER_NODE * len(plan.nodes),
        durable=plan.durable,
    )


def make_plan(
    layout: Layout,
    providers: int,
    node_command: tuple[str, ...] = (),
    *,
    durable: bool = True,
    fault: Fault | None = None,
    chain: ExternalChain | None = None,
    court: Court | None = None,
) -> Plan:
    """Make keys, choose ports and write the configuration of every node of a new world.

    The world's directory must exist. What is not ``durable`` may be lost when the machine crashes. Raises DevnetError
    for a number of providers that makes no market.
    """
    if not MIN_PROVIDERS <= providers <= MAX_PROVIDERS:
        raise DevnetError(
            "bad-nodes",
            f"a world has {MIN_PROVIDERS} to {MAX_PROVIDERS} providers, not {providers}",
            hint="choose another number for --nodes",
        )
    names = [f"n{number}" for number in range(1, providers + 1)] + [SUBMITTER, OBSERVER]
    names += [f"{ARBITER}{number}" for number in range(1, (court.arbiters if court is not None else 0) + 1)]
    chain_port, *ports = free_ports(len(names) + 1)
    faucet = Sr25519(chain.seed if chain is not None else new_seed())
    write_private(layout.faucet_file, faucet.seed.hex() + "\n")
    homes = [make_keys(layout.home(name), name, keystore.DEVELOPMENT) for name in names]
    nodes = list(_nodes(homes, ports))
    name = fault.name if fault is not None else ""
    external = chain.url if chain is not None else ""
    plan = Plan(str(layout.directory), chain_port, faucet.ss58, node_command, durable, name, nodes, external)
    plan.params.update(court.params if court is not None else {})
    server = postgres_of(plan)
    more = {**(chain.settings if chain is not None else {}), **(fault.settings if fault is not None else {})}
    more |= court.settings if court is not None else {}
    for node in nodes:
        _configure(plan, node, server.dsn(node.database), more)
        (Path(node.home) / "world.json").symlink_to(Path("..") / layout.world_file.name)
    plan.write()
    return plan


def _nodes(homes: list[Home], ports: list[int]) -> Iterator[PlannedNode]:
    for home, port in zip(homes, ports, strict=True):
        yield PlannedNode(
            name=home.name,
            home=str(home.directory),
            database=f"ainur_{home.name}",
            listen=f"/ip4/127.0.0.1/tcp/{port}",
            peer_id=home.peer_id,
            account=home.keys.account.hex(),
            ss58=Sr25519(home.keys.account_seed).ss58,
            provider=home.name not in {SUBMITTER, OBSERVER} and not home.name.startswith(ARBITER),
        )


def _configure(plan: Plan, node: PlannedNode, dsn: str, more: Mapping[str, Mapping[str, Any]]) -> None:
    # Everybody knows everybody: a world of one machine needs no discovery, and every pair is connected within seconds.
    others = [f"{other.listen}/p2p/{other.peer_id}" for other in plan.nodes if other is not node]
    values: dict[str, dict[str, Any]] = {
        "node": {"name": node.name},
        "mesh": {"listen": (node.listen,), "bootstrap": tuple(others)},
        "chain": {"mode": "remote", "url": plan.chain_url},
        "database": {"url": dsn},
        "market": {"capacity": PROVIDER_CAPACITY},
    }
    for section, keys in more.items():
        values[section] = {**values.get(section, {}), **keys}
    write_config(Path(node.home), values)
