"""Reads of the chain as typed records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, TypeVar

from pallets_client import extrinsic
from pallets_client.answers import parse_block, tohex, unhex
from pallets_client.audit import audit
from pallets_client.court_parsing import parse_arbiter, parse_case, parse_panel
from pallets_client.errors import ChainMisbehaviour, UnknownBlock
from pallets_client.fees import query_fee
from pallets_client.following import Follower
from pallets_client.keys import Sr25519
from pallets_client.link import DEFAULT_TIMEOUT, Link
from pallets_client.paging import entries
from pallets_client.pallets import (
    agent_registry,
    auction_challenges,
    channels,
    court,
    did,
    escrow,
    market,
    reputation,
    vcg_auction,
)
from pallets_client.pallets.shape import record
from pallets_client.parsing import (
    parse_account,
    parse_auction,
    parse_escrow,
    parse_proposal,
    parse_score,
    parse_skips,
    parse_window,
)
from pallets_client.records import Account, Audit, Block, Call, Event, Head
from pallets_client.scale import decode_compact

T = TypeVar("T")


class ChainClient:
    """One node's view of the chain; connects at the first question, and again after a loss.

    ``url`` may name several nodes: see ``endpoints``.

    Every method may be called from any thread, ends within a few times ``timeout`` seconds, and raises
    ChainUnreachable, ChainRefused, UnknownBlock (for an ``at`` the node has no state of) or
    ChainMisbehaviour. Without ``at`` the best block answers.
    """

    def __init__(self, url: str | Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.link = Link(url, timeout)

    @property
    def genesis_hash(self) -> bytes:
        """Hash of block 0."""
        return self.link.genesis

    def close(self) -> None:
        """End the connection; later questions raise ChainUnreachable."""
        self.link.close()

    # the chain -----------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The best block."""
        return self.link.head()

    def next_head(self, after: int, timeout: float) -> Head | None:
        """Wait for a block above ``after``; None when there was none in ``timeout`` seconds."""
        return self.link.next_head(after, timeout)

    def follow(self, after: int, *, finalized: bool = False) -> Follower:
        """Every block above ``after`` in order, none left out when the connection is lost meanwhile."""
        return Follower(self.link, after, finalized=finalized)

    def block(self, which: int | bytes) -> Block:
        """A block by number or hash; its hash is recomputed from its header."""
        if isinstance(which, int):
            found = self.link.call("chain_getBlockHash", which)
            if found is None:
                raise UnknownBlock(f"no block {which}")
            which = unhex(found, 32)
        answer = self.link.call("chain_getBlock", tohex(which))
        if answer is None:
            raise UnknownBlock(f"no block {which.hex()}")
        head, parent, state_root, bodies = parse_block(answer)
        if head.hash != which:
            raise ChainMisbehaviour(f"asked for block {which.hex()}, got {head.hash.hex()}")
        hashes = tuple(extrinsic.extrinsic_hash(raw) for raw in bodies)
        return Block(head.number, head.hash, parent, state_root, self._timestamp(bodies), hashes)

    def _timestamp(self, bodies: Any) -> int | None:
        """Milliseconds of the block's timestamp inherent, which is a bare extrinsic of pallet Timestamp."""
        index = self.link.runtime().pallet_index("Timestamp")
        for raw in bodies:
            _, at = decode_compact(raw, 0)
            if raw[at : at + 3] in (bytes([4, index or 0, 0]), bytes([5, index or 0, 0])):
                return decode_compact(raw, at + 3)[0]
        return None

    def events(self, block_hash: bytes) -> list[Event]:
        """All events of a block, in order."""
        key = self.link.runtime().item("System", "Events").key()
        return self.link.runtime().decode_events(self.link.raw_storage(key, block_hash))

    def estimate_fee(self, call: Call, keypair: Sr25519) -> int:
        """Fee in planck that the call would cost now; signs a throw-away extrinsic that is never sent."""
        head = self.head()
        terms = extrinsic.Terms(
            self.genesis_hash,
            self.account(keypair.account).nonce,
            extrinsic.Era.at(head.number, 64),
            head.hash,
        )
        raw = extrinsic.sign(self.link.runtime(), call, keypair, terms)
        return query_fee(self.link, raw)

    # market --------------------------------------------------------------------------------------------

    def market_now(self, at: bytes | None = None) -> int:
        """Market time in milliseconds."""
        now = self.link.storage(market.PALLET, "Now", at=at)
        if type(now) is not int:
            raise ChainMisbehaviour("market time is no number")
        return now

    def params(self, at: bytes | None = None) -> market.Params:
        """The constants of this world."""
        return record(market.Params, self.link.storage(market.PALLET, "Params", at=at))

    def network_id(self) -> bytes:
        """The random id of this world, 32 bytes."""
        found = self.link.storage(market.PALLET, "NetworkId")
        if not isinstance(found, bytes) or len(found) != 32:
            raise ChainMisbehaviour("a network id has 32 bytes")
        return found

    # accounts ------------------------------------------------------------------------------------------

    def account(self, account: bytes, at: bytes | None = None) -> Account:
        """Nonce and money of an account; zeros for one that does not exist."""
        info = self.link.storage("System", "Account", account, at=at)
        return parse_account(info, self.link.storage("Balances", "Holds", account, at=at))

    def did(self, account: bytes, at: bytes | None = None) -> did.Did | None:
        """The node key bound to an account."""
        return self._one(did.PALLET, "Dids", account, at=at, parse=lambda value: record(did.Did, value))

    def node_key_owner(self, node_key: bytes, at: bytes | None = None) -> bytes | None:
        """The account that a node key is bound to."""
        found = self.link.storage(did.PALLET, "NodeKeys", node_key, at=at)
        if found is not None and (not isinstance(found, bytes) or len(found) != 32):
            raise ChainMisbehaviour("an account has 32 bytes")
        return found

    def provider(self, account: bytes, at: bytes | None = None) -> agent_registry.Provider | None:
        """A provider with its stake."""
        return self._one(agent_registry.PALLET, "Providers", account, at=at, parse=_provider)

    def agent(self, agent_id: bytes, at: bytes | None = None) -> agent_registry.Agent | None:
        """An agent."""
        return self._one(agent_registry.PALLET, "Agents", agent_id, at=at, parse=_agent)

    def agents(self, at: bytes | None = None) -> list[tuple[bytes, agent_registry.Agent]]:
        """All agents with their ids, retired ones included; at most ``paging.MAX_ENTRIES``."""
        at = at or self.head().hash
        item = self.link.runtime().item(agent_registry.PALLET, "Agents")
        return [(keys[0], _agent(value)) for keys, value in entries(self.link, item, at)]

    def score(self, account: bytes, capability: bytes, at: bytes | None = None) -> reputation.Score | None:
        """Evidence about a provider for a capability."""
        return self._one(reputation.PALLET, "Scores", account, capability, at=at, parse=parse_score)

    # money of tasks ------------------------------------------------------------------------------------

    def auction(self, auction_id: bytes, at: bytes | None = None) -> vcg_auction.Auction | None:
        """An auction; None before ``open`` and after ``forget``."""
        return self._one(vcg_auction.PALLET, "Auctions", auction_id, at=at, parse=parse_auction)

    def closing(self, auction_id: bytes, at: bytes | None = None) -> vcg_auction.Closed | None:
        """What ``close`` fixed for an auction, also after it was awarded; None before."""
        found = self.link.storage(vcg_auction.PALLET, "Closings", auction_id, at=at)
        try:
            return None if found is None else vcg_auction.Closed(*(found[k] for k in ("root", "count", "at", "block")))
        except (TypeError, KeyError) as exc:
            raise ChainMisbehaviour("a closing has root, count, at and block") from exc

    def window(self, auction_id: bytes, at: bytes | None = None) -> auction_challenges.Window | None:
        """The challenge window of an auction; None before its award and where it has none."""
        return self._one(vcg_auction.PALLET, "Windows", auction_id, at=at, parse=parse_window)

    def skips(self, auction_id: bytes, at: bytes | None = None) -> tuple[bytes, ...]:
        """Bidders that the payer showed unable to win, in order."""
        return self._one(vcg_auction.PALLET, "Skips", auction_id, at=at, parse=parse_skips) or ()

    def proposal(self, escrow_id: bytes, at: bytes | None = None) -> escrow.Proposal | None:
        """What one party of an escrow offers the other."""
        return self._one(escrow.PALLET, "Proposals", escrow_id, at=at, parse=parse_proposal)

    def escrow(self, escrow_id: bytes, at: bytes | None = None) -> escrow.Escrow | None:
        """An escrow; None before the award and after ``forget``."""
        return self._one(escrow.PALLET, "Escrows", escrow_id, at=at, parse=parse_escrow)

    # disputes --------------------------------------------------------------------------------------------

    def case(self, case_id: bytes, at: bytes | None = None) -> court.Case | None:
        """A case; None before the payee responded and after ``forget``."""
        return self._one(court.PALLET, "Cases", case_id, at=at, parse=parse_case)

    def panel(self, case_id: bytes, round_: int, at: bytes | None = None) -> court.Panel | None:
        """The arbiters of one round of a case, with their votes."""
        found = self.link.storage(court.PALLET, "Panels", case_id, round_, at=at)
        return None if found is None else parse_panel(found)

    def arbiter(self, account: bytes, at: bytes | None = None) -> court.Arbiter | None:
        """An arbiter with its stake."""
        return self._one(court.PALLET, "Arbiters", account, at=at, parse=parse_arbiter)

    def channel(self, channel_id: bytes, at: bytes | None = None) -> channels.Channel | None:
        """A payment channel; None before it was opened and after it was closed."""
        return channels.channel_at(self.link, channel_id, at)

    def channel_counter(self, payer: bytes, at: bytes | None = None) -> int:
        """How many channels a payer has opened: the counter of its next one."""
        return channels.counter_at(self.link, payer, at)

    def audit(self, at: bytes | None = None) -> Audit:
        """Σ free + Σ held + sink against the issuance, all read at one block."""
        return audit(self.link, at or self.head().hash)

    def _one(self, pallet: str, name: str, *keys: bytes, at: bytes | None, parse: Callable[[Any], T]) -> T | None:
        found = self.link.storage(pallet, name, *keys, at=at)
        return None if found is None else parse(found)


def _provider(value: object) -> agent_registry.Provider:
    return record(agent_registry.Provider, _codes(value, agent_registry.ProviderState))


def _agent(value: object) -> agent_registry.Agent:
    return record(agent_registry.Agent, _codes(value, agent_registry.AgentState))


def _codes(value: object, states: type[IntEnum]) -> object:
    """A state is a u8 or an enum of the runtime: both read as the number."""
    name = getattr(value.get("state"), "name", None) if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(name, str) and name.upper() in states.__members__:
        return {**value, "state": int(states[name.upper()])}
    return value
