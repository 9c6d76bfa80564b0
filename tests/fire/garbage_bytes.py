"""Bytes that no honest peer sends: on a stream, in a call, in a gossip message, on a socket."""

from __future__ import annotations

import inspect
import random
import struct
from typing import Any

import msgspec
from libp2p.pubsub.pb import rpc_pb2
from nacl.signing import SigningKey
from pubsub_garbage import framed, pubsub_garbage

from ainur_node.market import messages
from ainur_node.mesh import dht_records, wire

KINDS = [
    kind
    for module in (messages, dht_records)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, msgspec.Struct) and kind.__struct_fields__
]
HASH = bytes(range(32))
LONG = 20_000
RIGHT = [
    wire.Hello(genesis=HASH, network="n", versions=["/ainur/rpc/1"], node="x", listen=["/ip4/1.2.3.4/tcp/5"]),
    wire.Call(id=7, method="dht.find", body=b"b"),
    wire.Answer(id=7, body=b""),
    wire.BlobRequest(sha256=HASH, offset=5),
    wire.BlobRequest(sha256=HASH, offset=wire.MAX_BLOB),
    wire.BlobHeader(size=5),
]
BOMBS = [b"\x91" * 50_000, b"\x81\xa1v" * 10_000, b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff\xa1v", b"\xc6" * 9]
LIES = [{"sha256": HASH, "offset": n} for n in (-1, 2**63, 2**64 - 1, wire.MAX_BLOB + 1, 1.5, "0", None, True)]


def stream_garbage(dice: random.Random) -> bytes:
    """What may come on a stream of frames with a length of four bytes, or of anything else."""
    match dice.randrange(10):
        case 0:
            return b""
        case 1:
            return dice.randbytes(dice.randrange(1, 64))
        case 2:
            return dice.randbytes(4096)
        case 3:
            return wire.framed(dice.randbytes(dice.randrange(1, 200)))
        case 4:
            return struct.pack(">I", dice.choice([2**32 - 1, 2**31, 1 << 24, 5000])) + b"x" * dice.randrange(100)
        case 5:
            return wire.framed(dice.choice(BOMBS))
        case 6:
            return b"\xff" * dice.choice([20, 64_000])
        case 7:
            return wire.framed(msgspec.msgpack.encode(dice.choice(LIES)))
        case 8:
            return wire.framed(bytes(dice.choice([4 * 1024, 200])))
        case _:
            return damaged(dice, wire.framed(wire.encode(dice.choice(RIGHT))))


def damaged(dice: random.Random, frame: bytes) -> bytes:
    """A right frame with a few bytes changed, or cut off."""
    changed = bytearray(frame)
    for _ in range(dice.randrange(1, 4)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed[: dice.randrange(len(changed) + 1)]) if dice.random() < 0.3 else bytes(changed)


def body_garbage(dice: random.Random, ids: list[bytes]) -> bytes:
    """What may stand in a call; ``ids`` are names of real things, put where names belong."""
    match dice.randrange(8):
        case 0:
            return b""
        case 1:
            return dice.randbytes(dice.randrange(1, 300))
        case 2:
            return dice.choice(BOMBS)
        case 3:
            return dice.randbytes(60_000) if dice.random() < 0.1 else dice.randbytes(600)
        case _:
            kind = dice.choice(KINDS)
            fields = {name: _value(dice, ids) for name in kind.__struct_fields__ if dice.random() < 0.95}
            return msgspec.msgpack.encode(fields)


def _value(dice: random.Random, ids: list[bytes]) -> Any:
    return dice.choice(
        [
            *(dice.choice(ids), dice.randbytes(32), dice.randbytes(64), bytes(32), b"", b"\xff" * 16),
            *(0, 1, -1, 2**31, 2**63 - 1, 2**64 - 1, "", "no_hold", "é" * 20, None, True, 0.5, [], {}),
            [dice.randbytes(32)] * dice.randrange(12),
        ]
    )


def topic_message(dice: random.Random, topic: str, seed: bytes, number: int, heard: list[bytes]) -> Any:
    """A gossip message, mostly signed as it should be; what it carries is garbage at one level or another."""
    key = SigningKey(seed)
    body = dice.choice([dice.randbytes(dice.randrange(200)), body_garbage(dice, heard)[: wire.MAX_GOSSIP_BODY]])
    envelope = wire.encode(wire.Envelope(id=dice.randbytes(16), body=body))
    data = dice.choice([envelope, envelope, envelope, dice.randbytes(50), envelope[:-1], b"", b"\x91" * 1000])
    author = bytes.fromhex("002408011220") + bytes(key.verify_key)
    message = rpc_pb2.Message(from_id=author, data=data, seqno=number.to_bytes(8, "big"), topicIDs=[topic])
    right = key.sign(b"libp2p-pubsub:" + message.SerializeToString()).signature
    message.signature = right if dice.random() < 0.9 else dice.randbytes(64)
    return message


def topic_frame(dice: random.Random, topic: str, seed: bytes, count: int, heard: list[bytes]) -> bytes:
    """One frame of pubsub with so many messages."""
    several = [topic_message(dice, topic, seed, dice.getrandbits(62), heard) for _ in range(count)]
    return framed(rpc_pb2.RPC(publish=several))


class PubsubGarbage:
    """All attacks of the table in turn, and random bytes between them."""

    def __init__(self, dice: random.Random, topic: str) -> None:
        self._dice = dice
        attacks = pubsub_garbage(topic).values()
        self._short = [attack for attack in attacks if len(attack) < LONG]
        self._long = [attack for attack in attacks if len(attack) >= LONG]
        self._turn = dice.randrange(100)

    def __call__(self) -> bytes:
        """The next one."""
        self._turn += 1
        if self._turn % 3 == 0:
            size = self._dice.randrange(1, 100)
            return bytes([size]) + self._dice.randbytes(size)
        attacks = self._long if self._turn % 16 == 0 else self._short
        return attacks[self._turn // 3 % len(attacks)]
