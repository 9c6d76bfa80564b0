"""Following a running chain over its JSON-RPC and executing every block again."""

import contextlib
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from .block import Block, Header
from .chain import Chain, make_genesis
from .errors import BadBlock, ChainHostError
from .following import import_block
from .runtimes import Runtimes
from .store import Genesis, Keeping, Store
from .world import read_world, world_genesis

TIMEOUT = 30.0
MAX_ANSWER = 64 << 20
POLL_SECONDS = 0.2
PAGE = 64  # blocks asked for in one batch


class Source:
    """The chain to be verified, asked over one connection. Raises ChainHostError for any bad answer."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def ask(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        """Results of a batch of calls, in order."""
        batch = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, params) in enumerate(calls)
        ]
        try:
            self._socket.send(json.dumps(batch))
            answers = json.loads(self._socket.recv(timeout=TIMEOUT))
            found = {answer["id"]: answer["result"] for answer in answers}
            return [found[index] for index in range(len(calls))]
        except (ValueError, TypeError, KeyError, TimeoutError, WebSocketException, RecursionError) as exc:
            raise ChainHostError(f"no usable answer to {calls[0][0]}: {exc!r}") from exc

    def one(self, method: str, *params: Any) -> Any:
        """Result of a single call."""
        return self.ask([(method, list(params))])[0]

    def head_number(self) -> int:
        """Number of the newest block."""
        return _number(self.one("chain_getHeader")["number"])

    def blocks(self, first: int, count: int) -> list[Block]:
        """Consecutive blocks."""
        hashes = self.one("chain_getBlockHash", list(range(first, first + count)))
        calls: list[tuple[str, list[Any]]] = [("chain_getBlock", [each]) for each in hashes]
        try:
            answers = self.ask(calls)
        except ChainHostError:  # full blocks, too large for one answer
            answers = [self.one(name, *params) for name, params in calls]
        return [parse_block(answer) for answer in answers]


def _number(text: Any) -> int:
    try:
        return int(text, 16)
    except (TypeError, ValueError) as exc:
        raise ChainHostError(f"not a block number: {text!r}") from exc


def parse_block(value: Any) -> Block:
    """A block of an answer to `chain_getBlock`. Raises BadBlock."""
    try:
        block = value["block"]
        header = block["header"]
        return Block(
            Header(
                bytes.fromhex(header["parentHash"][2:]),
                int(header["number"], 16),
                bytes.fromhex(header["stateRoot"][2:]),
                bytes.fromhex(header["extrinsicsRoot"][2:]),
                tuple(bytes.fromhex(item[2:]) for item in header["digest"]["logs"]),
            ),
            tuple(bytes.fromhex(item[2:]) for item in block["extrinsics"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise BadBlock(f"a malformed block: {exc!r}") from exc


def fetched_genesis(source: Source) -> Genesis:
    """Block 0 from the raw specification that the chain itself gives."""
    try:
        spec = source.one("sync_state_genSyncSpec", True)
        top = spec["genesis"]["raw"]["top"]
        state = {bytes.fromhex(key[2:]): bytes.fromhex(value[2:]) for key, value in top.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ChainHostError(f"no usable genesis: {exc!r}") from exc
    return make_genesis(state, b"{}")


def verify_chain(
    url: str,
    *,
    world: Path | None = None,
    runtime: Path | None = None,
    cache: Path | None = None,
    follow: bool = False,
) -> dict[str, Any]:
    """Execute all blocks of the chain at `url`; a report. Raises BadBlock with number and reason."""
    with TemporaryDirectory(prefix="ainur-verify-") as scratch:
        cache = cache or Path(scratch) / "cache"
        try:
            opened = connect(url, max_size=MAX_ANSWER, open_timeout=TIMEOUT, compression=None).__enter__()
        except (OSError, WebSocketException, TimeoutError) as exc:
            raise ChainHostError(f"no chain at {url}: {exc}") from exc
        with contextlib.closing(opened) as socket:
            source = Source(socket)
            if world is None:
                genesis = fetched_genesis(source)
            else:
                genesis = world_genesis(read_world(world), Runtimes(cache), runtime)
            claimed = source.one("chain_getBlockHash", 0)
            if claimed != "0x" + genesis.header.hash.hex():
                raise BadBlock(f"genesis differs: {claimed} is claimed, 0x{genesis.header.hash.hex()} computed")
            store = Store(None, keeping=Keeping(states=1))
            store.create(genesis)
            return _follow(Chain(store, cache), source, follow=follow)


def _follow(chain: Chain, source: Source, *, follow: bool) -> dict[str, Any]:
    started, extrinsics = time.monotonic(), 0
    try:
        while True:
            target = source.head_number()
            while chain.head.number < target:
                first = chain.head.number + 1
                for block in source.blocks(first, min(PAGE, target - first + 1)):
                    try:
                        import_block(chain, block)
                    except BadBlock as exc:
                        raise BadBlock(f"block {block.header.number}: {exc}") from exc
                    extrinsics += len(block.extrinsics)
            if not follow:
                break
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        pass
    return {
        "verified": True,
        "genesis": "0x" + chain.genesis_hash.hex(),
        "blocks": chain.head.number,
        "extrinsics": extrinsics,
        "head": "0x" + chain.head_hash.hex(),
        "state_root": "0x" + chain.head.state_root.hex(),
        "seconds": round(time.monotonic() - started, 3),
    }
