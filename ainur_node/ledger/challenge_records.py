"""Standings and proofs: records of the chain in the words of the domain, and back."""

from dataclasses import replace

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.auction import proofs
from ainur_node.domain.auction.commitments import MerkleProof
from ainur_node.domain.auction.proofs import Between, Leaf, Proof, Replaced
from ainur_node.domain.auction.standing import Standing, Won
from ainur_node.domain.auction.transcript import Row, Transcript, outcome
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.domain.money import Amount
from ainur_node.domain.task import NOTHING
from ainur_node.ledger.records import opening_of
from pallets_client.pallets import auction_challenges as chain
from pallets_client.pallets import vcg_auction
from pallets_client.pallets.shape import Variant


def standing_of(
    auction: AuctionId,
    found: tuple[vcg_auction.Auction, vcg_auction.Closed, chain.Window | None],
    skips: tuple[bytes, ...],
    *,
    now: int,
    beacon: bytes,
) -> Standing:
    """An auction after its close; ``skips`` are all bidders on record."""
    a, closing, window = found
    live = isinstance(a.state, vcg_auction.Open | vcg_auction.Closed)
    common = Standing(
        auction=auction,
        now=now,
        payer=AccountId(a.payer),
        reserve=Amount(a.reserve),
        quality_bps=a.quality_bps,
        score_epoch=a.score_epoch,
        min_score=a.min_score,
        rule=a.rule,
        bond=Amount(a.bond),
        challenge_within=a.challenge_within,
        live=live,
        root=closing.root,
        count=closing.count,
        beacon=beacon,
    )
    if window is None:
        return common
    won = window.won
    out = (*a.failed[: window.failed], *skips[: window.skipped])
    return replace(
        common,
        until=window.until,
        transcript=window.transcript,
        all_revealed=window.all_revealed,
        won=Won(AccountId(won.provider), Amount(won.ask), won.penalty, Amount(won.price)) if won is not None else None,
        failed=window.failed,
        out=tuple(AccountId(who) for who in out),
        demanded=window.demanded,
        answered=window.answered,
    )


def proof_of(genesis: bytes, proof: Proof) -> Variant:
    """A proof as the argument of ``challenge``."""
    match proof:
        case proofs.TwoRoots(count=count, tree=tree, signature=signature):
            return chain.two_roots(count, tree, signature)
        case proofs.DroppedCommit(absence=gap) as d:
            return chain.dropped_commit(d.provider, d.commit, d.seen_block, d.inclusion, _absence(gap))
        case proofs.BetterBid(opening=opening, proof=place, ack=ack, spec=spec):
            return chain.better_bid(opening_of(opening), _place(place), ack, spec)
        case proofs.FalseTranscript(transcript=transcript):
            return chain.false_transcript(header_of(genesis, transcript), rows_of(genesis, transcript))
        case proofs.Withheld():
            return chain.WITHHELD


def header_of(genesis: bytes, t: Transcript) -> chain.TranscriptHeader:
    """The preimage of a transcript's hash without its rows."""
    sale = outcome(genesis, t)
    setter = sale.price_setter if sale is not None else None
    return chain.TranscriptHeader(
        root=t.root,
        rule=t.rule,
        reserve=t.reserve,
        quality_bps=t.quality_bps,
        score_epoch=t.score_epoch,
        beacon=t.beacon,
        winner=sale.winner.provider if sale is not None else NOTHING,
        price=sale.price if sale is not None else 0,
        setter=setter or NOTHING,
        failed=tuple(t.failed),
        skipped=tuple((each.provider, each.block) for each in t.skipped),
    )


def rows_of(genesis: bytes, t: Transcript) -> list[chain.Row]:
    """The rows of a transcript as its hash covers them."""
    return [_row(genesis, row) for row in t.rows]


def _row(genesis: bytes, row: Row) -> chain.Row:
    opening = row.opening
    return chain.Row(
        provider=row.commit.provider,
        owner=row.commit.provider,
        commit=row.commit.commit,
        status=int(row.status),
        ask=opening.ask if opening is not None else 0,
        terms=terms_hash(genesis, opening.terms) if opening is not None else NOTHING,
        nonce=opening.nonce if opening is not None else NOTHING,
        quality=row.quality,
        penalty=row.penalty,
        adjusted=opening.ask + row.penalty if opening is not None else 0,
    )


def _place(proof: MerkleProof) -> vcg_auction.MerkleProof:
    return vcg_auction.MerkleProof(proof.index, proof.path)


def _leaf(leaf: Leaf | None) -> chain.Leaf | None:
    return chain.Leaf(leaf.provider, leaf.commit, _place(leaf.proof)) if leaf is not None else None


def _absence(gap: Between | Replaced) -> Variant:
    match gap:
        case Between(left=left, right=right):
            return chain.between(_leaf(left), _leaf(right))
        case Replaced(leaf=leaf):
            return chain.replaced(leaf.commit, _place(leaf.proof))
