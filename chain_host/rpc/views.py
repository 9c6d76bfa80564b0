"""Reads that need no runtime: answered in the event loop from the head's memory and the database."""

from dataclasses import dataclass
from typing import Any

from chain_host.block import Block, Header
from chain_host.errors import BodyDiscarded, StateDiscarded, UnknownBlock
from chain_host.node import Node
from chain_host.runtime_api import RuntimeApi
from chain_host.state import STATE_VERSION
from chain_host.store import BlockReader
from chain_host.trie import Trie

from .encoding import hexed, version_json
from .errors import STATE_ERROR, RpcError

CODE_KEY = b":code"
MAX_RUNTIMES = 3


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What clients ask of a runtime again and again."""

    code: bytes
    version: dict[str, Any]
    metadata: str


class Views:
    """The event loop's own view of the chain, through a database connection of its own."""

    def __init__(self, node: Node, reader: BlockReader) -> None:
        self.node = node
        self._reader = reader
        self._runtimes: list[RuntimeFacts] = []
        self._trie: tuple[bytes, Trie] | None = None

    @property
    def head(self) -> tuple[Header, bytes]:
        """(header, hash) of the newest block."""
        with self.node.chain.reading:
            return self.node.chain.head, self.node.chain.head_hash

    def hash_of(self, number: int) -> bytes | None:
        """Hash of a block number, None when there is none."""
        return self._reader.hash_of(number) if number <= self.node.chain.head.number else None

    def number_of(self, block_hash: bytes | None) -> int | None:
        """Number of a block, of the head for None; None when unknown."""
        if block_hash is None:
            return self.node.chain.head.number
        return self._reader.number_of(block_hash)

    def header(self, block_hash: bytes | None) -> Header | None:
        """Header of a block, the head for None."""
        if block_hash is None:
            return self.node.chain.head
        number = self._reader.number_of(block_hash)
        return None if number is None else self._reader.header(number)

    def block(self, block_hash: bytes | None) -> Block | None:
        """A whole block, the head for None."""
        number = self.number_of(block_hash)
        return None if number is None else self._reader.block(number)

    def oldest_state(self) -> int:
        """Smallest number of a block whose state is kept."""
        return self._reader.oldest_state()

    def oldest_body(self) -> int:
        """Smallest number of a block whose body is kept."""
        return self._reader.oldest_body()

    def genesis_spec(self) -> bytes:
        """Raw chain specification as JSON bytes."""
        return self._reader.meta("spec") or b"{}"

    def values(self, keys: list[bytes], at: bytes | None) -> list[bytes | None]:
        """Values after a block, all of the same moment."""
        with self.node.chain.reading:
            state = self._state(at)
            return [state.get(key) for key in keys]

    def keys(self, prefix: bytes, after: bytes | None, count: int, at: bytes | None) -> list[bytes]:
        """The next `count` keys with a prefix, above `after` when given."""
        found: list[bytes] = []
        with self.node.chain.reading:
            state = self._state(at)
            if after is None or after < prefix:
                key = prefix if state.get(prefix) is not None else state.next_key(prefix)
            else:
                key = state.next_key(after)
            while key is not None and key.startswith(prefix) and len(found) < count:
                found.append(key)
                key = state.next_key(key)
        return found

    def _state(self, at: bytes | None) -> Any:
        try:
            return self.node.chain.state_at(at, self._reader)
        except (UnknownBlock, StateDiscarded) as exc:
            raise state_error(exc) from exc

    def changed_blocks(self, first: int, last: int, keys: list[bytes]) -> list[int]:
        """Blocks in first..last that changed any of the keys."""
        return self._reader.changed_keys(first, last, keys)

    async def trie(self, block_hash: bytes) -> Trie:
        """The trie of the state after a block; one old one is kept, since its making reads the whole state."""
        if self._trie is not None and self._trie[0] == block_hash:
            return self._trie[1]
        chain = self.node.chain

        def make() -> Trie:
            state = chain.state_at(block_hash, chain.store)
            if state is chain.state:
                return chain.state.trie
            values = {key: state.get(key) for key in state.keys_from(b"")}
            return Trie(version=STATE_VERSION).updated(values)

        made = await self.node.execute(make)
        self._trie = (block_hash, made)
        return made

    async def runtime(self, at: bytes | None) -> RuntimeFacts:
        """Version and metadata of the runtime after a block."""
        (code,) = self.values([CODE_KEY], at)
        for facts in self._runtimes:
            if facts.code is code or facts.code == code:
                return facts

        def ask(api: RuntimeApi) -> RuntimeFacts:
            found = api.overlay.backend.get(CODE_KEY) or b""
            return RuntimeFacts(found, version_json(api.version()), hexed(api.metadata()) or "")

        facts = await self.node.ask(ask, at)
        self._runtimes = [facts, *self._runtimes[: MAX_RUNTIMES - 1]]
        return facts


def state_error(exc: Exception) -> RpcError:
    """The error of a block or state that cannot be read."""
    if isinstance(exc, BodyDiscarded):
        return RpcError(STATE_ERROR, f"Client error: Block body already discarded: {exc}")
    if isinstance(exc, StateDiscarded):
        return RpcError(STATE_ERROR, f"Client error: State already discarded: {exc}")
    return RpcError(STATE_ERROR, f"Client error: UnknownBlock: {exc}")
