"""What chain followers say to each other over the mesh (docs/protocol.md, wire section): msgpack, sizes bounded.

Blocks are SCALE bytes (sealed header, vector of extrinsics) that only a chain host looks into.
"""

from typing import Annotated, TypeVar

import msgspec

from ainur_node.errors import Misbehaviour

VERSION = 1
BLOCKS, PART, GENESIS, EXTRINSIC = "chain.blocks", "chain.block_part", "chain.genesis", "chain.extrinsic"
MAX_WAIT_MS = 5000
"""How long an answer about blocks may be held back for the next one."""
MAX_ANSWER = 1 << 20
"""Bytes of blocks, or of a part, in one answer; a block that is larger travels in parts."""
MAX_BLOCK = 8 << 20
MAX_GENESIS = 64 << 20
MAX_EXTRINSIC = 1 << 20
MAX_COUNT = 64

_U16 = Annotated[int, msgspec.Meta(ge=0, lt=2**16)]
_U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_B32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Bytes = Annotated[bytes, msgspec.Meta(max_length=MAX_ANSWER)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all: unknown fields are refused, a new field is a new version."""


class BlocksWanted(Message, frozen=True):
    """Blocks behind block `after`, which has this hash; held back up to `wait_ms` while there is none."""

    v: _U16
    after: _U32
    hash: _B32
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_WAIT_MS)]


class Blocks(Message, frozen=True):
    """Consecutive blocks; `head` is the newest there. A first block of `large` bytes is to be asked for in parts."""

    v: _U16
    head: _U32
    blocks: Annotated[list[_Bytes], msgspec.Meta(max_length=MAX_COUNT)]
    large: Annotated[int, msgspec.Meta(ge=0, le=MAX_BLOCK)] = 0


class PartWanted(Message, frozen=True):
    """Bytes of block `number` from `offset` on; of the genesis specification for GENESIS, where `number` is 0."""

    v: _U16
    number: _U32
    offset: _U32


class Part(Message, frozen=True):
    """A piece of `size` bytes in all."""

    v: _U16
    size: _U32
    data: _Bytes


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """Bytes of a message."""
    return msgspec.msgpack.encode(message)


def decode(kind: type[M], raw: bytes) -> M:
    """A message of a peer; Misbehaviour when it is none, or of another version."""
    try:
        message = msgspec.msgpack.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Misbehaviour(f"not a {kind.__name__}: {exc}") from exc
    if getattr(message, "v", None) != VERSION:
        raise Misbehaviour(f"a {kind.__name__} of an unknown version")
    return message
