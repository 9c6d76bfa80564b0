"""What one node keeps for the DHT: provider records and contacts, both bounded."""

from __future__ import annotations

from collections.abc import Callable

from ainur_node.mesh.dht_records import K, Record, place_of_key, place_of_node

MAX_RECORDS = 16_384
MAX_RECORDS_PER_KEY = 64
MAX_RECORDS_PER_NODE = 1024
_BITS = 256


class RecordStore:
    """Records of other nodes, by key; when full, the key farthest from us goes first."""

    def __init__(self, own_place: int, clock: Callable[[], float], capacity: int = MAX_RECORDS) -> None:
        self._own_place = own_place
        self._clock = clock
        self._capacity = capacity
        self._by_key: dict[bytes, dict[bytes, Record]] = {}
        self._of_node: dict[bytes, int] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, record: Record) -> bool:
        """Keep a checked record; False when a newer one is here or there is no room for it."""
        held = self._by_key.get(record.key, {}).get(record.node)
        if held is not None:
            if record.seq < held.seq:
                return False
            self._by_key[record.key][record.node] = record
            return True
        if self._of_node.get(record.node, 0) >= MAX_RECORDS_PER_NODE:
            return False
        if len(self._by_key.get(record.key, ())) >= MAX_RECORDS_PER_KEY:
            return False
        if self._size >= self._capacity and not self._make_room(record.key):
            return False
        self._by_key.setdefault(record.key, {})[record.node] = record
        self._of_node[record.node] = self._of_node.get(record.node, 0) + 1
        self._size += 1
        return True

    def get(self, key: bytes) -> list[Record]:
        """Live records about `key`."""
        now = self._clock()
        return [r for r in self._by_key.get(key, {}).values() if r.until > now]

    def drop_expired(self) -> int:
        """Forget what is over; returns how many records went."""
        now = self._clock()
        over = [r for records in self._by_key.values() for r in records.values() if r.until <= now]
        for record in over:
            self._remove(record)
        return len(over)

    def _make_room(self, key: bytes) -> bool:
        if self.drop_expired():
            return True
        farthest = max(self._by_key, key=self._distance)
        if self._distance(key) >= self._distance(farthest):
            return False
        for record in list(self._by_key[farthest].values()):
            self._remove(record)
        return True

    def _distance(self, key: bytes) -> int:
        return place_of_key(key) ^ self._own_place

    def _remove(self, record: Record) -> None:
        records = self._by_key[record.key]
        del records[record.node]
        if not records:
            del self._by_key[record.key]
        self._size -= 1
        self._of_node[record.node] -= 1
        if not self._of_node[record.node]:
            del self._of_node[record.node]


class RoutingTable:
    """Contacts in buckets by the length of the prefix they share with us, at most K in each."""

    def __init__(self, own_place: int) -> None:
        self._own_place = own_place
        self._buckets: dict[int, dict[bytes, int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def add(self, node_key: bytes, is_connected: Callable[[bytes], bool]) -> None:
        """Note a node that answered; in a full bucket it takes the place of one that is gone, or none."""
        place = place_of_node(node_key)
        distance = place ^ self._own_place
        if not distance:
            return
        bucket = self._buckets.setdefault(_BITS - distance.bit_length(), {})
        if node_key not in bucket and len(bucket) >= K:
            # Old contacts stay while they live: a flood of new identities must not push them out.
            gone = next((other for other in bucket if not is_connected(other)), None)
            if gone is None:
                return
            del bucket[gone]
        bucket[node_key] = place

    def remove(self, node_key: bytes) -> None:
        """Forget a node that did not answer."""
        distance = place_of_node(node_key) ^ self._own_place
        self._buckets.get(_BITS - distance.bit_length(), {}).pop(node_key, None)

    def closest(self, place: int, count: int = K) -> list[bytes]:
        """Node keys of the contacts nearest to `place`, nearest first."""
        everyone = [item for bucket in self._buckets.values() for item in bucket.items()]
        everyone.sort(key=lambda item: item[1] ^ place)
        return [node_key for node_key, _ in everyone[:count]]
