"""The lives of a task and of a job as arrows, found by trying every fact in every state that can be reached."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

from diagram_text import END, START, Arrow

from ainur_node.errors import Bug

# What a choice can depend on: two names, and the question that tells them apart, asked of state and fact.
Question = tuple[str, str, Callable[[Any, Any], bool]]
Case = tuple[Any, Any]
Result = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Life:
    """One ``step`` with its first state, its facts in several values each, and the questions its choices hang on."""

    first: tuple[Any, Sequence[Any]]
    begun_by: Any
    facts: Sequence[Any]
    step: Callable[[Any, Any], tuple[Any, Sequence[Any]]]
    questions: Sequence[Question]


def arrows(life: Life) -> Iterator[Arrow]:
    """Every accepted fact in every phase that can be reached, with the orders it gives."""
    state, orders = life.first
    yield Arrow(START, state.phase, _label([type(life.begun_by).__name__], "", _names(orders)))
    found = explored(life)
    for phase in dict.fromkeys(phase for phase, _ in found):
        alike: dict[tuple[Result, str], list[str]] = defaultdict(list)
        for (source, name), results in found.items():
            if source == phase:
                for result, condition in _conditions(results, life.questions).items():
                    alike[result, condition].append(name)
        for ((target, ordered), condition), names in alike.items():
            yield Arrow(phase, target, _label(names, condition, ordered))
    reached = dict.fromkeys(target for results in found.values() for target, _ in filter(None, results))
    sources = {phase for phase, _ in found}
    yield from (Arrow(phase, END, "") for phase in reached if phase not in sources)


def explored(life: Life) -> dict[tuple[str, str], dict[Result | None, list[Case]]]:
    """For each phase and kind of fact that may follow it: the states and facts tried, by what they lead to.

    None stands for those that were refused.
    """
    found: dict[tuple[str, str], dict[Result | None, list[Case]]] = defaultdict(lambda: defaultdict(list))
    waiting, known = [life.first[0]], {_shape(life.first[0])}
    while waiting:
        state = waiting.pop(0)
        for happened in life.facts:
            cases = found[state.phase, type(happened).__name__]
            try:
                after, orders = life.step(state, happened)
            except Bug:
                cases[None].append((state, happened))
                continue
            cases[after.phase, _names(orders)].append((state, happened))
            if _shape(after) not in known:
                known.add(_shape(after))
                waiting.append(after)
    return {key: results for key, results in found.items() if set(results) != {None}}


def _shape(state: Any) -> tuple[Any, ...]:
    """What tells states apart here: short values as they are, of everything else only whether it is there."""
    values = (getattr(state, field.name) for field in fields(state))
    return tuple(value if isinstance(value, int | str) else bool(value) for value in values)


def _names(orders: Sequence[Any]) -> tuple[str, ...]:
    return tuple(type(order).__name__ for order in orders)


def _label(names: Sequence[str], condition: str, orders: Sequence[str]) -> str:
    when = f" [{condition}]" if condition else ""
    return " or ".join(names) + when + (f" / {', '.join(orders)}" if orders else "")


def _conditions(results: dict[Result | None, list[Case]], questions: Sequence[Question]) -> dict[Result, str]:
    """For each result the shortest words that hold in all of its cases and in none of the others."""
    said: dict[Result, str] = {}
    for result, cases in results.items():
        if result is not None:
            others = [case for other, theirs in results.items() if other != result for case in theirs]
            said[result] = next(_telling_apart(cases, others, questions), "otherwise")
    if list(said.values()).count("otherwise") > (None not in results):
        raise ValueError(f"no question tells {list(results)} apart")
    return said


def _telling_apart(cases: Iterable[Case], others: Iterable[Case], questions: Sequence[Question]) -> Iterator[str]:
    answers = [(yes, ask) for yes, _, ask in questions]
    answers += [(no, lambda state, fact, ask=ask: not ask(state, fact)) for _, no, ask in questions]
    for size in range(4):
        for chosen in combinations(answers, size):
            if all(ask(*case) for case in cases for _, ask in chosen) and not any(
                all(ask(*case) for _, ask in chosen) for case in others
            ):
                yield ", ".join(word for word, _ in chosen)
