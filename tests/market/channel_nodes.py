"""Market nodes with payment channels, wired as the real ones."""

from __future__ import annotations

from typing import Any

import trio
from market_world import MarketNode, MarketWorld

from ainur_node.ledger.channels import ChainChannels
from ainur_node.market.channels import Channels
from ainur_node.market.settings import MarketSettings
from ainur_node.signing import SessionKeys
from pallets_client import hashing
from pallets_client.keys import NodeKey
from pallets_client.pallets import did
from pallets_client.records import AIN, Included

PRICE = AIN // 1_000
TIMES = {"challenge_ms": 10_000, "life_ms": 600_000}
PATIENCE = 3_000.0


class ChannelNode(MarketNode):
    """A market node with channels, wired as composition.py wires them."""

    channels: Channels
    watching = True

    def _build(self) -> Any:
        watch, caller = super()._build()
        client = self.world.client
        book = ChainChannels(client, caller, watch, self.account)
        keys = SessionKeys(self.node_seed, client.genesis_hash)
        self.channels = Channels(self.store, self.mesh, book, self.signer, keys, self.clock, self.counters)
        return watch, caller

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        started = trio.Event()

        async def channels_too() -> None:
            await started.wait()
            await self.channels.load()
            self.channels.serve()
            async with trio.open_nursery() as nursery:
                if self.watching:
                    await nursery.start(self.channels.earning.run)
                    await nursery.start(self.channels.paying.run)
                task_status.started()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(channels_too)
            inner: Any = _Relay(started)
            await super().run(task_status=inner)
            nursery.cancel_scope.cancel()

    def bind(self) -> None:
        """A node key on chain: who is paid must be found on the mesh."""
        key = NodeKey(self.node_seed)
        proof = key.sign_digest(hashing.did_proof(self.world.client.genesis_hash, self.account, key.public))
        done = self.world.chain.apply(self.account, did.create(key.public, proof))
        assert isinstance(done, Included)

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.channels.handlers()[method](params)
        return found

    async def pay(self, channel: str, steps: int = 1, amount: int = PRICE) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []

        async def send(item: dict[str, Any]) -> None:
            await trio.lowlevel.checkpoint()
            items.append(item)

        await self.channels.streams()["channel.pay"]({"channel": channel, "amount": str(amount), "steps": steps}, send)
        return items


class _Relay:
    def __init__(self, event: trio.Event) -> None:
        self._event = event

    def started(self, _: object = None) -> None:
        self._event.set()


async def two(world: MarketWorld) -> tuple[ChannelNode, ChannelNode]:
    made = []
    for name in ("payer", "payee"):
        node = world.nodes[name] = ChannelNode(world, name, MarketSettings())
        world.chain.endow(node.account, 1_000 * AIN)
        node.bind()
        made.append(node)
    await world.start(*made)
    return made[0], made[1]


async def opened(payer: ChannelNode, payee: ChannelNode, deposit: int = AIN, **times: int) -> str:
    found = await payer.ask("channel.open", payee=payee.account.hex(), deposit=str(deposit), **{**TIMES, **times})
    assert found["state"] == "open"
    return str(found["channel"])


async def until(condition: Any) -> None:
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 # reason: a chain has no event for what tests wait for
            await trio.sleep(0.1)


def gone(world: MarketWorld, channel: str) -> bool:
    return world.client.channel(bytes.fromhex(channel)) is None
