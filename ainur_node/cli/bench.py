"""``ainur bench e2e``: how long a task takes from submission to payment, and how many a world settles per second."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.bench_chain import chain, chain_options
from ainur_node.cli.command import Command, Parser, Report
from ainur_node.cli.devnet import teller
from ainur_node.cli.screen import Screen
from ainur_node.cli.target import current_devnet, find_home, read_quietly
from ainur_node.rpc.client import Client, Refused, Unreachable
from ainur_node.rpc.messages import ExitCode
from ainur_node.rpc.whereabouts import is_running

DOCUMENT = (
    "The auction is sealed: every provider commits to its ask before anybody can see another. "
    "The winner is paid the second price, so that asking more than the work is worth never pays. "
    "The agent runs in a sandbox, its result is run again by whoever pays, and only then is the escrow released. "
) * 20
TASK_SECONDS = 180.0
DEADLINE_MS = 60_000
MAX_TASKS, MAX_AT_ONCE = 10_000, 100


@dataclass(slots=True)
class Sample:
    """One task: seconds from submission to the end, when each fact came (ms), and how it ended."""

    seconds: float
    ended: str
    facts: list[tuple[str, int]] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        """Whether it was verified and paid."""
        return self.ended == "settled"


def percentiles(numbers: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99 by nearest rank; None of nothing."""
    ranked = sorted(numbers)
    found: dict[str, float | None] = {}
    for percent in (50, 95, 99):
        rank = -(-len(ranked) * percent // 100) - 1
        found[f"p{percent}"] = round(ranked[rank], 3) if ranked else None
    return found


def stages(samples: Sequence[Sample]) -> dict[str, dict[str, float | None]]:
    """Seconds from one fact to the next, by the fact that ended the stage, in the order of a task's life."""
    took: dict[str, list[float]] = {}
    for sample in samples:
        for (_, before), (kind, at) in zip(sample.facts, sample.facts[1:], strict=False):
            took.setdefault(kind, []).append((at - before) / 1000)
    return {kind: percentiles(seconds) for kind, seconds in took.items()}


def one_task(path: Path, params: Mapping[str, Any]) -> Sample:
    """Submit one task and follow it to its end; refusals and faults are ends of their own."""
    began = time.monotonic()
    facts: list[tuple[str, int]] = []
    phase = "unknown"
    try:
        with Client(path, timeout=TASK_SECONDS) as client:
            task = client.call("task.submit", **params)["task"]
            for item in client.stream("task.watch", task=task):
                facts.append((str(item.get("kind")), int(item.get("at") or 0)))
                phase = str(item.get("phase", "")).lstrip("=")
                if item.get("final"):
                    break
    except Refused as no:
        phase = no.code
    except Unreachable as away:
        phase = away.code
    return Sample(time.monotonic() - began, phase, facts)


def measure(
    path: Path, params: Mapping[str, Any], count: int, at_once: int, screen: Screen
) -> tuple[list[Sample], float]:
    """``count`` tasks, ``at_once`` of them under way; the samples and the seconds of the whole run."""
    done = 0
    lock = threading.Lock()

    def run(_: int) -> Sample:
        nonlocal done
        sample = one_task(path, params)
        with lock:
            done += 1
            if done % max(1, count // 10) == 0 or done == count:
                screen.story(int((time.monotonic() - began) * 1000), f"{done} of {count} tasks, {at_once} at a time")
        return sample

    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        samples = list(pool.map(run, range(count)))
    return samples, time.monotonic() - began


def e2e(ask: Ask) -> Report:
    """Measure latency with one task at a time, then throughput with many."""
    options = ask.options
    document = values.read_file(options.input, "--input", values.MAX_INPUT) if options.input else DOCUMENT.encode()
    params = {
        "capability": options.agent,
        "input": document,
        "media": "text/plain",
        "budget": options.budget,
        "deadline_ms": DEADLINE_MS,
    }
    with _world(ask) as home:
        here = read_quietly(home)
        if here is None:
            raise Unreachable(f"no node runs in {home}", hint="ainur devnet up")
        path = Path(here.rpc)
        with ask.screen.busy("measuring …"):
            alone, _ = measure(path, params, options.alone, 1, ask.screen)
            crowd, seconds = measure(path, params, options.tasks, min(options.at_once, options.tasks), ask.screen)
        with Client(path) as client:
            status = client.call("node.status")
        found = summary(alone, crowd, seconds, status, status.get("windows") or windows(home)) | {
            "input_bytes": len(document)
        }
    failed = found["failed"]
    return Report(found, lambda screen: _show(screen, found), ExitCode.NOT_VERIFIED if failed else ExitCode.DONE)


def windows(home: Path) -> dict[str, int]:
    """The windows that the submitter's auctions use, in ms."""
    from ainur_node import config

    file = home / "config.toml"
    market = config.load(file if file.exists() else None, options={"node.home": str(home)}).config.market
    return {"commit_ms": market.commit_window_ms, "reveal_ms": market.reveal_window_ms}


def summary(
    alone: Sequence[Sample],
    crowd: Sequence[Sample],
    seconds: float,
    status: Mapping[str, Any],
    open_ms: Mapping[str, int],
) -> dict[str, Any]:
    """The numbers of one run."""
    settled = [sample for sample in crowd if sample.settled]
    ends: dict[str, int] = {}
    for sample in (*alone, *crowd):
        ends[sample.ended] = ends.get(sample.ended, 0) + 1
    return {
        "node": status.get("name"),
        "peers": status.get("peers"),
        "windows": dict(open_ms),
        "latency": {"tasks": len(alone), "at_once": 1, **percentiles([s.seconds for s in alone if s.settled])},
        "throughput": {
            "tasks": len(crowd),
            "seconds": round(seconds, 3),
            "tasks_per_second": round(len(settled) / seconds, 3) if seconds else None,
            **percentiles([sample.seconds for sample in settled]),
        },
        "stages": stages([sample for sample in alone if sample.settled]),
        "node_stages": status.get("stages") or {},
        "ends": ends,
        "failed": sum(count for end, count in ends.items() if end != "settled"),
    }


@contextmanager
def _world(ask: Ask) -> Iterator[Path]:
    """Home of the submitter of the running devnet, else of a world that lives as long as the block."""
    submitter = current_devnet(ask.home)
    here = read_quietly(submitter) if submitter is not None else None
    if ask.node is not None or (here is not None and is_running(here.pid)):
        yield find_home(ask.home, ask.node)
        return
    from ainur_node.devnet.layout import SUBMITTER
    from ainur_node.devnet.market import open_market
    from ainur_node.devnet.world import start

    tell = teller(ask.screen)
    world = start(ask.home, ask.options.nodes, world=None, attached=True, tell=tell)
    try:
        open_market(world.plan, tell)
        yield world.layout.home(SUBMITTER)
    finally:
        world.stop()


def _show(screen: Screen, found: Mapping[str, Any]) -> None:
    def row(name: str, numbers: Mapping[str, Any]) -> tuple[object, ...]:
        return (name, *(f"{numbers[p]:.3f}" if numbers.get(p) is not None else "–" for p in ("p50", "p95", "p99")))

    open_ms = found["windows"]
    screen.say(
        f"windows: commit {open_ms['commit_ms']} ms, reveal at most {open_ms['reveal_ms']} ms; {found['peers']} peers"
    )
    rows = [row("one at a time", found["latency"]), row("many at once", found["throughput"])]
    screen.table(("seconds to payment", "p50", "p95", "p99"), rows)
    screen.say(f"{found['throughput']['tasks_per_second']} tasks per second")
    screen.say()
    screen.table(("stage, one at a time", "p50", "p95", "p99"), [row(name, s) for name, s in found["stages"].items()])
    if found["failed"]:
        screen.say(f"{found['failed']} tasks did not settle: {found['ends']}")


def _options(parser: Parser) -> None:
    parser.add_argument(
        "--tasks", metavar="N", type=values.whole(1, MAX_TASKS), default=100, help="tasks of the crowd (100)"
    )
    parser.add_argument(
        "--at-once", metavar="N", type=values.whole(1, MAX_AT_ONCE), default=50, help="of them under way (50)"
    )
    parser.add_argument(
        "--alone", metavar="N", type=values.whole(1, MAX_TASKS), default=10, help="tasks one at a time (10)"
    )
    parser.add_argument(
        "--nodes", metavar="N", type=values.whole(3, 32), default=3, help="providers, when no devnet is up (3)"
    )
    parser.add_argument("--agent", metavar="CAPABILITY", type=values.name, default="summarize", help="what to ask for")
    parser.add_argument("--budget", metavar="AIN", type=values.amount, default="1", help="per task (1)")
    parser.add_argument("--input", metavar="FILE", help="the document (a built-in text)")


COMMANDS = [
    Command("bench e2e", "from submission to payment", "ainur bench e2e --tasks 100 --json", e2e, _options),
    Command(
        "bench chain",
        "signed escrow calls per second",
        "ainur bench chain --only embedded --json",
        chain,
        chain_options,
    ),
]
