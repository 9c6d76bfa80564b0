"""Vouchers and the digests under them (docs/protocol.md §1); the chain computes the same bytes."""

from dataclasses import dataclass
from enum import IntEnum

from ainur_node.domain.canonical import b32, tagged_hash, u64, u128
from ainur_node.domain.ids import AccountId, ChannelId
from ainur_node.domain.money import Amount


class KeyKind(IntEnum):
    """Which signature a session key makes; the number is the chain's."""

    ED25519 = 0
    SR25519 = 1


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key of one channel: signs its vouchers, owns nothing."""

    kind: KeyKind
    public: bytes


@dataclass(frozen=True, slots=True)
class Voucher:
    """What the payer owes in total since the channel opened, signed; ``seq`` only counts."""

    channel: ChannelId
    cumulative: Amount
    seq: int
    signature: bytes

    def same_content(self, other: "Voucher") -> bool:
        """Whether both say the same; sr25519 signs the same content differently each time."""
        return (self.channel, self.cumulative, self.seq) == (other.channel, other.cumulative, other.seq)


def channel_id(genesis: bytes, payer: AccountId, payee: AccountId, counter: int) -> ChannelId:
    """``H("ainur/channel/1", payer, payee, counter u64)``: the payer had opened ``counter`` channels before."""
    return ChannelId(tagged_hash(genesis, "ainur/channel/1", b32(payer), b32(payee), u64(counter)))


def voucher_digest(genesis: bytes, channel: ChannelId, cumulative: int, seq: int) -> bytes:
    """``H("ainur/voucher/1", channel, cumulative u128, seq u64)``: what the session key signs for a step."""
    return tagged_hash(genesis, "ainur/voucher/1", b32(channel), u128(cumulative), u64(seq))


def close_digest(genesis: bytes, channel: ChannelId, total: int, until: int) -> bytes:
    """``H("ainur/channel-close/1", channel, total u128, until u64)``: what both sides sign to close at once."""
    return tagged_hash(genesis, "ainur/channel-close/1", b32(channel), u128(total), u64(until))
