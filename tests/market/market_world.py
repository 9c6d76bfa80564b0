"""A whole market in one trio process: nodes over fakes, one chain whose market time is the trio clock."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
import trio
from market_fakes import (
    CAPABILITY,
    ENGINE,
    CrashingStore,
    CrookedMesh,
    Detour,
    FakeSandbox,
    MemoryBlobs,
    PowerCut,
    ScriptedClock,
    Twist,
    manifest_of,
    module_named,
)

from ainur_node.domain.ids import PeerId
from ainur_node.domain.task import Limits
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ledger.registration import Registration
from ainur_node.ledger.watch import AUCTION, ChainWatch, Key
from ainur_node.market import codec
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.library import Library
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh import MemoryNetwork
from ainur_node.signing import NodeSigner
from ainur_node.telemetry import Counters
from ainur_node.wiring import Alter, Market, Outside, Parts
from pallets_client.keys import Sr25519, development_seed
from pallets_client.records import AIN, Head
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter

PLENTY = 1_000 * AIN
CEILING = Limits(fuel=10**10, memory_kib=1 << 18, output=1 << 20)
# Whatever a market does, it is over within this much virtual time (seconds).
PATIENCE = 3_000

__all__ = [
    "CAPABILITY",
    "ENGINE",
    "MarketNode",
    "MarketWorld",
    "looking",
    "manifest_of",
    "market_world",
    "module_named",
]

# --- the chain ----------------------------------------------------------------------------------------------------


class _Bell(threading.Condition):
    """The chain's condition, heard by trio as well."""

    def __init__(self) -> None:
        super().__init__(threading.RLock())
        self.rung = trio.Event()

    def notify_all(self) -> None:
        super().notify_all()
        self.rung.set()
        self.rung = trio.Event()


class WorldClient(MemoryClient):
    """MemoryClient whose `next_head` can be awaited without a thread."""

    async def wait_head(self, after: int, timeout: float) -> Head | None:
        bell = self.chain.changed
        assert isinstance(bell, _Bell)
        with trio.move_on_after(timeout):
            while self.head().number <= after:
                await bell.rung.wait()
        head = self.head()
        return head if head.number > after else None


def looking(client: MemoryClient) -> Callable[[list[Key]], tuple[int, list[object]]]:
    """What ainur_node.ledger.looking does for the real client."""

    def look(keys: list[Key]) -> tuple[int, list[object]]:
        read = {kind: client.auction if kind == AUCTION else client.escrow for kind, _ in keys}
        return client.market_now(), [read[kind](record) for kind, record in keys]

    return look


async def _inline(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
    """`trio.to_thread.run_sync` without a thread: the mock clock must not jump while one works."""
    await trio.lowlevel.checkpoint()
    owner = getattr(function, "__self__", None)
    if isinstance(owner, WorldClient) and function.__name__ == "next_head":
        return await owner.wait_head(*args)
    return function(*args)


def _at_once(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **_: Any) -> Any:
    """`trio.from_thread.run` for a coroutine that never waits."""
    running = function(*args)
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("only the outbox is called from the writer, and here it never waits")


# --- nodes --------------------------------------------------------------------------------------------------------


class MarketNode:
    """One node: what survives a crash is made once, everything else anew at each start."""

    ledger_type: type[ChainLedger] = ChainLedger
    market: Market
    ledger: ChainLedger
    mesh: CrookedMesh

    def __init__(self, world: MarketWorld, name: str, settings: MarketSettings) -> None:
        self.world = world
        self.name = name
        self.settings = settings
        self.key = Sr25519(development_seed(name))
        self.account = self.key.account
        self.node_seed = sha256(b"node key of " + name.encode()).digest()
        self.signer = NodeSigner(self.node_seed)
        self.store = CrashingStore()
        self.store.pull_the_plug = self.crash
        self.blobs = MemoryBlobs()
        self.sandbox = FakeSandbox()
        self.clock = ScriptedClock(name)
        self.twists: dict[str, Twist] = {}
        self.detours: dict[str, Detour] = {}
        self.alter: Alter | None = None
        self.starts = 0
        self.running: trio.CancelScope | None = None
        self.stopped = trio.Event()

    def _build(self) -> tuple[ChainWatch, Caller]:
        client = self.world.client
        counters = Counters()
        caller = Caller(self.store)
        self.caller = caller
        self.writer = MemoryWriter(client.chain, self.key, on_signed=caller.on_signed)
        caller.writer = self.writer
        watch = ChainWatch(client, looking(client))
        self.ledger = self.ledger_type(client, caller, watch, self.account, self.signer.node_key)
        source = _Source()
        self.mesh = CrookedMesh(self.world.network, self.node_seed, client.genesis_hash, source, counters)
        self.mesh.twists, self.mesh.detours = self.twists, self.detours
        self.sandbox.prepared.clear()
        honest = Outside(self.store, self.mesh, self.ledger, self.sandbox, self.signer, self.clock)
        o = self.alter(honest) if self.alter is not None else honest
        library = source.library = Library(client.genesis_hash, o.store, self.blobs, o.mesh, o.sandbox)
        registration = Registration(client, caller, self.signer, self.account)
        self.counters = counters
        self.market = Market(
            Parts(
                o.store,
                o.mesh,
                o.ledger,
                o.sandbox,
                library,
                registration,
                o.signer,
                counters,
                o.clock,
                self.settings,
                CEILING,
            )
        )
        return watch, caller

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As node.py does, until `crash`."""
        self.starts += 1
        self.stopped = trio.Event()
        watch, caller = self._build()
        try:
            async with trio.open_nursery() as core:
                self.running = core.cancel_scope
                await self.market.load()
                self.market.serve()
                await core.start(watch.run)
                await caller.resume()
                core.start_soon(caller.settle_resumed)
                await core.start(self.mesh.run)
                await core.start(self.market.courier.run)
                await core.start(self.market.engine.run)
                await core.start(self.market.bonds.run)
                await core.start(self.market.challenging.run)
                await core.start(self.market.bidder.run)
                task_status.started()
                await trio.sleep_forever()
        except* PowerCut:
            pass
        finally:
            self.running = None
            self.stopped.set()
            self.world.note_bugs(self)

    def crash(self) -> None:
        """Stop at once, wherever it is."""
        assert self.running is not None
        self.running.cancel()

    # --- what a test asks ---------------------------------------------------------------------------------------

    async def offer(self, ask: int, name: str = "loud", **changes: Any) -> None:
        """Publish and offer a package, as `ainur agent publish` does."""

        async def send(_: dict[str, Any]) -> None:
            await trio.lowlevel.checkpoint()

        params = {"ask": str(ask), "manifest": manifest_of(name, **changes), "wasm": module_named(name)}
        await self.market.agents.publish(params, send)

    async def submit(self, budget: int = 10 * AIN, document: bytes = b"hello", **more: Any) -> str:
        """Submit a task, as `ainur task submit` does; its id in hex."""
        params = {"capability": CAPABILITY, "input": document, "budget": str(budget), **more}
        return str((await self.market.tasks.submit(params))["task"])

    async def show(self, task: str) -> dict[str, Any]:
        return await self.market.tasks.show({"task": task})

    async def facts(self, life: str, key: str) -> list[str]:
        return [f.kind for f in await self.store.facts(life, bytes.fromhex(key))]

    async def final(self, task: str) -> dict[str, Any]:
        """The task once nothing can happen to it any more; restarts do not matter."""
        with trio.fail_after(PATIENCE):
            while True:
                stored = await self.store.load(TASK, bytes.fromhex(task))
                if stored is not None and stored.phase.startswith("=") and self.running is not None:
                    return await self.show(task)
                await trio.sleep(0.1)

    async def job(self, auction: str) -> Any:
        """This node's job for an auction once it is final, or None when it never bid."""
        with trio.fail_after(PATIENCE):
            while True:
                stored = await self.store.load(JOB, bytes.fromhex(auction))
                if stored is None:
                    return None
                if stored.phase.startswith("="):
                    return codec.decode_state(JOB, stored.state)
                await trio.sleep(0.1)

    def wealth(self) -> int:
        """Free and held money."""
        found = self.world.client.account(self.account)
        return found.free + sum(found.held.values())

    def held(self, reason: str) -> int:
        return self.world.client.account(self.account).held.get(reason, 0)


class _Source:
    library: Library | None = None

    async def open(self, name: bytes, peer: PeerId) -> bytes | None:
        return await self.library.open(name, peer) if self.library is not None else None


@dataclass(slots=True)
class MarketWorld:
    """A chain, a network and the nodes on both."""

    chain: InMemoryChain
    client: WorldClient
    network: MemoryNetwork
    nursery: trio.Nursery
    nodes: dict[str, MarketNode]
    bugs: list[tuple[str, str, Exception]]

    def node(self, name: str, *, money: int = PLENTY, **settings: Any) -> MarketNode:
        """A node that is not started yet."""
        node = MarketNode(self, name, MarketSettings(**settings))
        self.nodes[name] = node
        self.chain.endow(node.account, money)
        return node

    async def start(self, *nodes: MarketNode) -> None:
        for node in nodes:
            await self.nursery.start(node.run)

    async def provider(self, name: str, ask: int, **settings: Any) -> MarketNode:
        """A started node that offers the usual capability."""
        node = self.node(name, **settings)
        await self.start(node)
        await node.offer(ask)
        return node

    async def submitter(self, name: str = "submitter", **settings: Any) -> MarketNode:
        node = self.node(name, **settings)
        await self.start(node)
        return node

    async def restart(self, node: MarketNode, after: float = 0.2) -> None:
        """Wait until the node is down, then start it again."""
        with trio.fail_after(PATIENCE):
            await node.stopped.wait()
        await trio.sleep(after)
        await self.start(node)

    def note_bugs(self, node: MarketNode) -> None:
        self.bugs += [(node.name, method, exc) for method, exc in node.mesh.bugs if not isinstance(exc, PowerCut)]
        node.mesh.bugs.clear()

    def audit(self) -> int:
        """What the chain cannot account for; 0 unless a rule is wrong."""
        return self.client.audit().difference

    def in_escrow(self) -> int:
        """Money that is still held for tasks."""
        held = self.client.audit().held
        return sum(amount for reason, amount in held.items() if not reason.startswith("AgentRegistry"))

    async def quiet(self) -> None:
        """Wait until no node has an open life."""
        with trio.fail_after(PATIENCE):
            for node in self.nodes.values():
                if node.running is not None:
                    await node.market.engine.wait_quiet()


@asynccontextmanager
async def market_world(monkeypatch: pytest.MonkeyPatch, *, fee: int = 0) -> AsyncIterator[MarketWorld]:
    """A world that fails its test when a handler had a bug or money went astray."""
    monkeypatch.setattr(trio.to_thread, "run_sync", _inline)
    monkeypatch.setattr(trio.from_thread, "run", _at_once)
    chain = InMemoryChain(clock=lambda: int(trio.current_time() * 1000), fee=fee)
    chain.changed = _Bell()
    async with trio.open_nursery() as nursery:
        world = MarketWorld(chain, WorldClient(chain), MemoryNetwork(), nursery, {}, [])
        nursery.start_soon(_heartbeat, chain)
        yield world
        nursery.cancel_scope.cancel()
    assert world.bugs == []
    assert world.audit() == 0


async def _heartbeat(chain: InMemoryChain) -> None:
    while True:
        await trio.sleep(2)
        chain.tick()
