"""The shared vectors of the domain: computed anew by a second encoder of docs/protocol.md and by the chain's client."""

import json
import runpy
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import pytest

from pallets_client import hashing

ROOT = Path(__file__).parents[2]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "domain.json").read_text("utf-8"))
GENESIS = bytes.fromhex(VECTORS["genesis"])
AUCTION = bytes.fromhex(VECTORS["auction"])
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16}
# One entry for every line of docs/protocol.md §1 that the node hashes itself.
TAGS = (
    *("spec", "input", "task", "auction", "escrow", "agent", "terms"),
    *("bid", "commit", "commit-msg", "inclusion", "reveal-ack", "tie"),
    *("seed", "exec", "receipt", "delivery"),
)


def encoded(kind: str, value: Any) -> bytes:
    """One field as fixed-width SCALE, written without looking at the domain's encoder."""
    if kind == "b32":
        raw = bytes.fromhex(value)
        assert len(raw) == 32
        return raw
    if kind == "vec32":
        return len(value).to_bytes(4, "little") + b"".join(bytes.fromhex(item) for item in value)
    if kind == "text":
        return len(value.encode()).to_bytes(4, "little") + value.encode()
    if kind == "i32":
        return (int(value) % 2**32).to_bytes(4, "little")
    return int(value).to_bytes(WIDTHS[kind], "little")


def preimage(fields: list[list[Any]]) -> bytes:
    return b"".join(encoded(kind, value) for kind, _, value in fields)


def tagged(tag: str, body: bytes) -> str:
    return blake2b(tag.encode() + bytes(1) + GENESIS + body, digest_size=32).hexdigest()


def of(tag: str) -> list[tuple[dict[str, Any], str]]:
    """The fields by name, decoded, and the hash, of every vector with this tag."""
    found = []
    for vector in VECTORS["hashes"]:
        if vector["tag"] == f"ainur/{tag}/1":
            fields = {n: bytes.fromhex(v) if k == "b32" else v for k, n, v in vector["fields"]}
            found.append(
                ({n: int(v) if isinstance(v, str) and v.isdigit() else v for n, v in fields.items()}, vector["hash"])
            )
    assert found
    return found


def test_the_file_says_what_the_domain_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    written = runpy.run_path(str(ROOT / "tools" / "vectors.py"))["written"]()

    assert (ROOT / "tests" / "vectors" / "domain.json").read_text("utf-8") == written


def test_every_hash_of_the_protocol_has_vectors() -> None:
    assert {vector["tag"] for vector in VECTORS["hashes"]} == {f"ainur/{tag}/1" for tag in TAGS}


@pytest.mark.parametrize("tag", TAGS)
def test_hashes_follow_from_their_fields(tag: str) -> None:
    vectors = [v for v in VECTORS["hashes"] if v["tag"] == f"ainur/{tag}/1"]

    for vector in vectors:
        assert tagged(vector["tag"], preimage(vector["fields"])) == vector["hash"]
    assert len({v["hash"] for v in vectors}) == len(vectors)


def test_transcripts_follow_from_their_rows() -> None:
    for t in VECTORS["transcripts"]:
        rows = len(t["rows"]).to_bytes(4, "little") + b"".join(preimage(row) for row in t["rows"])
        rows_root = bytes.fromhex(tagged("ainur/rows/1", rows))
        sold = bytes.fromhex(tagged("ainur/outcome/1", preimage(t["outcome"])))
        assert tagged("ainur/transcript/1", preimage(t["header"]) + rows_root + sold) == t["hash"]


def test_trees_and_proofs_by_hand_and_by_the_client() -> None:
    for tree in VECTORS["trees"]:
        leaves = [(bytes.fromhex(p), bytes.fromhex(c)) for p, c in tree["leaves"]]
        level = [blake2b(b"\x00" + p + c, digest_size=32).digest() for p, c in leaves]
        while len(level) > 1:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [blake2b(b"\x01" + b"".join(p), digest_size=32).digest() if p[1:] else p[0] for p in pairs]
        count = len(leaves).to_bytes(4, "little")
        assert tagged("ainur/root/1", AUCTION + count + level[0]) == tree["root"]
        assert hashing.root_hash(GENESIS, AUCTION, len(leaves), hashing.CommitTree.of(leaves).top).hex() == tree["root"]
        for index, path in tree["proofs"]:
            way = [bytes.fromhex(step) for step in path]
            assert tuple(way) == hashing.CommitTree.of(leaves).path(int(index))
            assert hashing.tree_top(hashing.leaf_hash(*leaves[int(index)]), int(index), len(leaves), way) == level[0]


def test_the_client_hashes_ids_alike() -> None:
    for f, digest in of("auction"):
        assert hashing.auction_id(GENESIS, f["payer"], f["task"], f["attempt"]).hex() == digest
    for f, digest in of("escrow"):
        assert hashing.escrow_id(GENESIS, f["auction"], f["slot"]).hex() == digest
    for f, digest in of("agent"):
        assert hashing.agent_id(GENESIS, f["owner"], f["name"].encode()).hex() == digest


def test_the_client_hashes_bids_alike() -> None:
    for f, digest in of("bid"):
        assert hashing.single_bid(GENESIS, f["ask"], f["terms"]).hex() == digest
    for f, digest in of("commit"):
        assert hashing.commit_hash(GENESIS, f["auction"], f["provider"], f["bid"], f["nonce"]).hex() == digest
    for f, digest in of("commit-msg"):
        message = hashing.commit_message(
            GENESIS, f["auction"], f["provider"], f["commit"], f["seq"], f["standing_until"]
        )
        assert message.hex() == digest


def test_capabilities_and_signing_bytes_agree() -> None:
    for name, digest in VECTORS["capabilities"]:
        assert sha256(name.encode()).hexdigest() == digest == hashing.capability_id(name).hex()
    for digest, signed in VECTORS["signing"]:
        assert b"ainur/sig/1\0".hex() + digest == signed
        assert hashing.signed_message(bytes.fromhex(digest)).hex() == signed


def test_sales_by_exhaustive_reasoning() -> None:
    """The winner could not have asked one planck more, and nobody else would have won at its own ask."""
    root, beacon = bytes.fromhex(VECTORS["tie"]["root"]), bytes.fromhex(VECTORS["tie"]["beacon"])
    for sale in VECTORS["sales"]:
        reserve = int(sale["reserve"])
        bids = [
            (int(ask) + int(pen), tagged("ainur/tie/1", root + beacon + bytes.fromhex(who)), who, int(pen))
            for who, ask, pen in sale["bidders"]
            if who not in sale["failed"] and int(ask) + int(pen) <= reserve
        ]
        if not bids:
            assert sale["winner"] is sale["price"] is sale["price_setter"] is None
            continue
        best, *others = sorted(bids)
        second = min([reserve, *(adjusted for adjusted, *_ in others)])
        assert sale["winner"] == best[2]
        assert int(sale["price"]) == second - best[3]
        assert sale["price_setter"] == (others[0][2] if others else None)


def test_money_tables_in_exact_fractions() -> None:
    money = VECTORS["money"]
    for budget, fee, reserve in (map(int, row) for row in money["reserve"]):
        assert reserve * (10_000 + fee) <= budget * 10_000 < (reserve + 1) * (10_000 + fee)
    for price, rate, fee in (map(int, row) for row in money["fee"]):
        assert (fee - 1) * 10_000 < price * rate <= fee * 10_000
    for reserve, weight, quality, penalty in (map(int, row) for row in money["penalty"]):
        exact = reserve * weight * (10**6 - quality)
        assert penalty * 10**10 <= exact < (penalty + 1) * 10**10
    for good, bad, prior, score in (map(int, row) for row in money["score"]):
        whole = good + bad + 2 * prior
        assert score * whole <= 10**6 * (good + prior) < (score + 1) * whole
    for own, second, reserve, price in money["price"]:
        known = int(reserve) if second is None else min(int(second), int(reserve))
        assert int(price) == known - int(own)


def test_frozen_scores_read_the_history_alike() -> None:
    for history, epoch, score in VECTORS["money"]["score_at"]:
        entries = [(int(since), int(value)) for since, value in history]
        known = [value for since, value in entries if since <= int(epoch)]
        expected = known[-1] if known else (entries[0][1] if len(entries) >= 8 else 500_000)
        assert int(score) == expected


def test_amounts_read_as_decimals() -> None:
    for planck, ain in VECTORS["money"]["ain"]:
        whole, _, fraction = ain.partition(".")
        assert int(whole + fraction.ljust(12, "0")) == int(planck)
