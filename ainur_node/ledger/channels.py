"""ports.ChannelBook on pallets_client: payment channels, each call at most once under its natural id."""

from collections.abc import Sequence

from ainur_node.domain.channels.payee import OnChain
from ainur_node.domain.channels.voucher import KeyKind, SessionKey, Voucher
from ainur_node.domain.ids import AccountId, ChannelId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.ledger.account_view import AccountView
from ainur_node.ledger.calls import fields_of, ref_of
from ainur_node.ports import Fate
from ainur_node.ports.channels import ChannelLimits, Recorded
from ainur_node.ports.price import Price
from pallets_client.pallets import channels
from pallets_client.records import Call, Failed, Included, Refused

_ZERO = bytes(32)
_LARGE = 2**90
_SAMPLES = {
    "open": channels.open_(_ZERO, channels.SessionKey(channels.KeyKind.ED25519, _ZERO), _LARGE, 1, 1),
    "top_up": channels.top_up(_ZERO, _LARGE),
    "close": channels.close(_ZERO, channels.Voucher(_LARGE, 1, bytes(64))),
    "close_mutual": channels.close_mutual(_ZERO, _LARGE, 1, bytes(64), bytes(64)),
}
"""Calls as large as the real ones, to ask for fees."""


class ChainChannels(AccountView):
    """The channels of this node's account, and of whoever pays it."""

    async def limits(self) -> ChannelLimits:
        """What a new channel must keep to."""
        p = await self._read(self._client.params)
        return ChannelLimits(
            Amount(p.channel_deposit), p.channel_challenge_min, p.channel_challenge_max, p.channel_life
        )

    async def price(self, call: str) -> Price:
        """What a call would cost now."""
        return await self._price_of(_SAMPLES[call])

    async def channel(self, channel: ChannelId) -> OnChain | None:
        """A channel as stored."""
        found = await self._read(self._client.channel, channel)
        return None if found is None else on_chain(found)

    async def next_counter(self) -> int:
        """How many channels this account has opened."""
        return await self._read(self._client.channel_counter, self.account)

    async def node_key(self, account: AccountId) -> NodeKey | None:
        """The node key that is bound to an account."""
        found = await self._read(self._client.did, account)
        return NodeKey(found.node_key) if found is not None and found.active else None

    async def open(
        self, payee: AccountId, signer: SessionKey, deposit: Amount, challenge: int, expires: int, salt: bytes
    ) -> Recorded | Rejection:
        """Hold a deposit."""
        key = channels.SessionKey(channels.KeyKind(signer.kind), signer.public)
        return await self._send(channels.open_(payee, key, deposit, challenge, expires), None, salt)

    async def fate(self, salt: bytes) -> Fate:
        """What became of an ``open``."""
        return await self._caller.fate(ref_of(_SAMPLES["open"], b"", salt))

    async def top_up(self, channel: ChannelId, amount: Amount, salt: bytes) -> Recorded | Rejection:
        """Hold more."""
        return await self._send(channels.top_up(channel, amount), channel, salt)

    async def claim(self, vouchers: Sequence[Voucher]) -> Recorded | Rejection:
        """Claim vouchers."""
        first = vouchers[0]
        if len(vouchers) == 1:
            total = first.cumulative.to_bytes(16, "little")
            return await self._send(channels.claim(first.channel, _plain(first)), first.channel, total)
        claims = [channels.Claim(each.channel, _plain(each)) for each in vouchers[: channels.MAX_BATCH]]
        names = b"".join(each.channel + each.cumulative.to_bytes(16, "little") for each in vouchers)
        return await self._send(channels.claim_batch(claims), first.channel, names)

    async def close(self, channel: ChannelId, voucher: Voucher | None) -> Recorded | Rejection:
        """End my earnings on a channel."""
        plain = _plain(voucher) if voucher is not None else None
        return await self._send(channels.close(channel, plain), channel)

    async def close_mutual(
        self, channel: ChannelId, total: Amount, until: int, payer_signature: bytes, payee_signature: bytes
    ) -> Recorded | Rejection:
        """End a channel at the total that both signed."""
        call = channels.close_mutual(channel, total, until, payer_signature, payee_signature)
        return await self._send(call, channel, total.to_bytes(16, "little"))

    async def request_close(self, channel: ChannelId) -> Recorded | Rejection:
        """Start the payee's time to claim."""
        return await self._send(channels.request_close(channel), channel)

    async def finalize(self, channel: ChannelId) -> Recorded | Rejection:
        """Return what is left of a channel whose time is over."""
        return await self._send(channels.finalize(channel), channel)

    async def _send(self, call: Call, channel: ChannelId | None, *natural_id: bytes) -> Recorded | Rejection:
        match await self._caller.send(call, channel or b"", *natural_id):
            case Included() as done:
                opened = fields_of(done, channels.PALLET, "Opened") or {}
                skipped = tuple(
                    ChannelId(event.fields["channel"])
                    for event in done.events
                    if (event.pallet, event.name) == (channels.PALLET, "ClaimSkipped")
                )
                about = channel if channel is not None else ChannelId(opened["channel"])
                return Recorded(about, done.block_number, Amount(done.fee), skipped)
            case Failed(error=error, doc=doc):
                name = error.rsplit(".", 1)[-1]
                code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
                return Rejection(code, doc or error)
            case Refused(reason=reason):
                return Rejection("fee_refused", f"the chain's pool refused the extrinsic: {reason}")


def on_chain(found: channels.Channel) -> OnChain:
    """A channel in the market's words."""
    return OnChain(
        payer=AccountId(found.payer),
        payee=AccountId(found.payee),
        signer=SessionKey(KeyKind(found.signer.kind), found.signer.public),
        counter=found.counter,
        deposit=Amount(found.deposit),
        claimed=Amount(found.claimed),
        challenge=found.challenge,
        expires=found.expires,
        closing=found.closing,
    )


def _plain(voucher: Voucher) -> channels.Voucher:
    return channels.Voucher(voucher.cumulative, voucher.seq, voucher.signature)
