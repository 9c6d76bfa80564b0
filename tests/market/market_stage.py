"""Three providers and a submitter, any of whom may be changed into a liar, and what everybody owned before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from market_world import MarketNode, MarketWorld

from ainur_node.domain.auction.rules import reserve_of
from ainur_node.domain.ids import PeerId
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import NEUTRAL, penalty
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ports import Handler, RemoteRefusal
from pallets_client.records import AIN

BUDGET = 10 * AIN
RESERVE = reserve_of(Amount(BUDGET), 100)
OWED = penalty(RESERVE, 400, NEUTRAL)
ASKS = {"cheap": 2 * AIN, "dear": 3 * AIN, "dearest": 4 * AIN}
STAKE = 20 * AIN


@dataclass(slots=True)
class Stage:
    """Three providers, a submitter, and what everybody owned before."""

    world: MarketWorld
    cheap: MarketNode
    dear: MarketNode
    dearest: MarketNode
    submitter: MarketNode
    before: dict[str, int]

    def gain(self, node: MarketNode) -> int:
        return node.wealth() - self.before[node.name]

    async def run(self) -> dict[str, Any]:
        """Submit one task and see it through on all sides."""
        done = await self.submitter.final(await self.submitter.submit(BUDGET))
        await self.world.quiet()
        assert self.world.in_escrow() == 0
        return done


async def set_up(world: MarketWorld) -> Stage:
    nodes = [await world.provider(name, ask) for name, ask in ASKS.items()]
    submitter = await world.submitter()
    before = {node.name: node.wealth() for node in (*nodes, submitter)}
    return Stage(world, nodes[0], nodes[1], nodes[2], submitter, before)


def twisted(change: Callable[[bytes], bytes]) -> Callable[[Handler, PeerId, bytes], Awaitable[bytes]]:
    async def answer(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        return change(await honest(peer, body))

    return answer


async def refuse(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    raise RemoteRefusal("not_today", "no")


async def with_ledger(stage: Stage, ledger: type[ChainLedger], *nodes: MarketNode) -> None:
    for node in nodes:
        node.crash()
        node.ledger_type = ledger
        await stage.world.restart(node)
