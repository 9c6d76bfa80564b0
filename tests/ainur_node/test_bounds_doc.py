"""docs/bounds.md is true: its files exist, its names stand in them, and its plain values are those of the code."""

import ast
import operator
import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "bounds.md").read_text(encoding="utf-8")
HEADING = ["name", "value", "where", "attack it stops"]
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "AIN": 10**12}
OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Add: operator.add,
    ast.Pow: operator.pow,
    ast.LShift: lambda a, b: int(a) << int(b),
    ast.Div: operator.truediv,
}


def cells(line: str) -> list[str]:
    """The cells of one row of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


ROWS = [c for line in DOC.splitlines() if line.startswith("|") and (c := cells(line)) != HEADING and "---" not in c[0]]


def value_in(source: str, name: str) -> float | None:
    """The number that source gives to a name; None when it is no plain number."""
    one = re.search(rf"^\s*(?:pub const )?{name}(?:: [^=\n]+)? = ([^#\n;]+)", source, re.MULTILINE)
    field = re.search(rf"^\t\t\t{name}: ([^,\n]+),$", source, re.MULTILINE)
    several = re.search(rf"^([A-Z_, ]*\b{name}\b[A-Z_, ]*) = ([^#\n]+)", source, re.MULTILINE)
    if several is not None and "," in several.group(1):
        place = [n.strip() for n in several.group(1).split(",")].index(name)
        return number(several.group(2).split(",")[place].strip(), source)
    found = one or field
    return number(found.group(1).strip(), source) if found is not None else None


def number(text: str, source: str) -> float | None:
    """The value of an arithmetic expression over numbers and names of the same source."""
    if (made := re.fullmatch(r"(?:Amount|_key)\(([^,]+)(?:,.*)?\)", text)) is not None:
        text = made.group(1)
    try:
        return _fold(ast.parse(text, mode="eval").body, source)
    except (SyntaxError, KeyError, TypeError):
        return None


def _fold(node: ast.expr, source: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp():
            return OPERATORS[type(node.op)](_fold(node.left, source), _fold(node.right, source))
        case ast.Name(id=name):
            units = {"MIB": 1 << 20, "AIN": 10**12}
            known = units.get(name) or value_in(source, name)
            if known is None:
                raise KeyError(name)
            return known
    raise TypeError(ast.dump(node))


def stated(text: str) -> set[float]:
    """The numbers that a value in the table may stand for, in whatever unit the code counts; empty for prose."""
    match = re.match(r"(\d+)\^(\d+)|([\d,]+(?:\.\d+)?)", text)
    if match is None:
        return set()
    base = int(match.group(1)) ** int(match.group(2)) if match.group(1) else float(match.group(3).replace(",", ""))
    rest = text[match.end() :].split()
    unit = rest[0].rstrip(",") if rest else ""
    if unit in UNITS:
        return {base * UNITS[unit], base}
    if unit == "ms":
        return {base, base / 1000}
    return {base}


def test_the_tables_have_rows() -> None:
    assert len(ROWS) > 150
    assert [row for row in ROWS if len(row) != len(HEADING)] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[2]}-{row[0]}".replace("`", ""))
def test_a_row_is_true(row: list[str]) -> None:
    names, values, files = re.findall(r"`(\w+)`", row[0]), row[1].split(" / "), re.findall(r"`([^`]+)`", row[2])
    assert names
    assert len(files) == 1, "one file a row"
    assert len(values) == len(names), "one value for each name"
    source = (ROOT / files[0]).read_text(encoding="utf-8")
    for name, text in zip(names, values, strict=True):
        assert re.search(rf"\b{name}\b", source), f"{name} is not in {files[0]}"
        found, claims = value_in(source, name), stated(text)
        if found is not None and claims:
            assert any(abs(found - claim) < 1e-9 * max(1, abs(claim)) for claim in claims), (
                f"{files[0]}: {name} is {found}, the page says {text}"
            )


def test_most_values_are_really_compared() -> None:
    compared = 0
    for row in ROWS:
        source = (ROOT / row[2].strip("`")).read_text(encoding="utf-8")
        for name, text in zip(re.findall(r"`(\w+)`", row[0]), row[1].split(" / "), strict=True):
            compared += value_in(source, name) is not None and bool(stated(text))
    assert compared > 250
