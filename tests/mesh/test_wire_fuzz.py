"""Every decoder, fed with anything: a value or Misbehaviour, nothing else."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from libp2p.exceptions import ParseError
from libp2p.io.exceptions import IncompleteReadError
from libp2p.utils import varint
from pubsub_garbage import pubsub_garbage

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import admission, dht_records, gossip, tuning, wire
from ainur_node.mesh.dht_records import Contact, Find, Found, Kept, Put, Record
from ainur_node.mesh.peers import node_key_of, peer_id_of, split_address
from ainur_node.mesh.streams import FramedStream

DECODERS: dict[str, Callable[[bytes], object]] = {
    "hello": wire.decode_hello,
    "call": wire.decode_call,
    "answer": wire.decode_answer,
    "refusal": wire.decode_answer,
    "envelope": wire.decode_envelope,
    "blob request": wire.decode_blob_request,
    "blob header": wire.decode_blob_header,
    "find": lambda b: wire.decode(Find, b, dht_records.MAX_FIND_REQUEST),
    "found": lambda b: wire.decode(Found, b, dht_records.MAX_FIND_ANSWER),
    "put": lambda b: wire.decode(Put, b, dht_records.MAX_PUT_REQUEST),
    "kept": lambda b: wire.decode(Kept, b, dht_records.MAX_PUT_ANSWER),
}

HASH = bytes(range(32))
RECORD = Record(key=HASH, node=HASH, seq=1, until=2, addresses=["/ip4/1.2.3.4/tcp/5"], signature=bytes(64))
SAMPLES: dict[str, msgspec.Struct] = {
    "hello": wire.Hello(genesis=HASH, network="n", versions=["/ainur/rpc/1"], node="x", listen=["/a"]),
    "call": wire.Call(id=7, method="m", body=b"b"),
    "answer": wire.Answer(id=7, body=b""),
    "refusal": wire.Answer(id=7, error=wire.Refusal(code="busy", hint="later")),
    "envelope": wire.Envelope(id=bytes(16), body=b"b"),
    "blob request": wire.BlobRequest(sha256=HASH, offset=5),
    "blob header": wire.BlobHeader(size=5),
    "find": Find(key=HASH),
    "found": Found(records=[RECORD], closer=[Contact(node=HASH, addresses=["/a"])]),
    "put": Put(record=RECORD),
    "kept": Kept(kept=True),
}

# Msgpack of any shape, and among it maps with our own keys and odd values.
KEYS = st.sampled_from(["v", "id", "method", "body", "error", "genesis", "sha256", "offset", "size", "key", "records"])
SCALARS = [
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=80),
]
ODD = st.recursive(
    st.one_of(SCALARS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)


def value_or_misbehaviour(decode: Callable[[bytes], object], data: bytes) -> None:
    with contextlib.suppress(Misbehaviour):
        decode(data)


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    value_or_misbehaviour(DECODERS[name], data)


@pytest.mark.parametrize("name", DECODERS)
@given(value=ODD)
def test_any_msgpack(name: str, value: object) -> None:
    value_or_misbehaviour(DECODERS[name], msgspec.msgpack.encode(value))


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_right_frames_with_damage(name: str, data: st.DataObject) -> None:
    frame = bytearray(wire.encode(SAMPLES[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(frame)))

    value_or_misbehaviour(DECODERS[name], bytes(frame))
    value_or_misbehaviour(DECODERS[name], bytes(frame[:cut]))


@pytest.mark.parametrize("name", DECODERS)
def test_what_is_encoded_is_decoded(name: str) -> None:
    assert DECODERS[name](wire.encode(SAMPLES[name])) == SAMPLES[name]


BOMBS = [
    b"\x91" * 50_000,
    b"\x81\xa1v" * 10_000,
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff\xa1v",
    b"\xc6\xff\xff\xff\xff",
]


@pytest.mark.parametrize("name", DECODERS)
def test_deep_and_wide_bombs(name: str) -> None:
    for bomb in BOMBS:
        with pytest.raises(Misbehaviour):
            DECODERS[name](bomb)


@pytest.mark.parametrize("name", DECODERS)
def test_another_version_or_none_where_it_is_needed(name: str) -> None:
    fields = msgspec.to_builtins(SAMPLES[name], builtin_types=(bytes,))

    with pytest.raises(Misbehaviour):
        DECODERS[name](msgspec.msgpack.encode({**fields, "v": 2}))
    with pytest.raises(Misbehaviour):
        DECODERS[name](msgspec.msgpack.encode({**fields, "v": True}))


def test_size_is_checked_before_anything_is_decoded() -> None:
    with pytest.raises(Misbehaviour, match="at most"):
        wire.decode_hello(bytes(wire.MAX_HELLO + 1))
    with pytest.raises(Misbehaviour, match="at most"):
        wire.decode_blob_request(bytes(wire.MAX_BLOB_REQUEST + 1))


def test_an_answer_with_both_or_neither_of_body_and_error_is_refused() -> None:
    for answer in [wire.Answer(id=1), wire.Answer(id=1, body=b"", error=wire.Refusal(code="x"))]:
        with pytest.raises(Misbehaviour):
            wire.decode_answer(wire.encode(answer))


class Pieces:
    """A stream that gives its bytes in the pieces it was made of, then ends."""

    class muxed_conn:  # noqa: N801 # reason: named as in libp2p
        peer_id = "peer"

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [p for p in pieces if p]

    async def read(self, _n: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""


def test_frames_come_out_whole_however_the_bytes_arrive() -> None:
    @given(st.lists(st.binary(max_size=50), max_size=5), st.data())
    def check(frames: list[bytes], data: st.DataObject) -> None:
        raw = b"".join(map(wire.framed, frames))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
        pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]

        async def read_all() -> list[bytes]:
            stream, got = FramedStream(Pieces(pieces)), []
            while (frame := await stream.read_frame(50)) is not None:
                got.append(frame)
            return got

        assert trio.run(read_all) == frames

    check()


def test_any_bytes_on_a_stream_are_frames_or_a_fault() -> None:
    @given(st.binary(max_size=200))
    def check(raw: bytes) -> None:
        async def read_all() -> None:
            stream = FramedStream(Pieces([raw]))
            while await stream.read_frame(100) is not None:
                pass

        with contextlib.suppress(Misbehaviour, Transient):
            trio.run(read_all)

    check()


async def test_a_long_frame_is_refused_by_its_length_alone() -> None:
    stream = FramedStream(Pieces([struct.pack(">I", 2**32 - 1)]))

    with pytest.raises(Misbehaviour):
        await stream.read_frame(100)


@given(st.binary(max_size=12))
def test_gossip_frame_lengths(data: bytes) -> None:
    value_or_misbehaviour(lambda b: gossip._read_varint(bytearray(b)), data)


@given(st.binary(max_size=60))
def test_gossip_authors(data: bytes) -> None:
    value_or_misbehaviour(gossip._author, data)


@given(st.text(max_size=80))
def test_peer_ids(text: str) -> None:
    value_or_misbehaviour(lambda _: node_key_of(text), b"")


@given(st.binary(min_size=32, max_size=32))
def test_node_keys_and_peer_ids_are_the_same_thing(node_key: bytes) -> None:
    assert node_key_of(peer_id_of(node_key)) == node_key


@given(st.text(max_size=80))
def test_addresses(text: str) -> None:
    with contextlib.suppress(ValueError):
        split_address(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_protocol_name_or_a_parse_error(raw: bytes) -> None:
    tuning.install()
    admission.install()

    async def read() -> bytes:
        return await varint.read_delim(Pieces([raw[at : at + 3] for at in range(0, len(raw), 3)]))  # type: ignore[arg-type]

    with contextlib.suppress(ParseError, IncompleteReadError):
        assert len(trio.run(read)) < admission.MAX_NEGOTIATION


class Taken:
    """What a pubsub node does with the parts of a frame, noted instead of done."""

    max_subscriptions_per_rpc = 5

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self._gossip = SimpleNamespace(admits=lambda _peer, message: self.parts.append(message) or True)
        self.router = SimpleNamespace(handle_rpc=self.take)

    async def push_msg(self, _sender: Any, message: Any) -> None:
        self.parts.append(message)

    def _is_msg_seen(self, _message: Any) -> bool:
        return False

    def handle_subscription(self, _sender: Any, subscription: Any) -> None:
        self.parts.append(subscription)

    async def take(self, rpc: Any, _sender: Any) -> None:
        self.parts.append(rpc)


PUBSUB = [frame for frame in pubsub_garbage("t").values() if len(frame) < 20_000]
BENT = st.builds(
    lambda frame, at, byte, cut: (frame[: at % (len(frame) + 1)] + bytes([byte]) + frame[at % (len(frame) + 1) + 1 :])[
        :cut
    ],
    st.sampled_from(PUBSUB),
    st.integers(0, 20_000),
    st.integers(0, 255),
    st.integers(1, 20_000),
)


@given(st.binary(max_size=300) | BENT)
def test_any_bytes_are_a_pubsub_frame_or_misbehaviour(payload: bytes) -> None:
    taken: Any = Taken()
    with contextlib.suppress(Misbehaviour):
        trio.run(gossip._Pubsub._take, taken, None, "peer", payload)
    assert len(taken.parts) <= 2 * gossip.MAX_MESSAGES_PER_RPC + taken.max_subscriptions_per_rpc + 1
