"""What a command is: its words, its options, its example, and how an argument line becomes a call of it."""

import argparse
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ainur_node.cli.screen import Screen
from ainur_node.rpc.messages import ExitCode

GLOBALS = ("json", "home", "config", "node")


class Usage(Exception):  # noqa: N818 — named by blame: what was typed cannot be done
    """The argument line makes no sense: exit code 2; ``hint`` says what to type, ``shown`` is a help to print."""

    def __init__(self, what: str, *, hint: str = "", shown: str = "") -> None:
        super().__init__(what)
        self.hint = hint
        self.shown = shown


class ShowHelp(Exception):  # noqa: N818 — a way out of the parser, not an error
    """Somebody asked for help: the text."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found: ``data`` is the JSON object, ``text`` shows it to people, ``code`` ends the process."""

    data: Mapping[str, Any]
    text: Callable[[Screen], None]
    code: int = 0


def refusal(code: str, hint: str) -> dict[str, Any]:
    """What a report adds to its data when it ends with exit code 1: the same object as any refusal has in JSON."""
    return {"error": {"code": code, "what": hint, "hint": hint, "exit": int(ExitCode.REFUSED), "details": {}}}


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``run`` gets the parsed options with home, node, config and screen; ``example`` is a whole line."""

    words: str
    does: str
    example: str
    run: Callable[[Any], Report]
    options: Callable[["Parser"], None] = field(default=lambda parser: None)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Wide enough that no option wraps, as narrow as the terminal otherwise."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of ending the process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", Formatter)
        kwargs["add_help"] = False
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise Usage with the way to this command's help."""
        raise Usage(message, hint=f"{self.prog} --help")

    def print_help(self, file: Any = None) -> None:
        """Raise ShowHelp instead of writing."""
        raise ShowHelp(self.format_help())


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        parser.print_help()


def add_globals(parser: argparse.ArgumentParser) -> None:
    """The options that every command takes, before or after its words."""
    group = parser.add_argument_group("every command")
    hidden = argparse.SUPPRESS
    group.add_argument("--json", action="store_true", default=hidden, help="one JSON object on the last line of stdout")
    group.add_argument("--node", metavar="NAME", default=hidden, help="talk to this node of the devnet")
    group.add_argument("--home", metavar="DIR", default=hidden, help="home directory (AINUR_HOME, else ~/.ainur)")
    group.add_argument(
        "--config", metavar="FILE", default=hidden, help="configuration (default: config.toml of the home)"
    )
    group.add_argument("-h", "--help", action=_Help, nargs=0, default=hidden, help="this text")


def split_globals(argv: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The options before the first word, and the rest; raises Usage for an option nobody knows."""
    found: dict[str, Any] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.pop(0).partition("=")
        if name in ("-h", "--help"):
            return {**found, "help": True}, []
        if name == "--version":
            return {**found, "version": True}, []
        if name == "--json" and not equals:
            found["json"] = True
        elif name in ("--home", "--config", "--node"):
            if not equals:
                if not rest:
                    raise Usage(f"{name} needs a value", hint="ainur --help")
                value = rest.pop(0)
            found[name[2:]] = value
        else:
            raise Usage(f"{name!r} is no option of ainur", hint="ainur --help")
    return found, rest


def parse(noun: str, about: str, commands: Sequence[Command], rest: list[str], found: Mapping[str, Any]) -> Any:
    """The options of one call, with ``command`` set; raises Usage or ShowHelp."""
    parser = Parser(prog=f"ainur {noun}", description=about)
    add_globals(parser)
    verbs = {command.words.partition(" ")[2]: command for command in commands}
    if "" in verbs:
        parser = _parser_of(verbs[""])
        parser.set_defaults(command=verbs[""])
    else:
        subs = parser.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser, title="commands")
        for verb, command in verbs.items():
            sub = subs.add_parser(verb, **_texts(command))
            sub.prog = f"ainur {command.words}"
            _fill(sub, command)
        _check_verb(noun, verbs, rest)
    options = parser.parse_args(rest, argparse.Namespace(**found))
    if getattr(options, "command", None) is None:
        what = f"'ainur {noun}' needs one more word"
        raise Usage(what, hint=f"one of: {', '.join(verbs)}", shown=parser.format_help())
    return options


def _check_verb(noun: str, verbs: Mapping[str, Command], rest: Sequence[str]) -> None:
    word = rest[0] if rest else ""
    if not word or word.startswith("-") or word in verbs:
        return
    near = difflib.get_close_matches(word, verbs, n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    raise Usage(f"{word!r} is no command of 'ainur {noun}'{guess}", hint=f"it has: {', '.join(verbs)}")


def _parser_of(command: Command) -> Parser:
    texts = _texts(command)
    texts.pop("help")
    parser = Parser(prog=f"ainur {command.words}", **texts)
    _fill(parser, command)
    return parser


def _texts(command: Command) -> dict[str, Any]:
    return {"help": command.does, "description": command.does, "epilog": f"example:\n  {command.example}"}


def _fill(parser: Parser, command: Command) -> None:
    command.options(parser)
    add_globals(parser)
    parser.set_defaults(command=command)


def as_path(text: str, option: str) -> Path:
    """A path from the argument line; raises Usage for what no file system can hold."""
    if not text or "\0" in text:
        raise Usage(f"{option} names no file")
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError) as exc:
        raise Usage(f"{option} {text[:80]}: {getattr(exc, 'strerror', None) or exc}") from exc
    return path
