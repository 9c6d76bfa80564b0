"""Schemas of strangers: none of them ends a node, keeps it from other work, or has it fetch anything."""

import json
import socket
import time
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.market.schema import REFUSED, check, mismatch, schema_fault


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/nothing"},
        {"$ref": "#"},
        {"$dynamicRef": "#x"},
        {"$ref": "file:///etc/hostname"},
        {"pattern": "("},
        {"type": "bogus"},
        {"type": 5},
        {"minLength": "x"},
        {"multipleOf": 0},
        {"enum": 5},
        {"required": 5},
        {"properties": [1]},
        {"items": 5},
        {"$schema": "http://127.0.0.1:9/", "type": 5},
        {"not": {"$defs": {"pattern": {"$ref": "#"}}, "properties": {"pattern": {"pattern": "("}}}},
    ],
)
@pytest.mark.parametrize("document", [b'"a"', b"1", b'{"a": 1}', b"[1]"])
async def test_a_broken_schema_is_an_answer_and_no_crash(schema: dict[str, Any], document: bytes) -> None:
    why = await check(document, schema)

    assert why is None or isinstance(why, str)


FAN: dict[str, Any] = {
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": True},
    "$ref": "#/$defs/d0",
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [({"pattern": "^(a+)+$"}, "a" * 60 + "!"), ({"uniqueItems": True}, [{"a": n} for n in range(9_000)]), (FAN, 1)],
    ids=["expression", "unique", "fan"],
)
async def test_a_schema_that_never_ends_is_not_begun(schema: dict[str, Any], value: object) -> None:
    why = await check(json.dumps(value).encode(), schema)

    assert why is not None
    assert "cannot be applied" in why


async def test_nothing_is_fetched_for_a_reference() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0)

        why = await check(b"1", {"$ref": f"http://127.0.0.1:{listener.getsockname()[1]}/x"})

        assert why is not None
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_a_large_document_does_not_stop_the_loop() -> None:
    longest, last = 0.0, trio.current_time()

    async def turn() -> None:
        nonlocal longest, last
        while True:
            await trio.sleep(0.005)
            now = trio.current_time()
            longest, last = max(longest, now - last), now

    document = json.dumps(list(range(150_000))).encode()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn)
        assert await check(document, {"type": "array", "items": {"type": "integer"}}) is None
        nursery.cancel_scope.cancel()

    assert longest < 0.5


@pytest.mark.parametrize("keyword", sorted(REFUSED))
def test_keywords_that_fetch_loop_or_backtrack_are_refused(keyword: str) -> None:
    schema = {"properties": {"deep": {"items": {keyword: "http://localhost/"}}}}

    assert schema_fault(schema) == f"{keyword} may not be used"
    assert "cannot be applied" in (mismatch(b"{}", schema) or "")


def test_names_and_values_may_look_like_refused_keywords() -> None:
    schema = {"properties": {"pattern": {"type": "string", "enum": ["(a+)+$", {"$ref": "x"}]}}}

    assert schema_fault(schema) is None
    assert mismatch(b'{"pattern": "(a+)+$"}', schema) is None
    assert mismatch(b'{"pattern": 1}', schema) is not None


def test_too_much_work_is_refused_before_it_begins() -> None:
    schema: dict[str, Any] = {"items": {"anyOf": [{"minimum": n} for n in range(2_000)]}}

    assert "steps" in (mismatch(json.dumps([0] * 10_000).encode(), schema) or "")


@pytest.mark.parametrize("keyword", ["anyOf", "required", "enum"])
def test_a_schema_of_very_many_values_is_refused_before_it_is_checked(keyword: str) -> None:
    schema: dict[str, Any] = {keyword: [{} if keyword == "anyOf" else str(n) for n in range(9_000)]}
    began = time.perf_counter()

    assert "more than" in (schema_fault(schema) or "")
    assert time.perf_counter() - began < 0.5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=12,
)
keywords = st.sampled_from(
    ["type", "properties", "items", "allOf", "anyOf", "not", "if", "then", "minimum", "maxLength", "enum", "$ref"]
)
odd_schemas = st.recursive(
    st.sampled_from([True, False, None, 1, "object", "string", "x"]),
    lambda below: st.dictionaries(keywords, below, max_size=3) | st.lists(below, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(document=json_values, schema=odd_schemas)
def test_no_schema_and_no_document_raises(document: Any, schema: Any) -> None:
    if isinstance(schema, dict):
        schema_fault(schema)
        mismatch(json.dumps(document).encode(), schema)
