"""Writes tests/vectors/domain.json: the bytes, hashes and amounts that Python and Rust must agree on.

Every hash stands there with its fields as docs/protocol.md lists them, so that a reader in any language can encode
them anew; the hash itself comes from the node's domain. Integers above 2^53 would lose digits in some JSON readers,
so all values are decimal strings; bytes are hexadecimal.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from vector_hashes import GENESIS, MAX, Field, b32, bid_vectors, commit, id_vectors, opening, shown, work_vectors

from ainur_node.domain import canonical
from ainur_node.domain.agent import terms_hash
from ainur_node.domain.auction import commitments as sealed
from ainur_node.domain.auction.rules import fee_of, price_of, reserve_of
from ainur_node.domain.auction.single import Bidder, RowStatus, clear
from ainur_node.domain.auction.transcript import Row, Transcript, outcome, transcript_hash
from ainur_node.domain.ids import AccountId, AuctionId, NodeKey, TaskId
from ainur_node.domain.money import MAX_BUDGET, Amount, format_ain
from ainur_node.domain.reputation import penalty, score, score_at
from ainur_node.domain.task import NOTHING, auction_id

FILE = Path(__file__).parents[1] / "tests" / "vectors" / "domain.json"


def tree_vectors(auction: AuctionId) -> list[dict[str, Any]]:
    """Roots of 1 to 9, 255 and 256 commits, with every proof of the small trees and two of the large ones."""
    found = []
    for count in (*range(1, 10), 255, 256):
        commits = {(o := opening(i)).provider: sealed.commit_hash(GENESIS, auction, o) for i in range(count)}
        order = sorted(commits)
        proven = range(count) if count < 10 else (0, count - 1)
        found.append(
            {
                "leaves": [[p.hex(), commits[p].hex()] for p in order],
                "root": sealed.bid_set_root(GENESIS, auction, commits).hex(),
                "proofs": [[str(i), shown(sealed.prove(commits, order[i]).path)] for i in proven],
            }
        )
    return found


def sale_vectors() -> list[dict[str, Any]]:
    """Bids in, winner and price out: ties, the reserve's edge, failed winners, nobody left, large money."""
    unit, most = 10**12, int(MAX_BUDGET)
    cases: list[tuple[int, list[tuple[int, int]], tuple[int, ...]]] = [
        (3 * unit, [(unit, 0)], ()),
        (3 * unit, [(unit, 0), (2 * unit, 0)], ()),
        (3 * unit, [(2 * unit, 0), (unit, 7), (unit + 3, 3)], ()),
        (3 * unit, [(unit, 0)] * 5, ()),
        (3 * unit, [(unit, 0)] * 5, (0, 1)),
        (unit, [(unit, 0), (unit + 1, 0)], ()),
        (unit, [(unit - 1, 1), (unit, 1)], ()),
        (unit, [(unit + 1, 0)], ()),
        (unit, [], ()),
        (3 * unit, [(unit, 0), (2 * unit, 5)], (0,)),
        (3 * unit, [(unit, 0), (2 * unit, 5)], (0, 1)),
        (most, [(most, 0), (most - 1, 0), (most - 2, 2)], ()),
        (MAX["u128"], [(MAX["u128"] - 1, 0), (MAX["u128"], 0)], ()),
    ]
    found = []
    for reserve, bids, failed in cases:
        bidders = [Bidder(AccountId(b32(f"provider {i}")), Amount(a), 500_000, p) for i, (a, p) in enumerate(bids)]
        out = [bidders[i].provider for i in failed]
        sale = clear(GENESIS, b32("root"), b32("beacon"), bidders, Amount(reserve), out)
        found.append(
            {
                "reserve": str(reserve),
                "bidders": [[b.provider.hex(), str(b.ask), str(b.penalty)] for b in bidders],
                "failed": shown(out),
                "winner": shown(sale.winner.provider) if sale else None,
                "price": shown(sale.price) if sale else None,
                "price_setter": shown(sale.price_setter) if sale else None,
            }
        )
    return found


def transcript_vectors(auction: AuctionId) -> list[dict[str, Any]]:
    """Whole transcripts with rows of every status: sold, sold to the runner-up, not sold."""
    reserve = reserve_of(Amount(3 * 10**12), 100)
    statuses = (RowStatus.REVEALED, RowStatus.REVEALED, RowStatus.NOT_REVEALED, RowStatus.BAD_OPENING)
    rows = []
    for i, status in enumerate((*statuses, RowStatus.INELIGIBLE)):
        bid, quality = opening(i), 500_000 + 10_000 * i
        opened = bid if status is RowStatus.REVEALED else None
        owed = penalty(reserve, 400, quality)
        rows.append(Row(commit(auction, bid, i), NodeKey(b32(f"node {i}")), status, opened, quality, owed))
    rows.sort(key=lambda row: row.commit.provider)
    root = sealed.bid_set_root(GENESIS, auction, {row.commit.provider: row.commit.commit for row in rows})
    base = Transcript(auction, root, reserve, 400, 7, b32("beacon"), tuple(rows))
    sale = outcome(GENESIS, base)
    winner = (sale.winner.provider,) if sale else ()
    everyone = tuple(row.commit.provider for row in rows)
    return [transcript_vector(replace(base, failed=failed)) for failed in ((), winner, everyone)]


def transcript_vector(t: Transcript) -> dict[str, Any]:
    """One transcript: header, rows as they are hashed, outcome, hash."""
    sale = outcome(GENESIS, t)
    rows = []
    for row in t.rows:
        ask, given, nonce, adjusted = 0, NOTHING, NOTHING, 0
        if row.opening is not None:
            ask, given, nonce = row.opening.ask, terms_hash(GENESIS, row.opening.terms), row.opening.nonce
            adjusted = ask + row.penalty
        provider, sealed_bid = row.commit.provider, row.commit.commit
        values = (provider, provider, sealed_bid, row.status, ask, given, nonce, row.quality, row.penalty, adjusted)
        kinds = ("b32", "b32", "b32", "u8", "u128", "b32", "b32", "u32", "u128", "u128")
        names = ("provider", "owner", "commit", "status", "ask", "terms", "nonce", "q", "penalty", "adjusted")
        rows.append([[k, n, shown(v)] for k, n, v in zip(kinds, names, values, strict=True)])
    header: list[Field] = [
        ("b32", "auction", t.auction),
        ("b32", "root", t.root),
        ("u16", "rule", t.rule),
        ("u128", "reserve", t.reserve),
        ("u16", "quality_bps", t.quality_bps),
        ("u32", "score_epoch", t.score_epoch),
        ("b32", "beacon", t.beacon),
        ("u32", "count", len(t.rows)),
    ]
    sold: list[Field] = [
        ("b32", "winner", sale.winner.provider if sale else NOTHING),
        ("u128", "price", sale.price if sale else 0),
        ("b32", "price_setter", sale.price_setter if sale and sale.price_setter else NOTHING),
        ("vec32", "failed", t.failed),
    ]
    return {
        "header": [[k, n, shown(v)] for k, n, v in header],
        "rows": rows,
        "outcome": [[k, n, shown(v)] for k, n, v in sold],
        "hash": transcript_hash(GENESIS, t).hex(),
    }


def money_vectors() -> dict[str, Any]:
    """Tables: reserve and fee, penalty, price, score, frozen score, decimal AIN."""
    budgets = (
        0,
        1,
        2,
        99,
        100,
        101,
        9_999,
        10_000,
        10_001,
        10**12,
        3 * 10**11 + 7,
        10**18 + 1,
        MAX_BUDGET - 1,
        MAX_BUDGET,
    )
    rates = (0, 1, 33, 100, 999, 9_999, 10_000)
    reserves = (0, 1, 9_999_999_999, 10**10, 10**12 + 7, 123_456_789_123_456_789, MAX_BUDGET)
    qualities = (0, 1, 333_333, 499_999, 500_000, 999_999, 1_000_000)
    prices = ((0, None, 5), (3, None, 5), (0, 4, 5), (1, 5, 5), (2, 9, 5), (7, MAX_BUDGET, MAX_BUDGET))
    prior = 10**11
    records = (
        (0, 0),
        (1, 0),
        (0, 1),
        (prior, 0),
        (0, prior),
        (5 * prior, 3 * prior),
        (2**90, 0),
        (0, 2**90),
        (2**90, 2**90),
    )
    histories = (
        (),
        ((3, 10),),
        ((3, 10), (5, 20)),
        tuple((e + 3, 100 + e) for e in range(7)),
        tuple((2 * e + 3, e) for e in range(8)),
    )
    amounts = (0, 1, 10**11, 10**12, 10**12 + 1, 1_250_000_000_000, MAX_BUDGET)
    return {
        "reserve": [shown((b, f, reserve_of(Amount(b), f))) for b in budgets for f in rates],
        "fee": [shown((p, f, fee_of(Amount(p), f))) for p in budgets for f in rates],
        "penalty": [
            shown((r, w, q, penalty(r, w, q))) for r in reserves for w in (0, 1, 400, 10_000) for q in qualities
        ],
        "price": [shown((own, second, r, price_of(own, second, Amount(r)))) for own, second, r in prices],
        "score": [shown((a, b, k, score(a, b, k))) for a, b in records for k in (1, prior, 10**13)],
        "score_at": [shown((h, e, score_at(h, e))) for h in histories for e in (0, 2, 3, 4, 5, 9, 17, 2**32 - 1)],
        "ain": [[str(a), format_ain(a)] for a in amounts],
    }


def document() -> dict[str, Any]:
    """The whole file."""
    task = TaskId(b32("task"))
    auction = auction_id(GENESIS, AccountId(b32("payer")), task, 0)
    names = ("text/summary", "", "größe")
    return {
        "genesis": GENESIS.hex(),
        "auction": auction.hex(),
        "hashes": [*id_vectors(), *bid_vectors(auction), *work_vectors()],
        "capabilities": [[name, canonical.capability_id(name).hex()] for name in names],
        "signing": [[b32(label).hex(), canonical.signing_bytes(b32(label)).hex()] for label in ("a", "b")],
        "tie": {"root": b32("root").hex(), "beacon": b32("beacon").hex()},
        "trees": tree_vectors(auction),
        "sales": sale_vectors(),
        "transcripts": transcript_vectors(auction),
        "money": money_vectors(),
    }


def written() -> str:
    """The file's text: one line a vector, so that a change shows as itself in a diff."""
    lines = []
    for key, value in document().items():
        if isinstance(value, list):
            body = ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in value)
            lines.append(f" {json.dumps(key)}: [\n{body}\n ]")
        elif key == "money":
            tables = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{tables}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
    sys.stdout.write(f"wrote {FILE.name}\n")
