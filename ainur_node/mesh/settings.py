"""What an operator may set about the mesh, and the bounds that nobody may lift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain.ids import PeerId
from ainur_node.ports import Observer


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """Durations in seconds, sizes in bytes, rates per second."""

    listen: tuple[str, ...] = ("/ip4/127.0.0.1/tcp/0",)
    announce: tuple[str, ...] = ()
    """What others are told to dial; empty: the addresses listened on."""
    bootstrap: tuple[str, ...] = ()
    network: str = ""
    software: str = "ainur-node"

    max_connections: int = 128
    max_streams_per_peer: int = 64
    dial_timeout: float = 10.0
    hello_timeout: float = 10.0
    redial_first: float = 0.5
    redial_most: float = 60.0
    wrong_world_pause: float = 600.0
    health_interval: float = 5.0
    health_timeout: float = 10.0

    max_calls_per_peer: int = 64
    handler_timeout: float = 60.0
    write_timeout: float = 10.0

    gossip_author_rate: float = 50.0
    gossip_author_burst: float = 400.0
    gossip_forwarder_rate: float = 200.0
    gossip_forwarder_burst: float = 800.0
    gossip_newcomer_burst: float = 20.0
    gossip_stranger_rate: float = 25.0
    gossip_stranger_burst: float = 100.0
    gossip_known_after: float = 10.0
    gossip_first_words: int = 3
    gossip_seen_seconds: float = 300.0
    gossip_seen_capacity: int = 65_536

    blob_chunk_timeout: float = 10.0
    blob_streams: int = 16
    blob_streams_per_peer: int = 4

    dht_record_seconds: float = 7200.0
    dht_republish_seconds: float = 1800.0
    dht_query_timeout: float = 2.0
    dht_lookup_timeout: float = 10.0

    addresses_kept: int = 1024
    strikes_to_ban: float = 20.0
    strikes_fade_per_second: float = 0.2
    ban_seconds: float = 600.0


class BlobSource(Protocol):
    """Where the blob protocol reads from."""

    async def open(self, sha256: bytes, peer: PeerId) -> bytes | None:
        """The bytes of the blob; None when it is not here or this peer may not have it."""
        ...


class Counters:
    """What happened, by name, also told to the observer of the node as mesh.<name>."""

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer
        self.values: dict[str, int] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to one counter; names come from code, never from a peer."""
        self.values[name] = self.values.get(name, 0) + by
        if self._observer is not None:
            self._observer.count(f"mesh.{name}", by)
