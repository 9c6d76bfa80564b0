"""What the chain itself says about money: paid events of every block, balances, holds and locks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from town import Task, Town

from ainur_node.devnet.asking import wait_for
from ainur_node.devnet.layout import SUBMITTER
from ainur_node.domain.ids import AccountId, TaskId
from ainur_node.domain.requester import MAX_ATTEMPTS
from ainur_node.domain.task import auction_id, escrow_id
from pallets_client.client import ChainClient
from pallets_client.errors import ChainUnreachable
from pallets_client.pallets import escrow
from pallets_client.records import Event

PATIENCE = 60.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Payment:
    """An event of pallet escrow that moved money to a payee; planck."""

    escrow: bytes
    amount: int
    fee: int
    block: int


class Payments:
    """Reads the chain directly, so that no node's view of itself is believed."""

    def __init__(self, town: Town) -> None:
        self._client = ChainClient(town.world.plan.chain_url)
        self._accounts = {node.name: bytes.fromhex(node.account) for node in town.world.plan.nodes}
        self._providers = [node.name for node in town.world.plan.nodes if node.provider]

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def height(self) -> int:
        """Number of the best block."""
        return self._sure("the height", lambda: self._client.head().number)

    def market_now(self) -> int:
        """Market time of the best block in ms."""
        return self._sure("market time", self._client.market_now)

    def reveal_end(self, task: Task) -> int:
        """When the reveals of a task's first auction end, in market time."""
        found = self._sure("the auction", lambda: self._client.auction(bytes.fromhex(task.auction)))
        assert found is not None
        return found.reveal_end

    def since(self, height: int) -> list[Payment]:
        """All payments in blocks above this one, up to the best."""
        numbers = range(height + 1, self.height() + 1)
        return [paid for number in numbers for paid in self._sure(f"block {number}", partial(self._of, number))]

    def of(self, task: Task, payments: list[Payment]) -> Counter[bytes]:
        """How many of these payments went to each escrow of a task's auctions."""
        genesis, payer = self._client.genesis_hash, AccountId(self._accounts[SUBMITTER])
        auctions = [auction_id(genesis, payer, TaskId(bytes.fromhex(task.id)), n) for n in range(MAX_ATTEMPTS)]
        mine = {escrow_id(genesis, auction) for auction in auctions}
        return Counter(paid.escrow for paid in payments if paid.escrow in mine)

    def wealth(self) -> dict[str, int]:
        """Free and held planck of every node's account, all at one block."""
        return self._sure("the balances", self._wealth)

    def stuck(self) -> dict[str, int]:
        """What is still held for auctions, escrows and disputes, and locked of stakes; empty when all is over."""
        return self._sure("the holds", self._stuck)

    def _of(self, number: int) -> list[Payment]:
        block = self._client.block(number)
        return [paid for event in self._client.events(block.hash) if (paid := _payment(event, number)) is not None]

    def _wealth(self) -> dict[str, int]:
        at = self._client.head().hash
        found = {name: self._client.account(account, at) for name, account in self._accounts.items()}
        return {name: account.free + sum(account.held.values()) for name, account in found.items()}

    def _stuck(self) -> dict[str, int]:
        at, found = self._client.head().hash, {}
        for name, account in self._accounts.items():
            for reason, amount in self._client.account(account, at).held.items():
                if reason.startswith(("Escrow::", "VcgAuction::")):
                    found[f"{name} {reason}"] = amount
        for name in self._providers:
            provider = self._client.provider(self._accounts[name], at)
            if provider is not None and provider.locked:
                found[f"{name} locked"] = provider.locked
        return {what: amount for what, amount in found.items() if amount}

    def _sure(self, what: str, read: Callable[[], T]) -> T:
        """An answer of the chain, sooner or later."""

        def once() -> tuple[T] | None:
            try:
                return (read(),)
            except ChainUnreachable:
                return None

        return wait_for(f"the chain saying {what}", once, timeout=PATIENCE)[0]


def _payment(event: Event, block: int) -> Payment | None:
    if event.pallet != escrow.PALLET:
        return None
    said = event.fields
    if event.name in {"Paid", "AutoReleased"}:
        return Payment(bytes(said["escrow"]), int(said["amount"]), int(said["fee"]), block)
    if event.name in {"Resolved", "Stale"} and int(said["payee_amount"]):
        return Payment(bytes(said["escrow"]), int(said["payee_amount"]), 0, block)
    return None
