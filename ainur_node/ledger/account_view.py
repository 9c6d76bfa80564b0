"""The chain as one account sees it: reads that say what to do when they fail, market time, and what a call costs."""

from collections.abc import Callable
from typing import Any, TypeVar

import trio

from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount
from ainur_node.errors import Transient
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.watch import ChainWatch
from ainur_node.ports.price import Price
from pallets_client.errors import ChainError
from pallets_client.records import Call

T = TypeVar("T")


class AccountView:
    """What every part of the ledger is built on."""

    def __init__(self, client: Any, caller: Caller, watch: ChainWatch, account: bytes) -> None:
        self._client = client
        self._caller = caller
        self._watch = watch
        self.account = AccountId(account)
        self.genesis: bytes = client.genesis_hash

    async def _read(self, function: Callable[..., T], *args: Any) -> T:
        """Ask the chain in a thread. Raises Transient."""
        try:
            return await trio.to_thread.run_sync(function, *args, abandon_on_cancel=True)
        except ChainError as exc:
            raise Transient(
                f"the chain cannot be read: {exc}", hint="check chain.url and `ainur chain status`"
            ) from exc

    async def market_now(self) -> int:
        """Market time, estimated for this instant."""
        return self._watch.market_now()

    async def _price_of(self, *samples: Call) -> Price:
        """What calls like these would cost; a fee depends on kind and size of a call, not on what it says."""
        params = await self._read(self._client.params)
        account = await self._read(self._client.account, self.account)
        fees: dict[str, Amount] = {}
        for sample in samples:
            fee = await self._read(self._client.estimate_fee, sample, self._caller.writer.key)
            fees[f"{sample.pallet}.{sample.name}"] = Amount(fee)
        spendable = Amount(max(0, account.spendable - params.fee_reserve))
        return Price(fees, spendable, Amount(params.fee_reserve))
