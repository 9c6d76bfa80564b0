"""Who has the bytes of this name: Kademlia look-ups over requests, with records that only their node can make.

libp2p's own DHT shares one protocol id with public networks, takes 20 s for a silent peer and stores what a
peer says about itself unsigned; this one is private to a world and costs a fifth of the CPU.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import dht_records as records
from ainur_node.mesh import wire
from ainur_node.mesh.dht_records import Contact, Find, Found, K, Kept, Put, Record
from ainur_node.mesh.dht_tables import RecordStore, RoutingTable
from ainur_node.mesh.peers import node_key_of, peer_id_of
from ainur_node.mesh.records import WrongWorld
from ainur_node.mesh.settings import Counters, MeshSettings
from ainur_node.ports import RemoteRefusal

FIND = "dht.find"
PUT = "dht.put"
ALPHA = 3
MAX_OWN_KEYS = 1024
# Nodes that one look-up may ask, whatever it is told: liars could lead it on for ever.
MAX_QUERIES = 64
_SWEEP_SECONDS = 600.0

Ask = Callable[[PeerId, str, bytes, float], Awaitable[bytes]]


class Contacts(Protocol):
    """What the DHT needs to know of meetings."""

    async def reach(self, peer_id: str, addresses: tuple[str, ...] = ()) -> None:
        """Be connected, dialling when needed."""
        ...

    def is_met(self, peer_id: str) -> bool:
        """Connected now."""
        ...

    def addresses_of(self, peer_id: str) -> tuple[str, ...]:
        """Transport addresses known of a peer."""
        ...

    def learn(self, peer_id: str, addresses: Iterable[str]) -> None:
        """Keep addresses that a peer signed for itself."""
        ...

    def strike(self, peer_id: str, reason: str) -> None:
        """Note a fault of a peer."""
        ...


@dataclass(slots=True)
class _Lookup:
    """One walk towards a place: who is known, who was asked, what was found."""

    key: bytes
    place: int
    wanted: int
    known: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    asked: set[bytes] = field(default_factory=set)
    answered: set[bytes] = field(default_factory=set)
    found: dict[bytes, Record] = field(default_factory=dict)

    def nearest(self, nodes: set[bytes] | dict[bytes, tuple[str, ...]]) -> list[bytes]:
        return sorted(nodes, key=lambda n: records.place_of_node(n) ^ self.place)[:K]

    def next_to_ask(self) -> bytes | None:
        """The nearest of the K nearest that was not asked; None when the walk is over."""
        if len(self.found) >= self.wanted or len(self.asked) >= MAX_QUERIES:
            return None
        failed = self.asked - self.answered
        candidates = {n: a for n, a in self.known.items() if n not in failed}
        return next((n for n in self.nearest(candidates) if n not in self.asked), None)


class Dht:
    """One node's part of the DHT."""

    def __init__(
        self,
        settings: MeshSettings,
        node_seed: bytes,
        node_key: bytes,
        genesis_hash: bytes,
        counters: Counters,
        contacts: Contacts,
        ask: Ask,
        own_addresses: Callable[[], list[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._seed = node_seed
        self._node_key = node_key
        self._genesis = genesis_hash
        self._counters = counters
        self._contacts = contacts
        self._ask = ask
        self._own_addresses = own_addresses
        self._clock = clock
        own_place = records.place_of_node(node_key)
        self.store = RecordStore(own_place, clock)
        self.table = RoutingTable(own_place)
        self._own_keys: dict[bytes, Record] = {}
        self._newcomers: set[bytes] = set()
        self._news = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Greet newcomers, repeat our records, drop what is over; ends only by cancellation."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._greet_newcomers)
            nursery.start_soon(self._repeat_records)
            nursery.start_soon(self._sweep)
            task_status.started()

    def note_met(self, peer_id: PeerId) -> None:
        """A peer of our world is connected."""
        node = node_key_of(peer_id)
        self.table.add(node, self._is_connected)
        if len(self._newcomers) < self._settings.max_connections:
            self._newcomers.add(node)
            self._news.set()

    async def provide(self, key: bytes) -> None:
        """Say that this node has `key`: now, every half hour, and to each newcomer near the key."""
        if key not in self._own_keys and len(self._own_keys) >= MAX_OWN_KEYS:
            raise ValueError(f"a node provides at most {MAX_OWN_KEYS} keys")
        self._own_keys[key] = self._new_record(key)
        if await self._spread(self._own_keys[key]) == 0:
            self._counters.count("dht_untold")

    async def find_providers(self, key: bytes, limit: int) -> list[PeerId]:
        """Nodes other than this one with a valid record about `key`."""
        lookup = await self._walk(key, records.place_of_key(key), limit)
        for record in self.store.get(key):
            lookup.found.setdefault(record.node, record)
        lookup.found.pop(self._node_key, None)
        for node, record in lookup.found.items():
            self._contacts.learn(peer_id_of(node), record.addresses)
        nodes = sorted(lookup.found, key=lambda n: not self._is_connected(n))[:limit]
        return [peer_id_of(node) for node in nodes]

    # --- answering --------------------------------------------------------------------------------------------

    async def answer_find(self, _peer: PeerId, body: bytes) -> bytes:
        """Handler of dht.find."""
        key = wire.decode(Find, body, records.MAX_FIND_REQUEST).key
        held = self.store.get(key)
        own = self._own_keys.get(key)
        if own is not None:
            held.insert(0, own)
        closer = [
            Contact(node=node, addresses=list(self._contacts.addresses_of(peer_id_of(node))))
            for node in self.table.closest(records.place_of_key(key))
        ]
        return wire.encode(Found(records=held[:K], closer=closer))

    async def answer_put(self, peer: PeerId, body: bytes) -> bytes:
        """Handler of dht.put: a node may store records of its own only."""
        record = wire.decode(Put, body, records.MAX_PUT_REQUEST).record
        if record.node != node_key_of(peer):
            raise Misbehaviour("record of another node")
        records.check_record(record, self._genesis, None, self._clock())
        return wire.encode(Kept(kept=self.store.put(record)))

    # --- asking -----------------------------------------------------------------------------------------------

    def _new_record(self, key: bytes) -> Record:
        now = self._clock()
        # Milliseconds never go back across restarts, so no counter has to be stored.
        seq = int(now * 1000)
        until = int(now + min(self._settings.dht_record_seconds, records.MAX_RECORD_SECONDS))
        return records.sign_record(self._seed, self._genesis, key, seq, until, self._own_addresses())

    def _is_connected(self, node: bytes) -> bool:
        return self._contacts.is_met(peer_id_of(node))

    async def _walk(self, key: bytes, place: int, wanted: int) -> _Lookup:
        """Ask nearer and nearer nodes until K of them answered, `wanted` records are found or time is over."""
        self._counters.count("dht_lookups")
        lookup = _Lookup(key, place, wanted)
        lookup.known = dict.fromkeys(self.table.closest(place), ())
        moved = trio.Event()

        async def worker() -> None:
            nonlocal moved
            while True:
                node = lookup.next_to_ask()
                if node is None:
                    if lookup.asked == finished:
                        return
                    # Another worker's answer may bring somebody to ask.
                    await moved.wait()
                    continue
                lookup.asked.add(node)
                try:
                    await self._query(lookup, node)
                finally:
                    finished.add(node)
                    moved.set()
                    moved = trio.Event()

        finished: set[bytes] = set()
        with trio.move_on_after(self._settings.dht_lookup_timeout):
            async with trio.open_nursery() as nursery:
                for _ in range(ALPHA):
                    nursery.start_soon(worker)
        return lookup

    async def _query(self, lookup: _Lookup, node: bytes) -> None:
        peer = peer_id_of(node)
        found = await self._ask_node(peer, lookup.known[node], FIND, wire.encode(Find(key=lookup.key)))
        if found is None:
            self.table.remove(node)
            return
        try:
            answer = wire.decode(Found, found, records.MAX_FIND_ANSWER)
            for record in answer.records:
                records.check_record(record, self._genesis, lookup.key, self._clock())
                held = lookup.found.get(record.node)
                if held is None or held.seq < record.seq:
                    lookup.found[record.node] = record
        except Misbehaviour as exc:
            self._contacts.strike(peer, str(exc))
            return
        lookup.answered.add(node)
        self.table.add(node, self._is_connected)
        for contact in answer.closer:
            if contact.node != self._node_key:
                lookup.known.setdefault(contact.node, tuple(contact.addresses))

    async def _ask_node(self, peer: PeerId, addresses: tuple[str, ...], method: str, body: bytes) -> bytes | None:
        timeout = self._settings.dht_query_timeout
        try:
            with trio.fail_after(timeout):
                await self._contacts.reach(peer, addresses)
                return await self._ask(peer, method, body, timeout)
        except (Transient, Misbehaviour, RemoteRefusal, WrongWorld, trio.TooSlowError):
            self._counters.count("dht_unanswered")
            return None

    async def _spread(self, record: Record) -> int:
        """Put a record at the K nodes nearest to its key; returns how many hold it now."""
        lookup = await self._walk(record.key, records.place_of_key(record.key), wanted=MAX_QUERIES + 1)
        kept = 0
        limiter = trio.CapacityLimiter(ALPHA)

        async def put(node: bytes) -> None:
            nonlocal kept
            async with limiter:
                kept += await self._put(node, record)

        async with trio.open_nursery() as nursery:
            for node in lookup.nearest(lookup.answered):
                nursery.start_soon(put, node)
        return kept

    async def _put(self, node: bytes, record: Record) -> bool:
        answer = await self._ask_node(peer_id_of(node), (), PUT, wire.encode(Put(record=record)))
        if answer is None:
            return False
        try:
            return wire.decode(Kept, answer, records.MAX_PUT_ANSWER).kept
        except Misbehaviour as exc:
            self._contacts.strike(peer_id_of(node), str(exc))
            return False

    # --- upkeep -----------------------------------------------------------------------------------------------

    async def _greet_newcomers(self) -> None:
        """Tell a new peer of our records that belong near it, and look round for more nodes through it."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            newcomers, self._newcomers = self._newcomers, set()
            for node in newcomers:
                for record in list(self._own_keys.values()):
                    if node in self.table.closest(records.place_of_key(record.key)):
                        await self._put(node, record)
            await self._walk(self._node_key, records.place_of_node(self._node_key), MAX_QUERIES + 1)

    async def _repeat_records(self) -> None:
        while True:
            await trio.sleep(self._settings.dht_republish_seconds)
            for key in list(self._own_keys):
                self._own_keys[key] = self._new_record(key)
                await self._spread(self._own_keys[key])

    async def _sweep(self) -> None:
        while True:
            await trio.sleep(_SWEEP_SECONDS)
            self.store.drop_expired()
