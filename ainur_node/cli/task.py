"""``ainur task``: hand in work, follow it, read its result."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from ainur_node.cli import values
from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, Parser, Report, Usage, refusal
from ainur_node.cli.dry_run import dry_run_option, quote
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, bond, clean, counted, peer, short, size, when, yes
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.rpc.messages import ExitCode

GRACE_SECONDS = 300.0
"""Beyond the deadline: windows of the auction, review, two more attempts."""
WATCH_SECONDS = 3600.0
MOST_TURNS = 7
"""Three attempts, each of which may be disputed and given back."""
ANSWER_SECONDS = 15.0
"""A provider that finds its own work wrong gives back at once; beyond this a dispute takes its time."""
MAX_LISTED = 1000
ANSWER_LOST = ("unreachable", "timeout", "unavailable")
"""Codes after which nobody here knows whether the node took a submission."""
MEDIA = ("text/plain", "application/json")


def submit(ask: Ask) -> Report:
    """Hand in a task; with --wait, follow it to its end."""
    options = ask.options
    for name in ("out", "timeout"):
        if getattr(options, name) is not None and not options.wait:
            raise Usage(f"--{name} goes with --wait: without it nothing is waited for", hint="ainur task submit --help")
    _check_out(ask)
    data = values.read_file(options.input, "--input", values.MAX_INPUT)
    media = options.media or ("application/json" if options.input.lower().endswith(".json") else "text/plain")
    _check_input(data, media)
    if options.dry_run:
        return quote(ask, "quote.submit", capability=options.agent, budget=options.budget)
    accepted = _hand_in(ask, data, media)
    if not options.wait:
        return Report(accepted, lambda screen: _submitted(screen, accepted))
    ask.screen.note(f"task {accepted['task']}")
    wait = options.timeout / 1000 if options.timeout else options.deadline / 1000 + GRACE_SECONDS
    return _follow(ask, str(accepted["task"]), wait, accepted, options.out)


def _hand_in(ask: Ask, data: bytes, media: str) -> dict[str, Any]:
    """The node's answer to a submission; a lost answer says how to ask for it again without paying twice."""
    options = ask.options
    key = options.key or secrets.token_hex(8)
    try:
        return ask.call(
            "task.submit",
            capability=options.agent,
            input=data,
            media=media,
            budget=options.budget,
            deadline_ms=options.deadline,
            key=key,
        )
    except Unreachable as away:
        if away.code not in ANSWER_LOST:
            raise
        raise Unreachable(str(away), hint=f"{away.hint}; {_again(key)}", code=away.code) from away
    except Refused as no:
        if no.code not in ANSWER_LOST:
            raise
        raise Refused(no.code, f"{no.hint}; {_again(key)}", no.exit_code, no.details) from no


def _again(key: str) -> str:
    return f"then type the same with --key {key}: with it the task is handed in only once"


def _check_out(ask: Ask) -> None:
    if ask.options.out == "-" and ask.screen.as_json:
        raise Usage("--out - and --json both want stdout", hint="name a file with --out, or leave one of them out")
    if ask.options.out is not None:
        values.check_writable(ask.options.out, "--out")


def _check_input(data: bytes, media: str) -> None:
    if not data:
        raise Refused("input_empty", "the input is empty: give a file with something in it")
    try:
        if media == "application/json":
            json.loads(data)
        else:
            data.decode()
    except UnicodeDecodeError as exc:
        raise Refused("input_not_text", f"the input is not UTF-8 at byte {exc.start}: convert it first") from exc
    except (ValueError, RecursionError) as exc:
        raise Refused("input_not_json", f"the input is not JSON: {exc}") from exc


def _submitted(screen: Screen, accepted: Mapping[str, Any]) -> None:
    screen.say(f"task {accepted['task']}")
    if accepted.get("repeated"):
        screen.say("handed in before under this key, and not a second time")
    screen.facts([("auction", accepted.get("auction")), ("budget", ain(accepted.get("budget")))])
    screen.say(f"follow it: ainur task watch {short(accepted['task']).rstrip('…')}")


def _follow(ask: Ask, task: str, wait: float, accepted: Mapping[str, Any], out: str | None) -> Report:
    """Tell the story of a task until it ends, or is disputed and its provider has not given back at once."""
    last: dict[str, Any] = {}

    def disputed() -> bool:
        return last.get("phase") == "disputed" and not last.get("final")

    def tell(item: dict[str, Any]) -> bool:
        began, before = last.setdefault("began", item.get("at") or 0), disputed()
        last.update(item)
        ask.screen.story(
            max(0, (item.get("at") or began) - began), ask.named(item.get("text") or item.get("kind") or "…")
        )
        return not item.get("final") and disputed() == before

    try:
        with ask.screen.busy("waiting for the task …"):
            for _ in range(MOST_TURNS):
                patience = min(wait, ANSWER_SECONDS) if disputed() else wait
                ask.follow("task.watch", tell, wait=patience, task=task, since=last.get("seq", 0))
                if last.get("final"):
                    break
    except Unreachable as away:
        if disputed():
            return _ending(ask, task, accepted, out)
        hint = f"the task goes on: ainur task watch {task[:12]}"
        raise Unreachable(str(away), hint=hint, code=away.code) from away
    return _ending(ask, task, accepted, out)


def _ending(ask: Ask, task: str, accepted: Mapping[str, Any], out: str | None) -> Report:
    shown = ask.call("task.show", task=task)
    data = {**accepted, **shown}
    code = ending(shown)
    if code == ExitCode.DONE:
        try:
            data["result"] = _result(ask, task, out)
        except Usage as unwritten:
            hint = f"the result is paid for and kept: ainur task result {task[:12]} --out FILE"
            raise Refused("not_written", f"{unwritten}; {hint}") from unwritten
    elif code == ExitCode.REFUSED:
        data |= refusal(str(data.get("outcome") or data.get("phase")), f"ainur auction why {task[:12]}")
    return Report(data, lambda screen: _ended(screen, data, code), code)


def ending(shown: Mapping[str, Any]) -> int:
    """The exit code that a task's state means."""
    phase = str(shown.get("phase", "")).lstrip("=")
    if phase == "settled":
        return ExitCode.DONE if shown.get("verified") else ExitCode.NOT_VERIFIED
    if phase in ("refunded", "refused", "cancelled"):
        return ExitCode.REFUSED
    return ExitCode.NOT_VERIFIED


def _ended(screen: Screen, data: Mapping[str, Any], code: int) -> None:
    if code == ExitCode.DONE:
        show_output(screen, data["result"])
        screen.note(f"paid {ain(data.get('price'))} and {ain(data.get('fee'))} fee of {ain(data.get('budget'))}")
        return
    phase = str(data.get("phase", "")).lstrip("=")
    if code == ExitCode.NOT_VERIFIED:
        screen.say(f"not verified: the task is {phase} ({data.get('outcome') or 'no outcome yet'})")
        screen.say(f"  next: ainur receipt verify {short(data.get('task')).rstrip('…')}")
        return
    screen.say(f"the task ended {phase}: {data.get('outcome') or 'no reason given'}; the budget is free again")
    if data.get("refused"):
        screen.say(f"  {data['refused'].get('code')}: {data['refused'].get('hint')}")
    for reason, count in data.get("reasons") or []:
        screen.say(f"  {count} × {reason}")
    screen.say(f"  next: ainur auction why {short(data.get('task')).rstrip('…')}")


def _result(ask: Ask, task: str, out: str | None) -> dict[str, Any]:
    found = ask.call("task.result", task=task)
    output = bytes(found.pop("output", b""))
    try:
        found["output"] = json.loads(output)
    except (ValueError, RecursionError):
        found["output_hex"] = output.hex()
    if out is not None:
        values.write_file(out, "--out", output)
        found["written"] = out
    return found


def show_output(screen: Screen, result: Mapping[str, Any]) -> None:
    """The result itself; bytes that are no JSON are only described."""
    if result.get("written"):
        screen.note(f"{size(result.get('size'))} written to {result['written']}")
    elif "output" in result:
        screen.say(clean(json.dumps(result["output"], indent=2, ensure_ascii=False), lines=True))
    else:
        screen.say(f"{size(result.get('size'))} that are no JSON: use --out FILE")


def find_task(ask: Ask, ident: str) -> str:
    """The whole id of a task whose first digits were given."""
    if len(ident) == 64:
        return ident
    tasks = ask.call("task.list", limit=MAX_LISTED)["tasks"]
    return only([str(row["task"]) for row in tasks if str(row["task"]).startswith(ident)], ident)


def only(found: list[str], ident: str) -> str:
    """The one id that begins as was typed; Usage when there is none or more than one."""
    if len(found) != 1:
        what = "no task of this node begins" if not found else f"{len(found)} tasks of this node begin"
        raise Usage(f"{what} with {ident}", hint="ainur task list, or give all 64 digits")
    return found[0]


def watch(ask: Ask) -> Report:
    """Follow a task to its end."""
    wait = ask.options.timeout / 1000 if ask.options.timeout else WATCH_SECONDS
    return _follow(ask, find_task(ask, ask.options.task), wait, {}, None)


def show(ask: Ask) -> Report:
    """Everything this node knows about a task."""
    shown = ask.call("task.show", task=find_task(ask, ask.options.task))

    def text(screen: Screen) -> None:
        winner, names = shown.get("winner") or {}, ask.names
        screen.facts(
            [
                ("task", shown.get("task")),
                ("phase", f"{shown.get('phase')}{'' if shown.get('final') else ' …'}"),
                ("outcome", shown.get("outcome") or None),
                ("capability", shown.get("capability")),
                ("budget", f"{ain(shown.get('budget'))}, reserve {ain(shown.get('reserve'))}"),
                ("paid", f"{ain(shown.get('price'))} + {ain(shown.get('fee'))} fee" if shown.get("price") else None),
                ("winner", peer(winner.get("provider"), names) if winner else None),
                ("auction", f"{short(shown.get('auction'))}, attempt {(shown.get('attempt') or 0) + 1}"),
                ("escrow", short(shown["escrow"]) if shown.get("escrow") else None),
                (
                    "result",
                    f"{short(shown.get('output_sha256'))}, {size(shown.get('output_size'))}"
                    if shown.get("output_sha256")
                    else None,
                ),
                ("verified", yes(shown.get("verified"))),
                ("bond", bond(shown.get("bond"))),
                ("submitted", when(shown.get("submitted_at"))),
                ("ended", when(shown.get("ended_at")) if shown.get("ended_at") else None),
                ("reasons", counted(dict(shown["reasons"])) if shown.get("reasons") else None),
            ]
        )
        began = shown.get("submitted_at") or 0
        for fact in shown.get("history") or []:
            since = max(0, (fact.get("at") or began) - began) / 1000
            screen.say(f"{since:8.2f} s  {ask.named(fact.get('text') or fact.get('kind'))}")
        if shown.get("offenders"):
            offenders(screen, shown["offenders"], names)

    return Report(shown, text)


def offenders(screen: Screen, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Who kept a task from going as it should, a line each, with where the evidence lies."""
    for row in rows:
        evidence = row.get("evidence") or {}
        where = f"; evidence: {evidence.get('kind')} {short(evidence.get('id'))}" if evidence else ""
        screen.say(f"  {peer(row.get('who'), names)}: {row.get('code')}: {row.get('sentence')}{where}")


def result(ask: Ask) -> Report:
    """The bytes that were paid for, and their receipt."""
    _check_out(ask)
    found = _result(ask, find_task(ask, ask.options.task), ask.options.out)
    code = ExitCode.DONE if found.get("verified", True) else ExitCode.NOT_VERIFIED

    def text(screen: Screen) -> None:
        if ask.options.out != "-":
            show_output(screen, found)
        if code:
            screen.note("this result is not verified: ainur receipt verify says why")

    return Report(found, text, code)


def cancel(ask: Ask) -> Report:
    """Take a task back before its auction closes."""
    task = find_task(ask, ask.options.task)
    if ask.options.dry_run:
        return quote(ask, "quote.cancel", task=task)
    answer = ask.call("task.cancel", task=task)
    done = bool(answer.get("cancelled"))

    def text(screen: Screen) -> None:
        screen.say(
            "cancelled: the budget is free again" if done else "too late: the auction is closed, the task goes on"
        )

    return Report(answer, text, ExitCode.DONE if done else ExitCode.REFUSED)


def list_tasks(ask: Ask) -> Report:
    """The newest tasks of this node."""
    phase, limit = ask.options.phase, ask.options.limit
    answer = ask.call("task.list", limit=limit, **({"phase": phase} if phase else {}))

    def text(screen: Screen) -> None:
        rows = [
            (
                short(row.get("task"), 8),
                row.get("phase"),
                row.get("capability"),
                ain(row.get("budget")),
                ain(row.get("price")) if row.get("price") not in (None, "0") else "–",
                when(row.get("at")),
            )
            for row in answer["tasks"]
        ]
        screen.table(("task", "phase", "capability", "budget", "paid", "last step"), rows, empty="no tasks yet")

    return Report(answer, text)


def _submit_options(parser: Parser) -> None:
    parser.add_argument(
        "--agent", metavar="CAPABILITY", type=values.name, required=True, help="what it must be able to do, or its name"
    )
    parser.add_argument("--input", metavar="FILE", required=True, help="the input; - is stdin")
    parser.add_argument(
        "--budget", metavar="AIN", type=values.amount, required=True, help="the most to pay, fee included"
    )
    parser.add_argument(
        "--deadline", metavar="TIME", type=values.deadline, default=30_000, help="from acceptance to delivery (30s)"
    )
    parser.add_argument("--media", choices=MEDIA, help="type of the input (.json files: JSON, else text)")
    parser.add_argument("--wait", action="store_true", help="follow the task and print its result")
    parser.add_argument(
        "--timeout", metavar="TIME", type=values.milliseconds, help="with --wait: look no longer than this"
    )
    parser.add_argument("--out", metavar="FILE", help="with --wait: write the result's bytes here")
    parser.add_argument(
        "--key", metavar="TEXT", type=values.key, help="the same key again hands in nothing new, it finds the same task"
    )
    dry_run_option(parser)


def _cancel_options(parser: Parser) -> None:
    _task_option(parser)
    dry_run_option(parser)


def _task_option(parser: Parser) -> None:
    parser.add_argument("task", metavar="TASK", type=values.identifier, help="id of a task, or its first digits")


def _watch_options(parser: Parser) -> None:
    _task_option(parser)
    parser.add_argument("--timeout", metavar="TIME", type=values.milliseconds, help="look no longer than this (1h)")


def _result_options(parser: Parser) -> None:
    _task_option(parser)
    parser.add_argument("--out", metavar="FILE", help="write the result's bytes here; - is stdout")


def _list_options(parser: Parser) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=values.whole(1, MAX_LISTED), default=20, help="how many at most (20)"
    )
    parser.add_argument("--phase", metavar="PHASE", type=values.name, help="only tasks in this phase")


COMMANDS = [
    Command(
        "task submit",
        "hand in a task",
        "ainur task submit --agent summarize --input README.md --budget 1.5 --deadline 30s --wait",
        submit,
        _submit_options,
    ),
    Command("task watch", "follow a task to its end", "ainur task watch 3fa9c1d2", watch, _watch_options),
    Command("task show", "a task with its history", "ainur task show 3fa9c1d2 --json", show, _task_option),
    Command(
        "task result", "the result of a task", "ainur task result 3fa9c1d2 --out summary.json", result, _result_options
    ),
    Command(
        "task cancel",
        "take a task back before its auction closes",
        "ainur task cancel 3fa9c1d2",
        cancel,
        _cancel_options,
    ),
    Command("task list", "the newest tasks", "ainur task list --limit 5", list_tasks, _list_options),
]
