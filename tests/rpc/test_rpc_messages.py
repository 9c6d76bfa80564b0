"""Frames and messages of the local protocol: a value or Misbehaviour, nothing else."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.errors import Misbehaviour
from ainur_node.rpc import frames, messages

idents = st.integers(0, messages.MAX_ID)
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
maps = st.dictionaries(st.text(), values, max_size=5)
credit_left = st.integers(0, messages.MAX_CREDIT)
from_client = st.one_of(
    st.builds(messages.Hello, idents),
    st.builds(messages.Request, idents, st.text(min_size=1, max_size=messages.MAX_METHOD), maps, credit_left),
    st.builds(messages.Cancel, idents),
    st.builds(messages.Credit, idents, credit_left),
)
problems = st.builds(messages.Problem, st.text(), st.text(), st.integers(0, 255), maps)
from_server = st.one_of(
    st.builds(messages.Hello, idents),
    st.builds(messages.Result, idents, maps),
    st.builds(messages.Failure, idents, problems),
    st.builds(messages.Item, idents, maps),
    st.builds(messages.End, idents),
)


@given(from_client)
def test_what_a_client_says_is_heard_unchanged(message: Any) -> None:
    assert messages.decode_from_client(messages.encode(message)) == message


@given(from_server)
def test_what_a_node_says_is_heard_unchanged(message: Any) -> None:
    assert messages.decode_from_server(messages.encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_misbehaviour(body: bytes) -> None:
    for decode in (messages.decode_from_client, messages.decode_from_server):
        with contextlib.suppress(Misbehaviour):
            decode(body)


keys = st.sampled_from(["v", "id", "method", "params", "credit", "cancel", "more", "result", "item", "end", "error"])


@given(st.dictionaries(keys | st.text(max_size=3), values, max_size=5))
def test_any_map_is_a_message_or_misbehaviour(record: dict[str, Any]) -> None:
    body = msgspec.msgpack.encode(record)
    for decode in (messages.decode_from_client, messages.decode_from_server):
        with contextlib.suppress(Misbehaviour):
            decode(body)


@given(st.dictionaries(st.sampled_from(["code", "hint", "exit", "details"]), values, max_size=4))
def test_any_error_map_is_a_failure_or_misbehaviour(error: dict[str, Any]) -> None:
    with contextlib.suppress(Misbehaviour):
        messages.decode_from_server(msgspec.msgpack.encode({"id": 1, "error": error}))


def test_nesting_without_end_is_misbehaviour() -> None:
    body = b"\x82\xa2id\x01\xa6result\x81\xa1a" + b"\x91" * 100_000

    with pytest.raises(Misbehaviour):
        messages.decode_from_server(body)


@given(st.lists(st.binary(max_size=60), max_size=8), st.data())
def test_frames_survive_being_cut_anywhere(bodies: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(frames.frame(body) for body in bodies)
    reader, heard = frames.FrameReader(), []

    while wire:
        cut = data.draw(st.integers(1, len(wire)))
        heard += reader.feed(wire[:cut])
        wire = wire[cut:]

    assert heard == bodies
    assert not reader.inside


@given(st.binary(max_size=300))
def test_a_reader_of_garbage_keeps_no_more_than_a_frame(garbage: bytes) -> None:
    reader = frames.FrameReader(limit=64)

    try:
        bodies = reader.feed(garbage)
    except Misbehaviour:
        return
    assert all(len(body) <= 64 for body in bodies)


def test_a_length_above_the_limit_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(Misbehaviour):
        frames.FrameReader().feed((frames.MAX_FRAME + 1).to_bytes(4, "big"))


def test_a_body_above_the_limit_is_not_sent() -> None:
    with pytest.raises(ValueError, match="above the limit"):
        frames.frame(bytes(frames.MAX_FRAME + 1))
