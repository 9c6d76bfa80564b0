"""``--dry-run`` of every command that signs: what it would hold, pay and burn; nothing is signed or sent."""

from collections.abc import Mapping
from typing import Any

from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Parser, Report, refusal
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, yes
from ainur_node.rpc.messages import ExitCode

QUOTE_SECONDS = 60.0


def dry_run_option(parser: Parser) -> None:
    """Add the option."""
    parser.add_argument("--dry-run", action="store_true", help="only say what it would hold, pay and burn")


def quote(ask: Ask, method: str, /, **params: Any) -> Report:
    """Ask the node what the command would cost; exit code 1 when the account could not pay for it."""
    found = ask.call(method, wait=QUOTE_SECONDS, **params)
    if found.get("affordable", True):
        return Report(found, lambda screen: _show(screen, found))
    hint = f"{ain(found.get('total'))} are needed, {ain(found.get('spendable'))} can be spent; see ainur wallet balance"
    more = refusal("not_affordable", hint)
    return Report({**found, **more}, lambda screen: _show(screen, found), ExitCode.REFUSED)


def _show(screen: Screen, found: Mapping[str, Any]) -> None:
    screen.facts(
        [
            *((f"would hold: {reason}", ain(planck)) for reason, planck in (found.get("holds") or {}).items()),
            ("would pay", ain(found.get("pays"))),
            ("would burn", ain(found.get("burns"))),
            ("would free", ain(found["frees"]) if "frees" in found else None),
            ("would receive", ain(found["receives"]) if "receives" in found else None),
            *((f"fee of {call}", ain(planck)) for call, planck in (found.get("fees") or {}).items()),
            ("needed in all", ain(found.get("total"))),
            ("spendable", ain(found.get("spendable"))),
            ("affordable", yes(bool(found.get("affordable")))),
        ]
    )
    screen.note("nothing was signed: this was a dry run")
