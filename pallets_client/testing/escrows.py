"""In-memory pallet escrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pallets_client import hashing
from pallets_client.pallets.escrow import (
    Delivered,
    Disputed,
    Escrow,
    Funded,
    Ground,
    Settled,
    Settlement,
)
from pallets_client.pallets.vcg_auction import fee_of
from pallets_client.testing import auctions, registry, scores
from pallets_client.testing.world import DISPUTE_BOND, FUNDS, World, ensure

_PALLET = "Escrow"


def decline(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """The payee will not do it."""
    escrow = _get(world, args["escrow"])
    ensure(caller == escrow.payee, "Escrow.NotParty")
    ensure(isinstance(escrow.state, Funded), "Escrow.WrongState")
    ensure(world.now <= escrow.start_by, "Escrow.TooLate")
    since, count = world.declines.get(caller, (world.epoch, 0))
    if since != world.epoch:
        count = 0
    ensure(count < world.params.decline_cap, "Escrow.DeclineCap")
    world.declines[caller] = (world.epoch, count + 1)
    world.release(escrow.payer, FUNDS, escrow.held)
    registry.unlock(world, escrow.payee, escrow.perf_lock)
    scores.declined(world, escrow.payee, escrow.capability)
    _settle(world, args["escrow"], Settlement.DECLINED)
    auctions.reopen(world, escrow.source, caller)
    world.emit(_PALLET, "Declined", escrow=args["escrow"], payee=caller, reason=args["reason"])


def deliver(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """The delivery hash comes before the bytes."""
    escrow = _get(world, args["escrow"])
    operator = world.providers[escrow.payee].operator
    ensure(caller in (escrow.payee, operator), "Escrow.NotParty")
    ensure(args["milestone"] == 0, "Escrow.NoMilestone")
    ensure(isinstance(escrow.state, Funded), "Escrow.WrongState")
    ensure(world.now <= escrow.deliver_by, "Escrow.TooLate")
    world.escrows[args["escrow"]] = replace(escrow, state=Delivered(world.now, args["delivery"]))
    world.emit(_PALLET, "Delivered", escrow=args["escrow"], delivery=args["delivery"])


def refund(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Nothing was delivered: the lock burns, the next of the transcript may be awarded."""
    escrow = _get(world, args["escrow"])
    ensure(isinstance(escrow.state, Funded), "Escrow.WrongState")
    ensure(world.now > escrow.deliver_by, "Escrow.TooEarly")
    world.release(escrow.payer, FUNDS, escrow.held)
    registry.burn_lock(world, escrow.payee, escrow.perf_lock)
    scores.failed(world, escrow.payee, escrow.capability, escrow.fee)
    _settle(world, args["escrow"], Settlement.NOT_DELIVERED)
    auctions.reopen(world, escrow.source, escrow.payee)
    world.emit(_PALLET, "Refunded", escrow=args["escrow"], payer=escrow.payer, amount=escrow.held)


def accept(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """Pay."""
    escrow = _get(world, args["escrow"])
    ensure(caller == escrow.payer, "Escrow.NotParty")
    ensure(args["milestone"] == 0, "Escrow.NoMilestone")
    ensure(isinstance(escrow.state, Delivered | Disputed), "Escrow.WrongState")
    _pay(world, escrow, escrow.amount, escrow.fee)
    registry.unlock(world, escrow.payee, escrow.perf_lock)
    _release_bond(world, escrow)
    scores.paid(world, escrow.payee, escrow.capability, escrow.fee, verified=args["verified"])
    _settle(world, args["escrow"], Settlement.PAID, paid=escrow.amount)
    world.emit(
        _PALLET,
        "Paid",
        escrow=args["escrow"],
        payee=escrow.payee,
        amount=escrow.amount,
        fee=escrow.fee,
        verified=args["verified"],
    )


def auto_release(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Pay what the payer left unanswered."""
    escrow = _get(world, args["escrow"])
    ensure(isinstance(escrow.state, Delivered), "Escrow.WrongState")
    assert isinstance(escrow.state, Delivered)
    ensure(world.now > escrow.state.at + escrow.review_within, "Escrow.TooEarly")
    _pay(world, escrow, escrow.amount, escrow.fee)
    registry.unlock(world, escrow.payee, escrow.perf_lock)
    scores.paid(world, escrow.payee, escrow.capability, escrow.fee, verified=False)
    _settle(world, args["escrow"], Settlement.AUTO, paid=escrow.amount)
    world.emit(
        _PALLET,
        "AutoReleased",
        escrow=args["escrow"],
        payee=escrow.payee,
        amount=escrow.amount,
        fee=escrow.fee,
    )


def give_back(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """The payee knows that its delivery is wrong."""
    escrow = _get(world, args["escrow"])
    ensure(caller == escrow.payee, "Escrow.NotParty")
    ensure(isinstance(escrow.state, Delivered | Disputed), "Escrow.WrongState")
    world.release(escrow.payer, FUNDS, escrow.held)
    if isinstance(escrow.state, Disputed):
        registry.burn_lock(world, escrow.payee, escrow.perf_lock)
        scores.ruled_against(world, escrow.payee, escrow.capability, escrow.fee)
    else:
        registry.unlock(world, escrow.payee, escrow.perf_lock)
        scores.gave_back(world, escrow.payee, escrow.capability)
    _release_bond(world, escrow)
    _settle(world, args["escrow"], Settlement.GAVE_BACK)
    world.emit(_PALLET, "GaveBack", escrow=args["escrow"], payer=escrow.payer, amount=escrow.held)


def dispute(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """Refuse a delivery and put half the price at stake for it."""
    escrow = _get(world, args["escrow"])
    ensure(caller == escrow.payer, "Escrow.NotParty")
    ensure(args["milestone"] == 0, "Escrow.NoMilestone")
    ensure(args["ground"] <= max(Ground), "Escrow.BadGround")
    ensure(isinstance(escrow.state, Delivered), "Escrow.WrongState")
    assert isinstance(escrow.state, Delivered)
    ensure(world.now <= escrow.state.at + escrow.review_within, "Escrow.TooLate")
    bond = (escrow.amount + 1) // 2
    world.hold(escrow.payer, DISPUTE_BOND, bond, "Escrow.NotEnoughFree")
    until = world.now + world.params.dispute_limit
    no_case = bytes(32)  # until there is a court
    state = Disputed(world.now, args["ground"], bond, no_case, until, escrow.state.delivery)
    world.escrows[args["escrow"]] = replace(escrow, state=state)
    world.emit(
        _PALLET,
        "Disputed",
        escrow=args["escrow"],
        ground=args["ground"],
        bond=bond,
        evidence=args["evidence"],
        until=until,
    )


def resolve(world: World, _root: bytes, args: Mapping[str, Any]) -> None:
    """The ruling: a share to the payee, the loser's bond burned."""
    escrow = _get(world, args["escrow"])
    ensure(args["payee_bps"] <= 10_000, "Escrow.BadShare")
    ensure(isinstance(escrow.state, Disputed), "Escrow.WrongState")
    assert isinstance(escrow.state, Disputed)
    paid, back = _split(world, escrow, args["payee_bps"])
    if args["payee_bps"] * 2 >= 10_000:
        world.burn_held(escrow.payer, DISPUTE_BOND, escrow.state.bond)
        registry.unlock(world, escrow.payee, escrow.perf_lock)
        scores.paid(world, escrow.payee, escrow.capability, 0, verified=False)
    else:
        _release_bond(world, escrow)
        registry.burn_lock(world, escrow.payee, escrow.perf_lock)
        scores.ruled_against(world, escrow.payee, escrow.capability, escrow.fee)
    _settle(world, args["escrow"], Settlement.RULED, paid=paid)
    world.emit(_PALLET, "Resolved", escrow=args["escrow"], payee_amount=paid, payer_amount=back)


def timeout_dispute(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Nobody ruled in time: half each, both bonds burned."""
    escrow = _get(world, args["escrow"])
    ensure(isinstance(escrow.state, Disputed), "Escrow.WrongState")
    assert isinstance(escrow.state, Disputed)
    ensure(world.now > escrow.state.until, "Escrow.TooEarly")
    paid, back = _split(world, escrow, 5_000)
    world.burn_held(escrow.payer, DISPUTE_BOND, escrow.state.bond)
    registry.burn_lock(world, escrow.payee, escrow.perf_lock)
    scores.paid(world, escrow.payee, escrow.capability, 0, verified=False)
    _settle(world, args["escrow"], Settlement.STALE, paid=paid)
    world.emit(_PALLET, "Stale", escrow=args["escrow"], payee_amount=paid, payer_amount=back)


def forget(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Drop a finished auction and its escrow; ``escrow`` may be the auction's id when none was funded."""
    escrow = world.escrows.get(args["escrow"])
    auction_id, escrow_id = args["escrow"], hashing.escrow_id(world.genesis, args["escrow"], 0)
    if escrow is not None:
        auction_id, escrow_id = escrow.source, args["escrow"]
    since = auctions.terminal_since(world, auction_id)
    ensure(since is not None, "Escrow.NotTerminal")
    assert since is not None
    ensure(world.now > since + world.params.tombstone, "Escrow.TooEarly")
    del world.auctions[auction_id]
    for table in (world.closings, world.windows, world.skips):
        table.pop(auction_id, None)
    world.escrows.pop(escrow_id, None)
    world.emit(_PALLET, "Forgotten", escrow=args["escrow"], auction=auction_id)


def _split(world: World, escrow: Escrow, payee_bps: int) -> tuple[int, int]:
    paid = escrow.amount * payee_bps // 10_000
    _pay(world, escrow, paid, fee_of(paid, escrow.fee_bps))
    return paid, escrow.amount - paid


def _pay(world: World, escrow: Escrow, amount: int, fee: int) -> None:
    """To the payout account, else to the provider, else burned: a settlement is never stuck."""
    payer = escrow.payer
    for to in (escrow.payout, escrow.payee):
        if not amount or world.can_receive(to, amount):
            world.pay_held(payer, FUNDS, to, amount)
            break
    else:
        world.burn_held(payer, FUNDS, amount)
    world.burn_held(payer, FUNDS, fee)
    world.release(payer, FUNDS, escrow.held - amount - fee)


def _release_bond(world: World, escrow: Escrow) -> None:
    if isinstance(escrow.state, Disputed):
        world.release(escrow.payer, DISPUTE_BOND, escrow.state.bond)


def _settle(world: World, escrow_id: bytes, outcome: Settlement, paid: int = 0) -> None:
    world.escrows[escrow_id] = replace(world.escrows[escrow_id], paid_so_far=paid, state=Settled(outcome, world.now))


def _get(world: World, escrow_id: bytes) -> Escrow:
    escrow = world.escrows.get(escrow_id)
    ensure(escrow is not None, "Escrow.NoEscrow")
    assert escrow is not None
    return escrow
