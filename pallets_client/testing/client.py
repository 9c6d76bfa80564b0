"""Client and writer of the in-memory chain, with the interface of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from pallets_client.errors import ChainUnreachable, WriterClosed
from pallets_client.hashing import SINK_ACCOUNT, blake2_256
from pallets_client.keys import Sr25519
from pallets_client.pallets.agent_registry import Agent, Provider
from pallets_client.pallets.auction_challenges import Window
from pallets_client.pallets.channels import Channel
from pallets_client.pallets.did import Did
from pallets_client.pallets.escrow import Escrow
from pallets_client.pallets.market import Params
from pallets_client.pallets.reputation import Score
from pallets_client.pallets.vcg_auction import Auction, Closed
from pallets_client.records import (
    Account,
    Audit,
    Block,
    Call,
    Event,
    Expired,
    Head,
    Outcome,
    Refused,
    Signed,
    StillPossible,
)
from pallets_client.testing.chain import InMemoryChain, Pending
from pallets_client.testing.world import World


class MemoryClient:
    """ChainClient of an InMemoryChain; ``reachable`` set to False makes it raise ChainUnreachable."""

    def __init__(self, chain: InMemoryChain) -> None:
        self.chain = chain
        self.reachable = True
        self.genesis_hash = chain.world.genesis

    def _world(self, at: bytes | None = None) -> World:
        if not self.reachable:
            raise ChainUnreachable("the in-memory chain was made unreachable")
        return self.chain.state(at)

    def close(self) -> None:
        """Nothing to close."""

    def head(self) -> Head:
        """The best block."""
        self._world()
        block = self.chain.head()
        return Head(block.number, block.hash)

    def next_head(self, after: int, timeout: float) -> Head | None:
        """Wait for a block above ``after``; None when there was none in ``timeout`` seconds."""
        with self.chain.changed:
            self.chain.changed.wait_for(lambda: self.head().number > after, timeout)
            head = self.head()
            return head if head.number > after else None

    def market_now(self, at: bytes | None = None) -> int:
        """Market time in ms."""
        return int(self._world(at).now)

    def params(self, at: bytes | None = None) -> Params:
        """The genesis constants."""
        return self._world(at).params

    def network_id(self) -> bytes:
        """The world's random id."""
        return self._world().network_id

    def account(self, account: bytes, at: bytes | None = None) -> Account:
        """Nonce and money of an account."""
        world = self._world(at)
        held = {reason: amount for (who, reason), amount in world.holds.items() if who == account}
        return Account(world.nonces.get(account, 0), world.free.get(account, 0), held)

    def did(self, account: bytes, at: bytes | None = None) -> Did | None:
        """The node key bound to an account."""
        return self._world(at).dids.get(account)

    def node_key_owner(self, node_key: bytes, at: bytes | None = None) -> bytes | None:
        """The account bound to a node key."""
        return self._world(at).node_keys.get(node_key)

    def provider(self, account: bytes, at: bytes | None = None) -> Provider | None:
        """A provider's record."""
        return self._world(at).providers.get(account)

    def agent(self, agent_id: bytes, at: bytes | None = None) -> Agent | None:
        """An agent's record."""
        return self._world(at).agents.get(agent_id)

    def agents(self, at: bytes | None = None) -> list[tuple[bytes, Agent]]:
        """All agents with their ids."""
        return list(self._world(at).agents.items())

    def score(self, account: bytes, capability: bytes, at: bytes | None = None) -> Score | None:
        """Evidence about a provider for a capability."""
        return self._world(at).scores.get((account, capability))

    def auction(self, auction_id: bytes, at: bytes | None = None) -> Auction | None:
        """An auction."""
        return self._world(at).auctions.get(auction_id)

    def closing(self, auction_id: bytes, at: bytes | None = None) -> Closed | None:
        """What ``close`` fixed for an auction, also after it was awarded."""
        return self._world(at).closings.get(auction_id)

    def window(self, auction_id: bytes, at: bytes | None = None) -> Window | None:
        """The challenge window of an auction."""
        return self._world(at).windows.get(auction_id)

    def skips(self, auction_id: bytes, at: bytes | None = None) -> tuple[bytes, ...]:
        """Bidders that the payer showed unable to win."""
        return self._world(at).skips.get(auction_id, ())

    def escrow(self, escrow_id: bytes, at: bytes | None = None) -> Escrow | None:
        """An escrow."""
        return self._world(at).escrows.get(escrow_id)

    def channel(self, channel_id: bytes, at: bytes | None = None) -> Channel | None:
        """An open payment channel."""
        return self._world(at).channels.get(channel_id)

    def channel_counter(self, payer: bytes, at: bytes | None = None) -> int:
        """How many channels a payer has opened."""
        return self._world(at).channel_counters.get(payer, 0)

    def events(self, block_hash: bytes) -> list[Event]:
        """Events of a block."""
        self._world()
        return list(self.chain.block(block_hash)[1])

    def block(self, which: int | bytes) -> Block:
        """A block by number or hash."""
        self._world()
        return self.chain.block(which)[0]

    def estimate_fee(self, call: Call, keypair: Sr25519) -> int:
        """The flat fee."""
        return self.chain.fee

    def audit(self, at: bytes | None = None) -> Audit:
        """All money; the difference is 0 unless a rule is wrong."""
        world = self._world(at)
        held: dict[str, int] = {}
        for (_, reason), amount in world.holds.items():
            held[reason] = held.get(reason, 0) + amount
        sink = world.free[SINK_ACCOUNT]
        free = sum(world.free.values()) - sink
        issuance = self.chain.issued
        difference = issuance - free - sink - sum(held.values())
        return Audit(issuance, free, held, sink, difference, at or self.chain.head().hash)


class MemoryWriter:
    """Writer on an InMemoryChain: signs in the caller's thread, the future is done unless paused."""

    def __init__(
        self,
        chain: InMemoryChain,
        key: Sr25519,
        *,
        era_blocks: int = 64,
        on_signed: Callable[[Signed], None] | None = None,
    ) -> None:
        self.chain = chain
        self.key = key
        self.reachable = True
        self._era_blocks = era_blocks
        self._on_signed = on_signed
        self._closed = False

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        """Sign, tell ``on_signed``, send; when ``on_signed`` raises, the future does and nothing has left."""
        future: Future[Outcome] = Future()
        if self._closed:
            future.set_exception(WriterClosed("the writer is closed"))
            return future
        with self.chain.changed:
            self.chain.tick()
            for under_way in (*self.chain.pool, *self.chain.lost):
                if ref and (under_way.account, under_way.ref) == (self.key.account, ref):
                    return under_way.future
            world = self.chain.world
            waiting = sum(1 for other in self.chain.pool if other.account == self.key.account)
            nonce = world.nonces.get(self.key.account, 0) + waiting
            raw = repr((self.key.account, nonce, world.block, call)).encode()
            pending = Pending(
                self.key.account, call, nonce, blake2_256(raw), world.block + self._era_blocks, ref, future
            )
            signed = Signed(ref, pending.hash, nonce, world.block, pending.era_end, raw, f"{call.pallet}.{call.name}")
            try:
                if self._on_signed is not None:
                    self._on_signed(signed)
            except Exception as exc:  # noqa: BLE001  # reason: the caller's own failure is the caller's answer
                future.set_exception(exc)
                return future
            if not self.reachable:
                self.chain.lost.append(pending)
                return future
            refused = self.chain.submit(pending)
            if refused is not None:
                future.set_result(refused)
            return future

    def resume(self, signed: Signed) -> Future[Outcome]:
        """Follow an extrinsic of an earlier writer; one that was lost enters the pool again."""
        future: Future[Outcome] = Future()
        with self.chain.changed:
            found = self.lookup(signed.hash, signed.block, signed.era_end_block)
            if not isinstance(found, StillPossible):
                future.set_result(found)
                return future
            for pending in [*self.chain.lost, *self.chain.pool]:
                if pending.hash == signed.hash:
                    pending.future = future
                    if pending in self.chain.lost and self.reachable:
                        self.chain.lost.remove(pending)
                        refused = self.chain.submit(pending)
                        if refused is not None:
                            future.set_result(refused)
                    return future
        future.set_result(Refused(1010, "Invalid Transaction: never seen by this chain"))
        return future

    def statistics(self) -> dict[str, int]:
        """Counts of calls by where they are."""
        waiting = sum(1 for other in self.chain.pool if other.account == self.key.account)
        return {"queued": 0, "in_flight": waiting, "connections": 1}

    def lookup(self, hash_: bytes, since_block: int, era_end: int) -> Outcome | StillPossible:
        """What became of an extrinsic signed earlier; Expired when its era ended without it."""
        with self.chain.changed:
            found = self.chain.outcomes.get(hash_)
            if found is not None:
                return found
            head = self.chain.head().number
            return Expired(era_end) if head >= era_end else StillPossible(head)

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True
