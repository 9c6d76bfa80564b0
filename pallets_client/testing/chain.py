"""The in-memory chain: calls become blocks, guards become failures, everything else is undone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from pallets_client import hashing
from pallets_client.errors import UnknownBlock
from pallets_client.hashing import SINK_ACCOUNT, blake2_256
from pallets_client.pallets.market import DEVELOPMENT, Params
from pallets_client.records import (
    EXISTENTIAL_DEPOSIT,
    Block,
    Call,
    Event,
    Expired,
    Failed,
    Included,
    Outcome,
    Refused,
)
from pallets_client.testing import auctions, challenges, channels, escrows, registry
from pallets_client.testing.world import DispatchError, World, ensure

Rule = Callable[[World, bytes, Mapping[str, Any]], None]

RULES: Mapping[str, Rule] = {
    "Did.create": registry.did_create,
    "Did.rotate": registry.did_rotate,
    "Did.deactivate": registry.did_deactivate,
    "AgentRegistry.register_provider": registry.register_provider,
    "AgentRegistry.bond_extra": registry.bond_extra,
    "AgentRegistry.unbond": registry.unbond,
    "AgentRegistry.withdraw_unbonded": registry.withdraw_unbonded,
    "AgentRegistry.register_agent": registry.register_agent,
    "AgentRegistry.update_agent": registry.update_agent,
    "AgentRegistry.retire_agent": registry.retire_agent,
    "VcgAuction.open": auctions.open_,
    "VcgAuction.cancel": auctions.cancel,
    "VcgAuction.close": auctions.close,
    "VcgAuction.award": auctions.award,
    "VcgAuction.no_sale": auctions.no_sale,
    "VcgAuction.expire": auctions.expire,
    "VcgAuction.challenge": challenges.challenge,
    "VcgAuction.release_bond": challenges.release_bond,
    "VcgAuction.skip": challenges.skip,
    "VcgAuction.demand": challenges.demand,
    "VcgAuction.publish": challenges.publish,
    "Escrow.decline": escrows.decline,
    "Escrow.deliver": escrows.deliver,
    "Escrow.refund": escrows.refund,
    "Escrow.accept": escrows.accept,
    "Escrow.auto_release": escrows.auto_release,
    "Escrow.give_back": escrows.give_back,
    "Escrow.dispute": escrows.dispute,
    "Escrow.timeout_dispute": escrows.timeout_dispute,
    "Escrow.forget": escrows.forget,
    "Channels.open": channels.open_,
    "Channels.top_up": channels.top_up,
    "Channels.claim": channels.claim,
    "Channels.claim_batch": channels.claim_batch,
    "Channels.close_mutual": channels.close_mutual,
    "Channels.request_close": channels.request_close,
    "Channels.finalize": channels.finalize,
    "Channels.close": channels.close,
}
ROOT_RULES: Mapping[str, Rule] = {
    "Escrow.resolve": escrows.resolve,
    "Market.set_params": lambda world, _root, args: setattr(world, "params", args["params"]),
}
FREE_ON_SUCCESS = frozenset(
    {"VcgAuction.expire", "Escrow.refund", "Escrow.auto_release", "Escrow.timeout_dispute", "Escrow.forget"}
    | {"VcgAuction.release_bond", "Channels.finalize"}
)
KEPT_STATES = 64  # older blocks answer UnknownBlock, as a pruned node does
HEARTBEAT = 2_000  # ms between blocks when nothing happens
MAX_ADVANCE = 6_000  # ms that market time moves in one block


@dataclass(slots=True)
class Pending:
    """An extrinsic on its way into a block."""

    account: bytes
    call: Call
    nonce: int
    hash: bytes
    era_end: int
    ref: bytes = b""
    future: Future[Outcome] = field(default_factory=Future)


@dataclass(slots=True)
class _Sealed:
    block: Block
    events: tuple[Event, ...]


class InMemoryChain:
    """A chain in this process; every method may be called from any thread.

    ``clock`` returns milliseconds; without one, market time moves only by ``advance``. ``fee`` is what each
    signed call costs, in planck. While ``paused`` is set, calls wait for ``seal``.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int] | None = None,
        params: Params = DEVELOPMENT,
        fee: int = EXISTENTIAL_DEPOSIT,
        network_id: bytes = bytes(32),
        sudo: bytes = bytes(32),
    ) -> None:
        genesis = blake2_256(b"ainur in-memory genesis" + network_id)
        self.world = World(genesis=genesis, network_id=network_id, params=params)
        self.world.block_hashes[0] = genesis
        self.fee = fee
        self.issued = EXISTENTIAL_DEPOSIT  # the sink's
        self.sudo = sudo
        self.paused = False
        self.pool: list[Pending] = []
        self.lost: list[Pending] = []
        self.outcomes: dict[bytes, Outcome] = {}
        self.changed = threading.Condition(threading.RLock())
        self._clock = clock
        self._last_clock = clock() if clock else 0
        self._sealed = {0: _Sealed(Block(0, genesis, bytes(32), bytes(32), 0, ()), ())}
        self._states: OrderedDict[int, World] = OrderedDict()

    # what a test does ----------------------------------------------------------------------------------

    def endow(self, account: bytes, amount: int) -> None:
        """Genesis money; the only way by which issuance changes."""
        with self.changed:
            self.world.free[account] = self.world.free.get(account, 0) + amount
            self.issued += amount

    def advance(self, milliseconds: int) -> None:
        """Let market time pass, in blocks of at most 6 s, the last one empty."""
        with self.changed:
            while milliseconds > 0:
                step = min(milliseconds, MAX_ADVANCE)
                milliseconds -= step
                self._seal([], step)

    def tick(self) -> None:
        """Heartbeat blocks for the time that the clock says has passed; nothing without a clock."""
        if self._clock is None:
            return
        with self.changed:
            while (behind := self._clock() - self._last_clock) >= HEARTBEAT:
                step = min(behind, MAX_ADVANCE)
                self._last_clock += step
                self._seal([], step)

    def seal(self) -> None:
        """Put what waits in the pool into blocks."""
        with self.changed:
            waiting, self.pool = self.pool, []
            for pending in waiting:
                self._seal([pending], self._elapsed())

    def lose_pool(self) -> None:
        """Forget what waits, as a node does that was killed."""
        with self.changed:
            self.lost += self.pool
            self.pool = []

    def apply(self, signer: bytes, call: Call) -> Included | Failed:
        """Put one call into a block at once, whatever its nonce; for tests of rules."""
        with self.changed:
            nonce = self.world.nonces.get(signer, 0)
            pending = Pending(signer, call, nonce, blake2_256(repr((signer, nonce, call)).encode()), 2**32)
            self._seal([pending], self._elapsed())
            outcome = self.outcomes[pending.hash]
            assert isinstance(outcome, Included | Failed)
            return outcome

    # what a node does ----------------------------------------------------------------------------------

    def submit(self, pending: Pending) -> Refused | None:
        """Take an extrinsic into the pool and, unless paused, into a block."""
        with self.changed:
            self.tick()
            waiting = sum(1 for other in self.pool if other.account == pending.account)
            if pending.nonce != self.world.nonces.get(pending.account, 0) + waiting:
                return Refused(1010, "Invalid Transaction: wrong nonce")
            if self.world.spendable(pending.account) < self.fee:
                return Refused(1010, "Invalid Transaction: inability to pay some fees")
            self.pool.append(pending)
            if not self.paused:
                self.seal()
            return None

    def head(self) -> Block:
        """The best block."""
        with self.changed:
            self.tick()
            return self._sealed[self.world.block].block

    def block(self, which: int | bytes) -> tuple[Block, tuple[Event, ...]]:
        """A block and its events by number or hash."""
        with self.changed:
            if isinstance(which, int):
                found = self._sealed.get(which)
            else:
                found = next((s for s in self._sealed.values() if s.block.hash == which), None)
            if found is None:
                raise UnknownBlock(f"no block {which!r}")
            return found.block, found.events

    def state(self, at: bytes | None = None) -> World:
        """The state after the best block, or after one of the last 64."""
        with self.changed:
            self.tick()
            if at is None:
                return self.world
            number = self.block(at)[0].number
            if number == self.world.block:
                return self.world
            if number not in self._states:
                raise UnknownBlock(f"state of block {number} is gone")
            return self._states[number]

    def _elapsed(self) -> int:
        if self._clock is None:
            return 0
        now = self._clock()
        step = min(max(0, now - self._last_clock), MAX_ADVANCE)
        self._last_clock = now
        return step

    def _seal(self, pending: list[Pending], step: int) -> None:
        world = self.world
        parent = self._sealed[world.block].block
        self._states[world.block] = world.snapshot()
        if len(self._states) > KEPT_STATES:
            self._states.popitem(last=False)
        world.block += 1
        world.now += step
        world.events = []
        number = world.block
        results = [(item, *self._execute(item)) for item in pending]
        hashes = tuple(item.hash for item in pending)
        block_hash = blake2_256(parent.hash + hashing.u64(number) + hashing.u64(world.now) + b"".join(hashes))
        world.block_hashes[number] = block_hash
        block = Block(number, block_hash, parent.hash, blake2_256(block_hash), world.now, hashes)
        self._sealed[number] = _Sealed(block, tuple(world.events))
        for index, (item, error, fee) in enumerate(results):
            if error is None:
                outcome: Outcome = Included(block_hash, number, index, fee, tuple(world.events))
            else:
                outcome = Failed(block_hash, number, index, error, f"in-memory: {error}", fee)
            self.outcomes[item.hash] = outcome
            item.future.set_result(outcome)
        for item in [item for item in self.lost if item.era_end <= number]:
            self.lost.remove(item)
            item.future.set_result(Expired(item.era_end))
        self.changed.notify_all()

    def _execute(self, item: Pending) -> tuple[str | None, int]:
        """The guard that refused it, if any, and the fee paid."""
        world = self.world
        fee = min(self.fee, world.spendable(item.account))
        world.nonces[item.account] = world.nonces.get(item.account, 0) + 1
        world.free[item.account] = world.free.get(item.account, 0) - fee
        world.free[SINK_ACCOUNT] += fee
        before = world.snapshot()
        try:
            self._dispatch(item.account, item.call)
        except DispatchError as refused:
            world.restore(before)
            world.emit("System", "ExtrinsicFailed", error=refused.error)
            return refused.error, fee
        name = f"{item.call.pallet}.{item.call.name}"
        if name in FREE_ON_SUCCESS:
            world.free[SINK_ACCOUNT] -= fee
            world.free[item.account] += fee
            return None, 0
        return None, fee

    def _dispatch(self, signer: bytes, call: Call, *, root: bool = False) -> None:
        name = f"{call.pallet}.{call.name}"
        if name == "Sudo.sudo":
            ensure(signer == self.sudo, "Sudo.RequireSudo")
            self._dispatch(signer, call.args["call"], root=True)
        elif name == "Utility.batch_all":
            for inner in call.args["calls"]:
                self._dispatch(signer, inner, root=root)
        elif name == "Balances.transfer_keep_alive":
            dest: bytes = call.args["dest"].fields["0"]
            self.world.transfer(signer, dest, call.args["value"])
            self.world.emit("Balances", "Transfer", **{"from": signer, "to": dest, "amount": call.args["value"]})
        elif name in ROOT_RULES:
            ensure(root, "BadOrigin")
            ROOT_RULES[name](self.world, signer, call.args)
        else:
            ensure(not root, "BadOrigin")
            RULES[name](self.world, signer, call.args)
