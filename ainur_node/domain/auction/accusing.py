"""Whether a bidder has something to prove against its auctioneer, and when: one look at the chain, one move."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ainur_node.domain.auction.commitments import MerkleProof, Opening, bid_set_root, commit_hash, root_of
from ainur_node.domain.auction.proofs import (
    BetterBid,
    DroppedCommit,
    FalseTranscript,
    Proof,
    TwoRoots,
    Withheld,
    absence,
)
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.standing import Standing
from ainur_node.domain.auction.transcript import Row, Transcript, outcome
from ainur_node.domain.ids import AccountId
from ainur_node.domain.reputation import penalty


@dataclass(frozen=True, slots=True)
class Held:
    """What a bidder has: its bid, and what the auctioneer signed about it (empty where it signed nothing).

    ``quality`` is its own frozen score; ``inclusion`` with ``seen_block`` is the receipt for its commit, ``other`` a
    root that is not the one on chain, ``ack`` the receipt for its reveal with its ``place`` under the root.
    """

    opening: Opening
    commit: bytes
    spec: bytes
    quality: int
    seen_block: int
    inclusion: bytes
    other: TwoRoots | None
    ack: bytes
    place: MerkleProof | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The transcript of the award as it was found, None when nobody shows it; frozen scores as the chain knows them."""

    transcript: Transcript | None
    frozen: Mapping[AccountId, int | None]


@dataclass(frozen=True, slots=True)
class Prove:
    """Challenge with this proof."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Look:
    """Fetch the transcript of the award."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Demand, as its winner, the transcript on chain."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before market time ``until``, or before the auction changes; 0: no time is known."""

    until: int


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing can be proven any more: why, as a code."""

    code: str


Move = Prove | Look | Ask | Wait | Over


def next_move(genesis: bytes, held: Held, s: Standing, seen: Seen | None) -> Move:
    """What to do about the auction as it stands; ``seen`` is None until the transcript was looked for."""
    if not s.bond:
        return Over("no_bond")
    mine = s.won is not None and s.won.provider == held.opening.provider
    if mine and s.demanded:
        return Prove(Withheld()) if s.now > s.demanded else Wait(s.demanded)
    if not s.live and s.now > s.until:
        return Over("window_over")
    if held.other is not None and s.root and _other_root(genesis, held.other, s):
        return Prove(held.other)
    if s.live:
        return Wait(0)
    if (better := _better_bid(held, s)) is not None:
        return Prove(better)
    if seen is None:
        # Who was asked to reveal and is not better than the winner has no cause to doubt; a look costs a call.
        return Look() if mine or not held.ack else Wait(s.until)
    if seen.transcript is None:
        return Ask() if mine and not s.answered else Wait(s.until)
    if (proof := _in_transcript(genesis, held, s, seen.transcript, seen.frozen)) is not None:
        return Prove(proof)
    return Wait(s.until)


def _other_root(genesis: bytes, other: TwoRoots, s: Standing) -> bool:
    return root_of(genesis, s.auction, other.count, other.tree) != s.root


def _better_bid(held: Held, s: Standing) -> BetterBid | None:
    """My acknowledged reveal against the award; between equal bids the beacon decides, and then nothing is claimed."""
    if not held.ack or held.place is None or held.opening.provider in s.out or held.quality < s.min_score:
        return None
    adjusted = held.opening.ask + penalty(s.reserve, s.quality_bps, held.quality)
    if s.won is None:
        refutes = adjusted <= s.reserve
    else:
        # Better than the winner, or less room than the price takes: the price is never below the winner's ask.
        refutes = s.won.provider != held.opening.provider and adjusted < s.won.price + s.won.penalty
    return BetterBid(held.opening, held.place, held.ack, held.spec) if refutes else None


def _in_transcript(
    genesis: bytes, held: Held, s: Standing, t: Transcript, frozen: Mapping[AccountId, int | None]
) -> Proof | None:
    commits = {row.commit.provider: row.commit.commit for row in t.rows}
    closed = len(commits) == len(t.rows) == s.count and bid_set_root(genesis, s.auction, commits) == s.root
    if closed and held.inclusion:
        gap = absence(commits, held.opening.provider, held.commit)
        if gap is not None:
            return DroppedCommit(held.opening.provider, held.commit, held.seen_block, held.inclusion, gap)
    false = not closed or not holds(genesis, s, t, frozen)
    return FalseTranscript(t) if false else None


def holds(genesis: bytes, s: Standing, t: Transcript, frozen: Mapping[AccountId, int | None]) -> bool:
    """Whether the transcript of an award follows from the closed set, the frozen scores and the rule.

    The checks of the pallet's ``FalseTranscript`` but for the set itself: what fails here convicts there.
    """
    sale = outcome(genesis, t)
    fair = outcome(genesis, replace(t, failed=(*t.failed, s.payer)))  # a payer cannot bid for its own task
    told = (sale.winner.provider, sale.price) if sale is not None else None
    awarded = (s.won.provider, s.won.price) if s.won is not None else None
    silent = any(row.status is RowStatus.NOT_REVEALED for row in t.rows)
    providers = [row.commit.provider for row in t.rows]
    return (
        (t.root, t.rule, t.reserve, t.quality_bps, t.score_epoch)
        == (s.root, s.rule, s.reserve, s.quality_bps, s.score_epoch)
        and told == awarded
        and len(t.failed) == s.failed
        and t.out == s.out
        and s.beacon in (b"", t.beacon)
        and providers == sorted(providers)
        and not (s.all_revealed and silent)
        and all(_row_holds(genesis, s, row, frozen.get(row.commit.provider)) for row in t.rows)
        and sale == fair
    )


def _row_holds(genesis: bytes, s: Standing, row: Row, frozen: int | None) -> bool:
    scored = frozen in (None, row.quality) and row.penalty == penalty(s.reserve, s.quality_bps, row.quality)
    if row.opening is None or row.status is not RowStatus.REVEALED:
        return scored and row.opening is None and row.status is not RowStatus.REVEALED
    mine = row.opening.provider == row.commit.provider
    opened = mine and commit_hash(genesis, s.auction, row.opening) == row.commit.commit
    return scored and opened and row.quality >= s.min_score
