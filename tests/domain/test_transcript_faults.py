"""Transcripts: an honest one has no fault; whatever is changed in it is found, or changes the hash on chain."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from domain_records import AUCTION, GENESIS, U128, b32, commit_of, node_key, opening, sign, terms, transcript, verify
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.domain.auction.commitments import Commit, bid_set_root, commit_message
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import (
    Row,
    Skipped,
    Transcript,
    check_widths,
    faults,
    outcome,
    transcript_hash,
    without,
)
from ainur_node.domain.ids import AccountId, AuctionId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import penalty

ASKS = [1_000, 1_500, 1_200, 900]
HONEST = transcript(ASKS, silent=1)
WHO = next(i for i, row in enumerate(HONEST.rows) if row.status is RowStatus.REVEALED)
SILENT = next(i for i, row in enumerate(HONEST.rows) if row.status is RowStatus.NOT_REVEALED)


def codes(t: Transcript) -> set[str]:
    return {fault.code for fault in faults(GENESIS, t, verify)}


def rowed(change: Callable[[Row], Row], which: int = WHO) -> Transcript:
    return replace(HONEST, rows=tuple(change(row) if i == which else row for i, row in enumerate(HONEST.rows)))


def opened(row: Row, **changed: object) -> Row:
    assert row.opening is not None
    return replace(row, opening=replace(row.opening, **changed))  # type: ignore[arg-type]


def committed(row: Row, **changed: object) -> Row:
    return replace(row, commit=replace(row.commit, **changed))  # type: ignore[arg-type]


TAMPERED: dict[str, tuple[Transcript, set[str]]] = {
    "no rows": (replace(HONEST, rows=()), {"rows_not_sorted"}),
    "rows in another order": (replace(HONEST, rows=HONEST.rows[::-1]), {"rows_not_sorted"}),
    "a row twice": (replace(HONEST, rows=(HONEST.rows[0], *HONEST.rows)), {"rows_not_sorted"}),
    "a row left out": (replace(HONEST, rows=HONEST.rows[:-1]), {"wrong_root"}),
    "another root": (replace(HONEST, root=b32("other")), {"wrong_root"}),
    "another auction": (
        replace(HONEST, auction=AuctionId(b32("other"))),
        {"wrong_root", "bad_signature", "wrong_opening"},
    ),
    "another rule": (replace(HONEST, rule=2), {"unknown_rule"}),
    "a higher reserve": (replace(HONEST, reserve=Amount(HONEST.reserve * 2)), {"wrong_penalty"}),
    "another weight": (replace(HONEST, quality_bps=0), {"wrong_penalty"}),
    "another ask": (rowed(lambda r: opened(r, ask=Amount(1))), {"wrong_opening"}),
    "another nonce": (rowed(lambda r: opened(r, nonce=b32("other"))), {"wrong_opening"}),
    "other terms": (rowed(lambda r: opened(r, terms=terms(9))), {"wrong_opening"}),
    "an opening by another": (
        rowed(lambda r: opened(r, provider=AccountId(b32("other")))),
        {"wrong_opening", "foreign_opening"},
    ),
    "another commit": (
        rowed(lambda r: committed(r, commit=b32("other"))),
        {"wrong_root", "bad_signature", "wrong_opening"},
    ),
    "another sequence": (rowed(lambda r: committed(r, seq=2)), {"bad_signature"}),
    "another standing": (rowed(lambda r: committed(r, standing_until=1)), {"bad_signature"}),
    "another signature": (rowed(lambda r: committed(r, signature=bytes(64))), {"bad_signature"}),
    "another node key": (rowed(lambda r: replace(r, node_key=NodeKey(b32("other")))), {"bad_signature"}),
    "a lower penalty": (rowed(lambda r: replace(r, penalty=r.penalty - 1)), {"wrong_penalty"}),
    "a higher penalty": (rowed(lambda r: replace(r, penalty=r.penalty + 1)), {"wrong_penalty"}),
    "a better score": (rowed(lambda r: replace(r, quality=999_999)), {"wrong_penalty"}),
    "a score beyond perfect": (rowed(lambda r: replace(r, quality=1_000_001, penalty=0)), {"wrong_score"}),
    "a negative score": (rowed(lambda r: replace(r, quality=-1, penalty=121)), {"malformed"}),
    "a silent row's penalty": (rowed(lambda r: replace(r, penalty=0), SILENT), {"wrong_penalty"}),
    "a revealed row called silent": (
        rowed(lambda r: replace(r, status=RowStatus.NOT_REVEALED)),
        {"status_mismatch"},
    ),
    "a revealed row called ineligible": (
        rowed(lambda r: replace(r, status=RowStatus.INELIGIBLE)),
        {"status_mismatch"},
    ),
    "an opening left out": (rowed(lambda r: replace(r, opening=None)), {"status_mismatch"}),
    "a silent row called revealed": (
        rowed(lambda r: replace(r, status=RowStatus.REVEALED), SILENT),
        {"status_mismatch"},
    ),
    "a stranger failed": (replace(HONEST, failed=(AccountId(b32("stranger")),)), {"unknown_failed"}),
    "one failed twice": (replace(HONEST, failed=(HONEST.rows[0].commit.provider,) * 2), {"failed_twice"}),
    "a stranger skipped": (replace(HONEST, skipped=(Skipped(AccountId(b32("stranger")), 1),)), {"unknown_failed"}),
    "one skipped twice": (replace(HONEST, skipped=(Skipped(HONEST.rows[0].commit.provider, 1),) * 2), {"failed_twice"}),
    "one failed and skipped": (
        replace(
            HONEST,
            failed=(HONEST.rows[0].commit.provider,),
            skipped=(Skipped(HONEST.rows[0].commit.provider, 1),),
        ),
        {"failed_twice"},
    ),
    "skipped in a block beyond u32": (
        replace(HONEST, skipped=(Skipped(HONEST.rows[0].commit.provider, 2**32),)),
        {"malformed"},
    ),
    "a short root": (replace(HONEST, root=b"\x00"), {"malformed"}),
    "a short node name": (rowed(lambda r: committed(r, provider=AccountId(b""))), {"malformed"}),
    "a negative ask": (rowed(lambda r: opened(r, ask=Amount(-1))), {"malformed"}),
    "an ask beyond u128": (rowed(lambda r: opened(r, ask=Amount(U128 + 1))), {"malformed"}),
    "a sequence beyond u64": (rowed(lambda r: committed(r, seq=2**64)), {"malformed"}),
    "a reserve beyond u128": (replace(HONEST, reserve=Amount(U128 + 1)), {"malformed"}),
    "too many rows": (replace(HONEST, rows=HONEST.rows * 100), {"rows_not_sorted"}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_every_tampering_is_found(name: str) -> None:
    tampered, expected = TAMPERED[name]

    assert codes(tampered) == expected


def test_more_than_256_commits_are_no_transcript() -> None:
    rows = []
    for number in range(257):
        bid = opening(number, 1_000)
        owed = penalty(3_000, 400, 500_000)
        rows.append(Row(commit_of(bid, node_key(number)), node_key(number), RowStatus.REVEALED, bid, 500_000, owed))
    rows.sort(key=lambda row: row.commit.provider)

    assert codes(replace(HONEST, rows=tuple(rows))) == {"malformed"}


@pytest.mark.parametrize("silent", range(4))
def test_an_honest_transcript_has_no_fault(silent: int) -> None:
    assert codes(transcript(ASKS, silent=silent)) == set()
    assert codes(replace(HONEST, failed=(HONEST.rows[1].commit.provider,))) == set()
    assert codes(replace(HONEST, failed=tuple(row.commit.provider for row in HONEST.rows))) == set()


def test_a_perfect_score_is_sound() -> None:
    assert codes(rowed(lambda r: replace(r, quality=1_000_000, penalty=0))) == set()


def test_bad_and_ineligible_rows_without_an_opening_are_sound() -> None:
    for status in (RowStatus.BAD_OPENING, RowStatus.INELIGIBLE):
        t = rowed(lambda r, s=status: replace(r, status=s, opening=None))  # type: ignore[misc]
        assert codes(t) == set()
        sale = outcome(GENESIS, t)
        assert sale is not None
        assert sale.winner.provider != t.rows[WHO].commit.provider


def test_every_fault_of_every_row_is_named() -> None:
    broken = replace(HONEST, root=b32("other"), rows=tuple(replace(r, penalty=r.penalty + 1) for r in HONEST.rows))
    found = faults(GENESIS, broken, verify)

    assert [f.code for f in found] == ["wrong_root", *["wrong_penalty"] * 4]
    for row, fault in zip(broken.rows, found[1:], strict=True):
        assert row.commit.provider.hex()[:12] in fault.detail
        assert row.commit.provider.hex()[:13] not in fault.detail


HASHED = {
    "auction": AuctionId(b32("x")),
    "root": b32("x"),
    "reserve": Amount(2_999),
    "quality_bps": 401,
    "score_epoch": 4,
    "beacon": b32("x"),
    "rows": HONEST.rows[:-1],
    "failed": (HONEST.rows[0].commit.provider,),
    "rule": 2,
}


def test_the_hash_covers_every_field_and_row() -> None:
    hashes = {transcript_hash(GENESIS, HONEST), transcript_hash(b32("other world"), HONEST)}
    hashes.update(transcript_hash(GENESIS, replace(HONEST, **{name: value})) for name, value in HASHED.items())  # type: ignore[arg-type]
    rows = [
        rowed(lambda r: committed(r, commit=b32("x"))),
        rowed(lambda r: replace(r, quality=1)),
        rowed(lambda r: replace(r, penalty=1)),
        rowed(lambda r: opened(r, ask=Amount(1))),
        rowed(lambda r: opened(r, nonce=b32("x"))),
        rowed(lambda r: opened(r, terms=terms(9))),
        rowed(lambda r: replace(r, status=RowStatus.BAD_OPENING, opening=None)),
        rowed(lambda r: replace(r, status=RowStatus.INELIGIBLE, opening=None)),
    ]
    hashes.update(transcript_hash(GENESIS, t) for t in rows)

    assert len(hashes) == 2 + len(HASHED) + len(rows)


def test_the_outcome_passes_over_failed_and_silent_rows() -> None:
    t = transcript([1_000, 1_500, 1_200, 900], silent=1, quality_bps=0)
    winners: list[tuple[int, int]] = []
    failed: tuple[AccountId, ...] = ()

    while (sale := outcome(GENESIS, replace(t, failed=failed))) is not None:
        winners.append((sale.winner.ask, sale.price))
        failed = (*failed, sale.winner.provider)

    assert winners == [(1_000, 1_200), (1_200, 1_500), (1_500, 3_000)]


def test_without_is_the_sale_had_one_provider_stayed_away() -> None:
    t = transcript([1_000, 1_500, 1_200], quality_bps=0)
    sale = outcome(GENESIS, t)
    assert sale is not None
    away = without(GENESIS, t, sale.winner.provider)
    assert away is not None

    assert (away.winner.ask, away.price) == (1_200, 1_500)
    assert without(GENESIS, t, AccountId(b32("stranger"))) == sale
    again = without(GENESIS, replace(t, failed=(away.winner.provider,)), sale.winner.provider)
    assert again is not None
    assert again.winner.ask == 1_500


def test_whoever_was_skipped_does_not_compete_and_is_part_of_the_hash() -> None:
    sale = outcome(GENESIS, HONEST)
    assert sale is not None
    who = sale.winner.provider

    passed = replace(HONEST, skipped=(Skipped(who, 7),))

    assert outcome(GENESIS, passed) == without(GENESIS, HONEST, who) == outcome(GENESIS, replace(HONEST, failed=(who,)))
    assert passed.out == (who,)
    assert codes(passed) == set()
    hashes = {
        transcript_hash(GENESIS, t)
        for t in (HONEST, passed, replace(HONEST, failed=(who,)), replace(HONEST, skipped=(Skipped(who, 8),)))
    }
    assert len(hashes) == 4


def test_a_row_competes_only_when_it_was_revealed() -> None:
    row = HONEST.rows[WHO]
    bidder = row.bidder()
    assert bidder is not None
    assert row.opening is not None

    assert (bidder.provider, bidder.ask, bidder.quality, bidder.penalty) == (
        row.commit.provider,
        row.opening.ask,
        row.quality,
        row.penalty,
    )
    assert replace(row, status=RowStatus.INELIGIBLE).bidder() is None
    assert replace(row, opening=None).bidder() is None


weird_bytes = st.one_of(st.binary(max_size=40), st.binary(min_size=32, max_size=32))
weird_ints = st.one_of(st.integers(-(2**130), 2**130), st.integers(0, 10**6))
weird_commit = st.builds(Commit, weird_bytes, weird_bytes, weird_ints, weird_ints, weird_bytes)


@given(
    st.builds(
        Transcript,
        weird_bytes,
        weird_bytes,
        weird_ints,
        weird_ints,
        weird_ints,
        weird_bytes,
        st.lists(
            st.builds(Row, weird_commit, weird_bytes, st.sampled_from(RowStatus), st.none(), weird_ints, weird_ints),
            max_size=3,
        ).map(tuple),
        st.lists(weird_bytes, max_size=2).map(tuple),
        weird_ints,
        st.lists(st.builds(Skipped, weird_bytes, weird_ints), max_size=2).map(tuple),
    )
)
def test_a_stranger_s_transcript_is_judged_never_a_crash(t: Transcript) -> None:
    found = faults(GENESIS, t, verify)

    assert all(fault.code and fault.detail for fault in found)
    assert found, "nobody can make up a signed transcript"


@given(st.integers(0, 3), st.integers(0, 255))
def test_a_signature_over_other_bytes_does_not_hold(which: int, bit: int) -> None:
    row = HONEST.rows[which]
    digest = commit_message(GENESIS, AUCTION, row.commit)
    flipped = (int.from_bytes(digest, "big") ^ (1 << bit)).to_bytes(32, "big")
    forged = rowed(lambda r: committed(r, signature=sign(r.node_key, flipped)), which)

    assert codes(forged) == {"bad_signature"}


def test_the_root_of_a_transcript_is_that_of_its_commits() -> None:
    commits = {row.commit.provider: row.commit.commit for row in HONEST.rows}

    assert HONEST.root == bid_set_root(GENESIS, AUCTION, commits)


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)], ids=len)
def test_a_nonce_of_another_width_is_refused_in_any_order(nonce: bytes) -> None:
    """Rows out of order are looked at no further by ``faults``: whoever looks for a proof reads them all."""
    check_widths(GENESIS, replace(HONEST, rows=HONEST.rows[::-1]))
    odd = rowed(lambda row: opened(row, nonce=nonce))

    for rows in (odd.rows, odd.rows[::-1]):
        with pytest.raises(ValueError, match="32"):
            check_widths(GENESIS, replace(HONEST, rows=rows))


@pytest.mark.parametrize("number", [-1, 2**64])
@pytest.mark.parametrize("which", [WHO, SILENT], ids=["opened", "silent"])
def test_a_number_of_a_commit_that_no_message_holds_is_refused(number: int, which: int) -> None:
    for field in ("seq", "standing_until"):
        odd = rowed(lambda row, field=field: committed(row, **{field: number}), which)
        with pytest.raises(OverflowError):
            check_widths(GENESIS, replace(odd, rows=odd.rows[::-1]))
