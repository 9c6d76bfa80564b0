"""``ainur dispute``: cases before the court, for the two who quarrel and for those who judge."""

import secrets
from collections.abc import Mapping
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage
from ainur_node.cli.dry_run import dry_run_option, quote
from ainur_node.cli.once import once
from ainur_node.cli.screen import Screen
from ainur_node.cli.task import find_task
from ainur_node.cli.words import ain, peer, short, when, yes

SETTLE_SECONDS = 120.0
MAX_EXHIBIT = 1 << 20
TASK_HELP = "id of the task whose delivery is refused, or its first 6 digits"
GROUNDS = ("not_available", "receipt_invalid", "replay_differs", "schema_invalid", "checker_fails")
STATES = {
    "unanswered": "the payee has not answered yet",
    "pleading": "the payer has to plead",
    "drawing": "a panel is being drawn",
    "voting": "the panel votes",
    "ruled": "there is a ruling",
    "closed": "closed",
}


def open_dispute(ask: Ask) -> Report:
    """Refuse a delivery and hold a bond; the other side has to answer, or loses."""
    options = ask.options
    given: dict[str, Any] = {"task": find_task(ask, options.task), "ground": GROUNDS.index(options.ground)}
    if options.why:
        given["why"] = options.why
    if options.dry_run:
        return quote(ask, "quote.dispute_open", **given)
    found = ask.call("dispute.open", wait=SETTLE_SECONDS, **given)

    def text(screen: Screen) -> None:
        screen.say("it is disputed already" if found.get("repeated") else "the delivery is disputed")
        _facts(screen, found, ask)
        screen.say(f"next: ainur dispute show {short(found.get('escrow'), 64)}")

    return Report(found, text)


def evidence(ask: Ask) -> Report:
    """Show the arbiters one more file; only its hash goes on chain."""
    case = _case(ask)
    if ask.options.dry_run:
        return quote(ask, "quote.dispute_evidence", case=case)
    data = values.read_file(ask.options.file, "FILE", MAX_EXHIBIT)
    found = ask.call("dispute.evidence", wait=SETTLE_SECONDS, case=case, data=data)
    facts = [("case", found.get("case")), ("exhibit", found.get("exhibit")), ("bytes", found.get("bytes"))]
    return Report(found, lambda screen: screen.facts(facts))


def vote(ask: Ask) -> Report:
    """Judge a case in which this account has a seat; the node opens the vote when it is time."""
    case, options = _case(ask), ask.options
    if options.dry_run:
        return quote(ask, "quote.dispute_vote", case=case)
    given: dict[str, Any] = {}
    if options.holds is not None:
        given["holds"] = options.holds == "yes"
    if options.payee_share is not None:
        given["payee_bps"] = options.payee_share
    with ask.screen.busy("running the work again …"):
        found = ask.call("dispute.vote", wait=SETTLE_SECONDS, case=case, **given)

    def text(screen: Screen) -> None:
        screen.say("voted before; that vote stands" if found.get("repeated") else "voted")
        screen.facts(
            [
                ("the complaint holds", yes(bool(found.get("holds")))),
                ("the payee gets", f"{int(found.get('payee_bps') or 0) / 100:g} %"),
                ("output of the replay", found.get("output_sha256")),
                ("seats", found.get("seats")),
            ]
        )
        screen.say("next: nothing; this node opens the vote when all have voted. Keep it running")

    return Report(found, text)


def appeal(ask: Ask) -> Report:
    """Ask a larger panel; whoever loses in the end pays for all of them."""
    case = _case(ask)
    if ask.options.dry_run:
        return quote(ask, "quote.dispute_appeal", case=case)
    found = ask.call("dispute.appeal", wait=SETTLE_SECONDS, case=case)

    def text(screen: Screen) -> None:
        screen.say(f"appealed with a bond of {ain(found.get('bond'))}; a larger panel is drawn")
        _facts(screen, found, ask)

    return Report(found, text)


def show(ask: Ask) -> Report:
    """One dispute, or all that this node has to do with."""
    if ask.options.case is None:
        found = ask.call("dispute.list")

        def table(screen: Screen) -> None:
            rows = [
                (
                    row.get("case"),
                    row.get("role"),
                    STATES.get(str(row.get("state")), row.get("state")),
                    row.get("round"),
                )
                for row in found["cases"]
            ]
            screen.table(("case", "we are", "state", "round"), rows, empty="no dispute concerns this node")
            mine = found.get("arbiter") or {}
            if mine.get("arbiter"):
                screen.say(f"arbiter with {ain(mine.get('stake'))} at stake, {ain(mine.get('locked'))} locked")

        return Report(found, table)
    one = ask.call("dispute.show", case=_case(ask))
    return Report(one, lambda screen: _facts(screen, one, ask))


def join(ask: Ask) -> Report:
    """Become an arbiter, or add to the stake."""
    if ask.options.dry_run:
        return quote(ask, "quote.dispute_join", stake=ask.options.stake)
    key = ask.options.key or secrets.token_hex(8)
    with once(key):
        found = ask.call("dispute.join", wait=SETTLE_SECONDS, stake=ask.options.stake, key=key)

    def text(screen: Screen) -> None:
        screen.say(f"arbiter with {ain(found.get('stake'))} at stake, enough for {found.get('units')} seats")
        screen.say("next: keep the node running; who is drawn and does not vote loses half of its seats' stake")

    return Report(found, text)


def denounce(ask: Ask) -> Report:
    """Show the chain a vote that its arbiter let out before its time, and be paid a part of its stake."""
    options = ask.options
    given: dict[str, Any] = {"case": _case(ask), "arbiter": options.arbiter, "holds": options.holds == "yes"}
    given |= {"output": options.output, "payee_bps": options.payee_share, "salt": options.salt}
    if options.dry_run:
        return quote(ask, "quote.dispute_denounce", **given)
    found = ask.call("dispute.denounce", wait=SETTLE_SECONDS, **given)

    def text(screen: Screen) -> None:
        screen.say(f"denounced: the vote of {found.get('seats')} seats does not count")
        screen.facts([("we get", ain(found.get("reward"))), ("burned", ain(found.get("burned")))])

    return Report(found, text)


def leave(ask: Ask) -> Report:
    """Be drawn no more; the node takes the stake back after the unbonding time."""
    if ask.options.dry_run:
        return quote(ask, "quote.dispute_leave")
    found = ask.call("dispute.leave", wait=SETTLE_SECONDS)

    def text(screen: Screen) -> None:
        if found.get("how") == "withdrawn":
            screen.say("the stake is back")
            return
        screen.say(
            f"this account is drawn no more; {ain(found.get('stake'))} can be had at {when(found['withdraw_at'])}"
        )
        screen.say("next: nothing; a node that runs at that time takes the stake back by itself")

    return Report(found, text)


def _facts(screen: Screen, found: Mapping[str, Any], ask: Ask) -> None:
    ruling = found.get("ruling") or {}
    words = f"for the {ruling.get('for')}, who gets {'all' if ruling.get('for') == 'payer' else 'paid'}"
    share = int(ruling.get("payee_bps") or 0)
    if ruling and share not in (0, 10_000):
        words = f"for the {ruling.get('for')}; the payee gets {share / 100:g} %"
    screen.facts(
        [
            ("case", found.get("case")),
            ("escrow", found.get("escrow")),
            ("payer", peer(found.get("payer"), ask.names)),
            ("payee", peer(found.get("payee"), ask.names)),
            ("ground", str(found.get("ground")).replace("_", " ")),
            ("state", STATES.get(str(found.get("state")), found.get("state"))),
            ("ends", when(found["ends_at"]) if found.get("ends_at") else None),
            ("price", ain(found.get("price"))),
            ("ruling", words if ruling else None),
            ("outcome", found.get("outcome")),
        ]
    )
    for each in found.get("rounds") or []:
        screen.say()
        rows = [
            (peer(s.get("arbiter"), ask.names), s.get("seats"), s.get("vote"), yes(s["holds"]) if "holds" in s else "—")
            for s in each.get("arbiters") or []
        ]
        screen.say(f"round {int(each.get('round') or 0) + 1}: {each.get('seats')} seats")
        screen.table(("arbiter", "seats", "vote", "complaint holds"), rows)


def _case(ask: Ask) -> str:
    """The whole id of a dispute whose first digits were given."""
    ident: str = ask.options.case
    if len(ident) == 64:
        return ident
    rows = ask.call("dispute.list")["cases"]
    found = sorted({str(row["case"]) for row in rows for key in ("case", "escrow") if str(row[key]).startswith(ident)})
    if len(found) != 1:
        what = "no dispute of this node begins" if not found else f"{len(found)} disputes of this node begin"
        raise Usage(f"{what} with {ident}", hint="ainur dispute show, or give all 64 digits")
    return found[0]


def _case_option(parser: Parser) -> None:
    help_text = "id of the case or its escrow, or the first 6 digits"
    parser.add_argument("case", metavar="CASE", type=values.identifier, help=help_text)


def _open_options(parser: Parser) -> None:
    parser.add_argument("task", metavar="TASK", type=values.identifier, help=TASK_HELP)
    ground = ", ".join(GROUNDS)
    parser.add_argument(
        "--ground", metavar="WHY", choices=GROUNDS, default="replay_differs", help=f"{ground} (replay_differs)"
    )
    parser.add_argument("--why", metavar="TEXT", help="a sentence for the record; only its hash goes on chain")
    dry_run_option(parser)


def _evidence_options(parser: Parser) -> None:
    _case_option(parser)
    parser.add_argument("file", metavar="FILE", help="what arbiters shall see, 1 MiB at most")
    dry_run_option(parser)


def _vote_options(parser: Parser) -> None:
    _case_option(parser)
    parser.add_argument("--holds", choices=("yes", "no"), help="decide against the replay whether the complaint holds")
    parser.add_argument(
        "--payee-share", metavar="BPS", type=values.whole(0, 10_000), help="what the payee gets, in 1/10,000"
    )
    dry_run_option(parser)


def _appeal_options(parser: Parser) -> None:
    _case_option(parser)
    dry_run_option(parser)


def _show_options(parser: Parser) -> None:
    help_text = "id of the case, its escrow or its task; all of this node when left out"
    parser.add_argument("case", metavar="CASE", nargs="?", type=values.identifier, help=help_text)


def _denounce_options(parser: Parser) -> None:
    _case_option(parser)
    help_text = "account of the arbiter whose vote leaked, 64 hex digits or an address"
    parser.add_argument("arbiter", metavar="ARBITER", type=values.address, help=help_text)
    parser.add_argument("--holds", choices=("yes", "no"), required=True, help="the vote's answer")
    parser.add_argument("--payee-share", metavar="BPS", type=values.whole(0, 10_000), required=True, help="its share")
    parser.add_argument("--output", metavar="HEX", type=values.digest, required=True, help="its output, 64 digits")
    parser.add_argument("--salt", metavar="HEX", type=values.digest, required=True, help="its salt, 64 digits")
    dry_run_option(parser)


def _join_options(parser: Parser) -> None:
    parser.add_argument("stake", metavar="AIN", type=values.amount, help="how much to put behind seats")
    parser.add_argument("--key", metavar="KEY", type=values.key, help="the same key joins once, however often typed")
    dry_run_option(parser)


_ID = "4c1a9be2"
_BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
COMMANDS = [
    Command(
        "dispute open",
        "refuse a delivery",
        f"ainur dispute open {_ID} --ground replay_differs",
        open_dispute,
        _open_options,
    ),
    Command(
        "dispute evidence",
        "show the arbiters a file",
        f"ainur dispute evidence {_ID} log.txt",
        evidence,
        _evidence_options,
    ),
    Command("dispute vote", "judge a case as an arbiter", f"ainur dispute vote {_ID}", vote, _vote_options),
    Command("dispute show", "a case, or all of this node", f"ainur dispute show {_ID} --json", show, _show_options),
    Command("dispute appeal", "ask a larger panel", f"ainur dispute appeal {_ID}", appeal, _appeal_options),
    Command(
        "dispute denounce",
        "show a vote that leaked",
        f"ainur dispute denounce {_ID} {_BOB} --holds yes --payee-share 0 --output {'9' * 64} --salt {'0' * 64}",
        denounce,
        _denounce_options,
    ),
    Command("dispute join", "become an arbiter", "ainur dispute join 5", join, _join_options),
    Command("dispute leave", "be an arbiter no more", "ainur dispute leave", leave, dry_run_option),
]
