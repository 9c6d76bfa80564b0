"""Questions to the runtime's MarketApi, and the index of agents: one request each, for any block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pallets_client.client import ChainClient
from pallets_client.errors import ChainMisbehaviour
from pallets_client.link import tohex, unhex
from pallets_client.paging import entries
from pallets_client.pallets import agent_registry

MAX_BIDS = 256  # the runtime looks at no more


@dataclass(frozen=True, slots=True)
class Reputation:
    """A record at one block: scores in millionths, evidence faded to that block in planck."""

    epoch: int
    quality: int  # frozen for the epoch
    previous: int  # frozen for the epoch before
    current: int  # of the evidence as it stands
    good: int
    bad: int
    paid: int
    unverified: int
    declined: int
    failed: int
    ruled_against: int


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What becomes of one bid; amounts in planck."""

    provider: bytes
    ask: int
    quality: int
    penalty: int
    adjusted: int
    eligible: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """The row that would win, its price and fee."""

    row: int
    price: int
    fee: int


@dataclass(frozen=True, slots=True)
class Preview:
    """How bids rank; ``sale`` is None without a winner, or when the beacon decides between equals."""

    reserve: int
    rows: tuple[PreviewRow, ...]
    sale: Sale | None


class _Reader:
    """Fixed-width integers one after the other; raises ChainMisbehaviour where bytes are missing or left."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        found = self._raw[self._at : self._at + size]
        if len(found) != size:
            raise ChainMisbehaviour("an answer of MarketApi ends too early")
        self._at += size
        return found

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        """A compact length of at most two bytes."""
        first = self.uint(1)
        if first & 3 == 0:
            return first >> 2
        if first & 3 == 1:
            return (first | self.uint(1) << 8) >> 2
        raise ChainMisbehaviour("an answer of MarketApi is too long")

    def end(self) -> None:
        if self._at != len(self._raw):
            raise ChainMisbehaviour("an answer of MarketApi has bytes left over")


def provider_reputation(client: ChainClient, provider: bytes, capability: bytes, at: bytes | None = None) -> Reputation:
    """Reputation of a provider for a capability."""
    return _reputation(client, "provider", provider + capability, at)


def package_reputation(client: ChainClient, module: bytes, at: bytes | None = None) -> Reputation:
    """Reputation of a package, by the sha-256 of its module."""
    return _reputation(client, "package", module, at)


def payer_reputation(client: ChainClient, payer: bytes, at: bytes | None = None) -> Reputation:
    """Reputation of a payer."""
    return _reputation(client, "payer", payer, at)


def preview_auction(
    client: ChainClient, auction: bytes, bids: Sequence[tuple[bytes, int]], at: bytes | None = None
) -> Preview | None:
    """How bids of (provider, ask) would rank in an auction; None when there is no such auction."""
    if len(bids) > MAX_BIDS:
        raise ValueError(f"{len(bids)} bids; an auction has at most {MAX_BIDS}")
    length = (len(bids) << 2).to_bytes(1, "little") if len(bids) < 64 else (len(bids) << 2 | 1).to_bytes(2, "little")
    listed = b"".join(provider + ask.to_bytes(16, "little") for provider, ask in bids)
    reader = _asked(client, "preview_auction", auction + length + listed, at)
    if reader.uint(1) == 0:
        reader.end()
        return None
    reserve = reader.uint(16)
    rows = tuple(_row(reader) for _ in range(reader.count()))
    sale = Sale(reader.uint(4), reader.uint(16), reader.uint(16)) if reader.uint(1) else None
    reader.end()
    return Preview(reserve, rows, sale)


def agents_of(client: ChainClient, capability: bytes, at: bytes | None = None) -> list[bytes]:
    """Ids of the agents on the market for a capability, without reading all others."""
    at = at or client.head().hash
    item = client.link.runtime().item(agent_registry.PALLET, "ByCapability").below(capability)
    return [keys[0] for keys, _ in entries(client.link, item, at)]


def _row(reader: _Reader) -> PreviewRow:
    provider, ask, quality = reader.take(32), reader.uint(16), reader.uint(4)
    return PreviewRow(provider, ask, quality, reader.uint(16), reader.uint(16), reader.uint(1) == 1)


def _reputation(client: ChainClient, of: str, question: bytes, at: bytes | None) -> Reputation:
    reader = _asked(client, f"{of}_reputation", question, at)
    scores = [reader.uint(4) for _ in range(4)]
    evidence = [reader.uint(16) for _ in range(2)]
    counts = [reader.uint(4) for _ in range(5)]
    reader.end()
    return Reputation(*scores, *evidence, *counts)


def _asked(client: ChainClient, name: str, question: bytes, at: bytes | None) -> _Reader:
    where = [tohex(at)] if at is not None else []
    return _Reader(unhex(client.link.call("state_call", f"MarketApi_{name}", tohex(question), *where)))
