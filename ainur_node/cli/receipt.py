"""``ainur receipt``: what ran on what with which result, and whether it does so again."""

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.auction import checks
from ainur_node.cli.command import Command, Parser, Report
from ainur_node.cli.screen import Screen
from ainur_node.cli.task import find_task
from ainur_node.rpc.messages import ExitCode

IDENT_HELP = "id of a task, or its first 6 digits; or the whole id of an escrow"


def show(ask: Ask) -> Report:
    """A receipt, field by field."""
    found = ask.call_either("receipt.show", "task", "escrow", _ident(ask))

    def text(screen: Screen) -> None:
        inner = found.get("receipt") if isinstance(found.get("receipt"), dict) else found
        screen.facts([(str(name), value) for name, value in (inner or {}).items()])

    return Report(found, text)


def verify(ask: Ask) -> Report:
    """Check a receipt's signature and hashes and run the work again."""
    found = ask.call_either("receipt.verify", "task", "escrow", _ident(ask))
    ok = bool(found.get("ok"))

    def text(screen: Screen) -> None:
        checks(screen, found.get("checks") or [])
        if ok:
            screen.say("verified: the work was run again with the same result" if found.get("replayed") else "verified")
        else:
            screen.say("NOT verified: this receipt does not hold")

    return Report(found, text, ExitCode.DONE if ok else ExitCode.NOT_VERIFIED)


def _ident(ask: Ask) -> str:
    ident: str = ask.options.receipt
    return ident if len(ident) == 64 else find_task(ask, ident)


def _receipt_option(parser: Parser) -> None:
    parser.add_argument("receipt", metavar="ID", type=values.identifier, help=IDENT_HELP)


COMMANDS = [
    Command("receipt show", "the receipt of a task's work", "ainur receipt show 3fa9c1d2", show, _receipt_option),
    Command(
        "receipt verify",
        "check a receipt and run the work again",
        "ainur receipt verify 3fa9c1d2",
        verify,
        _receipt_option,
    ),
]
