"""``ainur channel``: pay one account in many small steps with two calls on chain."""

from collections.abc import Mapping
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage
from ainur_node.cli.dry_run import dry_run_option, quote
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, peer, short, when

SETTLE_SECONDS = 120.0
PAY_SECONDS = 3600.0
MAX_STEPS = 100_000
HOWS = {
    "mutual": "closed at once: both sides signed the end",
    "by_payee": "closed at once: the payee claimed its newest voucher",
    "finalized": "closed: its time was over",
    "closed": "closed",
}
"""What the node's word for an end means."""


def open_channel(ask: Ask) -> Report:
    """Hold a deposit for one payee, to be paid out step by step."""
    options = ask.options
    times = {"challenge_ms": options.challenge, "life_ms": options.life}
    given = {name: value for name, value in times.items() if value is not None}
    if options.dry_run:
        return quote(ask, "quote.channel_open", payee=_payee(ask), deposit=options.deposit, **given)
    found = ask.call("channel.open", wait=SETTLE_SECONDS, payee=_payee(ask), deposit=options.deposit, **given)

    def text(screen: Screen) -> None:
        screen.say(f"{ain(found.get('deposit'))} set aside for {peer(found.get('payee'), ask.names)}")
        _facts(screen, found, ask)
        screen.say(f"next: ainur channel pay {short(found.get('channel'), 12).rstrip('…')} 0.01")

    return Report(found, text)


def top_up(ask: Ask) -> Report:
    """Add to the deposit of a channel."""
    channel = _channel(ask)
    if ask.options.dry_run:
        return quote(ask, "quote.channel_top_up", channel=channel, amount=ask.options.amount)
    found = ask.call("channel.top_up", wait=SETTLE_SECONDS, channel=channel, amount=ask.options.amount)

    def text(screen: Screen) -> None:
        screen.say(f"{ain(ask.options.amount)} added")
        _facts(screen, found, ask)

    return Report(found, text)


def pay(ask: Ask) -> Report:
    """Pay one step, or many; each is answered when the payee has its voucher on disk."""
    channel, last = _channel(ask), {}

    def each(item: dict[str, Any]) -> bool:
        last.update(item)
        return True

    with ask.screen.busy("paying …"):
        ask.follow(
            "channel.pay",
            each,
            wait=PAY_SECONDS,
            channel=channel,
            amount=ask.options.amount,
            steps=ask.options.steps,
        )
    found = {"channel": channel, "steps": last.get("step", 0), "total": last.get("total"), "left": last.get("left")}

    def text(screen: Screen) -> None:
        screen.say(f"{found['steps']} steps of {ain(ask.options.amount)} paid")
        screen.facts([("paid so far", ain(found["total"])), ("left", ain(found["left"]))])

    return Report(found, text)


def show(ask: Ask) -> Report:
    """One channel, or all that are open."""
    if ask.options.channel is None:
        found = ask.call("channel.list")

        def table(screen: Screen) -> None:
            rows = [
                (
                    short(row.get("channel"), 8),
                    row.get("direction"),
                    peer(row.get("payee" if row.get("direction") == "paying" else "payer"), ask.names),
                    row.get("state"),
                    ain(row.get("deposit")),
                    ain(row.get("promised")),
                    row.get("steps"),
                )
                for row in found["channels"]
            ]
            heads = ("channel", "", "with", "state", "deposit", "promised", "steps")
            screen.table(heads, rows, empty="no channel is open: ainur channel open PAYEE AIN")

        return Report(found, table)
    one = ask.call("channel.show", channel=_channel(ask))
    return Report(one, lambda screen: _facts(screen, one, ask))


def close(ask: Ask) -> Report:
    """End a channel; what was not promised returns to the payer."""
    channel = _channel(ask)
    if ask.options.dry_run:
        return quote(ask, "quote.channel_close", channel=channel)
    found = ask.call("channel.close", wait=SETTLE_SECONDS, channel=channel, alone=ask.options.alone)

    def text(screen: Screen) -> None:
        if found.get("how") == "requested":
            screen.say(f"asked the chain to close; the payee may claim until {when(found.get('closes_at'))}")
            screen.say("next: nothing; this node takes back what is left when that time is over")
            return
        screen.say(HOWS.get(str(found.get("how")), str(found.get("how"))))
        returned = ain(found["returned"]) if found.get("returned") else None
        screen.facts([("paid", ain(found.get("paid"))), ("returned", returned), ("block", found.get("block"))])

    return Report(found, text)


def _facts(screen: Screen, found: Mapping[str, Any], ask: Ask) -> None:
    chain = found.get("chain") or {}
    screen.facts(
        [
            ("channel", found.get("channel")),
            ("payer", peer(found.get("payer"), ask.names)),
            ("payee", peer(found.get("payee"), ask.names)),
            ("state", found.get("state")),
            ("deposit", ain(found.get("deposit"))),
            ("promised", ain(found.get("promised"))),
            ("left", ain(found.get("left"))),
            ("steps", found.get("steps")),
            ("claimed on chain", ain(chain["claimed"]) if chain else None),
            ("closing at", when(chain["closing_at"]) if chain.get("closing_at") else None),
            ("expires", when(found.get("expires_at"))),
            ("paid", ain(found["paid"]) if found.get("paid") else None),
        ]
    )


def _payee(ask: Ask) -> str:
    """The account of an address, or of a node of this devnet by its name."""
    typed: str = ask.options.payee
    if len(typed) < 32:
        found = [ident for ident, name in ask.names.items() if name == typed and len(ident) == 64]
        if len(found) == 1:
            return found[0]
    try:
        return values.address(typed)
    except Exception as exc:
        raise Usage(f"PAYEE: {exc}", hint="an address, 64 hex digits, or the name of a node of this devnet") from exc


def _channel(ask: Ask) -> str:
    """The whole id of a channel whose first digits were given."""
    ident: str = ask.options.channel
    if len(ident) == 64:
        return ident
    rows = ask.call("channel.list")["channels"]
    found = sorted({str(row["channel"]) for row in rows if str(row["channel"]).startswith(ident)})
    if len(found) != 1:
        what = "no open channel of this node begins" if not found else f"{len(found)} channels of this node begin"
        raise Usage(f"{what} with {ident}", hint="ainur channel show, or give all 64 digits")
    return found[0]


def _open_options(parser: Parser) -> None:
    parser.add_argument("payee", metavar="PAYEE", help="address or account of the payee, or a node's name in a devnet")
    parser.add_argument("deposit", metavar="AIN", type=values.amount, help="how much to set aside")
    parser.add_argument(
        "--challenge", metavar="TIME", type=values.milliseconds, help="what the payee has to answer a close (60s)"
    )
    parser.add_argument("--life", metavar="TIME", type=values.milliseconds, help="when the channel ends by itself (1h)")
    dry_run_option(parser)


def _channel_option(parser: Parser) -> None:
    parser.add_argument("channel", metavar="CHANNEL", type=values.identifier, help="its id, or the first 6 digits")


def _top_up_options(parser: Parser) -> None:
    _channel_option(parser)
    parser.add_argument("amount", metavar="AIN", type=values.amount, help="how much to add")
    dry_run_option(parser)


def _pay_options(parser: Parser) -> None:
    _channel_option(parser)
    parser.add_argument("amount", metavar="AIN", type=values.amount, help="what one step costs")
    parser.add_argument("--steps", metavar="N", type=values.whole(1, MAX_STEPS), default=1, help="how many (1)")


def _show_options(parser: Parser) -> None:
    help_text = "its id, or the first 6 digits; all open ones when left out"
    parser.add_argument("channel", metavar="CHANNEL", nargs="?", type=values.identifier, help=help_text)


def _close_options(parser: Parser) -> None:
    _channel_option(parser)
    parser.add_argument("--alone", action="store_true", help="do not ask the payee to agree: go to the chain at once")
    dry_run_option(parser)


_BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
_ID = "4c1a9be2"
COMMANDS = [
    Command(
        "channel open", "set money aside for one payee", f"ainur channel open {_BOB} 5", open_channel, _open_options
    ),
    Command("channel top-up", "add to a channel's deposit", f"ainur channel top-up {_ID} 2.5", top_up, _top_up_options),
    Command("channel pay", "pay steps off chain", f"ainur channel pay {_ID} 0.001 --steps 100", pay, _pay_options),
    Command("channel show", "a channel, or all open ones", f"ainur channel show {_ID} --json", show, _show_options),
    Command("channel close", "end a channel", f"ainur channel close {_ID}", close, _close_options),
]
