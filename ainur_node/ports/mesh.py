"""Peers: gossip, requests, discovery, blobs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain.ids import NodeKey, PeerId

Handler = Callable[[PeerId, bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Gossip:
    """A message heard on a topic; ``author`` is proven by its signature."""

    author: PeerId
    body: bytes


class GossipChannel(Protocol):
    """Messages of one topic, bounded; a full channel drops the oldest and counts it."""

    async def receive(self) -> Gossip:
        """The next message."""
        ...


class Mesh(Protocol):
    """Peers: gossip, requests over streams, discovery, blobs."""

    peer_id: PeerId
    node_key: NodeKey

    async def publish(self, topic: str, body: bytes) -> None:
        """Tell all subscribers; at most 64 KiB."""
        ...

    def subscribe(self, topic: str) -> GossipChannel:
        """Listen to a topic from now on."""
        ...

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer; Transient when it cannot be reached, RemoteRefusal when it says no."""
        ...

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        """Answer requests; a Refused raised by the handler travels as code and hint."""
        ...

    async def provide(self, key: bytes) -> None:
        """Announce in the DHT that this node has the bytes named ``key``."""
        ...

    async def find_providers(self, key: bytes, limit: int = 20) -> list[PeerId]:
        """Peers that announced ``key``."""
        ...

    async def fetch_blob(self, sha256: bytes, size: int, peers: Sequence[PeerId], *, timeout: float) -> bytes:
        """Bytes of at most ``size`` by hash, from any of ``peers``; Transient when none has them."""
        ...

    def statistics(self) -> Mapping[str, int | float]:
        """Counters for people."""
        ...


class RemoteRefusal(Exception):  # noqa: N818 — the peer's answer, not our error
    """A peer said no, with a stable code and a hint; raised by handlers to say no as well."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint
