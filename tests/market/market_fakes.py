"""The outside of one market node as fakes: sandbox, blobs, a store that crashes, a mesh that lies, a clock."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b, sha256
from typing import Any

import trio

from ainur_node import ports
from ainur_node.domain.ids import PeerId
from ainur_node.domain.receipt import Exit
from ainur_node.errors import Transient
from ainur_node.mesh import MemoryMesh
from ainur_node.storage.memory import MemoryStore

CAPABILITY = "echo"
ENGINE = sha256(b"engine of the fakes").digest()
WORK_SECONDS = 0.05
Handler = ports.Handler
Twist = Callable[[Handler, PeerId, bytes], Awaitable[bytes]]
Ask = Callable[..., Awaitable[bytes]]
Detour = Callable[[Ask, PeerId, bytes, float], Awaitable[bytes]]


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


class PowerCut(Exception):  # noqa: N818 — not an error of anybody
    """The process died in the middle of a commit."""


class CrashingStore(MemoryStore):
    """A store that can pull the plug right before or right after the n-th fact is written."""

    def __init__(self) -> None:
        super().__init__(lambda: int(trio.current_time() * 1000))
        self.commits = 0
        self.crash_before = self.crash_after = 0
        self.pull_the_plug: Callable[[], None] = lambda: None

    async def commit(self, *args: Any) -> Any:
        self.commits += 1
        # Facts from outside are written under a shield: nothing could end a wait there.
        shielded = args[8] is None
        if self.commits == self.crash_before:
            self.pull_the_plug()
            if shielded:
                raise PowerCut
            await trio.sleep_forever()
        answer = await super().commit(*args)
        if self.commits == self.crash_after:
            self.pull_the_plug()
            if not shielded:
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
