"""What json-query must answer: the language once more, over trees instead of text, and values with exact numbers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from itertools import groupby, product
from typing import Any

Tree = tuple[Any, ...]


class WrongType(Exception):  # noqa: N818 — it is the language's word for it
    """A part of the query met a value that it is not for."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its text: equal only when written alike."""

    text: str

    @property
    def value(self) -> Fraction:
        """The number itself."""
        return Fraction(Decimal(self.text))


def read(text: str | bytes) -> Any:
    """JSON with numbers as texts."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def written(value: Any) -> str:
    """The value as JSON; the inverse of `read`."""
    match value:
        case Number(text):
            return text
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}: {written(item)}" for key, item in value.items()) + "}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _rank(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        return (None, False, True).index(value)
    return 3 + [Number, str, list, dict].index(type(value))


def order(left: Any, right: Any) -> int:
    """-1, 0 or 1, as a comparison of the language."""
    if _rank(left) != _rank(right):
        return -1 if _rank(left) < _rank(right) else 1
    match left:
        case Number():
            return int(left.value > right.value) - int(left.value < right.value)
        case str():
            return int(left > right) - int(left < right)
        case list():
            found = [order(one, other) for one, other in zip(left, right, strict=False)]
            return next((one for one in found if one), (len(left) > len(right)) - (len(left) < len(right)))
        case dict():
            by_key = order(sorted(left), sorted(right))
            return by_key or order([left[key] for key in sorted(left)], [right[key] for key in sorted(left)])
    return 0


KEY = cmp_to_key(order)
COMPARISONS = {
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def is_true(value: Any) -> bool:
    """Everything but null and false."""
    return value is not None and value is not False


def query_text(tree: Tree) -> str:
    """The tree as a query, in brackets wherever they might be needed."""
    match tree:
        case ("identity",):
            return "."
        case ("descend",):
            return "(..)"
        case ("literal", value):
            return written(value)
        case ("pipe" | "list" | "or" | "and" as kind, *parts):
            mark = {"pipe": " | ", "list": ", "}.get(kind, f" {kind} ")
            return "(" + mark.join(map(query_text, parts)) + ")"
        case ("compare", how, left, right):
            return f"({query_text(left)} {how} {query_text(right)})"
        case ("array", inner):
            return "[]" if inner is None else f"[{query_text(inner)}]"
        case ("object", entries):
            return "{" + ", ".join(f"{json.dumps(key)}: {query_text(value)}" for key, value in entries) + "}"
        case ("call", name, *arguments):
            return f"{name}({query_text(arguments[0])})" if arguments else name
        case (_, of, *_) if tree[0] in ("field", "index", "slice", "each", "attempt"):
            return query_text(of) + _suffix(tree)
    raise AssertionError(tree)


def _suffix(tree: Tree) -> str:
    match tree:
        case ("field", _, name):
            return f"[{json.dumps(name)}]"
        case ("index", _, place):
            return f"[{place}]"
        case ("slice", _, start, end):
            return f"[{'' if start is None else start}:{'' if end is None else end}]"
        case ("each", _):
            return "[]"
    return "?"


def run(tree: Tree, value: Any) -> list[Any]:
    """All results of a query, in order."""
    match tree:
        case ("identity",):
            return [value]
        case ("descend",):
            return list(_everything(value))
        case ("literal", literal):
            return [literal]
        case ("pipe", *parts):
            values = [value]
            for part in parts:
                values = [result for one in values for result in run(part, one)]
            return values
        case ("list", *parts):
            return [result for part in parts for result in run(part, value)]
        case ("or" | "and" as kind, left, right):
            return [answer for one in run(left, value) for answer in _logic(kind == "or", one, right, value)]
        case ("compare", how, left, right):
            lefts, rights = run(left, value), run(right, value)
            return [COMPARISONS[how](order(one, other)) for other in rights for one in lefts]
        case ("array", inner):
            return [[] if inner is None else run(inner, value)]
        case ("object", entries):
            choices = [run(item, value) for _, item in entries]
            return [dict(zip([key for key, _ in entries], chosen, strict=True)) for chosen in product(*choices)]
        case ("attempt", ("field" | "index" | "slice" | "each", of, *_) as step):
            return [result for one in run(of, value) for result in _forgiven(step, one)]
        case ("attempt", of):
            try:
                return run(of, value)
            except WrongType:
                return []
        case ("call", name, *arguments):
            return list(_call(name, arguments, value))
        case (_, of, *_):
            return [result for one in run(of, value) for result in _step(tree, one)]
    raise AssertionError(tree)


def _logic(settles: bool, one: Any, right: Tree, value: Any) -> list[bool]:
    return [settles] if is_true(one) == settles else [is_true(other) for other in run(right, value)]


def _everything(value: Any) -> Iterator[Any]:
    yield value
    for item in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from _everything(item)


def _forgiven(step: Tree, value: Any) -> list[Any]:
    try:
        return _step(step, value)
    except WrongType:
        return []


def _step(tree: Tree, value: Any) -> list[Any]:
    match tree, value:
        case ("field" | "index" | "slice", *_), None:
            return [None]
        case ("field", _, name), dict():
            return [value.get(name)]
        case ("index", _, place), list():
            return [value[place] if -len(value) <= place < len(value) else None]
        case ("slice", _, start, end), list() | str():
            return [value[start:end]]
        case ("each", _), list():
            return list(value)
        case ("each", _), dict():
            return list(value.values())
    raise WrongType


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise WrongType
    return value


def _call(name: str, arguments: list[Tree], value: Any) -> Iterator[Any]:
    argument = arguments[0] if arguments else ("identity",)
    match name:
        case "empty":
            return
        case "values":
            if value is not None:
                yield value
        case "select":
            yield from (value for one in run(argument, value) if is_true(one))
        case "has" | "startswith" | "endswith":
            yield from (_ask(name, value, one) for one in run(argument, value))
        case "map":
            yield [result for one in _step(("each", None), value) for result in run(argument, one)]
        case "length" | "keys" | "not" | "type" | "to_entries":
            yield _about(name, value)
        case _:
            yield _arrange(name, argument, _items(value))


def _ask(name: str, value: Any, one: Any) -> bool:
    if name == "has" and isinstance(value, dict) and isinstance(one, str):
        return one in value
    if name == "has" and isinstance(value, list) and isinstance(one, Number):
        return one.text.lstrip("-").isdigit() and 0 <= int(one.text) < len(value)
    if name != "has" and isinstance(value, str) and isinstance(one, str):
        return value.startswith(one) if name == "startswith" else value.endswith(one)
    raise WrongType


def _about(name: str, value: Any) -> Any:
    match name, value:
        case "not", _:
            return not is_true(value)
        case "type", _:
            return ("null", "boolean", "boolean", "number", "string", "array", "object")[_rank(value)]
        case "length", None:
            return Number("0")
        case "length", Number(text):
            return Number(text.lstrip("-"))
        case "length", str() | list() | dict():
            return Number(str(len(value)))
        case "keys", dict():
            return sorted(value)
        case "keys", list():
            return [Number(str(place)) for place in range(len(value))]
        case "to_entries", dict():
            return [{"key": key, "value": item} for key, item in value.items()]
    raise WrongType


def _arrange(name: str, argument: Tree, items: list[Any]) -> Any:
    match name:
        case "all" | "any":
            return (all if name == "all" else any)(map(is_true, items))
        case "first" | "last":
            return items[0 if name == "first" else -1] if items else None
        case "reverse":
            return items[::-1]
    by = {id(item): KEY(run(argument, item)) for item in items}
    ordered = sorted(items, key=lambda item: by[id(item)])
    groups = [list(group) for _, group in groupby(ordered, key=lambda item: by[id(item)])]
    match name:
        case "sort" | "sort_by":
            return ordered
        case "min" | "min_by":
            return ordered[0] if items else None
        case "max" | "max_by":
            return ordered[-1] if items else None
        case "unique" | "unique_by":
            return [group[0] for group in groups]
        case "group_by":
            return groups
    raise AssertionError(name)
