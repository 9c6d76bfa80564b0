"""Who is who: peer ids, the node key inside each, addresses of peers met, and standing lost by misbehaviour."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import base58

from ainur_node.domain.ids import NodeKey, PeerId
from ainur_node.errors import Misbehaviour

# A libp2p peer id of an ed25519 key is an identity multihash (0x00, 36 bytes) over the key's protobuf
# {type: 1 (ed25519), data: 32 bytes}, so the key itself is the last 32 bytes.
_ED25519_PREFIX = bytes.fromhex("002408011220")
PEER_ID_BYTES = len(_ED25519_PREFIX) + 32
MAX_PEER_ID_TEXT = 64

MAX_ADDRESSES_PER_PEER = 4
MAX_ADDRESS_LENGTH = 128


def peer_id_of(node_key: bytes) -> PeerId:
    """Base58 peer id of a raw 32-byte ed25519 public key."""
    if len(node_key) != 32:
        raise ValueError(f"a node key has 32 bytes, not {len(node_key)}")
    return PeerId(base58.b58encode(_ED25519_PREFIX + node_key).decode("ascii"))


def node_key_of(peer_id: str) -> NodeKey:
    """Raw 32-byte ed25519 public key inside a base58 peer id; Misbehaviour when there is none."""
    if len(peer_id) > MAX_PEER_ID_TEXT:
        raise Misbehaviour(f"peer id of {len(peer_id)} characters")
    try:
        raw = base58.b58decode(peer_id)
    except ValueError as exc:
        raise Misbehaviour(f"{peer_id!r} is not base58") from exc
    if len(raw) != PEER_ID_BYTES or not raw.startswith(_ED25519_PREFIX):
        raise Misbehaviour(f"{peer_id!r} is not the id of an ed25519 key")
    return NodeKey(raw[len(_ED25519_PREFIX) :])


def split_address(address: str) -> tuple[str, PeerId]:
    """'/ip4/…/tcp/…/p2p/ID' -> (transport part, peer id); ValueError when there is no peer id."""
    transport, separator, peer_id = address.rpartition("/p2p/")
    if not separator or not transport.startswith("/"):
        raise ValueError(f"{address!r} is not a multiaddr ending in /p2p/<peer id>")
    try:
        node_key_of(peer_id)
    except Misbehaviour as exc:
        raise ValueError(str(exc)) from exc
    return transport, PeerId(peer_id)


def dialable(addresses: Iterable[str], seen_ip: str = "") -> list[str]:
    """Transport addresses a peer told of itself, where "any interface" becomes the IP it was seen at."""
    usable = []
    for address in addresses:
        transport = address.partition("/p2p/")[0]
        for anywhere, kind, is_kind in (("/ip4/0.0.0.0/", "ip4", "." in seen_ip), ("/ip6/::/", "ip6", ":" in seen_ip)):
            if transport.startswith(anywhere):
                rest = transport[len(anywhere) :]
                transport = f"/{kind}/{seen_ip}/{rest}" if is_kind else ""
        if transport:
            usable.append(transport)
    return usable


@dataclass(frozen=True, slots=True)
class Peer:
    """One connected peer; `connected_since` is unix time in seconds."""

    peer_id: PeerId
    addresses: tuple[str, ...]
    connected_since: float


class AddressBook:
    """Transport addresses of peers met, least recently used out first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._book: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._book)

    def learn(self, peer_id: str, addresses: Iterable[str]) -> None:
        """Put `addresses` before the ones known; a peer keeps at most four."""
        fresh = [a for a in addresses if 0 < len(a) <= MAX_ADDRESS_LENGTH]
        merged = tuple(dict.fromkeys([*fresh, *self._book.get(peer_id, ())]))[:MAX_ADDRESSES_PER_PEER]
        if not merged:
            return
        self._book[peer_id] = merged
        self._book.move_to_end(peer_id)
        while len(self._book) > self._capacity:
            self._book.popitem(last=False)

    def addresses(self, peer_id: str) -> tuple[str, ...]:
        """What is known of the peer, best first; empty when it was never met."""
        return self._book.get(peer_id, ())


class Standing:
    """Counts what a peer did wrong; at the limit it is banned for a while.

    Strikes fade linearly, so an honest peer with a rare fault is never banned.
    """

    def __init__(
        self,
        *,
        limit: float,
        fade_per_second: float,
        ban_seconds: float,
        capacity: int,
        clock: Callable[[], float],
    ) -> None:
        self._limit = limit
        self._fade = fade_per_second
        self._ban_seconds = ban_seconds
        self._capacity = capacity
        self._clock = clock
        self._strikes: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._banned_until: OrderedDict[str, float] = OrderedDict()

    def strike(self, peer_id: str, weight: float = 1.0) -> bool:
        """Note one fault; True when this one got the peer banned."""
        now = self._clock()
        value, since = self._strikes.pop(peer_id, (0.0, now))
        value = max(0.0, value - (now - since) * self._fade) + weight
        if value < self._limit:
            self._strikes[peer_id] = (value, now)
            while len(self._strikes) > self._capacity:
                self._strikes.popitem(last=False)
            return False
        self.ban(peer_id, self._ban_seconds)
        return True

    def ban(self, peer_id: str, seconds: float) -> None:
        """Refuse the peer for `seconds` from now."""
        self._banned_until[peer_id] = self._clock() + seconds
        self._banned_until.move_to_end(peer_id)
        while len(self._banned_until) > self._capacity:
            self._banned_until.popitem(last=False)

    def is_banned(self, peer_id: str) -> bool:
        """Whether the peer is still serving a ban."""
        until = self._banned_until.get(peer_id)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._banned_until[peer_id]
        return False
