"""Every command of the command line, taken from its own table: words, parameters, and one line of good values."""

import argparse
import shlex
from dataclasses import dataclass

from ainur_node.cli import app
from ainur_node.cli.command import GLOBALS, Command, Parser


@dataclass(frozen=True)
class Parameter:
    """An option or a positional of a command; ``flag`` is empty for a positional."""

    flag: str
    metavar: str
    takes_value: bool
    required: bool
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.flag or self.metavar


@dataclass(frozen=True)
class Row:
    """One command with its parameters; ``good`` are values of its own example, by the parameter's name."""

    words: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    good: dict[str, str]

    @property
    def name(self) -> str:
        return " ".join(self.words)

    def line(self, known: dict[str, str], **changes: list[str] | None) -> list[str]:
        """The whole line: good values, those of ``known`` by metavar first, ``changes`` (words or None) by name."""
        words = list(self.words)
        for parameter in self.parameters:
            changed = changes.get(parameter.name, [])
            if changed is None:
                continue
            words += changed or self.spell(parameter, known)
        return words

    def spell(self, parameter: Parameter, known: dict[str, str], value: str | None = None) -> list[str]:
        """The words of one parameter with its good value, or with another one; nothing for what may be left out."""
        if value is None and not (parameter.required or parameter.name in self.good):
            return []
        if not parameter.takes_value:
            return [parameter.flag]
        given = known.get(parameter.metavar, self.good.get(parameter.name, "1")) if value is None else value
        return [parameter.flag, given] if parameter.flag else [given]


def rows() -> list[Row]:
    """All commands of all nouns, in the table's order."""
    return [_row(command) for noun in app.NOUNS for command in app._commands(noun)[1]]


def _row(command: Command) -> Row:
    parser = Parser(prog="x")
    command.options(parser)
    parameters = tuple(_parameter(action) for action in parser._actions)
    words = tuple(command.words.split())
    return Row(words, parameters, _good(command, words, parameters))


def _parameter(action: argparse.Action) -> Parameter:
    flag = next((text for text in action.option_strings if text.startswith("--")), "")
    choices = tuple(map(str, action.choices)) if action.choices is not None else ()
    required = action.required and action.nargs not in ("?", "*")
    return Parameter(flag, str(action.metavar or action.dest), action.nargs != 0, required, choices)


def _good(command: Command, words: tuple[str, ...], parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """The values that the command's example gives."""
    left = shlex.split(command.example)[1:]
    flags = {parameter.flag: parameter for parameter in parameters if parameter.flag}
    places = iter([parameter for parameter in parameters if not parameter.flag])
    found: dict[str, str] = {}
    verb = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("--") and word.removeprefix("--") in GLOBALS:
            if word != "--json":
                left.pop(0)
        elif word in flags:
            found[word] = left.pop(0) if flags[word].takes_value else ""
        elif verb and word == verb[0]:
            verb.pop(0)
        else:
            found[next(places).name] = word
    return found
