"""In-memory pallet channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ed25519_zebra
import sr25519

from pallets_client.hashing import signed_message
from pallets_client.pallets.channels import (
    HOLD,
    MAX_BATCH,
    PALLET,
    Channel,
    Claim,
    Ending,
    KeyKind,
    SessionKey,
    Voucher,
    channel_id,
    close_digest,
    voucher_digest,
)
from pallets_client.testing.world import DispatchError, World, ensure

MAX_DEPOSIT = 2**90


def open_(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """Hold the deposit of a new channel."""
    params, now = world.params, world.now
    payee, deposit, challenge, expires = (args[name] for name in ("payee", "deposit", "challenge", "expires"))
    ensure(caller != payee, "Channels.OwnPayee")
    ensure(params.channel_deposit <= deposit <= MAX_DEPOSIT, "Channels.BadDeposit")
    fits = params.channel_challenge_min <= challenge <= params.channel_challenge_max
    ensure(fits, "Channels.BadChallenge")
    ensure(now + challenge <= expires <= now + params.channel_life, "Channels.BadExpiry")
    world.hold(caller, HOLD, deposit, "Channels.NotEnoughFree")
    counter = world.channel_counters.get(caller, 0)
    world.channel_counters[caller] = counter + 1
    signer = SessionKey(KeyKind[args["signer"].name.upper()], args["signer"].fields["0"])
    id_ = channel_id(world.genesis, caller, payee, counter)
    world.channels[id_] = Channel(caller, payee, signer, counter, deposit, 0, 0, challenge, expires, None)
    world.emit(
        PALLET,
        "Opened",
        channel=id_,
        payer=caller,
        payee=payee,
        counter=counter,
        deposit=deposit,
        expires=expires,
    )


def top_up(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """Hold more."""
    channel = _get(world, args["channel"])
    ensure(caller == channel.payer, "Channels.NotParty")
    ensure(args["amount"] > 0, "Channels.ZeroAmount")
    ensure(channel.closing is None, "Channels.AlreadyClosing")
    ensure(world.now <= channel.claim_until, "Channels.TooLate")
    deposit = channel.deposit + args["amount"]
    ensure(deposit <= MAX_DEPOSIT, "Channels.BadDeposit")
    world.hold(caller, HOLD, args["amount"], "Channels.NotEnoughFree")
    world.channels[args["channel"]] = replace(channel, deposit=deposit)
    world.emit(PALLET, "ToppedUp", channel=args["channel"], amount=args["amount"], deposit=deposit)


def claim(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """One voucher."""
    voucher = Voucher(args["cumulative"], args["seq"], args["signature"])
    world.channels[args["channel"]] = _take(world, args["channel"], voucher)


def claim_batch(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Many vouchers, each for itself."""
    claims: list[Claim] = list(args["claims"])
    ensure(0 < len(claims) <= MAX_BATCH, "Channels.EmptyBatch")
    for index, item in enumerate(claims):
        try:
            world.channels[item.channel] = _take(world, item.channel, item.voucher)
        except DispatchError as why:  # every guard stands before the first change
            world.emit(PALLET, "ClaimSkipped", channel=item.channel, index=index, why=why.error)


def close_mutual(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Both signed the end."""
    id_, total, until = args["channel"], args["total"], args["until"]
    channel = _get(world, id_)
    ensure(world.now <= until, "Channels.TooLate")
    ensure(total <= channel.deposit, "Channels.AboveDeposit")
    ensure(total >= channel.claimed, "Channels.BelowClaimed")
    did = world.dids.get(channel.payee)
    ensure(did is not None and did.active, "Channels.NoPayeeKey")
    assert did is not None
    digest = close_digest(world.genesis, id_, total, until)
    payee_key = SessionKey(KeyKind.ED25519, did.node_key)
    by_payer = _signed(channel.signer, digest, args["payer_signature"])
    ensure(by_payer and _signed(payee_key, digest, args["payee_signature"]), "Channels.BadConsent")
    _pay(world, channel, total - channel.claimed)
    _end(world, id_, replace(channel, claimed=total), Ending.MUTUAL)


def request_close(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """Start the challenge window."""
    channel = _get(world, args["channel"])
    ensure(caller == channel.payer, "Channels.NotParty")
    ensure(channel.closing is None, "Channels.AlreadyClosing")
    ensure(world.now <= channel.expires, "Channels.TooLate")
    channel = replace(channel, closing=world.now + channel.challenge)
    world.channels[args["channel"]] = channel
    world.emit(
        PALLET,
        "CloseRequested",
        channel=args["channel"],
        until=channel.claim_until,
        claimed=channel.claimed,
        left=channel.left,
    )


def finalize(world: World, _caller: bytes, args: Mapping[str, Any]) -> None:
    """Nobody can claim any more."""
    channel = _get(world, args["channel"])
    ensure(world.now > channel.claim_until, "Channels.TooEarly")
    _end(world, args["channel"], channel, Ending.FINALIZED)


def close(world: World, caller: bytes, args: Mapping[str, Any]) -> None:
    """The payee is done."""
    channel = _get(world, args["channel"])
    ensure(caller == channel.payee, "Channels.NotParty")
    if args["voucher"] is not None:
        channel = _take(world, args["channel"], args["voucher"])
    _end(world, args["channel"], channel, Ending.BY_PAYEE)


def _get(world: World, channel_id_: bytes) -> Channel:
    found = world.channels.get(channel_id_)
    ensure(found is not None, "Channels.NoChannel")
    assert found is not None
    return found


def _take(world: World, id_: bytes, voucher: Voucher) -> Channel:
    channel = _get(world, id_)
    ensure(world.now <= channel.claim_until, "Channels.TooLate")
    ensure(voucher.cumulative > channel.claimed, "Channels.StaleVoucher")
    ensure(voucher.cumulative <= channel.deposit, "Channels.AboveDeposit")
    digest = voucher_digest(world.genesis, id_, voucher.cumulative, voucher.seq)
    ensure(_signed(channel.signer, digest, voucher.signature), "Channels.BadVoucher")
    amount = voucher.cumulative - channel.claimed
    _pay(world, channel, amount)
    channel = replace(channel, claimed=voucher.cumulative, seq=voucher.seq)
    world.emit(
        PALLET,
        "Claimed",
        channel=id_,
        payee=channel.payee,
        amount=amount,
        claimed=channel.claimed,
        left=channel.left,
        seq=voucher.seq,
    )
    return channel


def _pay(world: World, channel: Channel, amount: int) -> None:
    if amount:
        ensure(world.can_receive(channel.payee, amount), "Channels.PayeeMissing")
        world.pay_held(channel.payer, HOLD, channel.payee, amount)


def _end(world: World, id_: bytes, channel: Channel, how: Ending) -> None:
    world.release(channel.payer, HOLD, channel.left)
    del world.channels[id_]
    world.emit(
        PALLET,
        "Closed",
        channel=id_,
        payer=channel.payer,
        payee=channel.payee,
        how=how,
        paid=channel.claimed,
        returned=channel.left,
    )


def _signed(key: SessionKey, digest: bytes, signature: bytes) -> bool:
    message = signed_message(digest)
    try:
        if key.kind == KeyKind.ED25519:
            return bool(ed25519_zebra.ed_verify(signature, message, key.public))
        return bool(sr25519.verify(signature, message, key.public))
    except ValueError:
        return False
