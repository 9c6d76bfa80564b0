"""Pallet vcg-auction: auctions whose bids are on chain (mode 1)."""

from __future__ import annotations

from pallets_client.pallets.vcg_auction import PALLET, Opening
from pallets_client.records import Call


def commit(auction: bytes, sealed: bytes) -> Call:
    """Bid with a bond as high as the reserve, which comes back when the auction is settled."""
    return Call(PALLET, "commit", {"auction": auction, "commit": sealed})


def reveal(auction: bytes, opening: Opening, spec: bytes) -> Call:
    """Open a bid; ``spec`` are the canonical bytes of the task. Anyone who knows the opening may."""
    return Call(PALLET, "reveal", {"auction": auction, "opening": opening, "spec": spec})


def settle(auction: bytes, bids: int) -> Call:
    """Award the free slots, or end what nobody settled in time; ``bids`` is at least their number. Anyone may."""
    return Call(PALLET, "settle", {"auction": auction, "bids": bids})
