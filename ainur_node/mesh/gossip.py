"""Gossip: GossipSub behind a read loop of our own, with caps, rate limits, own message ids and own dedupe."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, PROTOCOL_ID_V12, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import wire
from ainur_node.mesh.airtime import Airtime
from ainur_node.mesh.hardening import guard_tasks
from ainur_node.mesh.limits import RateLimit, SeenSet
from ainur_node.mesh.peers import peer_id_of
from ainur_node.mesh.records import Subscription, Topic
from ainur_node.mesh.settings import Counters, MeshSettings
from ainur_node.ports import Gossip

# One RPC may carry several messages; a peer that sends more in one frame is not one of ours.
MAX_RPC = 1024 * 1024
MAX_MESSAGES_PER_RPC = 256
MAX_CONTROL_PER_RPC = 64
MAX_IDS_PER_CONTROL = 512
# Each costs a look-up or two, all of them in one go.
MAX_IDS_PER_RPC = 2048
# Listeners that hear our own messages from us directly.
FLOOD_PEERS = 32
_READ = 64 * 1024

Strike = Callable[[str, str], None]


def topic_name(topic: Topic, genesis_hash: bytes) -> str:
    """Name on the wire: two worlds never share a topic."""
    return f"/ainur/{topic.value}/1/{genesis_hash.hex()[:16]}"


class _Router(GossipSub):
    """GossipSub that looks only at control messages about our topics, and at few of them.

    Stock keeps state per topic name that a peer makes up, without bound.
    """

    names: frozenset[str] = frozenset()
    on_fault: Callable[[str, Exception], None]

    async def heartbeat(self) -> None:
        while True:
            try:
                await super().heartbeat()
            except Exception as exc:  # noqa: BLE001 # reason: peers come and go under its loops; it must beat on
                self.on_fault("heartbeat", exc)
                await trio.sleep(self.heartbeat_interval)

    async def handle_rpc(self, rpc: Any, sender_peer_id: Any) -> None:
        rpc.ClearField("senderRecord")
        control, ids = rpc.control, MAX_IDS_PER_RPC
        for field in ("ihave", "iwant", "graft", "prune", "idontwant"):
            entries = getattr(control, field)
            del entries[MAX_CONTROL_PER_RPC:]
            for index in reversed(range(len(entries))):
                if not self._concerns_us(entries[index]):
                    del entries[index]
            for entry in entries:
                if hasattr(entry, "messageIDs"):
                    del entry.messageIDs[min(MAX_IDS_PER_CONTROL, ids) :]
                    ids -= len(entry.messageIDs)
                if field == "prune":
                    entry.ClearField("peers")  # peer exchange is off: it would make us dial what a peer names
        await super().handle_rpc(rpc, sender_peer_id)

    def _concerns_us(self, entry: Any) -> bool:
        return not hasattr(entry, "topicID") or entry.topicID in self.names

    def _get_peers_to_send(self, topic_ids: Any, msg_forwarder: Any, origin: Any, msg_id: bytes | None = None) -> Any:
        """The mesh, and more of the listeners while it is thin.

        A mesh takes heartbeats to form, and a back-off after a restart keeps a peer out of it for a minute; what
        is said meanwhile would reach nobody. So our own messages go to every listener, forwarded ones to a few.
        """
        chosen = set(super()._get_peers_to_send(topic_ids, msg_forwarder, origin, msg_id))
        wanted = FLOOD_PEERS if origin == self.pubsub.my_id else self.degree
        if len(chosen) < wanted:
            listeners = {p for t in topic_ids for p in self.pubsub.peer_topics.get(t, ()) if p in self.peer_protocol}
            listeners -= chosen | {msg_forwarder, origin}
            unwanted = self.dont_send_message_ids
            others = [p for p in listeners if msg_id not in unwanted.get(p, ())]
            chosen.update(random.sample(others, min(len(others), wanted - len(chosen))))
        yield from chosen

    def remove_peer(self, peer_id: Any) -> None:
        super().remove_peer(peer_id)
        # A peer that comes back is a new one to us; stock keeps the back-off of its former life.
        for until in self.back_off.values():
            until.pop(peer_id, None)

    def send_rpc(self, peer_id: Any, rpc: Any, priority: bool = False) -> None:
        # A signed record of 200 bytes with each message costs a signature check per receiver; identify has it.
        rpc.ClearField("senderRecord")
        # What we pass on for others may wait; what we say ourselves may not.
        own = len(rpc.publish) > 0 and rpc.publish[0].from_id == self.pubsub.my_id.to_bytes()
        super().send_rpc(peer_id, rpc, priority or own)


class _Pubsub(Pubsub):
    """Pubsub whose read loop survives every byte string."""

    def __init__(self, host: Any, router: _Router, gossip: GossipChannels, names: frozenset[str]) -> None:
        super().__init__(
            host,
            router,
            strict_signing=True,
            max_inbound_rpc_size=MAX_RPC,
            allowed_topics=names,
            max_subscriptions_per_peer=len(names),
        )
        self._gossip = gossip
        # Stock remembers without bound and sweeps from a thread of its own.
        self.seen_messages._stop_event.set()  # type: ignore[has-type]
        self.seen_messages = gossip.seen_ids
        # The stock counter starts at whole seconds, so a busy node that restarts would reuse numbers.
        self.counter = time.time_ns()

    async def continuously_read_stream(self, stream: Any) -> None:
        sender = stream.muxed_conn.peer_id
        peer_id = str(sender)
        buffer = bytearray()
        try:
            while self.manager.is_running:
                size, skip = _read_varint(buffer)
                while size is None or len(buffer) < skip + size:
                    data = await stream.read(_READ)
                    if not data:
                        return
                    buffer += data
                    size, skip = _read_varint(buffer)
                payload = bytes(buffer[skip : skip + size])
                del buffer[: skip + size]
                await self._take(sender, peer_id, payload)
        except Misbehaviour as exc:
            self._gossip.fault(peer_id, str(exc))
            await stream.reset()
            self._handle_dead_peer(sender)
        except Exception as exc:  # noqa: BLE001 # reason: the ways a stream ends are spread over ten classes
            self._gossip.note_end(exc)

    async def _take(self, sender: Any, peer_id: str, payload: bytes) -> None:
        try:
            rpc = rpc_pb2.RPC.FromString(payload)
        except Exception as exc:  # reason: google.protobuf.message.DecodeError and ValueError of bad strings
            raise Misbehaviour("pubsub frame is not protobuf") from exc
        if len(rpc.publish) > MAX_MESSAGES_PER_RPC or len(rpc.subscriptions) > self.max_subscriptions_per_rpc:
            raise Misbehaviour("pubsub frame with too many entries")
        for message in rpc.publish:
            if not self._is_msg_seen(message) and self._gossip.admits(peer_id, message):
                await self.push_msg(sender, message)
                # A signature takes a while, and the stock path to it never lets anybody else run.
                await trio.lowlevel.checkpoint()
        for subscription in rpc.subscriptions:
            self.handle_subscription(sender, subscription)
        if rpc.HasField("control"):
            await self.router.handle_rpc(rpc, sender)

    def _handle_dead_peer(self, peer_id: Any) -> None:
        joined = [topic for topic, peers in self.peer_topics.items() if peer_id in peers]
        try:
            super()._handle_dead_peer(peer_id)
            if self._peer_is_connected(peer_id):
                # Only our stream broke, for instance while one of us stood still. Stock opens it again, but forgets
                # what the peer listens to, and the peer, whose own stream may be whole, never tells again.
                for topic in joined:
                    self.handle_subscription(peer_id, rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic))
        except Exception as exc:  # noqa: BLE001 # reason: called from a task whose end would end the process
            self._gossip.note_end(exc)

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception as exc:  # reason: bad keys in a message raise from deep inside
            if msg_forwarder == self.my_id:
                raise
            self._gossip.fault(str(msg_forwarder), f"bad message: {exc!r}")


def _read_varint(buffer: bytearray) -> tuple[int | None, int]:
    """(value, length) of the unsigned varint at the start; (None, 0) when it is not complete yet."""
    value = 0
    for index in range(min(len(buffer), 5)):
        byte = buffer[index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value > MAX_RPC:
                raise Misbehaviour(f"pubsub frame of {value} bytes")
            return value, index + 1
    if len(buffer) >= 5:
        raise Misbehaviour("pubsub frame length is no varint")
    return None, 0


class GossipChannels:
    """The five topics: publish, subscribe, and everything that is checked in between."""

    def __init__(self, settings: MeshSettings, genesis_hash: bytes, counters: Counters, strike: Strike) -> None:
        self._settings = settings
        self._counters = counters
        self._strike = strike
        self._names = {topic_name(t, genesis_hash): t for t in Topic}
        self._wire_names = {t: name for name, t in self._names.items()}
        self._subscriptions: dict[str, list[Subscription]] = {t: [] for t in Topic}
        now = time.monotonic
        self.seen_ids = SeenSet(settings.gossip_seen_capacity, settings.gossip_seen_seconds, now)
        self._seen_envelopes = SeenSet(settings.gossip_seen_capacity, settings.gossip_seen_seconds, now)
        self._authors = RateLimit(settings.gossip_author_rate, settings.gossip_author_burst, 4096, now)
        self.airtime = Airtime(settings, counters)
        self._pubsub: _Pubsub | None = None
        self._router: _Router | None = None

    def attach(self, host: Any) -> None:
        """Register the protocols on the host, before it listens."""
        names = frozenset(self._names)
        router = _Router(
            protocols=[TProtocol(PROTOCOL_ID_V12), TProtocol(PROTOCOL_ID_V11)],
            degree=6,
            degree_low=4,
            degree_high=12,
            gossip_window=3,
            gossip_history=5,
            heartbeat_initial_delay=0.5,
            heartbeat_interval=1,
            # These three of libp2p's own limits misfire: they count a forwarder as an author, slow the
            # heartbeat to a minute, and prune peers that share an IP address.
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
            max_idontwant_messages=1000,
        )
        router.names = names
        router.on_fault = self._note_task
        self._router = router
        self._pubsub = _Pubsub(host, router, self, names)
        for name in names:
            self._pubsub.set_topic_validator(name, self._validate, False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the services; all topics are joined, because a node forwards only what it has joined."""
        assert self._pubsub is not None
        async with background_trio_service(self._pubsub) as first, background_trio_service(self._router) as second:
            guard_tasks(first, self._note_task)
            guard_tasks(second, self._note_task)
            await self._pubsub.wait_until_ready()
            for name in self._names:
                await self._pubsub.subscribe(name)
                # libp2p's own queue is never read: messages are handed out by the validator's verdict below.
                self._pubsub.subscribed_topics_send[name] = self._deliveries
            yield

    @property
    def _deliveries(self) -> _Deliveries:
        return _Deliveries(self._deliver)

    def subscribe(self, topic: str, capacity: int) -> Subscription:
        """Messages of other nodes on `topic` from now on, until the subscription is closed."""
        subscription = Subscription(capacity)
        self._subscriptions[Topic(topic)].append(subscription)
        return subscription

    async def publish(self, topic: str, body: bytes) -> None:
        """Sign and spread; returns when queued to the peers, not when anyone has it."""
        if len(body) > wire.MAX_GOSSIP_BODY:
            # libp2p would drop a message that is too long without a word.
            raise ValueError(f"gossip body of {len(body)} bytes, at most {wire.MAX_GOSSIP_BODY} are allowed")
        if self._pubsub is None:
            raise Transient("the mesh is not running")
        envelope = wire.Envelope(id=secrets.token_bytes(wire.GOSSIP_ID_BYTES), body=body)
        self._counters.count("gossip_published")
        await self._pubsub.publish(self._wire_names[Topic(topic)], wire.encode(envelope))

    def admits(self, forwarder: str, message: Any) -> bool:
        """The cheap questions, before any signature is checked."""
        if len(message.topicIDs) != 1 or message.topicIDs[0] not in self._names:
            self._counters.count("gossip_foreign")
            return False
        if len(message.data) > wire.MAX_GOSSIP_FRAME:
            self.fault(forwarder, "gossip message too long")
            return False
        try:
            # Keys of other kinds are read by slow and winding ways.
            author = _author(message.from_id)
        except Misbehaviour as exc:
            self.fault(forwarder, str(exc))
            return False
        return self.airtime.grants(forwarder, author)

    def _validate(self, forwarder: Any, message: Any) -> bool:
        """Verdict on a message with a right signature; a refused one is neither delivered nor forwarded."""
        try:
            if message.from_id == forwarder.to_bytes() == self._own_id():
                return True
            author = _author(message.from_id)
            wire.decode_envelope(message.data)
        except Misbehaviour as exc:
            self.fault(str(forwarder), str(exc))
            return False
        if not self._authors.allows(author):
            self._counters.count("gossip_rate_limited")
            return False
        return True

    def _own_id(self) -> bytes:
        assert self._pubsub is not None
        return bytes(self._pubsub.my_id.to_bytes())

    def _deliver(self, message: Any) -> None:
        if message.from_id == self._own_id():
            return
        envelope = wire.decode_envelope(message.data)
        if not self._seen_envelopes.add(message.from_id + envelope.id):
            self._counters.count("gossip_duplicates")
            return
        self._counters.count("gossip_received")
        topic = self._names[message.topicIDs[0]]
        gossip = Gossip(_author(message.from_id), envelope.body)
        for subscription in list(self._subscriptions[topic]):
            if subscription.closed:
                self._subscriptions[topic].remove(subscription)
            elif not subscription.put(gossip):
                self._counters.count("gossip_dropped")

    def fault(self, peer_id: str, reason: str) -> None:
        """A peer sent pubsub garbage."""
        self._counters.count("gossip_faults")
        self._strike(peer_id, reason)

    def note_end(self, _exc: Exception) -> None:
        """A pubsub stream ended."""
        self._counters.count("gossip_streams_ended")

    def _note_task(self, _name: str, _exc: Exception) -> None:
        self._counters.count("gossip_tasks_failed")

    def peers(self) -> set[str]:
        """Peers with whom gossip is flowing."""
        return {str(p) for p in self._pubsub.peers} if self._pubsub is not None else set()

    def joined(self) -> list[str]:
        """Names on the wire of the topics that this host is subscribed to."""
        return sorted(self._pubsub.topic_ids) if self._pubsub is not None else []

    def listeners(self, topic: str) -> set[str]:
        """Peers known to have joined `topic`."""
        if self._pubsub is None:
            return set()
        return {str(p) for p in self._pubsub.peer_topics.get(self._wire_names[Topic(topic)], ())}


class _Deliveries:
    """Stands where libp2p has its subscription queue and hands messages on at once."""

    def __init__(self, deliver: Callable[[Any], None]) -> None:
        self._deliver = deliver

    def send_nowait(self, message: Any) -> None:
        self._deliver(message)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def _author(from_id: bytes) -> PeerId:
    """Peer id of an author whose key is inside its id; others cannot be ours."""
    if len(from_id) != 38 or not from_id.startswith(bytes.fromhex("002408011220")):
        raise Misbehaviour("author is not an ed25519 peer id")
    return peer_id_of(from_id[6:])
