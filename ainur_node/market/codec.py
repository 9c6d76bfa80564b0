"""Facts, orders and states as JSON for the store: dataclasses in, text out, and back."""

from typing import Any, cast, get_args

import msgspec

from ainur_node.domain import events, orders
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Bug

TASK = "task"
JOB = "job"

State = RequesterTask | ProviderJob
Fact = events.RequesterFact | events.ProviderFact

_FACTS: dict[str, type] = {t.__name__: t for t in (*get_args(events.RequesterFact), *get_args(events.ProviderFact))}
_ORDERS: dict[str, type] = {t.__name__: t for t in get_args(orders.Order)}
_STATES: dict[str, type] = {TASK: RequesterTask, JOB: ProviderJob}


def encode(value: object) -> str:
    """JSON of a fact, order or state; money stays an exact integer."""
    return msgspec.json.encode(value).decode()


def _decode(kinds: dict[str, type], kind: str, body: str) -> Any:
    if kind not in kinds:
        raise Bug(f"the store holds a {kind!r} that this version does not know")
    return msgspec.json.decode(body, type=kinds[kind])


def decode_fact(kind: str, body: str) -> Fact:
    """The fact behind a stored row."""
    return cast("Fact", _decode(_FACTS, kind, body))


def decode_order(kind: str, body: str) -> orders.Order:
    """The order behind a stored row."""
    return cast("orders.Order", _decode(_ORDERS, kind, body))


def decode_state(life: str, body: str) -> State:
    """The state behind a stored row."""
    return cast("State", _decode(_STATES, life, body))
