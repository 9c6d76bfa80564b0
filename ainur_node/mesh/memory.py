"""A mesh in memory: the same interface and limits as the real one, with faults to switch on."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import trio
from nacl.signing import SigningKey

from ainur_node.domain.ids import NodeKey, PeerId
from ainur_node.errors import Transient
from ainur_node.mesh import wire
from ainur_node.mesh.calls import Answerer, body_of
from ainur_node.mesh.peers import Peer, peer_id_of, split_address
from ainur_node.mesh.records import Subscription, Topic, WrongWorld
from ainur_node.mesh.settings import BlobSource, Counters, MeshSettings
from ainur_node.ports import Gossip, Handler, Observer

SUBSCRIPTION_CAPACITY = 256


@dataclass(slots=True)
class Faults:
    """What goes wrong, as chances from 0 to 1; delays in seconds of trio's clock.

    A dropped request reaches nobody and its caller waits for its timeout; a duplicated one is handled twice
    and answered once; a duplicated gossip message is heard twice.
    """

    drop_gossip: float = 0.0
    drop_requests: float = 0.0
    drop_answers: float = 0.0
    duplicate: float = 0.0
    least_delay: float = 0.0
    most_delay: float = 0.0


class MemoryNetwork:
    """Joins all its running nodes of one genesis; `cut` parts two of them."""

    def __init__(self, seed: int = 0) -> None:
        self.faults = Faults()
        self.nodes: dict[PeerId, MemoryMesh] = {}
        self.providers: dict[bytes, dict[PeerId, None]] = {}
        self._random = random.Random(seed)  # noqa: S311 # reason: faults are to be repeatable
        self._cuts: set[frozenset[PeerId]] = set()

    def cut(self, one: PeerId, other: PeerId) -> None:
        """Nothing passes between the two until `heal`."""
        self._cuts.add(frozenset((one, other)))

    def heal(self) -> None:
        """Undo every cut."""
        self._cuts.clear()

    def reachable(self, one: MemoryMesh, other: MemoryMesh) -> bool:
        """Whether the two could talk now."""
        joined = one.genesis_hash == other.genesis_hash
        return joined and one.is_running and other.is_running and not self._is_cut(one, other)

    def _is_cut(self, one: MemoryMesh, other: MemoryMesh) -> bool:
        return frozenset((one.peer_id, other.peer_id)) in self._cuts

    def happens(self, chance: float) -> bool:
        """Throw the dice."""
        return chance > 0 and self._random.random() < chance

    async def delay(self) -> None:
        """Wait as long as a message takes."""
        await trio.sleep(self._random.uniform(self.faults.least_delay, self.faults.most_delay))


class MemoryMesh:
    """One node of a MemoryNetwork; fits ports.Mesh like Libp2pMesh does."""

    peer_id: PeerId
    node_key: NodeKey

    def __init__(
        self,
        network: MemoryNetwork,
        node_seed: bytes,
        genesis_hash: bytes,
        blob_source: BlobSource,
        observer: Observer | None = None,
        settings: MeshSettings | None = None,
    ) -> None:
        self.genesis_hash = genesis_hash
        self.node_key = NodeKey(bytes(SigningKey(node_seed).verify_key))
        self.peer_id = peer_id_of(self.node_key)
        self.is_running = False
        self.bugs: list[tuple[str, Exception]] = []
        self._network = network
        self._settings = settings or MeshSettings()
        self._blob_source = blob_source
        self._counters = Counters(observer)
        self._answerer = Answerer(self._settings, self._counters, self._strike, trio.current_time)
        self._answerer.on_bug = self._note_bug  # type: ignore[method-assign]
        self._subscriptions: dict[str, list[Subscription]] = {t: [] for t in Topic}
        self._since = 0.0
        self._nursery: trio.Nursery | None = None
        network.nodes[self.peer_id] = self

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Be there until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._since = time.time()
            self.is_running = True
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self.is_running = False
                self._nursery = None

    def addresses(self) -> list[str]:
        """One address that only this network understands."""
        return [f"/memory/0/p2p/{self.peer_id}"] if self.is_running else []

    async def connect(self, address: str) -> PeerId:
        """Transient when the peer is not there, WrongWorld when it is of another genesis."""
        _, peer_id = split_address(address)
        other = self._network.nodes.get(peer_id)
        if other is not None and other.is_running and other.genesis_hash != self.genesis_hash:
            raise WrongWorld(peer_id, self.genesis_hash, other.genesis_hash)
        await trio.lowlevel.checkpoint()
        if other is None or not self._network.reachable(self, other):
            raise Transient(f"{peer_id} cannot be reached")
        return peer_id

    def peers(self) -> list[Peer]:
        """Every node that could be asked now."""
        return [Peer(o.peer_id, tuple(o.addresses()), o._since) for o in self._others()]

    async def publish(self, topic: str, body: bytes) -> None:
        """Tell every other node; at most 64 KiB."""
        if len(body) > wire.MAX_GOSSIP_BODY:
            raise ValueError(f"gossip body of {len(body)} bytes, at most {wire.MAX_GOSSIP_BODY} are allowed")
        name = Topic(topic)
        if self._nursery is None:
            raise Transient("the mesh is not running")
        self._counters.count("gossip_published")
        for other in self._others():
            self._nursery.start_soon(self._carry, other, name, body)
        await trio.lowlevel.checkpoint()

    def subscribe(self, topic: str, capacity: int = SUBSCRIPTION_CAPACITY) -> Subscription:
        """Hear a topic from now on."""
        subscription = Subscription(capacity)
        self._subscriptions[Topic(topic)].append(subscription)
        return subscription

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer; Transient when it cannot be reached in time, RemoteRefusal when it says no."""
        if len(body) > wire.MAX_BODY:
            raise ValueError(f"request of {len(body)} bytes, at most {wire.MAX_BODY} are allowed")
        other = self._network.nodes.get(peer)
        if other is None or not self._network.reachable(self, other):
            await trio.lowlevel.checkpoint()
            raise Transient(f"{peer} cannot be reached")
        self._counters.count("requests_sent")
        answer: wire.Answer | None = None
        faults = self._network.faults
        with trio.move_on_after(timeout) as scope:
            await self._network.delay()
            if self._network.happens(faults.drop_requests):
                await trio.sleep_forever()
            call = wire.Call(id=0, method=method, body=body)
            if self._network.happens(faults.duplicate):
                await other._answerer.handle(self.peer_id, call)
            answer = await other._answerer.handle(self.peer_id, call)
            if self._network.happens(faults.drop_answers):
                await trio.sleep_forever()
            await self._network.delay()
        if scope.cancelled_caught or answer is None:
            raise Transient(f"{peer} did not answer {method} within {timeout:g} s")
        return body_of(answer, peer, method)

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        """Answer requests of one method."""
        self._answerer.serve(
            method, handler, max_body=max_body, per_peer_per_second=per_peer_per_second, concurrent=concurrent
        )

    async def provide(self, key: bytes) -> None:
        """Announce that this node has the bytes named `key`."""
        await trio.lowlevel.checkpoint()
        self._network.providers.setdefault(key, {})[self.peer_id] = None

    async def find_providers(self, key: bytes, limit: int = 20) -> list[PeerId]:
        """Other nodes that announced `key` and are there."""
        await self._network.delay()
        there = {other.peer_id for other in self._others()}
        return [p for p in self._network.providers.get(key, ()) if p in there][:limit]

    async def fetch_blob(self, sha256: bytes, size: int, peers: Sequence[PeerId], *, timeout: float) -> bytes:
        """Bytes by hash, at most `size` of them, from whichever peer has them; Transient when none does."""
        with trio.move_on_after(timeout):
            for peer in dict.fromkeys(peers):
                await self._network.delay()
                other = self._network.nodes.get(peer)
                if other is None or not self._network.reachable(self, other):
                    continue
                data = await other._blob_source.open(sha256, self.peer_id)
                if data is not None and len(data) <= size and hashlib.sha256(data).digest() == sha256:
                    return data
        raise Transient(f"blob {sha256.hex()} could not be fetched")

    def strike(self, peer: PeerId, reason: str) -> None:
        """Count it."""
        self._strike(peer, reason)

    def wrong_worlds(self) -> list[WrongWorld]:
        """Nobody of another genesis comes by here."""
        return []

    def statistics(self) -> dict[str, int | float]:
        """Counters since the start and the number of peers now."""
        return {**self._counters.values, "peers": len(self.peers())}

    def _others(self) -> Iterable[MemoryMesh]:
        return [o for o in self._network.nodes.values() if o is not self and self._network.reachable(self, o)]

    async def _carry(self, other: MemoryMesh, topic: Topic, body: bytes) -> None:
        if self._network.happens(self._network.faults.drop_gossip):
            return
        await self._network.delay()
        if not self._network.reachable(self, other):
            return
        times = 2 if self._network.happens(self._network.faults.duplicate) else 1
        for _ in range(times):
            other._hear(topic, Gossip(self.peer_id, body))

    def _hear(self, topic: Topic, gossip: Gossip) -> None:
        self._counters.count("gossip_received")
        for subscription in list(self._subscriptions[topic]):
            if subscription.closed:
                self._subscriptions[topic].remove(subscription)
            elif not subscription.put(gossip):
                self._counters.count("gossip_dropped")

    def _strike(self, _peer_id: str, _reason: str) -> None:
        self._counters.count("strikes")

    def _note_bug(self, method: str, exc: Exception) -> None:
        self.bugs.append((method, exc))
