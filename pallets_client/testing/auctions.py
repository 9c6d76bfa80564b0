"""In-memory pallet vcg-auction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pallets_client import hashing
from pallets_client.keys import verify_digest
from pallets_client.pallets.agent_registry import AgentState, Provider
from pallets_client.pallets.auction_challenges import Window, Won
from pallets_client.pallets.escrow import Escrow, Funded, Settled, Settlement
from pallets_client.pallets.reputation import penalty, quality_at
from pallets_client.pallets.vcg_auction import (
    Auction,
    AuctionTerms,
    Awarded,
    Closed,
    Commitment,
    MerkleProof,
    NoSale,
    Open,
    Opening,
    Void,
    fee_of,
    reserve_of,
)
from pallets_client.records import EXISTENTIAL_DEPOSIT
from pallets_client.testing import registry
from pallets_client.testing.world import AUCTION_BOND, FUNDS, World, ensure

MAX_BUDGET = 2**90
MAX_COMMITS = 256
MAX_FAILED = 4
MIN_COMMIT_WITHIN = 100
MAX_COMMIT_WITHIN = 600_000
MAX_CHALLENGE = 604_800_000
_PALLET = "VcgAuction"


class Why:
    """Why an auction is void."""

    CANCELLED = 0
    NEVER_CLOSED = 1
    NEVER_AWARDED = 2
    TOO_MANY_FAILED = 3


def open_(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """Hold the budget and the auctioneer's bond."""
    terms: AuctionTerms = args["terms"]
    params = world.params
    auction_id = hashing.auction_id(world.genesis, payer, args["task"], args["attempt"])
    ensure(world.now <= args["open_by"], "VcgAuction.OpenByPassed")
    ensure(args["open_by"] - world.now <= params.tombstone, "VcgAuction.OpenByTooFar")
    ensure(auction_id not in world.auctions, "VcgAuction.AlreadyOpened")
    if args["attempt"] > 0:
        _check_earlier(world, payer, args["task"], args["attempt"] - 1)
    reserve = _check_terms(world, terms)
    bond = reserve * params.bond_bps // 10_000
    left = world.free.get(payer, 0) - terms.budget - bond
    ensure(left >= 0, "VcgAuction.NotEnoughFree")
    ensure(left >= EXISTENTIAL_DEPOSIT + params.fee_reserve, "VcgAuction.FeeReserve")
    world.hold(payer, FUNDS, terms.budget, "Escrow.NotEnoughFree")
    world.hold(payer, AUCTION_BOND, bond, "VcgAuction.NotEnoughFree")
    commit_end = world.now + terms.commit_within
    world.auctions[auction_id] = Auction(
        payer=payer,
        auctioneer_key=terms.auctioneer_key,
        task=args["task"],
        attempt=args["attempt"],
        spec=terms.spec,
        capability=terms.capability,
        mode=terms.mode,
        rule=terms.rule,
        slots=terms.slots,
        budget=terms.budget,
        reserve=reserve,
        fee_bps=params.fee_bps,
        quality_bps=terms.quality_bps,
        min_score=terms.min_score,
        score_epoch=world.epoch,
        perf_bps=params.perf_bps,
        bond=bond,
        open_at=world.now,
        commit_end=commit_end,
        reveal_end=commit_end + terms.reveal_within,
        award_by=commit_end + params.award_within,
        start_within=terms.start_within,
        deliver_within=terms.deliver_within,
        review_within=terms.review_within,
        challenge_within=terms.challenge_within,
        failed=(),
        state=Open(),
    )
    world.emit(
        _PALLET,
        "Opened",
        auction=auction_id,
        payer=payer,
        budget=terms.budget,
        reserve=reserve,
        score_epoch=world.epoch,
    )


def _check_terms(world: World, terms: AuctionTerms) -> int:
    """The reserve that follows from sensible terms."""
    params = world.params
    kind = (terms.mode, terms.rule, terms.slots)
    ensure(kind == (0, 1, 1) and terms.challenge_within <= MAX_CHALLENGE, "VcgAuction.Unsupported")
    windows = (
        (terms.commit_within, MIN_COMMIT_WITHIN, MAX_COMMIT_WITHIN),
        (terms.reveal_within, max(1, params.min_reveal), params.max_reveal),
        (terms.start_within, 1, params.start_within),
        (terms.deliver_within, 1, params.max_deliver),
        (terms.review_within, 1, params.review_within),
    )
    ensure(all(least <= window <= most for window, least, most in windows), "VcgAuction.BadWindow")
    ensure(terms.quality_bps <= params.quality_bps_max, "VcgAuction.BadQuality")
    ensure(terms.min_score <= 1_000_000, "VcgAuction.BadQuality")
    ensure(terms.budget <= MAX_BUDGET, "VcgAuction.BudgetTooLarge")
    reserve = reserve_of(terms.budget, params.fee_bps)
    ensure(reserve >= params.min_price, "VcgAuction.BudgetTooSmall")
    return reserve


def _check_earlier(world: World, payer: bytes, task: bytes, attempt: int) -> None:
    """The attempt before must be over, and not paid."""
    earlier = world.auctions.get(hashing.auction_id(world.genesis, payer, task, attempt))
    over = earlier is not None and isinstance(earlier.state, NoSale | Void)
    if earlier is not None and isinstance(earlier.state, Awarded):
        escrow = world.escrows.get(earlier.state.escrow)
        if escrow is not None and isinstance(escrow.state, Settled):
            over = escrow.state.outcome not in (Settlement.PAID, Settlement.AUTO)
    ensure(over, "VcgAuction.EarlierAttempt")


def cancel(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """Give everything back before the close."""
    auction = _own(world, payer, args["auction"])
    ensure(isinstance(auction.state, Open), "VcgAuction.WrongState")
    _end(world, args["auction"], auction, Void(Why.CANCELLED, world.now))
    world.emit(_PALLET, "Cancelled", auction=args["auction"])


def close(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """Store the root of the commits."""
    auction = _own(world, payer, args["auction"])
    ensure(isinstance(auction.state, Open), "VcgAuction.WrongState")
    ensure(1 <= args["count"] <= MAX_COMMITS, "VcgAuction.BadCount")
    ensure(auction.commit_end < world.now, "VcgAuction.TooEarly")
    ensure(world.now <= auction.reveal_end - world.params.min_reveal, "VcgAuction.TooLate")
    state = Closed(args["root"], args["count"], world.now, world.block)
    world.auctions[args["auction"]] = replace(auction, state=state)
    world.closings[args["auction"]] = state
    world.emit(_PALLET, "Closed", auction=args["auction"], root=args["root"], count=args["count"])


def _closed(world: World, auction: Auction, *, all_revealed: bool) -> Closed:
    ensure(isinstance(auction.state, Closed), "VcgAuction.WrongState")
    assert isinstance(auction.state, Closed)
    ensure(world.now > auction.reveal_end or all_revealed, "VcgAuction.TooEarly")
    ensure(world.block > auction.state.block, "VcgAuction.TooEarly")
    ensure(world.now <= auction.award_by, "VcgAuction.TooLate")
    return auction.state


def award(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """Fund the winner's escrow."""
    auction_id: bytes = args["auction"]
    auction = _own(world, payer, auction_id)
    closed = _closed(world, auction, all_revealed=args["all_revealed"])
    opening: Opening = args["opening"]
    price: int = args["price"]
    ensure(args["slot"] < auction.slots, "VcgAuction.NoSlot")
    provider = _eligible(world, auction, opening, args["commitment"])
    _check_proof(world, auction_id, closed, args)
    _check_signature(world, auction_id, provider, opening, args["commitment"])
    check_agent(world, auction, opening)
    _check_price(world, auction, opening, price)
    lock = price * auction.perf_bps // 10_000
    ensure(provider.free_stake >= lock, "VcgAuction.NotEnoughStake")

    fee = fee_of(price, auction.fee_bps)
    needed, held = price + fee, auction.held
    if needed > held:
        world.hold(payer, FUNDS, needed - held, "Escrow.NotEnoughFree")
    else:
        world.release(payer, FUNDS, held - needed)
    q = quality_at(world.scores.get((opening.provider, auction.capability)), auction.score_epoch)
    owed = penalty(auction.reserve, auction.quality_bps, q)
    auction = _begin_window(world, auction_id, auction, args, Won(opening.provider, opening.ask, owed, price))
    registry.lock(world, opening.provider, lock)
    # A runner-up's escrow takes the place of the failed winner's.
    escrow_id = hashing.escrow_id(world.genesis, auction_id, args["slot"])
    beacon = world.block_hashes[closed.block]
    world.auctions[auction_id] = replace(auction, state=Awarded(args["transcript"], beacon, world.now, escrow_id))
    world.escrows[escrow_id] = Escrow(
        source=auction_id,
        payer=payer,
        payee=opening.provider,
        payout=provider.payout,
        amount=price,
        fee=fee,
        fee_bps=auction.fee_bps,
        paid_so_far=0,
        splits=(),
        milestones=(),
        agent=opening.terms.agent,
        terms=opening.terms.hash(world.genesis),
        module=opening.terms.module,
        class_=opening.terms.class_,
        capability=auction.capability,
        perf_lock=lock,
        awarded_at=world.now,
        start_by=world.now + auction.start_within,
        deliver_by=world.now + auction.deliver_within,
        review_within=auction.review_within,
        revealed=closed.count if args["all_revealed"] else 0,
        state=Funded(),
    )
    world.emit(
        _PALLET,
        "Awarded",
        auction=auction_id,
        escrow=escrow_id,
        payee=opening.provider,
        price=price,
        fee=fee,
        transcript=args["transcript"],
    )
    world.emit(
        "Escrow",
        "Funded",
        escrow=escrow_id,
        auction=auction_id,
        payer=payer,
        payee=opening.provider,
        amount=price,
        fee=fee,
    )


def _begin_window(world: World, id_: bytes, auction: Auction, args: Mapping[str, Any], won: Won | None) -> Auction:
    """From now on the award may be challenged; without a window the bond goes free at once."""
    if not auction.challenge_within:
        world.release(auction.payer, AUCTION_BOND, auction.bond)
        return replace(auction, bond=0)
    until = world.now + auction.challenge_within
    skipped = len(world.skips.get(id_, ()))
    world.windows[id_] = Window(until, args["transcript"], args["all_revealed"], won, len(auction.failed), skipped)
    return auction


def _eligible(world: World, auction: Auction, opening: Opening, commitment: Commitment) -> Provider:
    ensure(opening.provider != auction.payer, "VcgAuction.OwnTask")
    ensure(opening.provider not in auction.failed, "VcgAuction.AlreadyFailed")
    ensure(world.now <= commitment.standing_until, "VcgAuction.NotStanding")
    provider = registry.active_provider(world, opening.provider)
    ensure(provider is not None, "VcgAuction.ProviderInactive")
    assert provider is not None
    return provider


def check_agent(world: World, auction: Auction, opening: Opening) -> None:
    """The agent stands on the market as the bid says."""
    agent, terms = world.agents.get(opening.terms.agent), opening.terms
    ensure(
        agent is not None
        and agent.state == AgentState.ACTIVE
        and agent.provider == opening.provider
        and agent.capability == auction.capability
        and (agent.version, agent.module, agent.class_) == (terms.version, terms.module, terms.class_),
        "VcgAuction.AgentMismatch",
    )


def _check_price(world: World, auction: Auction, opening: Opening, price: int) -> None:
    q = quality_at(world.scores.get((opening.provider, auction.capability)), auction.score_epoch)
    ensure(q >= auction.min_score, "VcgAuction.ScoreTooLow")
    most = auction.reserve - penalty(auction.reserve, auction.quality_bps, q)
    ensure(opening.ask <= price <= most, "VcgAuction.BadPrice")
    ensure(price >= world.params.min_price, "VcgAuction.BadPrice")


def _check_proof(world: World, auction_id: bytes, closed: Closed, args: Mapping[str, Any]) -> None:
    opening: Opening = args["opening"]
    proof: MerkleProof = args["proof"]
    leaf = hashing.leaf_hash(opening.provider, opening.commit(world.genesis, auction_id))
    top = hashing.tree_top(leaf, proof.index, closed.count, proof.path)
    ensure(top is not None, "VcgAuction.BadProof")
    assert top is not None
    root = hashing.root_hash(world.genesis, auction_id, closed.count, top)
    ensure(root == closed.root, "VcgAuction.BadProof")


def _check_signature(
    world: World, auction_id: bytes, provider: Provider, opening: Opening, commitment: Commitment
) -> None:
    digest = hashing.commit_message(
        world.genesis,
        auction_id,
        opening.provider,
        opening.commit(world.genesis, auction_id),
        commitment.seq,
        commitment.standing_until,
    )
    ensure(verify_digest(provider.node_key, digest, commitment.signature), "VcgAuction.BadSignature")


def no_sale(world: World, payer: bytes, args: Mapping[str, Any]) -> None:
    """End a closed auction without a winner."""
    auction = _own(world, payer, args["auction"])
    _closed(world, auction, all_revealed=args["all_revealed"])
    world.release(payer, FUNDS, auction.held)
    auction = _begin_window(world, args["auction"], auction, args, None)
    world.auctions[args["auction"]] = replace(auction, state=NoSale(args["transcript"], world.now))
    world.emit(_PALLET, "NoSale", auction=args["auction"], transcript=args["transcript"])


def expire(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """End an auction whose payer missed its deadline; after the close that costs the bond."""
    auction = _get(world, args["auction"])
    if isinstance(auction.state, Open):
        ensure(world.now > auction.reveal_end, "VcgAuction.TooEarly")
        why = Why.NEVER_CLOSED
    else:
        ensure(isinstance(auction.state, Closed), "VcgAuction.WrongState")
        ensure(world.now > auction.award_by, "VcgAuction.TooEarly")
        why = Why.NEVER_AWARDED
        world.burn_held(auction.payer, AUCTION_BOND, auction.bond)
        auction = replace(auction, bond=0)
    _end(world, args["auction"], auction, Void(why, world.now))
    world.emit(_PALLET, "Voided", auction=args["auction"], why=why)


def reopen(world: World, auction_id: bytes, failed: bytes) -> None:
    """Back to Closed after a winner declined or failed to deliver."""
    auction = world.auctions[auction_id]
    if len(auction.failed) >= MAX_FAILED:
        world.auctions[auction_id] = replace(auction, state=Void(Why.TOO_MANY_FAILED, world.now))
        world.emit(_PALLET, "Voided", auction=auction_id, why=Why.TOO_MANY_FAILED)
        return
    award_by = world.now + world.params.award_within
    world.auctions[auction_id] = replace(
        auction, failed=(*auction.failed, failed), award_by=award_by, state=world.closings[auction_id]
    )
    world.emit(_PALLET, "Reopened", auction=auction_id, failed=failed, award_by=award_by)


def terminal_since(world: World, auction_id: bytes) -> int | None:
    """Market time since which nothing can happen to the auction; None when it is live or unknown."""
    auction = world.auctions.get(auction_id)
    if auction is None or auction.bond:  # the bond is released first
        return None
    if isinstance(auction.state, NoSale | Void):
        return auction.state.at
    if isinstance(auction.state, Awarded):
        escrow = world.escrows.get(auction.state.escrow)
        if escrow is not None and isinstance(escrow.state, Settled):
            return escrow.state.at
    return None


def _end(world: World, auction_id: bytes, auction: Auction, state: NoSale | Void) -> None:
    world.release(auction.payer, FUNDS, auction.held)
    world.release(auction.payer, AUCTION_BOND, auction.bond)
    world.auctions[auction_id] = replace(auction, bond=0, state=state)


def _get(world: World, auction_id: bytes) -> Auction:
    auction = world.auctions.get(auction_id)
    ensure(auction is not None, "VcgAuction.NoAuction")
    assert auction is not None
    return auction


def _own(world: World, payer: bytes, auction_id: bytes) -> Auction:
    auction = _get(world, auction_id)
    ensure(auction.payer == payer, "VcgAuction.NotPayer")
    return auction
