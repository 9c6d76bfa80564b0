"""Chopsticks, an independent executor: it makes blocks of signed calls, and the embedded host replays them."""

import contextlib
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from ainur_node.supervisor.listening import free_ports
from chain_host.block import Header
from chain_host.hashing import storage_prefix
from chain_host.overlay import Overlay
from chain_host.runtime_api import Applied
from chain_host.runtimes import Runtimes
from chain_host.state import HeadState
from chain_host.verify import parse_block
from pallets_client.runtime import Runtime

from .embedded import Start
from .native import MAX_ANSWER, NativeTrouble, Rpc
from .play import Play, Stage

BLOCKS = 50
START_SECONDS = 180.0
PAGE = 500
CALLS_A_BLOCK = 4
_PRE_RUNTIME = 6
_PARENT_HASH = storage_prefix("System", "ParentHash")


class ChopsticksTrouble(Exception):  # noqa: N818 # says what happened
    """Chopsticks did not do its part, or what it holds differs."""


def installed(root: Path) -> Path | None:
    """The directory of `tools/chopsticks/install.sh` with the program in it, None when it was not installed."""
    said = subprocess.run(
        [root / "tools/chopsticks/install.sh", "--where"], capture_output=True, text=True, check=False
    )
    return Path(said.stdout.strip()) if said.returncode == 0 else None


def raw_spec(start: Start) -> dict[str, Any]:
    """A specification of raw storage: chopsticks knows no GenesisBuilder."""
    top = {"0x" + key.hex(): "0x" + value.hex() for key, value in sorted(start.genesis.state.items())}
    return {
        "name": "Ainur Chopsticks",
        "id": "ainur_chopsticks",
        "chainType": "Development",
        "bootNodes": [],
        "properties": {"tokenSymbol": "AIN", "tokenDecimals": 12, "ss58Format": 42},
        "genesis": {"raw": {"top": top, "childrenDefault": {}}},
    }


@contextlib.contextmanager
def running(where: Path, spec: Path, scratch: Path) -> Iterator[Rpc]:
    """Chopsticks on the chain of a specification; blocks are made when asked for."""
    (port,) = free_ports(1)
    log = scratch / "chopsticks.log"
    command = ["node", str(where / "node_modules/@acala-network/chopsticks/chopsticks.cjs")]
    command += ["--chain-spec", str(spec), "--port", str(port), "--build-block-mode", "Manual"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, "LOG_LEVEL": "error"},
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket = connect(f"ws://127.0.0.1:{port}", max_size=MAX_ANSWER, open_timeout=5).__enter__()
                break
            except (OSError, WebSocketException, TimeoutError) as exc:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise ChopsticksTrouble(f"it does not answer:\n{log.read_text()[-2000:]}") from exc
                time.sleep(0.2)
        with contextlib.closing(socket):
            yield Rpc(socket)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def storage_of(rpc: Rpc) -> dict[bytes, bytes]:
    """Every key and value of its head."""
    keys: list[str] = []
    while True:
        page = rpc.ask("state_getKeysPaged", "0x", PAGE, *([keys[-1]] if keys else []))
        keys += page
        if len(page) < PAGE:
            break
    found: dict[bytes, bytes] = {}
    for at in range(0, len(keys), PAGE):
        (answer,) = rpc.ask("state_queryStorageAt", keys[at : at + PAGE])
        found |= {bytes.fromhex(key[2:]): bytes.fromhex(value[2:]) for key, value in answer["changes"] if value}
    return found


@dataclass(slots=True)
class Replay:
    """The embedded host's state as the blocks of another executor go through it."""

    state: HeadState
    runtimes: Runtimes
    head: tuple[int, bytes]

    def take(self, found: dict[str, Any]) -> int:
        """Execute a block extrinsic by extrinsic; how many of them succeeded."""
        block = parse_block(found)
        digest = tuple(item for item in block.header.digest if item[0] == _PRE_RUNTIME)
        overlay = Overlay(self.state)
        api = self.runtimes.api(overlay)
        api.initialize_block(Header(block.header.parent, block.header.number, bytes(32), bytes(32), digest))
        good = 0
        for raw in block.extrinsics:
            outcome = api.apply(raw)
            if not isinstance(outcome, Applied):
                raise ChopsticksTrouble(f"block {block.header.number} holds what is refused here: {outcome}")
            good += outcome.succeeded
        api.finalize_block()
        writes, _ = self.state.difference(overlay.changes())
        self.state.commit(writes)
        self.head = (block.header.number, bytes.fromhex(found["hash"][2:]))
        return good


def differences(number: int, theirs: dict[bytes, bytes], ours: HeadState) -> list[str]:
    """Keys with unlike values, apart from the parent hash of block 1: chopsticks makes its genesis hash up."""
    keys = theirs.keys() | ours.values.keys()
    if number == 1:
        keys -= {_PARENT_HASH}
    return [key.hex() for key in sorted(keys) if theirs.get(key) != ours.get(key)]


def next_block(rpc: Rpc, number: int) -> dict[str, Any]:
    """Have it make a block, again when it gave up: on a busy machine its own limit of time may be over first."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if int(rpc.ask("chain_getHeader")["number"], 16) < number:
            rpc.ask("dev_newBlock")
        found = rpc.block(number)
        if found is not None:
            return found
    raise ChopsticksTrouble(f"no block {number}")


def replay(where: Path, start: Start, cache: Path, seed: int, scratch: Path, say: Any) -> str:
    """Replay fifty blocks of signed calls. Raises ChopsticksTrouble where a key differs."""
    scratch.mkdir(parents=True)
    spec = scratch / "raw.json"
    spec.write_text(json.dumps(raw_spec(start)))
    began = time.monotonic()
    runtimes = Runtimes(cache)
    state = HeadState(start.genesis.state)
    say("chopsticks starts")
    try:
        with running(where, spec, scratch) as rpc:
            genesis = bytes.fromhex(rpc.ask("chain_getBlockHash", 0)[2:])
            mine = Replay(state, runtimes, (0, genesis))
            api = runtimes.api(Overlay(state))
            version = api.version()
            runtime = Runtime(api.metadata(), version.spec_version, version.transaction_version)
            stage = Stage(runtime, genesis, state.get, lambda: mine.head)
            play = Play(stage, seed, most=CALLS_A_BLOCK)
            events_key = runtime.item("System", "Events").key()
            signed = good = 0
            while mine.head[0] < BLOCKS:
                if mine.head[0]:
                    for sent in play.block():
                        signed += rpc.attempt("author_submitExtrinsic", "0x" + sent.raw.hex())
                good += mine.take(next_block(rpc, mine.head[0] + 1))
                unlike = differences(mine.head[0], storage_of(rpc), state)
                if unlike:
                    raise ChopsticksTrouble(f"block {mine.head[0]}: {len(unlike)} keys differ: {unlike[:5]}")
                play.learn(state.get(events_key))
    except NativeTrouble as trouble:
        raise ChopsticksTrouble(str(trouble)) from trouble
    fingerprint = hashlib.sha256(repr(sorted(state.values.items())).encode()).hexdigest()[:16]
    events = sum(count for name, count in play.counts.items() if name in {"event Escrow", "event VcgAuction"})
    return (
        f"AGREED chopsticks → embedded: {BLOCKS} blocks, {signed} signed extrinsics, {good} successes, {events} events"
        f" of auctions and escrows, all {len(state.values)} keys equal after each, in {time.monotonic() - began:.0f} s"
        f" ({fingerprint})"
    )
