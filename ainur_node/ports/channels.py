"""Payment channels on chain, in market words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain.channels.payee import OnChain
from ainur_node.domain.channels.voucher import SessionKey, Voucher
from ainur_node.domain.ids import AccountId, ChannelId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.ports.price import Price
from ainur_node.ports.storage import Fate


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """What this world allows: planck and ms."""

    deposit: Amount
    challenge_min: int
    challenge_max: int
    life: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call is in a block. ``channel`` is the one it concerned, ``fee`` in planck."""

    channel: ChannelId
    block: int
    fee: Amount
    skipped: tuple[ChannelId, ...] = ()


class ChannelBook(Protocol):
    """The chain's channels. Calls return once the extrinsic is in a block; Transient when the chain is away."""

    account: AccountId
    genesis: bytes

    async def market_now(self) -> int:
        """Market time in ms, estimated for this instant."""
        ...

    async def limits(self) -> ChannelLimits:
        """What a new channel must keep to."""
        ...

    async def price(self, call: str) -> Price:
        """What ``open``, ``top_up``, ``close`` or ``close_mutual`` would cost now; nothing is sent."""
        ...

    async def channel(self, channel: ChannelId) -> OnChain | None:
        """A channel as stored; None before it was opened and after it was closed."""
        ...

    async def next_counter(self) -> int:
        """How many channels this account has opened."""
        ...

    async def node_key(self, account: AccountId) -> NodeKey | None:
        """The node key that is bound to an account."""
        ...

    async def open(
        self, payee: AccountId, signer: SessionKey, deposit: Amount, challenge: int, expires: int, salt: bytes
    ) -> Recorded | Rejection:
        """Hold a deposit; ``salt`` makes two equal channels two."""
        ...

    async def fate(self, salt: bytes) -> Fate:
        """What became of the ``open`` with this salt, also when nobody waits for it. Transient: store away."""
        ...

    async def top_up(self, channel: ChannelId, amount: Amount, salt: bytes) -> Recorded | Rejection:
        """Hold more; ``salt`` makes two equal top-ups two."""
        ...

    async def claim(self, vouchers: Sequence[Voucher]) -> Recorded | Rejection:
        """Claim one voucher, or up to 64 in a batch; ``skipped`` are the channels of those that were not paid."""
        ...

    async def close(self, channel: ChannelId, voucher: Voucher | None) -> Recorded | Rejection:
        """End my earnings on a channel with the best voucher, and give the rest back."""
        ...

    async def close_mutual(
        self, channel: ChannelId, total: Amount, until: int, payer_signature: bytes, payee_signature: bytes
    ) -> Recorded | Rejection:
        """End a channel at the total that both signed."""
        ...

    async def request_close(self, channel: ChannelId) -> Recorded | Rejection:
        """Start the payee's time to claim."""
        ...

    async def finalize(self, channel: ChannelId) -> Recorded | Rejection:
        """Return what is left of a channel whose time is over."""
        ...
