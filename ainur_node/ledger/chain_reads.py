"""The market's view of the chain: records as they stand, and waiting for them to change."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import trio

from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.errors import Transient
from ainur_node.ledger.account_view import AccountView
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.records import agent_of, auction_of, escrow_of, provider_of
from ainur_node.ledger.watch import AUCTION, ESCROW, ChainWatch
from ainur_node.ports import Balance, ChainAgent, ChainAuction, ChainEscrow, ChainProvider
from pallets_client.pallets import reputation
from pallets_client.records import Call, Failed, Included, Refused

# Provider records and the agent list may be this old (seconds).
FRESH = 2.0


class ChainReads(AccountView):
    """What is read of the chain, and how a call that ends an escrow is sent."""

    def __init__(self, client: Any, caller: Caller, watch: ChainWatch, account: bytes, node_key: bytes) -> None:
        super().__init__(client, caller, watch, account)
        self.node_key = NodeKey(node_key)
        self._fresh: dict[tuple[str, bytes], tuple[float, Any]] = {}

    async def _read_fresh(self, kind: str, key: bytes, function: Callable[..., Any], *args: Any) -> Any:
        known = self._fresh.get((kind, key))
        if known is not None and trio.current_time() - known[0] < FRESH:
            return known[1]
        value = await self._read(function, *args)
        if len(self._fresh) > 4096:
            self._fresh.clear()
        # That something is not there is never remembered: whoever just registered must be known at once.
        if value:
            self._fresh[kind, key] = (trio.current_time(), value)
        return value

    async def height(self) -> int:
        """Number of the best block."""
        return self._watch.height

    async def block_hash(self, number: int) -> bytes:
        """Hash of a block."""
        block = await self._read(self._client.block, number)
        return bytes(block.hash)

    async def balance(self, account: AccountId) -> Balance:
        """What the account owns; the fee reserve is what ``open`` leaves untouched."""
        found = await self._read(self._client.account, account)
        params = await self._read_fresh("params", b"", self._client.params)
        spendable = max(0, found.spendable - params.fee_reserve)
        return Balance(Amount(found.free), dict(found.held), Amount(spendable), Amount(params.fee_reserve))

    async def min_price(self) -> Amount:
        """The least price of an award."""
        params = await self._read_fresh("params", b"", self._client.params)
        return Amount(params.min_price)

    async def auction(self, auction: AuctionId) -> ChainAuction | None:
        """An auction as stored."""
        found = await self._read(self._client.auction, auction)
        return auction_of(found) if found is not None else None

    async def closing(self, auction: AuctionId) -> ChainAuction | None:
        """The auction with root, count and block of its close, whatever became of it since."""
        found = await self.auction(auction)
        closing = await self._read(self._client.closing, auction) if found is not None else None
        if found is None or closing is None:
            return None
        return replace(found, root=closing.root, count=closing.count, close_block=closing.block)

    async def escrow(self, escrow: EscrowId) -> ChainEscrow | None:
        """An escrow as stored."""
        found = await self._read(self._client.escrow, escrow)
        return escrow_of(found) if found is not None else None

    async def forgotten(self, escrow: EscrowId, past: int) -> bool:
        """Whether a block past that market time (ms) has no such escrow, though there was one by then."""
        return await self._read(self._forgotten, escrow, past)

    def _forgotten(self, escrow: EscrowId, past: int) -> bool:
        # Both at one block, and no estimate of the time: of two reads one may be answered by a node that is behind.
        at = self._client.head().hash
        return self._client.market_now(at) > past and self._client.escrow(escrow, at) is None

    async def watch_auction(self, auction: AuctionId, known: ChainAuction | None, *, until: int) -> ChainAuction | None:
        """The auction once it differs from ``known``, or as it stands when market time passes ``until``."""
        while True:
            found = await self.auction(auction)
            if found != known or self._watch.market_now() > until:
                return found
            await self._watch.wait_change(AUCTION, auction, until=until)

    async def watch_escrow(self, escrow: EscrowId, known: ChainEscrow | None, *, until: int) -> ChainEscrow | None:
        """The escrow once it differs from ``known``, or as it stands when market time passes ``until``."""
        while True:
            found = await self.escrow(escrow)
            if found != known or self._watch.market_now() > until:
                return found
            await self._watch.wait_change(ESCROW, escrow, until=until)

    async def provider(self, account: AccountId) -> ChainProvider | None:
        """A provider record."""
        found = await self._read_fresh("provider", account, self._client.provider, account)
        return provider_of(account, found) if found is not None else None

    async def provider_of(self, node_key: NodeKey) -> ChainProvider | None:
        """The provider that is bound to a node key."""
        owner = await self._read_fresh("owner", node_key, self._client.node_key_owner, node_key)
        provider = await self.provider(AccountId(owner)) if owner is not None else None
        return provider if provider is not None and provider.node_key == node_key else None

    async def quality(self, provider: AccountId, capability: bytes, epoch: int) -> int:
        """The score frozen for an epoch; frozen, so an answer about a finished epoch never ages."""
        found = await self._read_fresh("score", provider + capability, self._client.score, provider, capability)
        return reputation.quality_at(found, epoch)

    async def frozen_quality(self, provider: AccountId, capability: bytes, epoch: int) -> int | None:
        """As :meth:`quality`, but None when the entry of that epoch may have been dropped."""
        found = await self._read_fresh("score", provider + capability, self._client.score, provider, capability)
        if found is not None and len(found.history) >= reputation.HISTORY and found.history[0][0] > epoch:
            return None
        return reputation.quality_at(found, epoch)

    async def agents(self, capability: str | None = None) -> list[ChainAgent]:
        """Registered agents."""
        found = await self._read_fresh("agents", b"", self._client.agents)
        return [agent_of(i, a) for i, a in found if capability is None or a.capability_name == capability.encode()]

    async def _end(self, escrow: EscrowId, call: Call) -> str:
        """Send a call that ends an escrow; the outcome it has now, or the refusal's code while it has none."""
        found = await self.escrow(escrow)
        if found is None or found.state == "settled":
            return found.outcome if found is not None else "unknown"
        outcome = await self._caller.send(call, escrow, found.payee, found.awarded_at.to_bytes(8, "little"))
        after = await self.escrow(escrow)
        if after is not None and after.state == "settled":
            return after.outcome
        if isinstance(outcome, Included):
            raise Transient(f"{call.name} is not visible yet")
        return refusal_of(outcome)[0]


def refusal_of(outcome: Failed | Refused) -> tuple[str, str]:
    """A stable code and a sentence: ``VcgAuction.StakeTooLow`` becomes ``stake_too_low``."""
    if isinstance(outcome, Refused):
        return "fee_refused", f"the chain's pool refused the extrinsic: {outcome.reason}"
    name = outcome.error.rsplit(".", 1)[-1]
    code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return code, outcome.doc or outcome.error
