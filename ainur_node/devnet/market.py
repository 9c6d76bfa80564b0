"""The sample agents on every provider of a world, each at its own price, and the proof that the submitter sees them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ainur_node
from ainur_node.devnet.asking import ask, client_of, wait_for
from ainur_node.devnet.layout import SUBMITTER, DevnetError
from ainur_node.devnet.plan import Plan, PlannedNode
from ainur_node.domain.money import PLANCK_PER_AIN, format_ain

Tell = Callable[[dict[str, object]], None]

CAPABILITY = "summarize"
FIRST_ASK, ASK_STEP = 20 * PLANCK_PER_AIN // 100, 5 * PLANCK_PER_AIN // 100
MESH_TIMEOUT = 60.0
PUBLISH_TIMEOUT = 60.0
ANNOUNCE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An agent of this repository, and what it can do."""

    name: str
    capability: str


SUMMARY = Sample("text-summary", CAPABILITY)
SAMPLES = (SUMMARY, Sample("csv-profile", "profile-csv"), Sample("json-query", "query-json"))


def ask_of(number: int) -> int:
    """Planck that provider ``number`` (from 0) asks: 0.20 AIN, 0.25, 0.30 …"""
    return FIRST_ASK + number * ASK_STEP


def package_of(sample: Sample) -> tuple[bytes, bytes]:
    """Manifest and module of a sample agent; raises DevnetError when they are not installed."""
    directory = Path(ainur_node.__file__).parent.parent / "agents" / sample.name
    try:
        return (directory / "manifest.json").read_bytes(), (directory / f"{sample.name}.wasm").read_bytes()
    except OSError as error:
        raise DevnetError(
            "no-sample", f"the sample agent is missing: {error}", hint="use a full checkout of the project"
        ) from error


def wait_mesh(plan: Plan, tell: Tell) -> None:
    """Wait until every node is connected to every other one."""
    expected = len(plan.nodes) - 1

    def connected(node: PlannedNode) -> bool | None:
        return True if int(ask(Path(node.home), "node.status")["peers"]) >= expected else None

    for node in plan.nodes:
        wait_for(f"{node.name} meeting {expected} peers", partial(connected, node), timeout=MESH_TIMEOUT)
    tell({"step": "mesh", "text": f"all {len(plan.nodes)} nodes are connected to one another", "peers": expected})


def open_market(plan: Plan, tell: Tell, samples: Sequence[Sample] = (SUMMARY,)) -> list[dict[str, Any]]:
    """Wait for the mesh, then publish sample agents on every provider; the agents that the submitter knows."""
    wait_mesh(plan, tell)
    return publish_everywhere(plan, tell, samples)


def publish_everywhere(plan: Plan, tell: Tell, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Publish the samples on all providers at once; the agents as the submitter sees them in the end."""
    packages = [package_of(sample) for sample in samples]
    providers = [node for node in plan.nodes if node.provider]

    def publish(number: int, which: int) -> None:
        node, sample, (manifest, wasm) = providers[number], samples[which], packages[which]
        with client_of(Path(node.home), timeout=PUBLISH_TIMEOUT) as client:
            *_, last = client.stream("agent.publish", manifest=manifest, wasm=wasm, ask=str(ask_of(number)))
        text = f"{node.name} offers {sample.capability} for {format_ain(ask_of(number))} AIN"
        tell({"step": "offer", "text": text, "node": node.name, "ask": str(ask_of(number)), "agent": last["agent"]})

    with ThreadPoolExecutor(len(providers) * len(samples)) as pool:
        # The first makes a provider of each account; the others need not wait for one another.
        list(pool.map(lambda number: publish(number, 0), range(len(providers))))
        others = [(number, which) for number in range(len(providers)) for which in range(1, len(samples))]
        list(pool.map(lambda each: publish(*each), others))
    return [agent for sample in samples for agent in wait_offers(plan, tell, sample.capability)]


def wait_offers(plan: Plan, tell: Tell, capability: str) -> list[dict[str, Any]]:
    """Wait until the submitter knows an agent of every provider; their asks stay sealed until an auction."""
    expected = sum(node.provider for node in plan.nodes)
    submitter = plan.layout.home(SUBMITTER)

    def heard() -> list[dict[str, Any]] | None:
        agents: list[dict[str, Any]] = ask(submitter, "agent.list", capability=capability)["agents"]
        return agents if len({agent["node"] for agent in agents}) >= expected else None

    agents = wait_for(f"the submitter hearing of {expected} agents", heard, timeout=ANNOUNCE_TIMEOUT)
    text = f"the submitter knows {len(agents)} agents that can {capability}"
    tell({"step": "offers", "text": text, "offers": len(agents)})
    return agents
