"""A running node under attack by a peer that knows the protocols: it survives and goes on serving others."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr
from pubsub_garbage import control, pubsub_garbage

from ainur_node.mesh import flow
from ainur_node.mesh.gossip import topic_name
from ainur_node.mesh.records import Topic
from ainur_node.mesh.testing import GENESIS, SETTINGS, Node, join, running, seed, until

# Nobody is banned here, so that every attack arrives.
PATIENT = replace(SETTINGS, strikes_to_ban=1e9)
MESHSUB = ["/meshsub/1.1.0", "/meshsub/1.2.0"]
TOPIC = topic_name(Topic.TASKS, GENESIS)


class Siege:
    """A victim, an honest client of it, and an attacker; all three have met."""

    def __init__(self) -> None:
        self.victim = Node(0, settings=PATIENT)
        self.honest = Node(1)
        self.attacker = Node(2)

    async def open(self, protocol: str) -> Any:
        return await self.attacker._host.new_stream(ID.from_base58(self.victim.peer_id), [protocol])

    def raw_connection(self) -> Any:
        """The attacker's end of the encrypted connection, below the stream muxer."""
        network = self.attacker._host.get_network()
        return network.get_connections(ID.from_base58(self.victim.peer_id))[0].muxed_conn

    async def still_serves(self) -> None:
        heard = self.victim.subscribe("tasks")
        assert await self.honest.request(self.victim.peer_id, "echo", b"alive", timeout=5) == b"alive"
        with trio.fail_after(5):
            await self.honest.publish("tasks", b"still here")
            while (await heard.receive()).body != b"still here":
                pass
        heard.close()


async def echo(_peer: str, body: bytes) -> bytes:
    return body


@asynccontextmanager
async def siege() -> AsyncIterator[Siege]:
    under = Siege()
    async with running(under.victim, under.honest, under.attacker):
        under.victim.serve("echo", echo, max_body=1000, per_peer_per_second=1000, concurrent=10)
        await join(under.victim, under.honest, under.attacker)
        yield under
        await under.still_serves()


PUBSUB_ATTACKS = pubsub_garbage(TOPIC)


async def test_pubsub_garbage_of_every_kind() -> None:
    async with siege() as under:
        for attack in PUBSUB_ATTACKS.values():
            for protocol in MESHSUB:
                stream = await under.open(protocol)
                with suppress(Exception):
                    await stream.write(attack)
                    await stream.close()
        await until(lambda: under.victim.statistics().get("gossip_faults", 0) > 10)


async def test_made_up_topics_leave_nothing_behind() -> None:
    async with siege() as under:
        stream = await under.open(MESHSUB[1])
        for _ in range(20):
            await stream.write(PUBSUB_ATTACKS["graft of made-up topics"])
            await stream.write(control(prune=[rpc_pb2.ControlPrune(topicID=f"p{n}") for n in range(60)]))
            await stream.write(control(ihave=[rpc_pb2.ControlIHave(topicID=f"i{n}") for n in range(60)]))
        await under.still_serves()
        router: Any = under.victim._gossip._router
        tracked = [*router.back_off, *router.mesh]
        for per_topic in (*router.graft_flood_tracking.values(), *router.ihave_message_limits.values()):
            tracked += per_topic
        assert {t for t in tracked if not t.startswith("/ainur/")} == set()


async def test_a_validator_that_raises() -> None:
    async with siege() as under:

        def explode(_forwarder: Any, _message: Any) -> bool:
            raise RuntimeError("a bug of ours")

        pubsub: Any = under.victim._gossip._pubsub
        whole = pubsub.topic_validators[TOPIC]
        pubsub.set_topic_validator(TOPIC, explode, False)
        await under.attacker.publish("tasks", b"boom")
        await until(lambda: under.victim.statistics().get("gossip_faults", 0) >= 1)
        pubsub.topic_validators[TOPIC] = whole


async def test_a_heartbeat_that_raises_beats_on() -> None:
    async with siege() as under:
        router: Any = under.victim._gossip._router
        beat, beats = router.gossip_heartbeat, []

        def stumble() -> Any:
            beats.append(1)
            if len(beats) == 1:
                raise RuntimeError("dictionary changed size during iteration")
            return beat()

        router.heartbeat_interval = 0.1
        router.gossip_heartbeat = stumble
        await until(lambda: len(beats) >= 3)
        assert under.victim.statistics()["gossip_tasks_failed"] == 1


async def test_a_connection_task_that_raises() -> None:
    async with siege() as under:

        async def explode() -> None:
            raise RuntimeError("a bug of libp2p")

        under.victim._host.get_network().manager.run_task(explode)
        await until(lambda: under.victim.statistics().get("connection_faults", 0) == 1)


async def test_nothing_is_kept_of_a_peer_that_left_but_its_addresses() -> None:
    async with siege() as under:
        peerstore = under.victim._host.get_peerstore()
        await until(lambda: peerstore.has_peer(ID.from_base58(under.attacker.peer_id)))
        await under.attacker._host.get_network().close_peer(ID.from_base58(under.victim.peer_id))
        await until(lambda: not peerstore.has_peer(ID.from_base58(under.attacker.peer_id)))
        assert under.victim._meetings.book.addresses(under.attacker.peer_id)


async def test_a_stream_handler_that_raises() -> None:
    async with siege() as under:

        async def explode(_stream: Any) -> None:
            raise RuntimeError("a bug of ours")

        under.victim._host.set_stream_handler("/boom/1", explode)
        for _ in range(5):
            await under.open("/boom/1")
        await until(lambda: under.victim.statistics().get("stream_faults", 0) >= 5)


async def test_garbage_on_every_protocol_the_host_lists() -> None:
    dice = random.Random(1)
    garbage = [
        b"",
        b"\x00" * 4,
        b"\xff" * 64,
        struct.pack(">I", 5) + b"\xc1\xc1\xc1\xc1\xc1",
        struct.pack(">I", 2**31) + b"x",
        struct.pack(">I", 100) + b"half a frame",
        b"\x80" * 200,
        dice.randbytes(10_000),
    ]
    async with siege() as under:
        serves = under.victim.serves()
        protocols = serves["protocols"]
        assert protocols == sorted(str(p) for p in under.victim._host.multiselect.handlers if p)
        assert {"/ainur/hello/1", "/ainur/rpc/1", "/ainur/blob/1", *MESHSUB} <= set(protocols)
        assert serves["topics"] == sorted(topic_name(topic, GENESIS) for topic in Topic)
        assert serves["methods"] == ["dht.find", "dht.put", "echo"]
        for protocol in protocols:
            for data in garbage:
                with suppress(Exception):
                    stream = await under.open(protocol)
                    await stream.write(data)
                    await stream.close()
        await under.still_serves()


async def test_garbage_and_crowds_on_the_tcp_port() -> None:
    async with siege() as under:
        port = int(under.victim.addresses()[0].split("/")[4])
        crowd = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(60)]
        for number, stream in enumerate(crowd):
            with suppress(trio.BrokenResourceError):
                await stream.send_all(
                    [b"GET / HTTP/1.1\r\n\r\n", b"\x13/multistream/1.0.0\n" * 50, b"\x00" * 999][number % 3]
                )
        for _ in range(50):
            await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
        await under.still_serves()
        for stream in crowd:
            await trio.aclose_forcefully(stream)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" * 12,
        struct.pack("!BBHII", 0, 0, 0, 1, 2**32 - 1),
        struct.pack("!BBHII", 0, 0, 1, 2**32 - 1, 2**24) + b"x",
        struct.pack("!BBHII", 0, 9, 0xFFFF, 7, 7) * 100,
        struct.pack("!BBHII", 0, 1, 0, 1, 2**32 - 1) * 100,
        struct.pack("!BBHII", 0, 3, 0, 0, 99),
        b"\x00\x00",
    ],
    ids=["ones", "4 GiB", "SYN 16 MiB", "unknown type", "window overflow", "go away", "half a header"],
)
async def test_garbage_below_the_streams(frame: bytes) -> None:
    async with siege() as under:
        connection = under.raw_connection()
        await connection.secured_conn.write(frame)
        await connection.secured_conn.close()
        await until(lambda: under.victim.statistics().get("peers_lost", 0) >= 1)


async def test_a_connection_cut_without_a_word() -> None:
    async with siege() as under:
        raw: Any = under.raw_connection().secured_conn
        while not isinstance(getattr(raw, "stream", None), trio.SocketStream):
            raw = next(
                getattr(raw, name)
                for name in ("conn", "raw_conn", "read_writer", "read_write_closer", "stream")
                if getattr(raw, name, None) is not None
            )
        raw.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.stream.socket.close()
        await until(lambda: under.victim.statistics().get("peers_lost", 0) >= 1)


async def test_hundreds_of_streams_that_never_say_what_they_want() -> None:
    async with siege() as under:
        connection = under.raw_connection()
        for number in range(300):
            await connection.secured_conn.write(struct.pack("!BBHII", 0, 1, 1, 10_001 + 2 * number, 0))
        await under.still_serves()
        victims_end = under.victim._host.get_network().get_connections(ID.from_base58(under.attacker.peer_id))
        assert sum(len(c.get_streams()) for c in victims_end) <= SETTINGS.max_streams_per_peer + 20


async def test_a_peer_that_ignores_its_window_cannot_fill_the_memory() -> None:
    async with siege() as under:
        connection = under.raw_connection()
        await connection.secured_conn.write(struct.pack("!BBHII", 0, 1, 1, 20_001, 0))
        frame = struct.pack("!BBHII", 0, 0, 0, 20_001, 60_000) + bytes(60_000)
        with suppress(Exception):
            for _ in range(200):
                await connection.secured_conn.write(frame)
                assert flow.held_by_all() <= flow.MAX_STREAM_BUFFER
        await until(lambda: under.victim.statistics().get("peers_lost", 0) >= 1)
        assert flow.held_by_all() < 1000


async def test_a_plaintext_client_is_refused() -> None:
    victim = Node(0)
    key_pair = create_new_key_pair(seed(5))
    plain = new_host(
        key_pair=key_pair,
        sec_opt={PLAINTEXT_PROTOCOL_ID: InsecureTransport(key_pair)},
        muxer_opt={YAMUX: Yamux},
    )
    async with running(victim), plain.run([Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        with pytest.raises(Exception, match="unable to connect"):
            await plain.connect(info_from_p2p_addr(Multiaddr(victim.addresses()[0])))
        await plain.close()


async def test_a_peer_with_too_many_faults_is_dropped_and_banned() -> None:
    victim, attacker = Node(0, settings=replace(SETTINGS, strikes_to_ban=3)), Node(1)
    async with running(victim, attacker):
        await join(victim, attacker)
        for _ in range(4):
            with suppress(Exception):
                stream = await attacker._host.new_stream(ID.from_base58(victim.peer_id), ["/ainur/rpc/1"])
                await stream.write(struct.pack(">I", 3) + b"\xc1\xc1\xc1")

        await until(lambda: not victim.peers() and not attacker.peers())

        assert victim.statistics()["bans"] == 1
        with suppress(Exception):
            await attacker.connect(victim.addresses()[0])
        await until(lambda: victim.statistics().get("banned_refused", 0) >= 1)
        assert victim.peers() == []
