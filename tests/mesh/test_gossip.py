"""Gossip rules: who may say how much, what is heard once, and what is forwarded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2

from ainur_node.mesh import Topic, wire
from ainur_node.mesh.gossip import topic_name
from ainur_node.mesh.testing import GENESIS, OTHER_GENESIS, SETTINGS, Node, join, running, until


def signed(node: Node, data: bytes, *, topic: str = "tasks", seqno: int = 1) -> rpc_pb2.Message:
    """A message of `node` with a right signature over any data."""
    pubsub: Any = node._gossip._pubsub
    message = rpc_pb2.Message(
        data=data,
        topicIDs=[topic_name(Topic(topic), GENESIS)],
        from_id=pubsub.my_id.to_bytes(),
        seqno=seqno.to_bytes(8, "big"),
    )
    message.signature = pubsub.sign_key.sign(b"libp2p-pubsub:" + message.SerializeToString())
    return message


async def inject(sender: Node, victim: Node, *messages: rpc_pb2.Message) -> None:
    stream = await sender._host.new_stream(ID.from_base58(victim.peer_id), ["/meshsub/1.2.0"])
    for message in messages:
        payload = rpc_pb2.RPC(publish=[message]).SerializeToString()
        assert len(payload) < 2**14
        await stream.write(bytes([len(payload) & 0x7F | 0x80, len(payload) >> 7]) + payload)


def test_two_worlds_share_no_topic() -> None:
    ours = {topic_name(t, GENESIS) for t in Topic}

    assert len(ours) == 5
    assert f"/ainur/tasks/1/{GENESIS.hex()[:16]}" in ours
    assert not ours & {topic_name(t, OTHER_GENESIS) for t in Topic}


async def test_a_message_is_heard_once_however_often_it_is_sent() -> None:
    speaker, hearer = Node(0), Node(1)
    async with running(speaker, hearer):
        await join(speaker, hearer)
        heard = hearer.subscribe("tasks")
        data = wire.encode(wire.Envelope(id=bytes(16), body=b"once"))

        # The same bytes under several numbers of libp2p: only the id inside makes them one message.
        await inject(speaker, hearer, *[signed(speaker, data, seqno=n) for n in (1, 1, 2, 3)])
        await until(lambda: hearer.statistics().get("gossip_duplicates", 0) == 2)

        assert (await heard.receive()).body == b"once"
        assert hearer.statistics()["gossip_received"] == 1


async def test_an_author_over_its_rate_is_not_heard_and_others_are() -> None:
    hearer = Node(0, settings=replace(SETTINGS, gossip_author_rate=0.001, gossip_author_burst=3))
    noisy, quiet = Node(1), Node(2)
    async with running(hearer, noisy, quiet):
        await join(hearer, noisy, quiet)
        heard = hearer.subscribe("tasks")
        for n in range(10):
            await noisy.publish("tasks", bytes([n]))
        await until(lambda: hearer.statistics().get("gossip_rate_limited", 0) >= 7)
        await quiet.publish("tasks", b"quiet")

        bodies = []
        with trio.fail_after(5):
            while b"quiet" not in bodies:
                bodies.append((await heard.receive()).body)
        assert len(bodies) == 4


async def test_a_forwarder_over_its_rate_is_not_heard() -> None:
    settings = replace(SETTINGS, gossip_forwarder_rate=0.001, gossip_forwarder_burst=3)
    hearer, noisy, author = Node(0, settings=settings), Node(1), Node(2)
    async with running(hearer, noisy, author):
        await join(hearer, noisy)
        for n in range(10):
            body = wire.encode(wire.Envelope(id=bytes([n] * 16), body=b"of another"))
            await inject(noisy, hearer, signed(author, body, seqno=n + 1))
        await until(lambda: hearer.statistics().get("gossip_rate_limited", 0) == 7)
        assert hearer.statistics()["gossip_received"] == 3
        # What it says itself is counted apart.
        await noisy.publish("tasks", b"its own")
        await until(lambda: hearer.statistics()["gossip_received"] == 4)


async def test_a_newcomer_says_little_until_it_is_known_for_a_while() -> None:
    hearer, noisy = Node(0, settings=replace(SETTINGS, gossip_author_rate=0.001, gossip_newcomer_burst=3)), Node(1)
    async with running(hearer, noisy):
        await join(hearer, noisy)
        for n in range(10):
            await noisy.publish("tasks", bytes([n]))
        await until(lambda: hearer.statistics().get("gossip_rate_limited", 0) == 7)
        assert hearer.statistics()["gossip_received"] == 3


async def test_a_wrong_signature_counts_against_its_forwarder() -> None:
    speaker, hearer = Node(0), Node(1)
    async with running(speaker, hearer):
        await join(speaker, hearer)
        message = signed(speaker, wire.encode(wire.Envelope(id=bytes(16), body=b"x")))
        message.signature = bytes(64)

        await inject(speaker, hearer, message)

        await until(lambda: hearer.statistics().get("gossip_faults", 0) == 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        wire.encode(wire.BlobHeader()),
        wire.encode(wire.Envelope(id=bytes(15), body=b"")),
        wire.encode(wire.Envelope(id=bytes(16), body=b"x"))[:-1],
    ],
    ids=["empty", "no msgpack", "another frame", "short id", "cut"],
)
async def test_a_signed_message_without_a_right_envelope_counts_against_its_forwarder(data: bytes) -> None:
    speaker, hearer = Node(0), Node(1)
    async with running(speaker, hearer):
        await join(speaker, hearer)

        await inject(speaker, hearer, signed(speaker, data))

        await until(lambda: hearer.statistics().get("gossip_faults", 0) == 1)
        assert "gossip_received" not in hearer.statistics()


async def test_nobody_can_speak_in_the_name_of_the_hearer_or_of_another() -> None:
    speaker, hearer, third = Node(0), Node(1), Node(2)
    async with running(speaker, hearer, third):
        await join(speaker, hearer, third)
        heard = hearer.subscribe("tasks")
        forged = signed(speaker, wire.encode(wire.Envelope(id=bytes(16), body=b"forged")))
        for name in (hearer, third):
            copy = rpc_pb2.Message.FromString(forged.SerializeToString())
            copy.from_id = ID.from_base58(name.peer_id).to_bytes()
            await inject(speaker, hearer, copy)
        await speaker.publish("tasks", b"true")

        with trio.fail_after(5):
            gossip = await heard.receive()
        assert (gossip.author, gossip.body) == (speaker.peer_id, b"true")


async def test_gossip_crosses_a_node_in_between() -> None:
    # The two ends never meet: their look-ups through the middle are switched off.
    ends = [Node(0), Node(2)]
    middle = Node(1)
    for node in (*ends, middle):
        node._dht.note_met = lambda _peer: None  # type: ignore[method-assign]
        node._meetings.on_met.clear()
    async with running(*ends, middle):
        await join(ends[0], middle)
        await join(middle, ends[1])
        heard = ends[1].subscribe("agents")

        await until(lambda: ends[1].peer_id in middle.gossip_peers("agents"))
        await ends[0].publish("agents", b"across")

        with trio.fail_after(5):
            gossip = await heard.receive()
        assert (gossip.author, gossip.body) == (ends[0].peer_id, b"across")
        assert [p.peer_id for p in ends[0].peers()] == [middle.peer_id]


async def test_a_burst_of_a_whole_day_of_auctions_arrives() -> None:
    # A newcomer would have to be known for some seconds first.
    known = replace(SETTINGS, gossip_newcomer_burst=400, gossip_known_after=0)
    speaker, hearer = Node(0), Node(1, settings=known)
    async with running(speaker, hearer):
        await join(speaker, hearer)
        heard = hearer.subscribe("auctions", capacity=400)

        for n in range(300):
            await speaker.publish("auctions", n.to_bytes(2, "big"))

        with trio.fail_after(10):
            bodies = [(await heard.receive()).body for _ in range(300)]
        assert sorted(bodies) == [n.to_bytes(2, "big") for n in range(300)]


async def test_a_restarted_node_is_heard_at_once() -> None:
    hearer = Node(0)
    async with running(hearer):
        heard = hearer.subscribe("tasks")
        for life in range(2):
            speaker = Node(1)
            async with running(speaker):
                await join(speaker, hearer)
                for n in range(3):
                    await speaker.publish("tasks", bytes([life, n]))
                with trio.fail_after(5):
                    assert [(await heard.receive()).body for _ in range(3)] == [bytes([life, n]) for n in range(3)]
            await until(lambda: not hearer.peers())


async def test_streams_that_break_while_the_connection_lives_are_made_again_in_both_directions() -> None:
    one, other = Node(0), Node(1)
    async with running(one, other):
        await join(one, other)
        for breaker, partner in ((one, other), (other, one)):
            lost = breaker._gossip._pubsub.peers[ID.from_base58(partner.peer_id)]
            await lost.reset()
            await breaker.publish("tasks", b"nobody hears this")
            await until(lambda b=breaker, p=partner, s=lost: _stream(b, p) not in (None, s))

        for speaker, hearer in ((one, other), (other, one)):
            heard = hearer.subscribe("tasks")
            await speaker.publish("tasks", b"at once")
            with trio.fail_after(5):
                assert (await heard.receive()).body == b"at once"


def _stream(node: Node, peer: Node) -> Any:
    return node._gossip._pubsub.peers.get(ID.from_base58(peer.peer_id))
