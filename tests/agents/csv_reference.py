"""What csv-profile must answer, computed with Python's csv, decimal and fractions."""

import csv
import io
import re
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
EXACT = Context(prec=200)
SHOWN = 100


def profile(text: str, delimiter: str = ",", header: bool = True) -> dict[str, Any]:
    """The expected result; csv.Error where the agent must refuse."""
    text = text.removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    blank, line = 0, 0
    for cells in reader:
        if cells:
            rows.append((line + 1, cells))
        else:
            blank += 1
        line = reader.line_num
    width = len(rows[0][1]) if rows else 0
    names = [f"column {n + 1}" for n in range(width)]
    if header and rows:
        names = [shown(cell) for cell in rows.pop(0)[1]]
    ragged = [
        {"row": number, "line": line, "cells": len(cells)}
        for number, (line, cells) in enumerate(rows, 1)
        if len(cells) != width
    ]
    stacks = [[cells[index] for _, cells in rows if index < len(cells)] for index in range(width)]
    return {
        "rows": len(rows),
        "width": width,
        "blank_lines": blank,
        "ragged": {"count": len(ragged), "first": ragged[:10]},
        "columns": [_column(name, stack, len(rows)) for name, stack in zip(names, stacks, strict=True)],
    }


def shown(text: str) -> str:
    """A cell as it is shown."""
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _kind(cell: str) -> str:
    if NUMBER.fullmatch(cell):
        return "decimal" if "." in cell else "integer"
    if cell.isascii() and cell.lower() in {"true", "false", "yes", "no"}:
        return "boolean"
    if DAY.fullmatch(cell):
        try:
            date.fromisoformat(cell)
        except ValueError:
            return "text"
        return "date"
    return "text"


def _column(name: str, cells: list[str], rows: int) -> dict[str, Any]:
    filled = [cell for cell in cells if cell]
    kinds = {_kind(cell) for cell in filled} or {"empty"}
    kind = kinds.pop() if len(kinds) == 1 else "decimal" if kinds == {"integer", "decimal"} else "text"
    counts = Counter(filled)
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]
    column: dict[str, Any] = {
        "name": name,
        "type": kind,
        "count": len(cells),
        "empty": len(cells) - len(filled),
        "missing": rows - len(cells),
        "distinct": len(counts),
        "top": [{"value": shown(value), "count": count} for value, count in top],
    }
    if kind in ("integer", "decimal"):
        column |= _numbers(filled)
    elif kind in ("date", "text"):
        column |= {"min": shown(min(filled)), "max": shown(max(filled))}
    if kind == "text":
        for key, value in (
            ("shortest", min(filled, key=lambda cell: (len(cell), cell))),
            ("longest", min(filled, key=lambda cell: (-len(cell), cell))),
        ):
            column[key] = {"length": len(value), "value": shown(value)}
    return column


def _numbers(filled: list[str]) -> dict[str, Any]:
    values = [Decimal(cell) for cell in filled]
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    mean = sum((Fraction(cell) for cell in filled), Fraction(0)) / len(filled)
    return {
        "min": min(filled, key=lambda cell: (Decimal(cell), cell)),
        "max": min(filled, key=lambda cell: (-Fraction(cell), cell)),
        "sum": format(EXACT.abs(total) if total == 0 else total, "f"),
        "mean": {"fraction": str(mean), "decimal": _rounded(mean)},
    }


def _rounded(mean: Fraction) -> str:
    twelve = Decimal(round(mean * 10**12)).scaleb(-12, EXACT)
    text = format(twelve.quantize(Decimal("1e-12"), ROUND_HALF_EVEN, EXACT), "f").rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
