"""Frames of pubsub that no honest peer sends, by name."""

from __future__ import annotations

import hashlib
from typing import Any

from libp2p.pubsub.pb import rpc_pb2

RSA_LIKE_ID = bytes.fromhex("1220") + hashlib.sha256(b"key").digest()
INLINE_ID = bytes.fromhex("002408011220") + bytes(32)


def framed(rpc: rpc_pb2.RPC) -> bytes:
    """An RPC with its length in front, as a varint."""
    payload = rpc.SerializeToString()
    size, prefix = len(payload), b""
    while size >= 0x80:
        prefix += bytes([size & 0x7F | 0x80])
        size >>= 7
    return prefix + bytes([size]) + payload


def control(**fields: Any) -> bytes:
    """An RPC of control messages only."""
    return framed(rpc_pb2.RPC(control=rpc_pb2.ControlMessage(**fields)))


def pubsub_garbage(topic: str) -> dict[str, bytes]:
    """Every kind of attack, as the bytes of a stream; ``topic`` is one that the victim has joined."""

    def publish(**fields: Any) -> bytes:
        message = rpc_pb2.Message(**{"topicIDs": [topic], "data": b"x", "seqno": b"12345678", **fields})
        return framed(rpc_pb2.RPC(publish=[message]))

    crowd = [rpc_pb2.Message(topicIDs=[topic], from_id=INLINE_ID)] * 1000
    wishes = [rpc_pb2.RPC.SubOpts(subscribe=True, topicid=f"{n}") for n in range(30_000)]
    strangers = [rpc_pb2.PeerInfo(peerID=b"\xff", signedPeerRecord=b"garbage")] * 10
    nonsense = [rpc_pb2.ControlIHave(topicID=topic, messageIDs=[b"zz", b"", b"0" * 5000])] * 100
    return {
        "garbage protobuf behind a right length": b"\x05\xff\xff\xff\xff\xff",
        "empty frame": b"\x00",
        "endless varint": b"\xff" * 20,
        "frame of 4 GiB": b"\xff\xff\xff\xff\x0f" + b"x" * 100,
        "author without inline key, garbage key": publish(from_id=RSA_LIKE_ID, key=b"garbage", signature=b"s"),
        "author without inline key, no key": publish(from_id=RSA_LIKE_ID, signature=b"s" * 64),
        "bad signature": publish(from_id=INLINE_ID, signature=b"s" * 64),
        "no signature": publish(from_id=INLINE_ID),
        "empty author": publish(from_id=b"", signature=b"s"),
        "author of one byte": publish(from_id=b"\x00", signature=b"s"),
        "author is a long multihash": publish(from_id=b"\x00\xff" + bytes(300), signature=b"s"),
        "author is not a multihash": publish(from_id=b"\xff" * 38, signature=b"s" * 64),
        "author's key is of an unknown type": publish(from_id=b"\x00\x24\x08\x7f\x12\x20" + bytes(32), signature=b"s"),
        "no topic": publish(topicIDs=[], from_id=INLINE_ID),
        "many topics": publish(topicIDs=[f"t{n}" for n in range(1000)], from_id=INLINE_ID),
        "message too long": publish(from_id=INLINE_ID, data=bytes(200_000)),
        "a thousand messages": framed(rpc_pb2.RPC(publish=crowd)),
        "thirty thousand subscriptions": framed(rpc_pb2.RPC(subscriptions=wishes)),
        "bogus sender record": framed(rpc_pb2.RPC(senderRecord=b"garbage")),
        "ihave of nonsense": control(ihave=nonsense),
        "iwant of nonsense": control(iwant=[rpc_pb2.ControlIWant(messageIDs=[b"zz", b"00"] * 1000)] * 100),
        "graft of made-up topics": control(graft=[rpc_pb2.ControlGraft(topicID=f"made up {n}") for n in range(999)]),
        "prune with peers to dial": control(
            prune=[rpc_pb2.ControlPrune(topicID=topic, backoff=2**63, peers=strangers)]
        ),
        "idontwant of a million": control(idontwant=[rpc_pb2.ControlIDontWant(messageIDs=[b"\x01"] * 100_000)]),
    }
