"""Pallet channels: deposits that are paid out by vouchers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pallets_client.errors import ChainMisbehaviour
from pallets_client.hashing import tagged, u64, u128
from pallets_client.pallets.shape import Variant, variant
from pallets_client.records import Call

if TYPE_CHECKING:
    from pallets_client.link import Link

PALLET = "Channels"
HOLD = "Channels::ChannelDeposit"
MAX_BATCH = 64  # vouchers of one claim_batch: the pallet's bound


class KeyKind(IntEnum):
    """Which signature a session key makes."""

    ED25519 = 0
    SR25519 = 1


class Ending(IntEnum):
    """How a channel was closed."""

    BY_PAYEE = 0
    MUTUAL = 1
    FINALIZED = 2


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key that signs a channel's vouchers."""

    kind: KeyKind
    public: bytes


@dataclass(frozen=True, slots=True)
class Voucher:
    """What is owed in total, signed by the session key."""

    cumulative: int
    seq: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A voucher with its channel."""

    channel: bytes
    voucher: Voucher


@dataclass(frozen=True, slots=True)
class Channel:
    """An open channel; ``expires`` and ``closing`` are market time in ms, ``challenge`` a length of it."""

    payer: bytes
    payee: bytes
    signer: SessionKey
    counter: int
    deposit: int
    claimed: int
    seq: int
    challenge: int
    expires: int
    closing: int | None

    @property
    def left(self) -> int:
        """What is still on hold."""
        return self.deposit - self.claimed

    @property
    def claim_until(self) -> int:
        """The last market time at which a voucher counts."""
        return self.expires if self.closing is None else min(self.closing, self.expires)


def channel_id(genesis: bytes, payer: bytes, payee: bytes, counter: int) -> bytes:
    """Id of the channel that a payer opens after ``counter`` others."""
    return tagged("ainur/channel/1", genesis, payer, payee, u64(counter))


def voucher_digest(genesis: bytes, channel: bytes, cumulative: int, seq: int) -> bytes:
    """What the session key signs for a step, behind ``"ainur/sig/1\\0"``."""
    return tagged("ainur/voucher/1", genesis, channel, u128(cumulative), u64(seq))


def close_digest(genesis: bytes, channel: bytes, total: int, until: int) -> bytes:
    """What both sides sign to close at once."""
    return tagged("ainur/channel-close/1", genesis, channel, u128(total), u64(until))


# --- calls ----------------------------------------------------------------------------------------------


def open_(payee: bytes, signer: SessionKey, deposit: int, challenge: int, expires: int) -> Call:
    """Hold ``deposit`` for ``payee`` up to market time ``expires``; the id's counter is the payer's next."""
    key = Variant("Ed25519" if signer.kind == KeyKind.ED25519 else "Sr25519", {"0": signer.public})
    args = {"payee": payee, "signer": key, "deposit": deposit, "challenge": challenge, "expires": expires}
    return Call(PALLET, "open", args)


def top_up(channel: bytes, amount: int) -> Call:
    """Add to the deposit; payer only."""
    return Call(PALLET, "top_up", {"channel": channel, "amount": amount})


def claim(channel: bytes, voucher: Voucher) -> Call:
    """Pay the payee what the voucher adds; anyone may bring it."""
    args = {"cumulative": voucher.cumulative, "seq": voucher.seq, "signature": voucher.signature}
    return Call(PALLET, "claim", {"channel": channel, **args})


def claim_batch(claims: Sequence[Claim]) -> Call:
    """Claim many; each that fails is skipped and told by an event ``ClaimSkipped``."""
    return Call(PALLET, "claim_batch", {"claims": list(claims)})


def close_mutual(channel: bytes, total: int, until: int, payer_signature: bytes, payee_signature: bytes) -> Call:
    """Close at the total that session key and the payee's node key signed (``close_digest``)."""
    args = {"total": total, "until": until, "payer_signature": payer_signature, "payee_signature": payee_signature}
    return Call(PALLET, "close_mutual", {"channel": channel, **args})


def request_close(channel: bytes) -> Call:
    """Start the challenge window; payer only."""
    return Call(PALLET, "request_close", {"channel": channel})


def finalize(channel: bytes) -> Call:
    """Return what is left when the time to claim is over; anyone may, free when it succeeds."""
    return Call(PALLET, "finalize", {"channel": channel})


def close(channel: bytes, voucher: Voucher | None) -> Call:
    """Claim the last voucher, if any, and give the rest back; payee only."""
    return Call(PALLET, "close", {"channel": channel, "voucher": voucher})


# --- queries --------------------------------------------------------------------------------------------


def channel_at(link: Link, channel: bytes, at: bytes | None = None) -> Channel | None:
    """A channel; None before it was opened and after it was closed."""
    found = link.storage(PALLET, "Channels", channel, at=at)
    return None if found is None else parse_channel(found)


def counter_at(link: Link, payer: bytes, at: bytes | None = None) -> int:
    """How many channels a payer has opened: the counter of its next one."""
    found = link.storage(PALLET, "Counters", payer, at=at)
    if type(found) is not int:
        raise ChainMisbehaviour("a payer's counter is no number")
    return found


def parse_channel(value: Any) -> Channel:
    """A channel from its decoded struct, or ChainMisbehaviour."""
    if not isinstance(value, Mapping):
        raise ChainMisbehaviour("a channel is a struct")
    key = variant(value.get("signer"), "Channel.signer")
    public = next(iter(key.fields.values()), None)
    if key.name not in ("Ed25519", "Sr25519") or not isinstance(public, bytes):
        raise ChainMisbehaviour(f"a session key of kind {key.name}")
    signer = SessionKey(KeyKind[key.name.upper()], public)
    numbers = ("counter", "deposit", "claimed", "seq", "challenge", "expires")
    closing = value.get("closing")
    if any(type(value.get(name)) is not int for name in numbers) or not isinstance(closing, int | None):
        raise ChainMisbehaviour("a channel's numbers are whole")
    parties = [value.get(name) for name in ("payer", "payee")]
    if not all(isinstance(party, bytes) and len(party) == 32 for party in parties):
        raise ChainMisbehaviour("a channel's parties are accounts")
    plain = {name: value[name] for name in numbers}
    return Channel(payer=value["payer"], payee=value["payee"], signer=signer, closing=closing, **plain)
