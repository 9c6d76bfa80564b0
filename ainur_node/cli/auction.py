"""``ainur auction``: look at an auction, recompute it, learn why it was lost."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.agent import reputation
from ainur_node.cli.asking import UNKNOWN, Ask
from ainur_node.cli.command import Command, Parser, Report, Usage
from ainur_node.cli.screen import Screen
from ainur_node.cli.task import find_task, offenders
from ainur_node.cli.words import ain, bond, peer, when
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.rpc.messages import ExitCode

VERIFY_SECONDS = 120.0
ENDS = ("commit_end", "reveal_end", "award_by")
MONEY = frozenset({"ask", "penalty", "adjusted", "own_adjusted", "second", "price", "paid", "due"})
_COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("status", "bid", str),
    ("ask", "ask", ain),
    ("quality", "reputation", reputation),
    ("penalty", "penalty", ain),
    ("adjusted", "adjusted", ain),
)


def bids(screen: Screen, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], winner: object = None) -> None:
    """The rows of a transcript, with the columns that they have."""
    columns = [c for c in _COLUMNS if any(row.get(c[0]) is not None for row in rows)]
    cells = []
    for row in rows:
        won = winner is not None and row.get("provider") == winner
        shown = [form(row[key]) if row.get(key) is not None else "–" for key, _, form in columns]
        cells.append([peer(row.get("provider"), names), *shown, "won" if won else ""])
    screen.table(["provider", *(head for _, head, _ in columns), ""], cells, empty="no bids")


def _winner(found: Mapping[str, Any]) -> object:
    winner = found.get("winner")
    return winner.get("provider") if isinstance(winner, Mapping) else winner


def show(ask: Ask) -> Report:
    """An auction: terms, bids once they are public, outcome."""
    found = _dated(_ask_about(ask, "auction.show"), time.time_ns() // 1_000_000)

    def text(screen: Screen) -> None:
        ends = {name: when(found[name]) if found.get(name) else None for name in ENDS}
        screen.facts(
            [
                ("auction", found.get("auction")),
                ("task", found.get("task")),
                ("state", found.get("state") or found.get("outcome")),
                ("budget", ain(found["budget"]) if found.get("budget") else None),
                ("reserve", ain(found["reserve"]) if found.get("reserve") else None),
                ("price", ain(found["price"]) if found.get("price") else None),
                *((name.replace("_", " "), at) for name, at in ends.items()),
                ("transcript", found.get("transcript")),
                ("escrow", found.get("escrow")),
            ]
        )
        if found.get("rows"):
            bids(screen, found["rows"], ask.names, _winner(found))

    return Report(found, text)


def _dated(found: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """The auction with its ends as wall-clock time; ``market_time`` keeps what stands on chain.

    Market time rests when the chain does: ends that lie before such a rest come out too late by its length.
    """
    market_now = found.pop("market_now", None)
    if not isinstance(market_now, int):
        return found
    raw = {name: found[name] for name in ENDS if isinstance(found.get(name), int)}
    return {**found, **{name: now_ms - market_now + at for name, at in raw.items()}, "market_time": raw}


def verify(ask: Ask) -> Report:
    """Recompute root, winner and payment from the transcript."""
    extra = {"counterfactual": True} if ask.options.counterfactual else {}
    found = _ask_about(ask, "auction.verify", **extra)
    ok = bool(found.get("ok"))

    def text(screen: Screen) -> None:
        screen.facts([("auction", found.get("auction"))])
        checks(screen, found.get("checks") or [])
        if found.get("rows"):
            bids(screen, found["rows"], ask.names, _winner(found))
        for fault in found.get("faults") or []:
            screen.say(f"  fault: {fault}")
        if found.get("without"):
            names = ask.names
            rows = [
                (peer(r.get("without"), names), peer(r.get("winner"), names), ain(r.get("price")))
                for r in found["without"]
            ]
            screen.table(("without", "winner", "price"), rows)
        price = f"; {peer(_winner(found), ask.names)} is paid {ain(found.get('price'))}" if _winner(found) else ""
        screen.say(f"verified{price}" if ok else "NOT verified: do not trust this outcome")

    return Report(found, text, ExitCode.DONE if ok else ExitCode.NOT_VERIFIED)


def checks(screen: Screen, found: Sequence[Mapping[str, Any]]) -> None:
    """One line per check."""
    for check in found:
        detail = f": {check['detail']}" if check.get("detail") else ""
        screen.say(f"  {'ok  ' if check.get('ok') else 'FAIL'}  {check.get('name')}{detail}")


def why(ask: Ask) -> Report:
    """Why an auction was lost, or found nobody."""
    found = _ask_about(ask, "auction.why")

    def text(screen: Screen) -> None:
        screen.say(f"outcome: {found.get('outcome')}")
        if found.get("you"):
            you = found["you"]
            pairs = you.items() if isinstance(you, Mapping) else [("you", you)]
            told = [(f"your {name.replace('_', ' ')}", ain(value) if name in MONEY else value) for name, value in pairs]
            screen.facts(told)
        for reason in found.get("reasons") or []:
            sentence = reason.get("sentence") or reason.get("code")
            screen.say(f"  {reason.get('count')} × {reason.get('code')}: {sentence}")
        if found.get("offenders"):
            offenders(screen, found["offenders"], ask.names)
            _details(screen, found["offenders"])
        if found.get("challenge"):
            challenged(screen, found["challenge"])
        screen.facts([("bond", bond(found.get("bond")))])
        if found.get("rows"):
            bids(screen, found["rows"], ask.names, _winner(found))

    return Report(found, text)


def challenged(screen: Screen, row: Mapping[str, Any]) -> None:
    """What this node did about its auctioneer, and what came of it."""
    if row.get("demanded"):
        screen.say("demanded the transcript on chain")
    if row.get("state") == "succeeded":
        screen.say(
            f"challenged on chain in block {row.get('block')} ({row.get('fault')}): {ain(row.get('burned'))} of the "
            f"auctioneer's bond burned, {ain(row.get('compensation'))} to the bidder that it cost, "
            f"{ain(row.get('reward'))} to this node for the proof"
        )
    elif row.get("fault"):
        screen.say(f"challenge ({row.get('fault')}): {row.get('state')}, {row.get('why') or 'under way'}")


def _details(screen: Screen, rows: Sequence[Mapping[str, Any]]) -> None:
    """What a bidder keeps as evidence: all that somebody else needs to check it."""
    for row in rows:
        told = row.get("details") or {}
        screen.facts([(name.replace("_", " "), ain(value) if name in MONEY else value) for name, value in told.items()])


def _ask_about(ask: Ask, method: str, **extra: Any) -> dict[str, Any]:
    """Ask by an auction's id or a task's, whole or its first digits.

    Only its submitter's node knows a task: when another is asked, as an observer is, the submitter tells the auction.
    """
    ident: str = ask.options.auction
    submitter = ask.submitter()
    try:
        whole = ident if len(ident) == 64 else find_task(ask, ident)
        return ask.call_either(method, "auction", "task", whole, **extra)
    except (Refused, Usage) as no:
        if submitter is None or (isinstance(no, Refused) and not no.code.startswith(UNKNOWN)):
            raise
        refused = no
    try:
        with submitter:
            ident = str(submitter.call("task.show", task=find_task(submitter, ident))["auction"])
    except (Refused, Unreachable, Usage):
        raise refused from None
    return ask.call(method, wait=VERIFY_SECONDS, auction=ident, **extra)


def _auction_option(parser: Parser) -> None:
    parser.add_argument("auction", metavar="ID", type=values.identifier, help="id of an auction or of a task")


def _verify_options(parser: Parser) -> None:
    _auction_option(parser)
    parser.add_argument(
        "--counterfactual", action="store_true", help="also clear the auction without each bidder in turn"
    )


COMMANDS = [
    Command("auction show", "an auction and its bids", "ainur auction show 3fa9c1d2", show, _auction_option),
    Command(
        "auction verify",
        "recompute an auction from its transcript",
        "ainur --node observer auction verify 3fa9c1d2 --counterfactual",
        verify,
        _verify_options,
    ),
    Command(
        "auction why", "why an auction was lost or found nobody", "ainur auction why 3fa9c1d2", why, _auction_option
    ),
]
