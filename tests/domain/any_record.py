"""A strategy for any record of the domain, read off its annotations."""

from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

LEAVES: dict[type, st.SearchStrategy[Any]] = {
    bytes: st.one_of(st.binary(max_size=8), st.binary(min_size=32, max_size=32)),
    int: st.one_of(st.integers(0, 2**128 - 1), st.integers(-(2**31), 2**31)),
    str: st.text(max_size=12),
    bool: st.booleans(),
    NoneType: st.none(),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation: leaves, NewTypes, enums, tuples, unions and dataclasses of these."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of([any_of(part) for part in inner])
    if origin is tuple and inner[1:] == (...,):
        return st.lists(any_of(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(any_of, inner))
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return st.builds(hint, **{f.name: any_of(hints[f.name]) for f in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return LEAVES[hint]
