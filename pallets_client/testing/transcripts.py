"""In-memory pallet vcg-auction: what a transcript hashes to, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pallets_client import hashing
from pallets_client.hashing import u16, u32, u128
from pallets_client.pallets.auction_challenges import Row, TranscriptHeader, Window
from pallets_client.pallets.reputation import HISTORY, penalty, quality_at
from pallets_client.pallets.vcg_auction import Auction, Closed
from pallets_client.testing.world import World

_REVEALED, _NOT_REVEALED, _LAST_STATUS = 0, 1, 3
_ZERO = bytes(32)


@dataclass(frozen=True, slots=True)
class Harm:
    """Whom a fault cost how much, as far as the proof shows it; planck."""

    victim: bytes | None = None
    loss: int = 0


def transcript_hash(genesis: bytes, auction: bytes, header: TranscriptHeader, rows: Sequence[Row]) -> bytes:
    """What stands on chain for these rows."""
    h = header
    failed = u32(len(h.failed)) + b"".join(h.failed)
    outcome = hashing.tagged("ainur/outcome/1", genesis, h.winner, u128(h.price), h.setter, failed)
    listed = hashing.tagged("ainur/rows/1", genesis, u32(len(rows)) + b"".join(map(_row_bytes, rows)))
    skipped = u32(len(h.skipped)) + b"".join(who + u32(block) for who, block in h.skipped)
    terms = (h.root, u16(h.rule), u128(h.reserve), u16(h.quality_bps), u32(h.score_epoch), h.beacon)
    tail = (u32(len(rows)), listed, outcome, skipped if h.skipped else b"")
    return hashing.tagged("ainur/transcript/1", genesis, auction, *terms, *tail)


def _row_bytes(row: Row) -> bytes:
    bid = (hashing.u8(row.status), u128(row.ask), row.terms, row.nonce)
    return b"".join(
        (row.provider, row.owner, row.commit, *bid, u32(row.quality), u128(row.penalty), u128(row.adjusted))
    )


def left_out(world: World, id_: bytes, window: Window) -> tuple[bytes, ...]:
    """Who did not compete when the award was made."""
    failed = world.auctions[id_].failed[: window.failed]
    return (*failed, *world.skips.get(id_, ())[: window.skipped])


def harm(world: World, id_: bytes, window: Window, header: TranscriptHeader, rows: Sequence[Row]) -> Harm | None:
    """What is wrong with the transcript of an award; None when it holds."""
    auction, closing = world.auctions[id_], world.closings[id_]
    holds = (
        _header_holds(world, id_, window, header)
        and _set_holds(world, id_, closing, rows)
        and all(_row_holds(world, id_, auction, row) for row in rows)
        and not (window.all_revealed and any(row.status == _NOT_REVEALED for row in rows))
    )
    return _sale_harm(world, id_, window, header, rows) if holds else Harm()


def _header_holds(world: World, id_: bytes, window: Window, h: TranscriptHeader) -> bool:
    a, closing = world.auctions[id_], world.closings[id_]
    won = (window.won.provider, window.won.price) if window.won is not None else (_ZERO, 0)
    out = (*h.failed, *(who for who, _ in h.skipped))
    return (
        (h.root, h.rule, h.reserve) == (closing.root, a.rule, a.reserve)
        and (h.quality_bps, h.score_epoch) == (a.quality_bps, a.score_epoch)
        and (h.winner, h.price) == won
        and len(h.failed) == window.failed
        and out == left_out(world, id_, window)
        and world.block_hashes.get(closing.block, h.beacon) == h.beacon
    )


def _set_holds(world: World, id_: bytes, closing: Closed, rows: Sequence[Row]) -> bool:
    try:
        tree = hashing.CommitTree.of([(row.provider, row.commit) for row in rows])
    except ValueError:
        return False
    root = hashing.root_hash(world.genesis, id_, len(rows), tree.top)
    return (root, len(rows)) == (closing.root, closing.count)


def frozen_score(world: World, auction: Auction, who: bytes) -> int | None:
    """The score that counts; None when newer ones pushed it out of the history."""
    found = world.scores.get((who, auction.capability))
    if found is not None and len(found.history) >= HISTORY and found.history[0][0] > auction.score_epoch:
        return None
    return quality_at(found, auction.score_epoch)


def _row_holds(world: World, id_: bytes, auction: Auction, row: Row) -> bool:
    scored = (
        frozen_score(world, auction, row.provider) in (None, row.quality)
        and row.penalty == penalty(auction.reserve, auction.quality_bps, row.quality)
        and row.owner == row.provider
    )
    if row.status != _REVEALED:
        blank = (row.ask, row.adjusted, row.terms, row.nonce) == (0, 0, _ZERO, _ZERO)
        return scored and blank and row.status <= _LAST_STATUS
    bid = hashing.single_bid(world.genesis, row.ask, row.terms)
    opened = hashing.commit_hash(world.genesis, id_, row.provider, bid, row.nonce)
    eligible = row.quality >= auction.min_score and row.adjusted == row.ask + row.penalty
    return scored and opened == row.commit and eligible


def tie(world: World, root: bytes, beacon: bytes, who: bytes) -> bytes:
    """What decides between equal bids."""
    return hashing.tagged("ainur/tie/1", world.genesis, root, beacon, who)


def _sale_harm(world: World, id_: bytes, window: Window, h: TranscriptHeader, rows: Sequence[Row]) -> Harm | None:
    """What the rule gives for the rows, against what was awarded."""
    a, out = world.auctions[id_], left_out(world, id_, window)
    bids = [
        row
        for row in rows
        if row.status == _REVEALED and row.provider not in (a.payer, *out) and row.adjusted <= a.reserve
    ]
    ranked = sorted(bids, key=lambda row: (row.adjusted, tie(world, h.root, h.beacon, row.provider)))
    won = window.won
    if not ranked:
        return Harm() if won is not None else None
    best, setter = ranked[0], ranked[1] if len(ranked) > 1 else None
    price = max(0, (min(setter.adjusted, a.reserve) if setter is not None else a.reserve) - best.penalty)
    if won is None or won.provider != best.provider:
        return Harm(best.provider, max(0, price - best.ask))
    if won.price != price:
        return Harm(best.provider, max(0, price - won.price))
    return None if h.setter == (setter.provider if setter is not None else _ZERO) else Harm()
