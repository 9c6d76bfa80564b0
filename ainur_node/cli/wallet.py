"""``ainur wallet``: what an account owns, what is held of it and why, and what it did."""

import secrets
from collections.abc import Mapping
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report
from ainur_node.cli.dry_run import dry_run_option, quote
from ainur_node.cli.once import once
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, short, when
from ainur_node.rpc.messages import ExitCode

SETTLE_SECONDS = 120.0
WHY_DUE = {
    "review_over": "unless the payer answers before",
    "not_delivered": "unless the winner delivers before",
    "not_awarded": "unless the auction ends before",
    "dispute_over": "half of it, unless a ruling comes before",
}
"""What keeps an amount from being claimed at its time, by the node's word for it."""


def new(ask: Ask) -> Report:
    """Make the keys of a home that has none; the node of that home signs with them."""
    from ainur_node import keystore
    from pallets_client.keys import ss58_encode

    home = ask.target if ask.node else ask.home
    keys = keystore.create(home)
    data = {"account": keys.account.hex(), "ss58": ss58_encode(keys.account), "home": str(home)}

    def text(screen: Screen) -> None:
        screen.facts([("account", data["account"]), ("address", data["ss58"]), ("keys", f"{home}/keys (encrypted)")])

    return Report(data, text)


def show(ask: Ask) -> Report:
    """Who pays, and everything the account owns."""
    found = ask.call("wallet.show", **_account(ask))

    def text(screen: Screen) -> None:
        _money(screen, found, ("account", found.get("account")), ("address", found.get("ss58")))

    return Report(found, text)


def balance(ask: Ask) -> Report:
    """What an account owns."""
    found = ask.call("wallet.balance", **_account(ask))
    return Report(found, lambda screen: _money(screen, found))


def _money(screen: Screen, found: Mapping[str, Any], *before: tuple[str, object]) -> None:
    held = found.get("held")
    screen.facts(
        [
            *before,
            ("spendable", ain(found.get("spendable"))),
            ("free", ain(found.get("free"))),
            ("in escrow", ain(found.get("in_escrow"))),
            ("in dispute", ain(found.get("in_dispute"))),
            ("fee reserve", ain(found.get("fee_reserve"))),
            *((f"held: {reason}", ain(planck)) for reason, planck in (held.items() if isinstance(held, dict) else ())),
            *(("claimable", _due(claim)) for claim in found.get("claimable") or ()),
        ]
    )


def _due(claim: Mapping[str, Any]) -> str:
    """An amount with the moment from which it can be claimed; the node does that by itself."""
    why = WHY_DUE.get(str(claim.get("why")), str(claim.get("why")))
    return f"{ain(claim.get('amount'))} at {when(claim.get('at'))}, {why} (task {short(claim.get('task'), 8)})"


def fund(ask: Ask) -> Report:
    """Take development money from the faucet; other worlds have none."""
    if ask.options.dry_run:
        return quote(ask, "quote.fund", amount=ask.options.amount)
    found = ask.call("wallet.fund", wait=SETTLE_SECONDS, amount=ask.options.amount)
    return Report(found, lambda screen: screen.say(f"{ain(ask.options.amount)} received"))


def transfer(ask: Ask) -> Report:
    """Pay another account; once, however often it is typed with the same key."""
    if ask.options.dry_run:
        return quote(ask, "quote.transfer", to=ask.options.to, amount=ask.options.amount)
    key = ask.options.key or secrets.token_hex(8)
    with once(key):
        found = ask.call("wallet.transfer", wait=SETTLE_SECONDS, to=ask.options.to, amount=ask.options.amount, key=key)

    def text(screen: Screen) -> None:
        again = ", by an earlier order with this key" if found.get("repeated") else ""
        screen.say(f"{ain(ask.options.amount)} sent to {ask.options.to}{again}")
        screen.facts([("extrinsic", found.get("hash")), ("block", found.get("block")), ("fee", ain(found.get("fee")))])

    return Report(found, text)


def ledger(ask: Ask) -> Report:
    """What the node signed, newest first."""
    found = ask.call("wallet.ledger", pending=ask.options.pending, limit=ask.options.limit)

    def text(screen: Screen) -> None:
        rows = [
            (
                when(row.get("at")),
                row.get("call"),
                row.get("nonce"),
                row.get("state"),
                short(row.get("hash"), 8),
            )
            for row in found["rows"]
        ]
        waiting = [(when(row.get("at")), row.get("call"), "–", "queued", "–") for row in found.get("queued") or ()]
        empty = "nothing is under way" if ask.options.pending else "nothing signed yet"
        screen.table(("at", "call", "nonce", "state", "extrinsic"), [*waiting, *rows], empty=empty)
        for row in found.get("dead") or ():
            screen.say(f"dead: {row.get('call')} of {when(row.get('at'))}: {row.get('why')}")
            screen.say(f"  next: {row.get('todo')}")

    return Report(found, text)


def audit(ask: Ask) -> Report:
    """Whether all money of the chain is somewhere: issuance = free + held + sink."""
    found = ask.call("wallet.audit", wait=SETTLE_SECONDS)
    balanced = str(found.get("difference")) == "0"

    def text(screen: Screen) -> None:
        held = found.get("held") or {}
        screen.facts(
            [
                ("issuance", ain(found.get("issuance"))),
                ("free", ain(found.get("free"))),
                *((f"held: {reason}", ain(planck)) for reason, planck in held.items()),
                ("sink", ain(found.get("sink"))),
                ("difference", "0" if balanced else ain(found.get("difference"))),
                ("at block", found.get("at_block")),
            ]
        )
        if not balanced:
            screen.say("the sums differ: this chain has lost or made money")

    return Report(found, text, ExitCode.DONE if balanced else ExitCode.NOT_VERIFIED)


def _account(ask: Ask) -> dict[str, Any]:
    return {"account": ask.options.account} if ask.options.account else {}


def _account_option(parser: Parser) -> None:
    parser.add_argument(
        "account", metavar="ACCOUNT", nargs="?", type=values.address, help="another account than the node's"
    )


def _amount_option(parser: Parser) -> None:
    parser.add_argument("amount", metavar="AIN", type=values.amount, help="how much")
    dry_run_option(parser)


def _transfer_options(parser: Parser) -> None:
    parser.add_argument("to", metavar="ACCOUNT", type=values.address, help="address or account of the payee")
    _amount_option(parser)
    parser.add_argument("--key", metavar="KEY", type=values.key, help="the same key pays once, however often typed")


def _ledger_options(parser: Parser) -> None:
    parser.add_argument("--pending", action="store_true", help="queued, in flight, and dead with what to do")
    parser.add_argument("--limit", metavar="N", type=values.whole(1, 1000), default=20, help="how many at most (20)")


_BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
COMMANDS = [
    Command("wallet new", "make the keys of a home that has none", "ainur --home ~/second wallet new", new),
    Command("wallet show", "the node's account and all it owns", "ainur wallet show", show, _account_option),
    Command("wallet balance", "what an account owns", "ainur --node n1 wallet balance", balance, _account_option),
    Command("wallet fund", "development money from the faucet", "ainur wallet fund 100", fund, _amount_option),
    Command("wallet transfer", "pay another account", f"ainur wallet transfer {_BOB} 2.5", transfer, _transfer_options),
    Command("wallet ledger", "what the node signed", "ainur wallet ledger --pending", ledger, _ledger_options),
    Command("wallet audit", "whether all money of the chain is somewhere", "ainur wallet audit --json", audit),
]
