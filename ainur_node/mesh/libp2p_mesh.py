"""The mesh on py-libp2p: the adapter of ports.Mesh. Nothing of libp2p is seen from outside this package."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from multiaddr import Multiaddr

from ainur_node.domain.ids import NodeKey, PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import blobs, calls, hardening, meeting
from ainur_node.mesh.dht import FIND, PUT, Dht
from ainur_node.mesh.dht_records import MAX_FIND_REQUEST, MAX_PUT_REQUEST
from ainur_node.mesh.gossip import GossipChannels
from ainur_node.mesh.host import build_host, check_listen
from ainur_node.mesh.peers import Peer, Standing, peer_id_of, split_address
from ainur_node.mesh.records import Subscription, WrongWorld
from ainur_node.mesh.settings import BlobSource, Counters, MeshSettings
from ainur_node.mesh.streams import FramedStream
from ainur_node.ports import Handler, Observer

log = structlog.get_logger("mesh")

SUBSCRIPTION_CAPACITY = 256
_SHUTDOWN_SECONDS = 3.0
_DHT_LIMITS: dict[str, Any] = {"per_peer_per_second": 50.0, "concurrent": 32}


class Libp2pMesh:
    """One node on the mesh. `run` has to be running for anything but `serve` and `subscribe`."""

    peer_id: PeerId
    node_key: NodeKey

    def __init__(
        self,
        settings: MeshSettings,
        node_seed: bytes,
        genesis_hash: bytes,
        blob_source: BlobSource,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self._seed = node_seed
        self.node_key = NodeKey(create_new_key_pair(node_seed).public_key.to_bytes())
        self.peer_id = peer_id_of(self.node_key)
        self._counters = Counters(observer)
        clock = time.monotonic
        standing = Standing(
            limit=settings.strikes_to_ban,
            fade_per_second=settings.strikes_fade_per_second,
            ban_seconds=settings.ban_seconds,
            capacity=4096,
            clock=clock,
        )
        self._meetings = meeting.Meetings(settings, genesis_hash, self._counters, standing)
        strike = self._meetings.strike
        self._gossip = GossipChannels(settings, genesis_hash, self._counters, strike)
        open_line = partial(self._open_stream, calls.PROTOCOL)
        self._caller = calls.Caller(settings, self._counters, strike, open_line)
        self._answerer = calls.Answerer(settings, self._counters, strike, clock)
        self._answerer.on_bug = self._note_bug  # type: ignore[method-assign]
        self._blob_server = blobs.BlobServer(settings, self._counters, blob_source)
        open_blob = partial(self._open_stream, blobs.PROTOCOL)
        self._blob_fetcher = blobs.BlobFetcher(settings, self._counters, strike, open_blob)
        self._dht = Dht(
            settings,
            node_seed,
            self.node_key,
            genesis_hash,
            self._counters,
            self._meetings,
            self._caller.request,
            self._meetings.own_addresses,
        )
        self._answerer.serve(FIND, self._dht.answer_find, **_DHT_LIMITS, max_body=MAX_FIND_REQUEST)
        self._answerer.serve(PUT, self._dht.answer_put, **_DHT_LIMITS, max_body=MAX_PUT_REQUEST)
        self._meetings.on_met += [self._gossip.airtime.note_met, self._dht.note_met, self._note_met]
        self._meetings.on_lost += [self._gossip.airtime.note_lost, self._caller.forget, self._note_lost]
        self._meetings.on_wrong_world.append(self._note_wrong_world)
        self._host: Any = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen and serve until cancelled; ready when the addresses are known; Transient when a port is taken."""
        check_listen(self._settings)
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._run_shielded, stop)
            log.info("mesh_listening", peer=self.peer_id, addresses=self.addresses())
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                stop.set()

    async def _run_shielded(self, stop: trio.Event, *, task_status: trio.TaskStatus[None]) -> None:
        # Cancelling libp2p's tasks leaves sockets open, and peers go on believing that we are there. So they
        # are shielded from the cancellation that ends `run`, told to close, and only then cancelled.
        host = build_host(self._settings, self._seed, self._note_fault)
        self._meetings.attach(host)
        self._gossip.attach(host)
        host.set_stream_handler(calls.PROTOCOL, partial(self._only_met, self._answerer.answer_stream))
        host.set_stream_handler(blobs.PROTOCOL, partial(self._only_met, self._blob_server.answer_stream))
        self._host = host
        try:
            with trio.CancelScope(shield=True) as scope:
                async with (
                    host.run(listen_addrs=[Multiaddr(a) for a in self._settings.listen]),
                    self._gossip.running(),
                    trio.open_nursery() as nursery,
                ):
                    hardening.guard_tasks(host.get_network().manager, self._note_task)
                    await nursery.start(self._meetings.run)
                    await nursery.start(self._caller.run)
                    await nursery.start(self._dht.run)
                    task_status.started()
                    await stop.wait()
                    with trio.move_on_after(_SHUTDOWN_SECONDS):
                        await self._meetings.close()
                        await host.close()
                    scope.cancel()
        finally:
            self._host = None

    def addresses(self) -> list[str]:
        """Multiaddrs at which others reach this node, each ending in /p2p/<peer id>."""
        if self._host is None:
            return []
        return [f"{a}/p2p/{self.peer_id}" for a in self._meetings.own_addresses()]

    async def publish(self, topic: str, body: bytes) -> None:
        """Tell every node of the topic; at most 64 KiB; not delivered to this node itself."""
        await self._gossip.publish(topic, body)

    def subscribe(self, topic: str, capacity: int = SUBSCRIPTION_CAPACITY) -> Subscription:
        """Hear a topic from now on."""
        return self._gossip.subscribe(topic, capacity)

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer; Transient when it cannot be reached in time, RemoteRefusal when it says no."""
        return await self._caller.request(peer, method, body, timeout)

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        """Answer requests of one method; a RemoteRefusal raised by the handler travels as code and hint."""
        self._answerer.serve(
            method, handler, max_body=max_body, per_peer_per_second=per_peer_per_second, concurrent=concurrent
        )

    async def provide(self, key: bytes) -> None:
        """Announce that this node has the bytes named `key`, now and again while it runs.

        With nobody to tell, the next nodes that come are told.
        """
        await self._dht.provide(key)

    async def find_providers(self, key: bytes, limit: int = 20) -> list[PeerId]:
        """Nodes with a valid signed record about `key`, connected ones first, never this node."""
        return await self._dht.find_providers(key, limit)

    async def fetch_blob(self, sha256: bytes, size: int, peers: Sequence[PeerId], *, timeout: float) -> bytes:
        """Bytes by hash, at most `size` of them, from whichever peer has them; Transient when none does."""
        return await self._blob_fetcher.fetch(sha256, size, peers, timeout)

    def peers(self) -> list[Peer]:
        """Peers that are connected and of our world."""
        return self._meetings.peers()

    async def connect(self, address: str) -> PeerId:
        """Be connected to '/…/p2p/ID'; Transient when unreachable, WrongWorld when of another genesis."""
        if self._host is None:
            raise Transient("the mesh is not running")
        transport, peer_id = split_address(address)
        await self._meetings.reach(peer_id, (transport,))
        return peer_id

    def strike(self, peer: PeerId, reason: str) -> None:
        """Lower the standing of a peer whose answer turned out to be bad; at the limit it is banned for a while."""
        self._meetings.strike(peer, reason)

    def wrong_worlds(self) -> list[WrongWorld]:
        """The latest peers that were refused for their genesis, for people to see."""
        return list(self._meetings.wrong_worlds.values())

    def gossip_peers(self, topic: str) -> set[str]:
        """Peers known to listen to `topic`."""
        return self._gossip.listeners(topic)

    def serves(self) -> dict[str, list[str]]:
        """What a stranger may talk to: protocols of the running host, topics it has joined, methods it answers."""
        handlers = self._host.get_mux().handlers if self._host is not None else {}
        return {
            "protocols": sorted(str(protocol) for protocol in handlers if protocol),
            "topics": self._gossip.joined(),
            "methods": self._answerer.methods(),
        }

    def statistics(self) -> dict[str, int | float]:
        """Counters since the start and the number of peers now."""
        return {**self._counters.values, "peers": len(self._meetings.peers())}

    async def _open_stream(self, protocol: str, peer_id: str) -> FramedStream:
        if self._host is None:
            raise Transient("the mesh is not running")
        return await self._meetings.open_stream(peer_id, protocol)

    async def _only_met(self, handler: Any, stream: Any) -> None:
        """Serve a stream only after the hellos; a peer may be a little ahead of us."""
        try:
            await self._meetings.wait_met(str(stream.muxed_conn.peer_id))
        except WrongWorld as exc:
            raise Transient(str(exc)) from exc
        await handler(stream)

    def _note_fault(self, peer_id: str, exc: Exception) -> None:
        self._counters.count("stream_faults")
        if isinstance(exc, ExceptionGroup):
            exc = next((e for e in exc.exceptions if isinstance(e, Misbehaviour)), exc)
        if isinstance(exc, Misbehaviour):
            self._meetings.strike(peer_id, str(exc))
        elif not isinstance(exc, (Transient, ExceptionGroup)):
            log.debug("stream_fault", peer=peer_id, fault=repr(exc))

    def _note_task(self, task: str, exc: Exception) -> None:
        self._counters.count("connection_faults")
        log.debug("connection_fault", task=task, fault=repr(exc))

    def _note_met(self, peer_id: PeerId) -> None:
        log.info("peer_met", peer=peer_id)

    def _note_lost(self, peer_id: PeerId) -> None:
        log.info("peer_lost", peer=peer_id)

    def _note_wrong_world(self, refusal: WrongWorld) -> None:
        log.warning("wrong_world", peer=refusal.peer_id, ours=refusal.ours.hex(), theirs=refusal.theirs.hex())

    def _note_bug(self, method: str, exc: Exception) -> None:
        log.error("handler_bug", method=method, fault=repr(exc), exc_info=exc)
