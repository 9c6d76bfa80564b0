"""The state that the in-memory pallets share: money with holds, market time, and every pallet's maps."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from pallets_client.hashing import SINK_ACCOUNT
from pallets_client.pallets.agent_registry import Agent, Provider
from pallets_client.pallets.auction_challenges import Window
from pallets_client.pallets.channels import Channel
from pallets_client.pallets.did import Did
from pallets_client.pallets.escrow import Escrow
from pallets_client.pallets.market import DEVELOPMENT, Params
from pallets_client.pallets.reputation import Score
from pallets_client.pallets.vcg_auction import Auction, Closed
from pallets_client.records import EXISTENTIAL_DEPOSIT, Event

STAKE = "AgentRegistry::Stake"
FUNDS = "Escrow::EscrowFunds"
DISPUTE_BOND = "Escrow::DisputeBond"
AUCTION_BOND = "VcgAuction::AuctioneerBond"


class DispatchError(Exception):
    """A guard refused a call; ``error`` is "Pallet.Name" as in the runtime's metadata."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def ensure(condition: bool, error: str) -> None:
    """Raise DispatchError(error) unless the condition holds."""
    if not condition:
        raise DispatchError(error)


@dataclass(slots=True)
class World:
    """All storage at one moment; values are immutable records, so a shallow copy is a snapshot."""

    genesis: bytes
    network_id: bytes
    params: Params = DEVELOPMENT
    now: int = 0
    block: int = 0
    free: dict[bytes, int] = field(default_factory=lambda: {SINK_ACCOUNT: EXISTENTIAL_DEPOSIT})
    holds: dict[tuple[bytes, str], int] = field(default_factory=dict)
    nonces: dict[bytes, int] = field(default_factory=dict)
    dids: dict[bytes, Did] = field(default_factory=dict)
    node_keys: dict[bytes, bytes] = field(default_factory=dict)
    providers: dict[bytes, Provider] = field(default_factory=dict)
    agents: dict[bytes, Agent] = field(default_factory=dict)
    scores: dict[tuple[bytes, bytes], Score] = field(default_factory=dict)
    declines: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    auctions: dict[bytes, Auction] = field(default_factory=dict)
    escrows: dict[bytes, Escrow] = field(default_factory=dict)
    closings: dict[bytes, Closed] = field(default_factory=dict)
    windows: dict[bytes, Window] = field(default_factory=dict)
    skips: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    channels: dict[bytes, Channel] = field(default_factory=dict)
    channel_counters: dict[bytes, int] = field(default_factory=dict)
    block_hashes: dict[int, bytes] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def snapshot(self) -> World:
        """A copy that later changes do not reach."""
        copied = copy.copy(self)
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, dict | list):
                setattr(copied, name, value.copy())
        return copied

    def restore(self, snapshot: World) -> None:
        """Undo everything since the snapshot, which must not be used again."""
        for name in self.__slots__:
            setattr(self, name, getattr(snapshot, name))

    @property
    def epoch(self) -> int:
        """Number of the running epoch of scores."""
        return self.now // self.params.epoch

    def emit(self, pallet: str, name: str, **fields: Any) -> None:
        """Put an event into the block."""
        self.events.append(Event(pallet, name, fields, 0))

    # money ---------------------------------------------------------------------------------------------

    def issuance(self) -> int:
        """Σ free + Σ held, the sink included."""
        return sum(self.free.values()) + sum(self.holds.values())

    def held(self, account: bytes, reason: str) -> int:
        """What an account has on hold for one reason."""
        return self.holds.get((account, reason), 0)

    def spendable(self, account: bytes) -> int:
        """Free money above the existential deposit."""
        return max(0, self.free.get(account, 0) - EXISTENTIAL_DEPOSIT)

    def hold(self, account: bytes, reason: str, amount: int, error: str) -> None:
        """Move free money on hold; ``error`` when that would leave less than the existential deposit."""
        ensure(self.spendable(account) >= amount, error)
        self.free[account] -= amount
        self._change_hold(account, reason, amount)

    def release(self, account: bytes, reason: str, amount: int) -> None:
        """Move held money back to free."""
        if not amount:
            return
        self._change_hold(account, reason, -amount)
        self.free[account] = self.free.get(account, 0) + amount

    def burn_held(self, account: bytes, reason: str, amount: int) -> None:
        """Move held money to the sink."""
        if not amount:
            return
        self._change_hold(account, reason, -amount)
        self.free[SINK_ACCOUNT] += amount

    def can_receive(self, account: bytes, amount: int) -> bool:
        """Whether the account exists after it was paid: nothing below the existential deposit does."""
        return self.free.get(account, 0) + amount >= EXISTENTIAL_DEPOSIT

    def pay_held(self, account: bytes, reason: str, to: bytes, amount: int) -> None:
        """Move held money to another account's free money; the caller has asked ``can_receive``."""
        self._change_hold(account, reason, -amount)
        self.free[to] = self.free.get(to, 0) + amount

    def transfer(self, source: bytes, dest: bytes, amount: int) -> None:
        """Balances.transfer_keep_alive."""
        ensure(self.free.get(source, 0) >= amount, "Token.FundsUnavailable")
        ensure(self.spendable(source) >= amount, "Token.NotExpendable")
        ensure(self.free.get(dest, 0) + amount >= EXISTENTIAL_DEPOSIT, "Token.BelowMinimum")
        self.free[source] -= amount
        self.free[dest] = self.free.get(dest, 0) + amount

    def _change_hold(self, account: bytes, reason: str, change: int) -> None:
        value = self.holds.get((account, reason), 0) + change
        if value < 0:
            raise RuntimeError(f"{reason}: more taken than held")
        if value:
            self.holds[account, reason] = value
        else:
            self.holds.pop((account, reason), None)
