"""Blocks made by the embedded host: authored, executed again by a second instance, written for `import-blocks`."""

import contextlib
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chain_host import authoring
from chain_host.authoring import Author, Sealed, SealingKey
from chain_host.block import Block
from chain_host.chain import Chain, make_genesis
from chain_host.errors import BadBlock
from chain_host.following import import_block
from chain_host.genesis import genesis_state, merge, preset_config
from chain_host.hashing import blake2_256
from chain_host.runtimes import Runtimes
from chain_host.scale import vector
from chain_host.store import Genesis, Store
from chain_host.world import runtime_blob
from pallets_client.runtime import Runtime

from .people import ALICE
from .play import Play, Stage

BUILD_SECONDS = 120.0
LONGEST_PAUSE = 9_000
"""Milliseconds between two blocks, at most: longer than market time can step, so that both rules come up."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a chain begins."""

    code: bytes
    config: dict[str, Any]
    genesis: Genesis


def start_of(cache: Path, preset: str, patch: dict[str, Any] | None = None, runtime: Path | None = None) -> Start:
    """Block 0 of a preset of the runtime, patched, by the runtime's own GenesisBuilder."""
    code, runtimes = runtime_blob(runtime), Runtimes(cache)
    config = merge(preset_config(runtimes, code, preset), patch or {})
    return Start(code, config, make_genesis(genesis_state(runtimes, code, config), b"{}"))


def new_chain(start: Start, cache: Path) -> Chain:
    """A chain in memory that has only its genesis."""
    store = Store(None)
    store.create(start.genesis)
    return Chain(store, cache)


def client_runtime(chain: Chain) -> Runtime:
    """The chain's runtime as a client reads it."""
    api = chain.api()
    version = api.version()
    return Runtime(api.metadata(), version.spec_version, version.transaction_version)


def stage_of(chain: Chain, runtime: Runtime) -> Stage:
    """What the play sees of a chain."""
    return Stage(runtime, chain.genesis_hash, chain.state.get, lambda: (chain.head.number, chain.head_hash))


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Authors close a block after half a second, so that readers never wait; here the dice alone fill the blocks."""
    usual, authoring.BUILD_SECONDS = authoring.BUILD_SECONDS, BUILD_SECONDS
    try:
        yield
    finally:
        authoring.BUILD_SECONDS = usual


@dataclass(slots=True)
class Record:
    """Blocks with what each left as `System.Events`."""

    blocks: list[Block] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    offered: int = 0
    included: int = 0
    made: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


def author_blocks(chain: Chain, follower: Chain, count: int, seed: int, code: bytes | None = None) -> Iterator[Record]:
    """Author `count` random blocks as //Alice and have `follower` execute each; yields the growing record.

    With `code` the runtime is replaced by that blob half-way. Raises BadBlock when the follower does not
    agree, or a block holds what no block may.
    """
    runtime = client_runtime(chain)
    play = Play(stage_of(chain, runtime), seed)
    author, record = Author(chain, SealingKey(ALICE)), Record(known=play.calls.known, counts=play.counts)
    events_key = runtime.item("System", "Events").key()
    # all blocks lie in the past, however the dice fall: no node takes a block of the future
    now = time.time_ns() // 1_000_000 - count * LONGEST_PAUSE - 10_000
    for number in range(count):
        now += play.dice.choice((0, 50, 700, 2_000, 2_000, 4_000, play.dice.randrange(LONGEST_PAUSE)))
        extra = play.calls.code(code) if code is not None and number == count // 2 else None
        sent = play.block(extra)
        with unhurried():
            sealed: Sealed = author.seal([(blake2_256(each.raw), each.raw) for each in sent], now)
        wrong = {blake2_256(each.raw) for each in sent if not each.right}
        if taken := wrong & set(sealed.included):
            kinds = {each.kind for each in sent if blake2_256(each.raw) in taken}
            raise BadBlock(f"block {sealed.block.header.number} holds extrinsics that nobody should take: {kinds}")
        record.counts["trapped"] += len(sealed.trapped)
        import_block(follower, sealed.block)
        events = chain.state.get(events_key) or b""
        record.ends += play.learn(events)
        record.blocks.append(sealed.block)
        record.events.append(events)
        record.offered += len(sent)
        record.included += len(sealed.included)
        record.made = play.calls.made
        yield record


def write_blocks(blocks: list[Block], file: Path) -> None:
    """The binary file of `export-blocks`: how many, then each as a SignedBlock without justification."""
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(blocks)))
        for block in blocks:
            out.write(block.header.encode() + vector(list(block.extrinsics)) + b"\0")
