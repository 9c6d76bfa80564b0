"""The command line: finds the command, runs it, and turns whatever happens into words and an exit code."""

import errno
import importlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ainur_node.cli.asking import Ask
from ainur_node.cli.command import Command, ShowHelp, Usage, as_path, parse, split_globals
from ainur_node.cli.screen import Screen
from ainur_node.cli.words import ain, clean
from ainur_node.errors import ConfigError, Transient
from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.rpc.crash import write_crash_report
from ainur_node.rpc.messages import ExitCode

NOUNS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "a whole world on this machine: one task from submission to payment, told step by step"),
    "devnet": ("devnet", "the same world, left running: up, status, down"),
    "init": ("node", "make keys, configuration and data directory of a node"),
    "run": ("node", "run the node"),
    "stop": ("node", "stop the node"),
    "status": ("node", "what the node is doing"),
    "config": ("config", "check and show the configuration"),
    "agent": ("agent", "packages and offers: lint, publish, offer, withdraw, list, show, update, retire"),
    "task": ("task", "tasks: submit, watch, show, result, cancel, list"),
    "auction": ("auction", "auctions: show, verify, why"),
    "receipt": ("receipt", "work receipts: show, verify"),
    "wallet": ("wallet", "money: new, show, balance, fund, transfer, ledger, audit"),
    "channel": ("channel", "payment channels: open, top-up, pay, show, close"),
    "dispute": ("dispute", "cases before the court: open, evidence, vote, show, appeal, denounce, join, leave"),
    "chain": ("chain", "the embedded chain: run, export, status"),
    "bench": ("bench", "measure: e2e, chain"),
}
INTERRUPTED = 130
PIPE_CLOSED = 141
EXITS = dict.fromkeys(("no_world", "peer_unreachable", "no_chain"), ExitCode.UNREACHABLE)
"""Exit codes of configuration errors that are none: what is asked for is not there."""

EPILOG = """every command takes --json, --node NAME, --home DIR, --config FILE and --help with an example

example:
  ainur demo
  ainur task submit --agent summarize --input README.md --budget 1.5 --deadline 30s --wait

exit codes: 0 done, 1 refused, 2 usage, 3 unreachable or timed out (safe to try again), 4 configuration,
5 result not verified, 70 a bug"""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Carry out one command line; the exit code."""
    screen = Screen(as_json="--json" in argv)
    home = Path(tempfile.gettempdir())
    try:
        _check_text(argv)
        with suppress(Usage, OSError):  # crash reports go there, if it can be used
            home = _home(None, environ)
        found, rest = split_globals(argv)
        if found.get("version"):
            screen.say(f"ainur {_version()}")
            return ExitCode.DONE
        if found.get("help"):
            print(_overview())
            return ExitCode.DONE
        if not rest:
            print(_overview(), file=sys.stderr)
            return _fail(screen, "usage", "no command was named", "ainur --help lists them", ExitCode.USAGE)
        try:
            options = parse(rest[0], *_commands(rest[0]), rest[1:], found)
        except ShowHelp as help_text:
            print(str(help_text).rstrip())
            return ExitCode.DONE
        home = _home(getattr(options, "home", None), environ)
        return _carry_out(options, home, screen)
    except BrokenPipeError:
        # The reader left (``| head``): Python's own flush at exit must not fail on the same pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _fail(screen, "interrupted", "interrupted", "what was submitted goes on: ainur task list", INTERRUPTED)
    except Exception as exc:  # noqa: BLE001 # reason: the last guard; nobody should ever see a traceback
        return _explain(screen, exc, home, argv)


def _carry_out(options: Any, home: Path, screen: Screen) -> int:
    config = getattr(options, "config", None)
    config_path = None if config is None else as_path(config, "--config")
    if config_path is not None and not config_path.is_file():
        what = "this is a directory" if config_path.is_dir() else "there is no such file"
        raise Usage(f"--config {config}: {what}")
    if home.exists() and not home.is_dir():
        raise Usage(f"--home {home}: this is no directory")
    with Ask(options, home, getattr(options, "node", None), config_path, screen) as ask:
        report = options.command.run(ask)
        if screen.as_json:
            screen.finish(report.data)
        else:
            report.text(screen)
    return int(report.code)


def _explain(screen: Screen, exc: Exception, home: Path, argv: Sequence[str]) -> int:
    match exc:
        case Usage() as wrong:
            if wrong.shown:
                print(wrong.shown, file=sys.stderr)
            return _fail(screen, "usage", str(wrong), wrong.hint or _help(argv), ExitCode.USAGE)
        case Refused() as no:
            return _fail(screen, no.code, "", no.hint, no.exit_code, no.details)
        case Unreachable() as away:
            return _fail(screen, away.code, str(away), away.hint, ExitCode.UNREACHABLE)
        case Transient() as soon:
            code = str(getattr(soon, "code", "unavailable")).replace("-", "_")
            return _fail(screen, code, str(soon), soon.hint or "try again", ExitCode.UNREACHABLE)
        case OSError() as disk if (refused := _disk(disk, home)) is not None:
            code, hint, exit_code = refused
            where = f"{disk.filename}: " if disk.filename else ""
            return _fail(screen, code, f"{where}{disk.strerror}", hint, exit_code)
        case ConfigError() as wrong:
            code = str(getattr(wrong, "code", "configuration")).replace("-", "_")
            return _fail(screen, code, str(wrong), wrong.hint, EXITS.get(code, ExitCode.CONFIGURATION))
    report = write_crash_report(home / "crashes", exc, "ainur " + " ".join(argv)[:400])
    hint = f"please report it with {report}"
    return _fail(screen, "bug", f"a bug in ainur: {type(exc).__name__}", hint, ExitCode.BUG, {"report": str(report)})


def _fail(
    screen: Screen, code: str, what: str, hint: str, exit_code: int, details: Mapping[str, Any] | None = None
) -> int:
    no = "refused" if exit_code != ExitCode.UNREACHABLE else "not now"
    told = f"{what} ({code})" if what and code not in ("usage", "interrupted") else what or f"{no} ({code}): {hint}"
    screen.note(f"ainur: {told}")
    for name, value in (details or {}).items():
        screen.note(f"  {name}: {_detail(name, value)}")
    if hint and what:
        screen.note(f"  next: {hint}")
    if screen.as_json:
        error = {"code": code, "what": what or hint, "hint": hint, "exit": int(exit_code), "details": details or {}}
        with suppress(BrokenPipeError):
            screen.finish({"error": error})
    return int(exit_code)


MONEY = frozenset({"free", "spendable", "budget", "needed", "fee_reserve", "reserve", "missing", "held", "price"})


def _disk(exc: OSError, home: Path) -> tuple[str, str, ExitCode] | None:
    """Code, hint and exit code for what the disk refused; None for what is our own mistake."""
    if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "disk_full", "make room on that disk, then type it again", ExitCode.UNREACHABLE
    if isinstance(exc, PermissionError) or exc.errno == errno.EROFS:
        return "permission", "whose file is it? run ainur as its owner", ExitCode.CONFIGURATION
    # Below a home that somebody named, anything may be in the way; elsewhere a missing file is a bug.
    if exc.filename is not None and Path(os.fsdecode(exc.filename)).is_relative_to(home):
        return "bad_home", "name a directory on an ordinary disk with --home", ExitCode.CONFIGURATION
    return None


def _help(argv: Sequence[str]) -> str:
    noun = next((word for word in argv if word in NOUNS), "")
    return f"ainur {noun} --help".replace("  ", " ")


def _detail(name: str, value: object) -> str:
    return ain(value) if name in MONEY and str(value).isdigit() else clean(value)


def _home(option: str | None, environ: Mapping[str, str]) -> Path:
    try:
        if option is not None:
            path = as_path(option, "--home")
        else:
            path = as_path(environ.get("AINUR_HOME") or "~/.ainur", "AINUR_HOME")
    except Usage as no:
        if isinstance(no.__cause__, PermissionError):
            raise no.__cause__ from None  # well typed, but somebody else's
        raise
    return Path(os.path.abspath(path))  # noqa: PTH100 # resolve() would follow the devnet's links


def _check_text(argv: Sequence[str]) -> None:
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError as exc:
            raise Usage(f"{argument[:60]!r} is not UTF-8 text", hint="type names and paths in UTF-8") from exc


def _commands(noun: str) -> tuple[str, list[Command]]:
    if noun not in NOUNS:
        near = get_close_matches(noun, NOUNS, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise Usage(f"{noun[:40]!r} is no command of ainur{guess}", hint="ainur --help lists them")
    module, about = NOUNS[noun]
    commands: list[Command] = importlib.import_module(f"ainur_node.cli.{module}").COMMANDS
    return about, [command for command in commands if command.words.partition(" ")[0] == noun]


def _overview() -> str:
    width = max(map(len, NOUNS))
    lines = [f"  {noun.ljust(width)}  {about}" for noun, (_, about) in NOUNS.items()]
    head = "usage: ainur [--json] [--node NAME] [--home DIR] [--config FILE] COMMAND …\n\n"
    about = (
        "A marketplace node: agents are hired by truthful auction, run in a sandbox, verified and paid.\n\ncommands:\n"
    )
    return head + about + "\n".join(lines) + "\n\n" + EPILOG


def _version() -> str:
    try:
        return version("ainur-node")
    except PackageNotFoundError:
        return "(not installed)"
