"""Facts, orders and states are stored as JSON: whatever they hold, they come back as they were."""

from typing import Any, get_args

import pytest
from any_record import any_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.domain import events, orders
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Bug
from ainur_node.market import codec

FACTS = (*get_args(events.RequesterFact), *get_args(events.ProviderFact))
ORDERS = get_args(orders.Order)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({t.__name__ for t in FACTS}) == len(FACTS)
    assert len({t.__name__ for t in ORDERS}) == len(ORDERS)


@pytest.mark.parametrize("kind", FACTS, ids=lambda t: t.__name__)
@given(data=st.data())
@settings(max_examples=15)
def test_facts_come_back(kind: type, data: st.DataObject) -> None:
    value: Any = data.draw(any_of(kind))

    assert codec.decode_fact(kind.__name__, codec.encode(value)) == value


@pytest.mark.parametrize("kind", ORDERS, ids=lambda t: t.__name__)
@given(data=st.data())
@settings(max_examples=15)
def test_orders_come_back(kind: type, data: st.DataObject) -> None:
    value: Any = data.draw(any_of(kind))

    assert codec.decode_order(kind.__name__, codec.encode(value)) == value


@pytest.mark.parametrize(("life", "kind"), [(codec.TASK, RequesterTask), (codec.JOB, ProviderJob)])
@given(data=st.data())
@settings(max_examples=30)
def test_states_come_back(life: str, kind: type, data: st.DataObject) -> None:
    value: Any = data.draw(any_of(kind))

    back = codec.decode_state(life, codec.encode(value))
    assert back == value
    assert type(back) is kind


def test_an_unknown_kind_is_our_own_mistake() -> None:
    for decode in (codec.decode_fact, codec.decode_order, codec.decode_state):
        with pytest.raises(Bug, match="'Dreamt' that this version does not know"):
            decode("Dreamt", "{}")
