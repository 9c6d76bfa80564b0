"""``ainur demo``: tells the story of a whole world, one task from submission to payment."""

import time
from collections.abc import Mapping
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage, as_path
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain
from ainur_node.rpc.client import Refused


def demo(ask: Ask) -> Report:
    """Make a world, run one real task in it, prove every number, clean up."""
    from ainur_node.devnet.demo import SCENARIOS, run_demo
    from ainur_node.devnet.proof import NotProven

    options = ask.options
    if options.list:
        rows = list(SCENARIOS.items())
        return Report({"scenarios": dict(rows)}, lambda screen: screen.table(("scenario", "what it shows"), rows))
    if options.scenario not in SCENARIOS:
        raise Usage(f"there is no scenario {options.scenario!r}", hint=f"there are: {', '.join(SCENARIOS)}")
    document = None
    if options.input:
        values.read_file(options.input, "--input", values.MAX_INPUT)
        document = as_path(options.input, "--input")
    began = time.monotonic()

    def tell(event: dict[str, object]) -> None:
        ask.screen.tale(time.monotonic() - began, event.get("text") or event.get("step"))

    try:
        with ask.screen.busy("making a world …"):
            found = run_demo(ask.home, options.scenario, keep=options.keep, document=document, tell=tell)
    except NotProven as no:
        hint = f"{no}; {no.hint}"
        raise Refused(no.code.replace("-", "_"), hint, no.exit_code, {"seen": no.result}) from no
    show = {"upgrade": _upgrade, "dispute": _dispute}.get(options.scenario, _sums)
    return Report(found, lambda screen: show(screen, found))


def _channels(screen: Screen, found: Mapping[str, Any]) -> None:
    screen.say()
    rows = [
        (name, c.get("payer"), c.get("payee"), c.get("steps"), ain(c.get("paid")), ain(c.get("returned")), c.get("how"))
        for name, c in (found.get("channels") or {}).items()
    ]
    screen.table(("channel", "payer", "payee", "steps", "paid", "returned", "end"), rows)
    screen.say()
    screen.facts(
        [
            ("steps a second", found.get("steps_per_second")),
            ("calls on chain", ", ".join(f"{n} {calls}" for n, calls in (found.get("onchain_calls") or {}).items())),
            ("audit", f"difference {(found.get('audit') or {}).get('difference')}"),
            ("seconds", found.get("seconds")),
        ]
    )


def _sums(screen: Screen, found: Mapping[str, Any]) -> None:
    if found.get("scenario") == "channel":
        _channels(screen, found)
        return
    reputation = found.get("reputation") or {}
    screen.say()
    screen.facts(
        [
            ("task", found.get("task")),
            ("winner", f"{found.get('winner')}, one of {found.get('bids')} bidders"),
            ("ask", ain(found.get("ask"))),
            ("second", ain(found.get("second"))),
            ("penalty", ain(found.get("penalty"))),
            (
                "paid",
                f"{ain(found.get('paid'))} and {ain(found.get('fee'))} fee, of at most {ain(found.get('budget'))}",
            ),
            ("escrow", found.get("escrow")),
            ("reputation", f"{reputation.get('before')} → {reputation.get('after')}"),
            ("result", f"sha-256 {found.get('result_sha256')}"),
            ("transcript", found.get("transcript")),
            ("audit", f"difference {(found.get('audit') or {}).get('difference')}"),
        ]
    )
    screen.say()
    balances = found.get("balances") or {}
    before, after, fees = balances.get("before") or {}, balances.get("after") or {}, found.get("fees") or {}
    rows = []
    for node in found.get("nodes") or []:
        name = node.get("name")
        rows.append((name, node.get("pid"), ain(before.get(name)), ain(after.get(name)), ain(fees.get(name, "0"))))
    screen.table(("node", "pid", "before", "after", "extrinsic fees"), rows)
    if found.get("seconds") is not None:
        screen.say()
        screen.say(f"{found['seconds']} s in all")


def _upgrade(screen: Screen, found: Mapping[str, Any]) -> None:
    screen.say()
    flying = {each.get("task"): each.get("phase") for each in found.get("in_flight") or []}
    rows = [
        (row.get("task"), flying.get(row.get("task"), "—"), row.get("phase"), ain(row.get("paid")), row.get("seconds"))
        for row in found.get("tasks") or []
    ]
    screen.table(("task", "at the upgrade", "end", "paid", "seconds"), rows)
    screen.say()
    screen.facts(
        [
            ("runtime", f"{found.get('from')} → {found.get('to')} in block {found.get('block')}"),
            ("lost", len(found.get("lost") or [])),
            ("audit", f"difference {(found.get('audit') or {}).get('difference')}"),
            ("seconds", found.get("seconds")),
        ]
    )


def _dispute(screen: Screen, found: Mapping[str, Any]) -> None:
    for each in found.get("rounds") or []:
        screen.say()
        screen.say(f"round {int(each.get('round') or 0) + 1}: {each.get('seats')} seats")
        rows = [
            (seat.get("arbiter"), seat.get("seats"), seat.get("vote"), "yes" if seat.get("holds") else "no")
            for seat in each.get("arbiters") or []
        ]
        screen.table(("arbiter", "seats", "vote", "complaint holds"), rows)
    money, fees = found.get("money") or {}, found.get("fees") or {}
    before, after = money.get("before") or {}, money.get("after") or {}
    screen.say()
    rows = [(name, ain(before[name]), ain(after.get(name)), ain(fees.get(name, "0"))) for name in before]
    screen.table(("node", "before", "after", "extrinsic fees"), rows)
    ruling, reputation = found.get("ruling") or {}, found.get("reputation") or {}
    screen.say()
    screen.facts(
        [
            ("case", found.get("case")),
            ("ruling", f"for the {ruling.get('for')}"),
            ("appeals", ", ".join(f"{a.get('by')} with {ain(a.get('bond'))}" for a in found.get("appeals") or [])),
            ("reputation", f"{reputation.get('before')} → {reputation.get('after')}"),
            ("audit", f"difference {(found.get('audit') or {}).get('difference')}"),
            ("seconds", found.get("seconds")),
        ]
    )


def _options(parser: Parser) -> None:
    parser.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", default="task", help="task, channel, dispute or upgrade (task)"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--keep", action="store_true", help="leave the world running: ainur devnet down ends it")
    parser.add_argument("--input", metavar="FILE", help="the document to summarise (this project's README.md)")
    from ainur_node.devnet.channel_demo import FIELDS

    fields = "\n".join(f"  {name}: {what}" for name, what in FIELDS)
    parser.add_argument_group("ainur demo channel --json prints", fields)


COMMANDS = [Command("demo", "a whole world on this machine, one real task", "ainur demo --keep", demo, _options)]
