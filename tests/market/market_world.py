"""A whole market in one trio process: nodes over fakes, one chain whose market time is the trio clock."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from typing import Any

import pytest
import trio

from ainur_node import ports
from ainur_node.domain.ids import PeerId
from ainur_node.domain.receipt import Exit
from ainur_node.domain.task import Limits
from ainur_node.errors import Transient
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ledger.registration import Registration
from ainur_node.ledger.watch import AUCTION, ChainWatch, Key
from ainur_node.market import codec
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.library import Library
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh import MemoryMesh, MemoryNetwork
from ainur_node.signing import NodeSigner
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters
from ainur_node.wiring import Market, Parts
from pallets_client.keys import Sr25519, development_seed
from pallets_client.records import AIN, Head
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter

CAPABILITY = "echo"
ENGINE = sha256(b"engine of the fakes").digest()
WORK_SECONDS = 0.05
PLENTY = 1_000 * AIN
CEILING = Limits(fuel=10**10, memory_kib=1 << 18, output=1 << 20)
# Whatever a market does, it is over within this much virtual time (seconds).
PATIENCE = 3_000

Handler = ports.Handler
Twist = Callable[[Handler, PeerId, bytes], Awaitable[bytes]]
Ask = Callable[..., Awaitable[bytes]]
Detour = Callable[[Ask, PeerId, bytes, float], Awaitable[bytes]]


# --- the outside of one node --------------------------------------------------------------------------------------


def module_named(name: str) -> bytes:
    """Bytes that stand for a WebAssembly module; their name is what the fake sandbox runs."""
    return b"\0asm " + name.encode()


def echo(task_input: bytes) -> bytes:
    """What every module of these tests does unless its sandbox lies."""
    said = json.loads(task_input)["text"]
    return json.dumps({"said": said.upper()}).encode()


def manifest_of(name: str, capability: str = CAPABILITY, **changes: Any) -> bytes:
    """A manifest for `module_named(name)`."""
    wasm = module_named(name)
    fields = {
        "manifest": 1,
        "name": name,
        "version": "1.0.0",
        "capability": capability,
        "description": "says it louder",
        "class": "deterministic",
        "module": {"sha256": sha256(wasm).hexdigest(), "size": len(wasm)},
        "limits": {"fuel": 10**9, "memory": 1 << 24, "output": 4096},
        "input": {
            "media_type": "text/plain",
            "schema": {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string", "maxLength": 2000}},
            },
        },
        "output": {"schema": {"type": "object", "required": ["said"], "properties": {"said": {"type": "string"}}}},
        "royalty_bps": 0,
    }
    return json.dumps({**fields, **changes}).encode()


class FakeSandbox:
    """ports.Sandbox: modules are Python functions; `work` replaces what they do."""

    def __init__(self, work: Callable[[bytes], bytes] = echo) -> None:
        self.engine = ENGINE
        self.work = work
        self.exit = Exit.OK
        self.prepared: set[bytes] = set()
        self.jobs: list[ports.Job] = []

    async def prepare(self, wasm: bytes) -> list[ports.Finding]:
        await trio.lowlevel.checkpoint()
        if not wasm.startswith(b"\0asm"):
            return [ports.Finding("not_wasm", "the first bytes are not those of a module")]
        self.prepared.add(sha256(wasm).digest())
        return []

    async def run(self, job: ports.Job) -> ports.Run:
        if job.module not in self.prepared:
            raise Transient("not prepared", hint="hand the module in again")
        self.jobs.append(job)
        await trio.sleep(WORK_SECONDS)
        output = self.work(job.input) if self.exit is Exit.OK else b""
        fuel = 1_000 + len(job.input)
        return ports.Run(self.exit, 0, output, b"a log", fuel, 10**6, 128, bytes(32))


class MemoryBlobs:
    """ports.Blobs in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}

    async def put(self, data: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        name = sha256(data).digest()
        self.kept[name] = data
        return name

    async def get(self, name: bytes) -> bytes | None:
        await trio.lowlevel.checkpoint()
        return self.kept.get(name)

    async def has(self, name: bytes) -> bool:
        await trio.lowlevel.checkpoint()
        return name in self.kept


class CrashingStore(MemoryStore):
    """A store that can pull the plug right before or right after the n-th fact is written."""

    def __init__(self) -> None:
        super().__init__(lambda: int(trio.current_time() * 1000))
        self.commits = 0
        self.crash_before = self.crash_after = 0
        self.pull_the_plug: Callable[[], None] = lambda: None

    async def commit(self, *args: Any) -> Any:
        self.commits += 1
        if self.commits == self.crash_before:
            self.pull_the_plug()
            await trio.sleep_forever()
        answer = await super().commit(*args)
        if self.commits == self.crash_after:
            self.pull_the_plug()
            await trio.sleep_forever()
        return answer

    async def sign(self, row: ports.OutboxRow) -> None:
        # Without a checkpoint, because the writer of these tests signs inside the trio thread.
        kept = self._tables.outbox.setdefault(row.hash, replace(row, at=int(trio.current_time() * 1000)))
        assert kept.raw == row.raw


class ScriptedClock:
    """ports.Clock: trio's time, and randomness that follows from the node's name."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._count = 0

    def now_ms(self) -> int:
        return int(trio.current_time() * 1000)

    def random(self, size: int) -> bytes:
        self._count += 1
        return blake2b(self._name + self._count.to_bytes(8, "little"), digest_size=size).digest()


class CrookedMesh(MemoryMesh):
    """A mesh whose node answers or asks otherwise than its software would: `twists` and `detours` by method."""

    twists: dict[str, Twist]
    detours: dict[str, Detour]

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        async def answer(peer: PeerId, body: bytes) -> bytes:
            twist = self.twists.get(method)
            return await (twist(handler, peer, body) if twist is not None else handler(peer, body))

        super().serve(method, answer, max_body=max_body, per_peer_per_second=per_peer_per_second, concurrent=concurrent)

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        detour = self.detours.get(method)
        if detour is None:
            return await super().request(peer, method, body, timeout=timeout)

        async def ask(to: PeerId, sent: bytes, within: float) -> bytes:
            return await MemoryMesh.request(self, to, method, sent, timeout=within)

        return await detour(ask, peer, body, timeout)


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
        library = source.library = Library(client.genesis_hash, self.store, self.blobs, self.mesh, self.sandbox)
        registration = Registration(client, caller, self.signer, self.account)
        self.counters = counters
        self.market = Market(
            Parts(
                self.store,
                self.mesh,
                self.ledger,
                self.sandbox,
                library,
                registration,
                self.signer,
                counters,
                self.clock,
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
                await core.start(self.market.bidder.run)
                task_status.started()
                await trio.sleep_forever()
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
        self.bugs += [(node.name, method, exc) for method, exc in node.mesh.bugs]
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
