"""Where words go: results to stdout, progress and errors to stderr, with --json one object on stdout's last line."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from ainur_node.cli.words import clean, for_json


class Screen:
    """Two streams and the wish for JSON; rich draws tables on a terminal only, and is loaded only then."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._status: Any = None

    @property
    def lively(self) -> bool:
        """Whether progress is read by a person at a terminal."""
        return self._err.isatty()

    def say(self, text: object = "") -> None:
        """A line of the result; with --json it is not part of the result and goes to stderr."""
        _print(self._err if self.as_json else self._out, clean(text, lines=True))

    def note(self, text: object) -> None:
        """A line of progress."""
        _print(self._err, clean(text))

    def story(self, since_ms: int, text: object) -> None:
        """A line of something that is still going on, with the time since it began."""
        self._story(self._err, since_ms / 1000, text)

    def tale(self, since: float, text: object) -> None:
        """As ``story``, for commands whose story is their result: to stdout; ``since`` in seconds."""
        self._story(self._err if self.as_json else self._out, since, text)

    def _story(self, stream: TextIO, since: float, text: object) -> None:
        took = f"{since:8.2f} s"
        if self._status is not None:
            self._status.update(f"{clean(text)[:60]} …")
        if stream.isatty():
            took = f"\x1b[2m{took}\x1b[0m"
        _print(stream, f"{took}  {clean(text)}")

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """A moving sign on a terminal while something takes long; nothing elsewhere."""
        if not self.lively or self._status is not None:
            yield
            return
        from rich.console import Console

        console = Console(file=self._err, highlight=False, markup=False)
        with console.status(text) as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    def facts(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values under one another; a value of None is left out."""
        shown = [(name, clean(value)) for name, value in pairs if value is not None]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.say(f"{name.ljust(width)}  {value}")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "none") -> None:
        """Columns; numbers and amounts stand right."""
        cells = [[clean(cell) for cell in row] for row in rows]
        if not cells:
            self.say(empty)
        elif not self.as_json and self._out.isatty():
            _draw(self._out, heads, cells)
        else:
            widths = [max(len(row[i]) for row in [list(heads), *cells]) for i in range(len(heads))]
            for row in [list(heads), *cells]:
                padded = [_pad(cell, width, i, cells) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
                self.say("  ".join(padded).rstrip())

    def finish(self, data: Mapping[str, Any]) -> None:
        """The JSON object, as the last line of stdout."""
        _print(self._out, json.dumps(for_json(data), ensure_ascii=True, allow_nan=False))
        self._out.flush()


def _print(stream: TextIO, line: str) -> None:
    # A terminal that cannot show a character gets a question mark, not a traceback.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding, "replace"), file=stream, flush=True)


_NUMBER = re.compile(r"[\d.,]+( [A-Za-z]+)?|–")
"""A number, also with a unit; ids that begin with a digit are none."""


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _right(column: int, cells: Sequence[Sequence[str]]) -> bool:
    return all(_is_number(row[column]) for row in cells)


def _pad(cell: str, width: int, column: int, cells: Sequence[Sequence[str]]) -> str:
    return cell.rjust(width) if _right(column, cells) else cell.ljust(width)


def _draw(out: TextIO, heads: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column, head in enumerate(heads):
        right = _right(column, cells)
        table.add_column(Text(head), justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=out, highlight=False).print(table)
