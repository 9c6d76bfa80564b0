"""Every frame of the mesh as bytes and back: size first, then shape; whatever is odd becomes Misbehaviour.

A frame on a stream is a u32 big-endian length and that many bytes of msgpack, a map with a version `v`.
"""

from __future__ import annotations

import struct
from typing import Annotated, TypeVar

import msgspec

from ainur_node.errors import Misbehaviour

VERSION = 1
LENGTH = struct.Struct(">I")

MAX_HELLO = 4 * 1024
# The longest input or result, 1 MiB, and what travels with it: a salt, a receipt.
MAX_BODY = 1024 * 1024 + 4 * 1024
# The map around a body: version, id, method, or a refusal with its hint.
MAX_CALL_OVERHEAD = 1024
MAX_RPC_FRAME = MAX_BODY + MAX_CALL_OVERHEAD
MAX_GOSSIP_BODY = 64 * 1024
MAX_GOSSIP_FRAME = MAX_GOSSIP_BODY + 64
MAX_BLOB_REQUEST = 256
MAX_BLOB_HEADER = 1024
MAX_BLOB = 64 * 1024 * 1024
MAX_METHOD = 64
MAX_CODE = 64
MAX_HINT = 512
GOSSIP_ID_BYTES = 16

Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Version = Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)]
CallId = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Method = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_METHOD)]
Body = Annotated[bytes, msgspec.Meta(max_length=MAX_BODY)]
Label = Annotated[str, msgspec.Meta(max_length=64)]
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """First words on a new connection, from both sides; they must name one genesis."""

    v: Version = VERSION
    genesis: Hash
    network: Label
    versions: Annotated[list[Label], msgspec.Meta(max_length=16)]
    node: Label
    listen: Annotated[list[Address], msgspec.Meta(max_length=8)] = []


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request; `id` is chosen by the caller and unique among its open calls on the stream."""

    v: Version = VERSION
    id: CallId
    method: Method
    body: Body


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call was refused: a stable code and a hint for people."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CODE)]
    hint: Annotated[str, msgspec.Meta(max_length=MAX_HINT)] = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the call of the same id: a body or an error, never both."""

    v: Version = VERSION
    id: CallId
    body: Body | None = None
    error: Refusal | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a gossip message carries; `id` is random, so a restarted publisher never repeats one."""

    v: Version = VERSION
    id: Annotated[bytes, msgspec.Meta(min_length=GOSSIP_ID_BYTES, max_length=GOSSIP_ID_BYTES)]
    body: Annotated[bytes, msgspec.Meta(max_length=MAX_GOSSIP_BODY)]


class BlobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a blob from `offset` on, named by the sha-256 of the whole."""

    v: Version = VERSION
    sha256: Hash
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_BLOB)] = 0


class BlobHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a BlobRequest: the size of the whole, followed by the raw bytes; or an error and nothing."""

    v: Version = VERSION
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_BLOB)] = 0
    error: Refusal | None = None


_T = TypeVar("_T", bound=msgspec.Struct)
_encoder = msgspec.msgpack.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Msgpack bytes of one of the structures above, without the length."""
    return _encoder.encode(message)


def framed(payload: bytes) -> bytes:
    """Length and payload, ready for a stream."""
    return LENGTH.pack(len(payload)) + payload


def decode(kind: type[_T], payload: bytes, limit: int) -> _T:
    """One structure of `kind` from at most `limit` bytes, else Misbehaviour."""
    if len(payload) > limit:
        raise Misbehaviour(f"{kind.__name__} of {len(payload)} bytes, at most {limit} are allowed")
    try:
        return _decoder(kind).decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as exc:
        raise Misbehaviour(f"malformed {kind.__name__}: {exc}") from exc


_decoders: dict[type[msgspec.Struct], msgspec.msgpack.Decoder[msgspec.Struct]] = {}


def _decoder(kind: type[_T]) -> msgspec.msgpack.Decoder[_T]:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = msgspec.msgpack.Decoder(kind)
        _decoders[kind] = decoder
    return decoder  # type: ignore[return-value]  # keyed by its own type


def decode_hello(payload: bytes) -> Hello:
    """A Hello or Misbehaviour."""
    return decode(Hello, payload, MAX_HELLO)


def decode_call(payload: bytes) -> Call:
    """A Call or Misbehaviour."""
    return decode(Call, payload, MAX_RPC_FRAME)


def decode_answer(payload: bytes) -> Answer:
    """An Answer with exactly one of body and error, or Misbehaviour."""
    answer = decode(Answer, payload, MAX_RPC_FRAME)
    if (answer.body is None) == (answer.error is None):
        raise Misbehaviour("an answer has a body or an error")
    return answer


def decode_envelope(payload: bytes) -> Envelope:
    """A gossip Envelope or Misbehaviour."""
    return decode(Envelope, payload, MAX_GOSSIP_FRAME)


def decode_blob_request(payload: bytes) -> BlobRequest:
    """A BlobRequest or Misbehaviour."""
    return decode(BlobRequest, payload, MAX_BLOB_REQUEST)


def decode_blob_header(payload: bytes) -> BlobHeader:
    """A BlobHeader or Misbehaviour."""
    return decode(BlobHeader, payload, MAX_BLOB_HEADER)
