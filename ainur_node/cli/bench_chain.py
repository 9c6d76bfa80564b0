"""``ainur bench chain``: signed escrow calls per second on the embedded host, the native node and chopsticks."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Parser, Report
from ainur_node.cli.screen import Screen
from ainur_node.rpc.messages import ExitCode

KINDS = ("embedded", "chopsticks", "native")
SLOW_SHARE = 20
"""Chopsticks makes a few calls a second: it gets this part of the calls, and more would not change the rate."""


def chain(ask: Ask) -> Report:
    """Measure each chain that is here, one after the other, and say what bounds it."""
    from ainur_node.devnet import bench_chain, bench_chains
    from pallets_client.bench.deals import SetupFailed
    from pallets_client.errors import ChainError

    options = ask.options
    rows: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ainur-bench-") as name, ask.screen.busy("measuring …"):
        for kind in options.only or KINDS:

            def tell(text: str, kind: str = kind) -> None:
                ask.screen.story(int((time.monotonic() - began) * 1000), f"{kind}: {text}")

            share = SLOW_SHARE if kind == "chopsticks" else 1
            plan = bench_chain.Plan(
                calls=max(8, options.calls // share),
                batched=max(8, options.batched // share) if options.batched else 0,
                items=min(options.items, max(2, options.items // (4 if share > 1 else 1))),
                pairs=options.accounts if share == 1 else 2,
                seconds=options.timeout / 1000,
            )
            directory = Path(name) / kind
            try:
                with bench_chains.running(kind, directory) as there:
                    tell(there.version)
                    found = bench_chain.measure(there, plan, directory, tell)
                rows.append(found)
            except (bench_chains.Skipped, SetupFailed, ChainError) as exc:
                skipped[kind] = str(exc)
                tell(f"skipped: {exc}")
    embedded = next((row for row in rows if row["chain"] == "embedded"), None)
    other = next((row for row in rows if row["chain"] == "chopsticks"), None)
    report: dict[str, Any] = {
        "chains": rows,
        "skipped": skipped,
        "goals": bench_chain.goals(embedded) if embedded else {},
        "ratio_to_chopsticks": _ratio(embedded, other),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": [round(load, 1) for load in os.getloadavg()],
        "seconds": round(time.monotonic() - began, 1),
    }
    broken = any(row["refused"] or not row["calls"] for row in rows) or not rows
    return Report(report, lambda screen: _show(screen, report), ExitCode.NOT_VERIFIED if broken else ExitCode.DONE)


def _ratio(embedded: dict[str, Any] | None, other: dict[str, Any] | None) -> float | None:
    if embedded is None or other is None or not other["rpc_per_second"]:
        return None
    return round(float(embedded["rpc_per_second"] / other["rpc_per_second"]), 1)


def _show(screen: Screen, report: dict[str, Any]) -> None:
    def rate(number: object) -> str:
        return f"{number:,.0f}" if isinstance(number, int | float) and number >= 10 else f"{number}" if number else "–"

    heads = ("calls a second", "over RPC", "signed", "pool", "built", "followed", "a block", "in batches")
    rows = []
    for row in report["chains"]:
        apart = row.get("inside") or {}
        numbers = (row["rpc_per_second"], row["signed_per_second"], row["pool_per_second"])
        inside = (apart.get("built_per_second"), apart.get("followed_per_second"))
        batched = row["batches"].get("per_second")
        rows.append((row["chain"], *map(rate, (*numbers, *inside, row["per_block"], batched))))
    screen.table(heads, rows, empty="no chain could be measured")
    for row in report["chains"]:
        screen.say(f"{row['chain']}: bound by {row['bound_by']}")
    for kind, why in report["skipped"].items():
        screen.say(f"{kind}: skipped, {why}")
    for name, goal in report["goals"].items():
        met = "met" if goal["met"] else "MISSED"
        screen.say(f"goal {name.replace('_', ' ')} >= {goal['goal']:,}: {rate(goal['reached'])}, {met}")
    if report["ratio_to_chopsticks"]:
        screen.say(f"{report['ratio_to_chopsticks']:,} times chopsticks' best mode")


def chain_options(parser: Parser) -> None:
    """How much, and on what."""
    parser.add_argument(
        "--calls", metavar="N", type=values.whole(8, 20_000), default=1_200, help="escrow calls one by one (1200)"
    )
    parser.add_argument(
        "--batched", metavar="N", type=values.whole(0, 20_000), default=400, help="escrow calls in batches (400)"
    )
    parser.add_argument("--items", metavar="N", type=values.whole(2, 100), default=20, help="calls of a batch (20)")
    parser.add_argument("--accounts", metavar="N", type=values.whole(1, 64), default=8, help="payers and payees (8)")
    parser.add_argument(
        "--timeout", metavar="TIME", type=values.milliseconds, default=300_000, help="most for each load (5m)"
    )
    parser.add_argument("--only", choices=KINDS, action="append", help="leave the other chains out; may be repeated")
