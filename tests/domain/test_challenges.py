"""What a bidder may prove against its auctioneer, what it may not, and what a payer does about its bond."""

from dataclasses import replace
from typing import Any

import pytest
from domain_records import AUCTION, GENESIS, PAYER, b32, spec, transcript

from ainur_node.domain.auction import accusing, bond
from ainur_node.domain.auction.accusing import Ask, Held, Look, Over, Prove, Seen, Wait, holds, next_move
from ainur_node.domain.auction.commitments import bid_set_root, commit_hash, prove, proves, root_of, tree_of
from ainur_node.domain.auction.proofs import (
    CODES,
    BetterBid,
    Between,
    DroppedCommit,
    FalseTranscript,
    Leaf,
    Replaced,
    TwoRoots,
    Withheld,
    absence,
)
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.standing import Standing, Won
from ainur_node.domain.auction.transcript import Row, Skipped, Transcript, outcome
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import penalty

HONEST = replace(transcript([1_000, 1_500, 1_200, 900]), rule=1)
SALE = outcome(GENESIS, HONEST)
assert SALE is not None
WINNER, SETTER = SALE.winner.provider, SALE.price_setter
COMMITS = {row.commit.provider: row.commit.commit for row in HONEST.rows}
LOSER = next(p for p in COMMITS if p not in (WINNER, SETTER))
FROZEN: dict[AccountId, int | None] = {row.commit.provider: row.quality for row in HONEST.rows}


def won(**changed: Any) -> Won:
    made = Won(WINNER, SALE.winner.ask, SALE.winner.penalty, SALE.price)  # type: ignore[union-attr]
    return replace(made, **changed)


def standing(**changed: Any) -> Standing:
    """An honest award in the middle of its window."""
    made = Standing(
        auction=AUCTION,
        now=100,
        payer=PAYER,
        reserve=HONEST.reserve,
        quality_bps=HONEST.quality_bps,
        score_epoch=HONEST.score_epoch,
        min_score=7,
        rule=1,
        bond=Amount(300),
        challenge_within=50,
        live=False,
        root=HONEST.root,
        count=4,
        beacon=HONEST.beacon,
        until=120,
        transcript=b32("transcript"),
        all_revealed=True,
        won=won(),
    )
    return replace(made, **changed)


def row_of(who: AccountId) -> Row:
    return next(row for row in HONEST.rows if row.commit.provider == who)


def held(who: AccountId = LOSER, **changed: Any) -> Held:
    """A bidder that was asked to reveal and got an ack."""
    row = row_of(who)
    assert row.opening is not None
    made = Held(
        row.opening, row.commit.commit, spec().encode(), row.quality, 3, b"inclusion", None, b"ack", prove(COMMITS, who)
    )
    return replace(made, **changed)


def move(h: Held, s: Standing, seen: Transcript | str | None = "unseen") -> accusing.Move:
    return next_move(GENESIS, h, s, None if isinstance(seen, str) else Seen(seen, FROZEN))


def without(who: AccountId) -> Transcript:
    """The transcript of an auctioneer that left somebody out, with the root that goes with it."""
    rows = tuple(row for row in HONEST.rows if row.commit.provider != who)
    root = bid_set_root(GENESIS, AUCTION, {row.commit.provider: row.commit.commit for row in rows})
    return replace(HONEST, rows=rows, root=root)


# --- the moves of a bidder ----------------------------------------------------------------------------------------


def test_an_honest_award_is_looked_at_by_who_has_cause_and_then_waited_for() -> None:
    assert move(held(), standing()) == Wait(120)
    assert move(held(WINNER), standing()) == Look()
    assert move(held(ack=b""), standing()) == Look()
    for who in (WINNER, LOSER):
        assert move(held(who), standing(), HONEST) == Wait(120)


@pytest.mark.parametrize("who", [WINNER, LOSER])
def test_without_a_bond_or_after_the_window_there_is_nothing_to_prove(who: AccountId) -> None:
    two = TwoRoots(1, b32("tree"), b"signature")

    assert move(held(who, other=two), standing(bond=Amount(0))) == Over("no_bond")
    assert move(held(who, other=two), standing(now=121)) == Over("window_over")
    assert move(held(who, other=two), standing(now=120)) == Prove(two)


def test_another_signed_root_is_proven_as_soon_as_there_is_one_on_chain() -> None:
    tree = tree_of(4, LOSER, COMMITS[LOSER], prove(COMMITS, LOSER))
    assert tree is not None
    same, two = TwoRoots(4, tree, b"s"), TwoRoots(3, tree, b"s")
    closed = standing(live=True, until=0, won=None)

    assert root_of(GENESIS, AUCTION, 4, tree) == HONEST.root
    assert move(held(other=two), closed) == Prove(two)
    assert move(held(other=two), standing(live=True, now=121)) == Prove(two)
    assert move(held(other=same), closed) == Wait(0)
    assert move(held(other=two), replace(closed, root=b"")) == Wait(0)


def test_a_demand_is_the_winners_and_convicts_when_it_ran_out() -> None:
    asked = standing(demanded=150)

    assert move(held(WINNER), asked) == Wait(150)
    assert move(held(WINNER), replace(asked, now=150)) == Wait(150)
    assert move(held(WINNER), replace(asked, now=151)) == Prove(Withheld())
    assert move(held(), asked) == Wait(120)
    assert move(held(), replace(asked, now=151)) == Over("window_over")


def test_a_transcript_that_nobody_shows_is_demanded_by_the_winner_once() -> None:
    assert move(held(WINNER), standing(), None) == Ask()
    assert move(held(WINNER), standing(answered=True), None) == Wait(120)
    assert move(held(ack=b""), standing(), None) == Wait(120)


def test_a_commit_that_was_left_out_is_proven_with_its_receipt() -> None:
    t = without(LOSER)
    s = standing(root=t.root, count=3)

    proven = move(held(ack=b""), s, t)

    assert isinstance(proven, Prove)
    assert isinstance(proven.proof, DroppedCommit)
    found = proven.proof
    assert (found.provider, found.commit, found.seen_block, found.inclusion) == (LOSER, COMMITS[LOSER], 3, b"inclusion")
    assert found.absence == absence({p: c for p, c in COMMITS.items() if p != LOSER}, LOSER, COMMITS[LOSER])
    assert move(held(ack=b"", inclusion=b""), s, t) == Wait(120)


@pytest.mark.parametrize("count", [3, 5])
def test_a_transcript_that_is_not_the_closed_set_convicts_by_itself(count: int) -> None:
    assert move(held(ack=b""), standing(count=count), HONEST) == Prove(FalseTranscript(HONEST))
    assert move(held(ack=b""), standing(), without(LOSER)) == Prove(FalseTranscript(without(LOSER)))
    twice = replace(HONEST, rows=(*HONEST.rows, HONEST.rows[0]))
    assert move(held(ack=b""), standing(), twice) == Prove(FalseTranscript(twice))


def test_an_acknowledged_bid_refutes_an_award_that_it_beats() -> None:
    mine = held()
    adjusted = mine.opening.ask + penalty(HONEST.reserve, HONEST.quality_bps, mine.quality)
    proof = BetterBid(mine.opening, prove(COMMITS, LOSER), b"ack", spec().encode())
    owed = 10

    def paid(room: int) -> Standing:
        return standing(won=won(penalty=owed, price=Amount(room - owed)))

    assert move(mine, paid(adjusted + 1)) == Prove(proof)
    assert move(mine, paid(adjusted)) == Wait(120)
    nobody = standing(won=None, reserve=HONEST.reserve)
    assert move(mine, nobody) == Prove(proof)
    for silent in ({"ack": b""}, {"place": None}, {"quality": 6}):
        assert not isinstance(move(held(**silent), paid(adjusted + 1)), Prove)
    assert isinstance(move(held(quality=7), replace(paid(10**9), quality_bps=0)), Prove)
    assert not isinstance(move(mine, replace(paid(adjusted + 1), out=(LOSER,))), Prove)
    assert not isinstance(move(held(WINNER), paid(10**9)), Prove)


def test_a_bid_above_the_reserve_refutes_no_missing_sale() -> None:
    mine = held()
    exact = mine.opening.ask + 0

    assert isinstance(move(mine, standing(won=None, reserve=Amount(exact), quality_bps=0)), Prove)
    assert move(mine, standing(won=None, reserve=Amount(exact - 1), quality_bps=0)) == Wait(120)


def test_proofs_have_stable_names() -> None:
    assert {kind.__name__: code for kind, code in CODES.items()} == {
        "TwoRoots": "two_roots",
        "DroppedCommit": "dropped_commit",
        "BetterBid": "better_bid",
        "FalseTranscript": "false_transcript",
        "Withheld": "withheld",
    }


# --- transcripts --------------------------------------------------------------------------------------------------


def changed(which: int = 0, **fields: Any) -> Transcript:
    rows = [replace(row, **fields) if n == which else row for n, row in enumerate(HONEST.rows)]
    return replace(HONEST, rows=tuple(rows))


SILENT = transcript([1_000, 1_500, 1_200, 900], silent=1)
SILENT_SALE = outcome(GENESIS, SILENT)
assert SILENT_SALE is not None
UNSOLD = replace(HONEST, failed=tuple(COMMITS))


def after_silence(**more: Any) -> Standing:
    sale = SILENT_SALE
    assert sale is not None
    told = Won(sale.winner.provider, sale.winner.ask, sale.winner.penalty, sale.price)
    return standing(root=SILENT.root, won=told, **more)


def test_an_honest_transcript_holds() -> None:
    assert holds(GENESIS, standing(), HONEST, FROZEN)
    assert holds(GENESIS, standing(beacon=b""), HONEST, FROZEN)
    assert holds(GENESIS, standing(), HONEST, dict.fromkeys(FROZEN))
    assert holds(GENESIS, after_silence(all_revealed=False), SILENT, FROZEN)
    assert holds(GENESIS, standing(won=None, failed=4, out=tuple(COMMITS)), UNSOLD, FROZEN)
    assert holds(GENESIS, standing(min_score=min(q for q in FROZEN.values() if q)), HONEST, FROZEN)


FALSE: dict[str, tuple[Standing, Transcript]] = {
    "another root": (standing(root=b32("other")), HONEST),
    "another rule": (standing(rule=2), HONEST),
    "another reserve": (standing(reserve=Amount(2_999)), HONEST),
    "another weight": (standing(quality_bps=399), HONEST),
    "another epoch": (standing(score_epoch=4), HONEST),
    "another beacon": (standing(beacon=b32("other")), HONEST),
    "another price": (standing(won=won(price=Amount(1))), HONEST),
    "another winner": (standing(won=won(provider=LOSER)), HONEST),
    "no sale": (standing(won=None), HONEST),
    "a sale of nothing": (standing(failed=4, out=tuple(COMMITS)), UNSOLD),
    "somebody failed": (standing(failed=1), HONEST),
    "somebody skipped": (standing(out=(LOSER,)), HONEST),
    "skipped off record": (standing(), replace(HONEST, skipped=(Skipped(LOSER, 9),))),
    "the payer bids": (standing(payer=SETTER or PAYER), HONEST),
    "the payer wins": (standing(payer=WINNER), HONEST),
    "rows out of order": (standing(), replace(HONEST, rows=HONEST.rows[::-1])),
    "silent though all revealed": (after_silence(), SILENT),
    "a better score": (standing(), changed(quality=999_999)),
    "a score below the least": (standing(min_score=450_001), HONEST),
    "another penalty": (
        standing(),
        changed(next(n for n, r in enumerate(HONEST.rows) if r.commit.provider == LOSER), penalty=0),
    ),
    "revealed without an opening": (
        after_silence(all_revealed=False),
        replace(SILENT, rows=tuple(replace(r, status=RowStatus.REVEALED) for r in SILENT.rows)),
    ),
    "an opening that does not compete": (
        standing(),
        changed(next(n for n, r in enumerate(HONEST.rows) if r.commit.provider == LOSER), status=RowStatus.BAD_OPENING),
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_transcript_that_contradicts_the_chain_does_not_hold(name: str) -> None:
    assert not holds(GENESIS, *FALSE[name], FROZEN)


@pytest.mark.parametrize("fields", [{"ask": Amount(1_499)}, {"provider": WINNER}])
def test_an_opening_that_is_not_the_commits_does_not_hold(fields: dict[str, Any]) -> None:
    n = next(n for n, row in enumerate(HONEST.rows) if row.commit.provider == LOSER)
    found = HONEST.rows[n].opening
    assert found is not None

    assert not holds(GENESIS, standing(), changed(n, opening=replace(found, **fields)), FROZEN)


LOST = next(n for n, row in enumerate(HONEST.rows) if row.commit.provider == LOSER)


def test_an_opening_of_another_does_not_hold_although_it_hashes_to_the_commit() -> None:
    row = HONEST.rows[LOST]
    assert row.opening is not None
    foreign = replace(row.opening, provider=WINNER)
    sealed = replace(row.commit, commit=commit_hash(GENESIS, AUCTION, foreign))

    assert not holds(GENESIS, standing(), changed(LOST, commit=sealed, opening=foreign), FROZEN)


def test_a_score_that_the_chain_did_not_freeze_does_not_hold_with_its_own_penalty() -> None:
    quality = HONEST.rows[LOST].quality + 1
    t = changed(LOST, quality=quality, penalty=penalty(HONEST.reserve, HONEST.quality_bps, quality))

    assert not holds(GENESIS, standing(), t, FROZEN)
    assert holds(GENESIS, standing(), t, FROZEN | {LOSER: quality})
    assert holds(GENESIS, standing(), t, FROZEN | {LOSER: None})


def test_other_commits_than_the_closed_ones_are_no_closed_set() -> None:
    sealed = replace(HONEST.rows[LOST].commit, commit=b32("another"))
    t = changed(LOST, commit=sealed, status=RowStatus.NOT_REVEALED, opening=None)
    s = standing(all_revealed=False)

    assert holds(GENESIS, s, t, FROZEN)
    for bidder in (held(WINNER), held(ack=b""), held(ack=b"", inclusion=b"")):
        assert move(bidder, s, t) == Prove(FalseTranscript(t))


def test_what_does_not_hold_is_proven() -> None:
    short = standing(won=won(price=Amount(1)))

    assert move(held(WINNER), short, HONEST) == Prove(FalseTranscript(HONEST))


# --- absence ------------------------------------------------------------------------------------------------------


def test_a_commit_is_absent_between_its_neighbours_or_replaced() -> None:
    first, second, third = sorted(COMMITS)[:3]
    some = {third: COMMITS[third], first: COMMITS[first]}

    def leaf(who: AccountId) -> Leaf:
        return Leaf(who, some[who], prove(some, who))

    assert absence(some, second, COMMITS[second]) == Between(leaf(first), leaf(third))
    assert absence(some, AccountId(bytes(32)), b"c") == Between(None, leaf(first))
    assert absence(some, AccountId(b"\xff" * 32), b"c") == Between(leaf(third), None)
    assert absence(some, first, b"other") == Replaced(leaf(first))
    assert absence(some, first, COMMITS[first]) is None
    assert absence({}, first, COMMITS[first]) is None
    root = bid_set_root(GENESIS, AUCTION, some)
    assert proves(GENESIS, AUCTION, root, 2, third, some[third], leaf(third).proof)


# --- the bond -----------------------------------------------------------------------------------------------------


def test_a_bond_waits_for_the_end_of_its_window_and_comes_back() -> None:
    def at(published: bool = False, **changed: Any) -> bond.Move:
        return bond.next_move(standing(**changed), published=published)

    assert at() == bond.Wait(120)
    assert at(now=120) == bond.Wait(120)
    assert at(now=121) == bond.Release()
    assert at(bond=Amount(0)) == bond.Over()
    assert at(live=True, now=500) == bond.Wait(0)


def test_a_demand_is_answered_in_time_and_keeps_the_bond_until_it_could_be_proven() -> None:
    def at(now: int, published: bool = False) -> bond.Move:
        return bond.next_move(standing(now=now, demanded=150), published=published)

    assert at(100) == at(150) == bond.Publish()
    assert at(150, published=True) == at(151) == at(200) == bond.Wait(200)
    assert at(201) == bond.Release()
    assert bond.next_move(standing(now=110, demanded=60), published=False) == bond.Wait(120)


def test_a_bond_that_is_gone_within_its_time_was_lost() -> None:
    gone = standing(bond=Amount(0))

    assert bond.lost(standing(), replace(gone, now=120))
    assert not bond.lost(standing(), replace(gone, now=121))
    assert bond.lost(standing(demanded=1), replace(gone, now=500))
    assert bond.lost(standing(live=True), replace(gone, now=500))
    assert not bond.lost(None, gone)
