"""Tables of what was tried and how it ended, printed when the run is over."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

_TABLES = pytest.StashKey[dict[str, list[dict[str, str]]]]()

Note = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLES] = {}


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """``note(table, **columns)`` adds a row to a table that is printed at the end, also when the test fails later."""

    def add(table: str, **columns: object) -> None:
        row = {name: str(value) for name, value in columns.items()}
        request.config.stash[_TABLES].setdefault(table, []).append(row)

    return add


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for title, rows in config.stash[_TABLES].items():
        terminalreporter.section(f"{title}: {len(rows)} rows")
        for line in lines(rows):
            terminalreporter.write_line(line)


def lines(rows: list[dict[str, str]]) -> list[str]:
    """A table as text; columns in the order in which they were first named."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in names}

    def line(row: Mapping[str, str]) -> str:
        return "  ".join(row.get(name, "").ljust(widths[name]) for name in names).rstrip()

    return [line({name: name for name in names}), *(line(row) for row in rows)]
