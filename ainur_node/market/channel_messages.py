"""What payer and payee of a channel say to each other; everything received is a proposal (docs/protocol.md §7)."""

from ainur_node.domain.canonical import b32, tagged_hash, u64, u128
from ainur_node.domain.channels.voucher import Voucher
from ainur_node.domain.ids import ChannelId
from ainur_node.market.messages import B32, B64, U64, Message, Money, money_of

PAY, SETTLE = "channel.pay", "channel.settle"


class PayRequest(Message, frozen=True):
    """``channel.pay``: the payer owes this much in all."""

    channel: B32
    cumulative: Money
    seq: U64
    signature: B64

    def voucher(self) -> Voucher:
        """As a domain record."""
        return Voucher(ChannelId(self.channel), money_of(self.cumulative), self.seq, self.signature)


class PayReceipt(Message, frozen=True):
    """Answer: the payee has stored the voucher; its node key signed ``ack_digest``."""

    signature: B64


class SettleRequest(Message, frozen=True):
    """``channel.settle``: let us end the channel at this total; the session key signed ``close_digest``."""

    channel: B32
    total: Money
    until: U64
    signature: B64


class SettleConsent(Message, frozen=True):
    """Answer: the payee's node key signed the same ``close_digest``."""

    signature: B64


def ack_digest(genesis: bytes, channel: ChannelId, cumulative: int, seq: int) -> bytes:
    """``H("ainur/channel-ack/1", channel, cumulative u128, seq u64)``: the payee has this voucher for good."""
    return tagged_hash(genesis, "ainur/channel-ack/1", b32(channel), u128(cumulative), u64(seq))
