"""In-memory pallet vcg-auction: the time between an award and the return of the auctioneer's bond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pallets_client import hashing
from pallets_client.keys import verify_digest
from pallets_client.pallets.auction_challenges import Leaf, Window
from pallets_client.pallets.reputation import penalty, quality_at
from pallets_client.pallets.shape import Variant
from pallets_client.pallets.vcg_auction import Auction, Awarded, Closed, Commitment, MerkleProof, Open, Opening
from pallets_client.testing import auctions, registry, transcripts
from pallets_client.testing.transcripts import Harm
from pallets_client.testing.world import AUCTION_BOND, DispatchError, World, ensure

_PALLET = "VcgAuction"
FAULTS = ("TwoRoots", "DroppedCommit", "Unsorted", "BetterBid", "FalseTranscript", "Withheld")
_EVERYTHING = 2**128 - 1


def challenge(world: World, challenger: bytes, args: Mapping[str, Any]) -> None:
    """One proof decides: half of the bond is burned, the rest is the victim's and the challenger's."""
    id_, proof = args["auction"], args["proof"]
    auction, closing = _auction(world, id_), _closing(world, id_)
    ensure(auction.bond > 0, "VcgAuction.NoBond")
    if proof.name == "Withheld":
        found = _withheld(world, id_, auction)
    else:
        window = world.windows.get(id_)
        within = window is not None and world.now <= window.until
        ensure(isinstance(auction.state, Closed) or within, "VcgAuction.TooLate")
        found = _PROOFS[proof.name](world, id_, auction, closing, proof)
    bond = auction.bond
    burned = -(-bond // 2)
    compensation = min(found.loss, bond - burned) if found.victim is not None else 0
    reward = bond - burned - compensation
    if found.victim is not None:
        provider = world.providers.get(found.victim)
        payout = provider.payout if provider is not None else found.victim
        if not _pay(world, auction.payer, payout, compensation):
            burned, compensation = burned + compensation, 0
    if not _pay(world, auction.payer, challenger, reward):
        burned, reward = burned + reward, 0
    world.burn_held(auction.payer, AUCTION_BOND, burned)
    if id_ in world.windows:
        world.windows[id_] = replace(world.windows[id_], demanded=0, answered=False)
    world.auctions[id_] = replace(auction, bond=0)
    world.emit(
        _PALLET,
        "Challenged",
        auction=id_,
        challenger=challenger,
        fault=FAULTS.index(proof.name),
        burned=burned,
        victim=found.victim,
        compensation=compensation,
        reward=reward,
    )


def _pay(world: World, payer: bytes, to: bytes, amount: int) -> bool:
    if amount and not world.can_receive(to, amount):
        return False
    world.pay_held(payer, AUCTION_BOND, to, amount)
    return True


def _signed(auction: Auction, digest: bytes, signature: bytes) -> None:
    ensure(verify_digest(auction.auctioneer_key, digest, signature), "VcgAuction.BadSignature")


def _two_roots(world: World, id_: bytes, auction: Auction, closing: Closed, proof: Variant) -> Harm:
    p = proof.fields
    other = hashing.root_hash(world.genesis, id_, p["count"], p["tree"])
    ensure(other != closing.root, "VcgAuction.NotProven")
    _signed(auction, other, p["signature"])
    return Harm()


def _leaf(world: World, id_: bytes, closing: Closed, provider: bytes, commit: bytes, proof: MerkleProof) -> None:
    top = hashing.tree_top(hashing.leaf_hash(provider, commit), proof.index, closing.count, proof.path)
    root = hashing.root_hash(world.genesis, id_, closing.count, top) if top is not None else None
    ensure(root == closing.root, "VcgAuction.BadProof")


def _neighbours(world: World, id_: bytes, closing: Closed, left: Leaf, right: Leaf) -> None:
    for leaf in (left, right):
        _leaf(world, id_, closing, leaf.provider, leaf.commit, leaf.proof)
    ensure(left.proof.index + 1 == right.proof.index, "VcgAuction.NotProven")


def _dropped(world: World, id_: bytes, auction: Auction, closing: Closed, proof: Variant) -> Harm:
    p = proof.fields
    provider, commit = p["provider"], p["commit"]
    seen = hashing.u32(p["seen_block"])
    _signed(auction, hashing.tagged("ainur/inclusion/1", world.genesis, id_, provider, commit, seen), p["inclusion"])
    ensure(_absent(world, id_, closing, provider, commit, p["absence"]), "VcgAuction.NotProven")
    return Harm(provider, _EVERYTHING)


def _absent(world: World, id_: bytes, closing: Closed, who: bytes, commit: bytes, absence: Variant) -> bool:
    if absence.name == "Replaced":
        _leaf(world, id_, closing, who, absence.fields["commit"], absence.fields["proof"])
        return bool(absence.fields["commit"] != commit)
    left: Leaf | None = absence.fields["left"]
    right: Leaf | None = absence.fields["right"]
    if left is not None and right is not None:
        _neighbours(world, id_, closing, left, right)
        return left.provider < who < right.provider
    only = left if left is not None else right
    if only is None:
        return False
    _leaf(world, id_, closing, only.provider, only.commit, only.proof)
    if left is not None:
        return only.proof.index + 1 == closing.count and only.provider < who
    return only.proof.index == 0 and who < only.provider


def _unsorted(world: World, id_: bytes, auction: Auction, closing: Closed, proof: Variant) -> Harm:
    del auction
    left, right = proof.fields["left"], proof.fields["right"]
    _neighbours(world, id_, closing, left, right)
    ensure(left.provider >= right.provider, "VcgAuction.NotProven")
    return Harm()


def _better_bid(world: World, id_: bytes, auction: Auction, closing: Closed, proof: Variant) -> Harm:
    window = _window(world, id_, "WrongState")
    opening: Opening = proof.fields["opening"]
    who, spec = opening.provider, proof.fields["spec"]
    out = (auction.payer, *transcripts.left_out(world, id_, window))
    ensure(who not in out, "VcgAuction.NotProven")
    commit = opening.commit(world.genesis, id_)
    _leaf(world, id_, closing, who, commit, proof.fields["proof"])
    _signed(auction, hashing.tagged("ainur/reveal-ack/1", world.genesis, id_, who, commit), proof.fields["ack"])
    ensure(hashing.tagged("ainur/spec/1", world.genesis, spec) == auction.spec, "VcgAuction.BadSpec")
    ensure(_admitted(spec, opening) and opening.ask >= world.params.min_price, "VcgAuction.NotProven")
    quality = transcripts.frozen_score(world, auction, who)
    ensure(quality is not None, "VcgAuction.ScoreForgotten")
    assert quality is not None
    ensure(quality >= auction.min_score, "VcgAuction.NotProven")
    adjusted = opening.ask + penalty(auction.reserve, auction.quality_bps, quality)
    ensure(adjusted <= auction.reserve, "VcgAuction.NotProven")
    won = window.won
    if won is None:
        return Harm(who, auction.reserve - adjusted)
    ensure(won.provider != who, "VcgAuction.NotProven")
    theirs = won.ask + won.penalty

    def ranked(provider: bytes, value: int) -> tuple[int, bytes]:
        return value, transcripts.tie(world, closing.root, world.block_hashes[closing.block], provider)

    if ranked(who, adjusted) < ranked(won.provider, theirs):
        return Harm(who, max(0, theirs - adjusted))
    ensure(adjusted < won.price + won.penalty, "VcgAuction.NotProven")
    return Harm()


def _admitted(spec: bytes, opening: Opening) -> bool:
    """Whether terms fit a canonical specification (docs/protocol.md §1.4)."""
    t, at = opening.terms, 68
    count = int.from_bytes(spec[at : at + 4], "little")
    modules = [spec[at + 4 + 32 * n : at + 36 + 32 * n] for n in range(count)]
    at += 4 + 32 * count + 32
    class_, at = spec[at], at + 33
    fuel, memory = int.from_bytes(spec[at : at + 8], "little"), int.from_bytes(spec[at + 8 : at + 12], "little")
    engine = spec[at + 16 : at + 48]
    wanted = (class_, engine, fuel, memory, 1)
    return t.module in modules and wanted == (t.class_, t.engine, t.fuel_limit, t.mem_limit, t.abi)


def _false_transcript(world: World, id_: bytes, auction: Auction, closing: Closed, proof: Variant) -> Harm:
    del auction, closing
    window, header, rows = _window(world, id_, "WrongState"), proof.fields["header"], proof.fields["rows"]
    hashed = transcripts.transcript_hash(world.genesis, id_, header, rows)
    ensure(hashed == window.transcript, "VcgAuction.OtherTranscript")
    found = transcripts.harm(world, id_, window, header, rows)
    ensure(found is not None, "VcgAuction.NotProven")
    assert found is not None
    return found


_PROOFS = {
    "TwoRoots": _two_roots,
    "DroppedCommit": _dropped,
    "Unsorted": _unsorted,
    "BetterBid": _better_bid,
    "FalseTranscript": _false_transcript,
}


def _withheld(world: World, id_: bytes, auction: Auction) -> Harm:
    window = world.windows.get(id_)
    if window is None or not window.demanded:
        raise DispatchError("VcgAuction.NotDemanded")
    ensure(world.now > window.demanded, "VcgAuction.TooEarly")
    won = window.won
    ensure(won is not None, "VcgAuction.NotDemanded")
    assert won is not None
    return Harm(won.provider, max(0, auction.reserve - won.penalty - won.price))


def release_bond(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Free the bond after the window; an unanswered demand leaves time to be proven."""
    id_ = args["auction"]
    auction = _auction(world, id_)
    ensure(auction.bond > 0, "VcgAuction.NoBond")
    ensure(not isinstance(auction.state, Open | Closed), "VcgAuction.WrongState")
    window = _window(world, id_, "WrongState")
    end = window.demanded + auction.challenge_within if window.demanded else 0
    ensure(world.now > window.until and world.now > end, "VcgAuction.TooEarly")
    world.release(auction.payer, AUCTION_BOND, auction.bond)
    world.auctions[id_] = replace(auction, bond=0)
    world.emit(_PALLET, "BondReleased", auction=id_, amount=auction.bond)


def skip(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """Put on record that a bidder cannot be awarded."""
    id_, opening = args["auction"], args["opening"]
    auction = _auction(world, id_)
    ensure(auction.payer == payer, "VcgAuction.NotPayer")
    ensure(auction.challenge_within > 0, "VcgAuction.NoWindow")
    ensure(isinstance(auction.state, Closed), "VcgAuction.WrongState")
    closing, who = _closing(world, id_), opening.provider
    ensure(world.block > closing.block, "VcgAuction.TooEarly")
    ensure(who not in auction.failed, "VcgAuction.AlreadyFailed")
    _leaf(world, id_, closing, who, opening.commit(world.genesis, id_), args["proof"])
    ensure(_cannot_win(world, id_, auction, opening, args["commitment"]), "VcgAuction.CanWin")
    ensure(who not in world.skips.get(id_, ()), "VcgAuction.AlreadyFailed")
    world.skips[id_] = (*world.skips.get(id_, ()), who)
    world.emit(_PALLET, "Skipped", auction=id_, provider=who)


def _cannot_win(world: World, id_: bytes, auction: Auction, opening: Opening, promise: Commitment) -> bool:
    """Whether ``award`` would refuse this bidder for something that lies with it."""
    who, provider = opening.provider, registry.active_provider(world, opening.provider)
    if provider is None:
        return True
    commit = opening.commit(world.genesis, id_)
    digest = hashing.commit_message(world.genesis, id_, who, commit, promise.seq, promise.standing_until)
    signed = verify_digest(provider.node_key, digest, promise.signature)
    did = world.dids.get(who)
    rotated = did is None or did.since > auction.open_at
    quality = quality_at(world.scores.get((who, auction.capability)), auction.score_epoch)
    most = max(0, auction.reserve - penalty(auction.reserve, auction.quality_bps, quality))
    try:
        auctions.check_agent(world, auction, opening)
    except DispatchError:
        return True
    short = provider.free_stake < most * auction.perf_bps // 10_000
    return short or (world.now > promise.standing_until if signed else rotated)


def demand(world: World, payee: bytes, args: Mapping[str, Any]) -> None:
    """The winner asks for the transcript."""
    id_ = args["auction"]
    auction = _auction(world, id_)
    ensure(isinstance(auction.state, Awarded), "VcgAuction.WrongState")
    assert isinstance(auction.state, Awarded)
    escrow = world.escrows.get(auction.state.escrow)
    ensure(escrow is not None and escrow.payee == payee, "VcgAuction.NotWinner")
    ensure(auction.bond > 0, "VcgAuction.NoBond")
    window = _window(world, id_, "NoWindow")
    ensure(world.now <= window.until, "VcgAuction.TooLate")
    ensure(not window.demanded and not window.answered, "VcgAuction.AlreadyDemanded")
    until = world.now + max(1, world.params.dispute_answer)
    world.windows[id_] = replace(window, demanded=until)
    world.emit(_PALLET, "Demanded", auction=id_, until=until)


def publish(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """The transcript that was asked for."""
    id_, header, rows = args["auction"], args["header"], args["rows"]
    _auction(world, id_)
    _closing(world, id_)
    window = _window(world, id_, "NoWindow")
    ensure(window.demanded > 0, "VcgAuction.NotDemanded")
    ensure(world.now <= window.demanded, "VcgAuction.TooLate")
    hashed = transcripts.transcript_hash(world.genesis, id_, header, rows)
    ensure(hashed == window.transcript, "VcgAuction.OtherTranscript")
    ensure(transcripts.harm(world, id_, window, header, rows) is None, "VcgAuction.TranscriptFails")
    world.windows[id_] = replace(window, demanded=0, answered=True)
    world.emit(_PALLET, "Published", auction=id_, transcript=window.transcript)


def _auction(world: World, id_: bytes) -> Auction:
    auction = world.auctions.get(id_)
    ensure(auction is not None, "VcgAuction.NoAuction")
    assert auction is not None
    return auction


def _closing(world: World, id_: bytes) -> Closed:
    closing = world.closings.get(id_)
    ensure(closing is not None, "VcgAuction.WrongState")
    assert closing is not None
    return closing


def _window(world: World, id_: bytes, error: str) -> Window:
    window = world.windows.get(id_)
    ensure(window is not None, f"VcgAuction.{error}")
    assert window is not None
    return window
