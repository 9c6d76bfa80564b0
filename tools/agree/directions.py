"""Both directions: blocks of the embedded host taken by the native node, blocks of native nodes followed here."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ainur_node.supervisor.listening import free_ports
from chain_host.authoring import SealingKey
from chain_host.block import Block
from chain_host.chain import Chain
from chain_host.errors import BadBlock
from chain_host.following import import_block
from chain_host.hashing import blake2_256
from chain_host.verify import parse_block

from .embedded import Record, Start, client_runtime, new_chain, stage_of, write_blocks
from .native import NativeTrouble, Rpc, import_blocks, launch, write_spec
from .people import ALICE
from .play import Play

Say = Callable[[str], None]

SLOT_SECONDS = 2.0
SILENCE_SECONDS = 90.0


class Disagreement(Exception):  # noqa: N818 # a verdict
    """The two hosts do not agree; the text says where."""


@dataclass(slots=True)
class Agreed:
    """What both have computed alike."""

    blocks: int = 0
    extrinsics: int = 0
    events: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def compare_block(rpc: Rpc, number: int, block: Block, events: bytes, events_key: bytes) -> None:
    """The native node has this very block, and the same bytes of events after it."""
    header, block_hash = block.header, "0x" + block.header.hash.hex()
    found = rpc.ask("chain_getBlockHash", number)
    if found != block_hash:
        raise Disagreement(f"block {number}: the native node has {found}, the embedded host {block_hash}")
    theirs = rpc.ask("chain_getHeader", found)
    roots = ("0x" + header.state_root.hex(), "0x" + header.extrinsics_root.hex())
    if (theirs["stateRoot"], theirs["extrinsicsRoot"]) != roots:
        raise Disagreement(f"block {number}: roots {theirs['stateRoot']}, {theirs['extrinsicsRoot']} against {roots}")
    raw = rpc.ask("state_getStorage", "0x" + events_key.hex(), found)
    if bytes.fromhex((raw or "0x")[2:]) != events:
        raise Disagreement(f"block {number}: the events differ")


def resealed_with_wrong_root(block: Block) -> Block:
    """The block with one bit of its state root turned, under a seal that is right."""
    bare, _ = block.header.unsealed()
    bare = replace(bare, state_root=bytes([bare.state_root[0] ^ 1]) + bare.state_root[1:])
    return Block(bare.sealed(SealingKey(ALICE).sign(blake2_256(bare.encode()))), block.extrinsics)


def embedded_to_native(binary: Path, start: Start, record: Record, chain: Chain, scratch: Path, say: Say) -> Agreed:
    """Have the native node execute all blocks of a record; then compare every root and the events of every block."""
    began = time.monotonic()
    spec, file = scratch / "spec.json", scratch / "embedded.blocks"
    write_spec(spec, name="Ainur Agreement", code=start.code, config=start.config)
    write_blocks(record.blocks, file)
    base = scratch / "native"
    say(f"the native node executes {len(record.blocks)} blocks of the embedded host")
    import_blocks(binary, spec, base, file)
    rpc_port, p2p_port = free_ports(2)
    node = launch(binary, spec, base, rpc_port=rpc_port, p2p_port=p2p_port)
    agreed = Agreed(len(record.blocks))
    events_key = client_runtime(chain).item("System", "Events").key()
    try:
        with node.rpc() as rpc:
            genesis = rpc.ask("chain_getBlockHash", 0)
            if genesis != "0x" + chain.genesis_hash.hex():
                raise Disagreement(
                    f"genesis: the native node has {genesis}, the embedded host 0x{chain.genesis_hash.hex()}"
                )
            for number, (block, events) in enumerate(zip(record.blocks, record.events, strict=True), 1):
                compare_block(rpc, number, block, events, events_key)
                agreed.extrinsics += len(block.extrinsics)
                agreed.events += len(events)
    finally:
        node.stop()
    _refuses_a_wrong_root(binary, spec, record, scratch)
    say("it refuses a block whose state root is wrong under a right seal")
    agreed.seconds = time.monotonic() - began
    return agreed


def _refuses_a_wrong_root(binary: Path, spec: Path, record: Record, scratch: Path) -> None:
    file = scratch / "wrong.blocks"
    write_blocks([*record.blocks[:2], resealed_with_wrong_root(record.blocks[2])], file)
    base = scratch / "refusing"
    try:
        import_blocks(binary, spec, base, file)
    except NativeTrouble:
        return
    rpc_port, p2p_port = free_ports(2)
    node = launch(binary, spec, base, rpc_port=rpc_port, p2p_port=p2p_port)
    try:
        with node.rpc() as rpc:
            if rpc.ask("chain_getBlockHash", 3) is not None:
                raise Disagreement("the native node took a block whose state root is wrong")
    finally:
        node.stop()


def native_to_embedded(
    binary: Path, starts: list[Start], blocks: int, seed: int, cache: Path, scratch: Path, say: Say
) -> list[Agreed]:
    """Follow one native chain for each start at the same time, `blocks` blocks of each.

    A native author makes a block every two seconds: several chains, each with another network id and other dice, reach
    a number of blocks in a fraction of the time.
    """
    with ThreadPoolExecutor(len(starts)) as pool:
        jobs = [
            pool.submit(_follow, binary, start, blocks, seed + number, cache, scratch / f"chain{number}", say)
            for number, start in enumerate(starts)
        ]
        return [job.result() for job in jobs]


def _follow(binary: Path, start: Start, blocks: int, seed: int, cache: Path, base: Path, say: Say) -> Agreed:
    began = time.monotonic()
    base.mkdir(parents=True)
    spec = base / "spec.json"
    write_spec(spec, name=f"Ainur Agreement {base.name}", code=start.code, config=start.config)
    rpc_port, p2p_port = free_ports(2)
    more = ("--validator", "--alice", "--force-authoring", "--unsafe-force-node-key-generation")
    node = launch(binary, spec, base, rpc_port=rpc_port, p2p_port=p2p_port, more=more)
    try:
        with node.rpc() as rpc:
            return _follow_one(rpc, new_chain(start, cache), blocks, seed, say, began)
    except NativeTrouble as trouble:
        raise NativeTrouble(f"{trouble}\n{node.said}") from trouble
    finally:
        node.stop()


def _follow_one(rpc: Rpc, chain: Chain, blocks: int, seed: int, say: Say, began: float) -> Agreed:
    genesis = rpc.ask("chain_getBlockHash", 0)
    if genesis != "0x" + chain.genesis_hash.hex():
        raise Disagreement(f"genesis: the native node has {genesis}, the embedded host 0x{chain.genesis_hash.hex()}")
    runtime, agreed = client_runtime(chain), Agreed()
    events_key = "0x" + runtime.item("System", "Events").key().hex()
    play = Play(stage_of(chain, runtime), seed)
    last = time.monotonic()
    while agreed.blocks < blocks:
        found: dict[str, Any] | None = rpc.block(chain.head.number + 1)
        if found is None:
            if time.monotonic() - last > SILENCE_SECONDS:
                raise NativeTrouble(f"no block after {chain.head.number} for {SILENCE_SECONDS:.0f} s")
            time.sleep(0.1)
            continue
        last = time.monotonic()
        block = parse_block(found)
        if "0x" + block.header.hash.hex() != found["hash"]:
            raise Disagreement(f"block {block.header.number}: the hash of its header differs")
        try:
            import_block(chain, block)
        except BadBlock as exc:
            raise Disagreement(f"native block {block.header.number}: {exc}") from exc
        theirs = bytes.fromhex((rpc.ask("state_getStorage", events_key, found["hash"]) or "0x")[2:])
        ours = chain.state.get(bytes.fromhex(events_key[2:])) or b""
        if ours != theirs:
            raise Disagreement(f"native block {block.header.number}: the events differ")
        agreed.ends += play.learn(ours)
        agreed.blocks += 1
        agreed.extrinsics += len(block.extrinsics)
        agreed.events += len(ours)
        if rpc.ask("chain_getHeader")["number"] == hex(chain.head.number):
            for sent in play.block():
                rpc.attempt("author_submitExtrinsic", "0x" + sent.raw.hex())
    agreed.seconds = time.monotonic() - began
    say(f"followed {agreed.blocks} blocks of a native chain")
    return agreed
