"""One chain: its store, the state of its head, and views of older states."""

import threading
from collections.abc import Iterator
from pathlib import Path

from .block import Block, Header, genesis_header
from .errors import RuntimeTrap, StateDiscarded, StoreError, UnknownBlock
from .overlay import Backend, Overlay
from .runtime_api import RuntimeApi
from .runtimes import CODE_KEY, Runtimes
from .state import Changes, HeadState
from .store import BlockReader, Genesis, Store


class PastState:
    """State after an older block: the head's, corrected by what later blocks overwrote."""

    __slots__ = ("_head", "_number", "_reader")

    def __init__(self, number: int, head: HeadState, reader: BlockReader) -> None:
        self._number = number
        self._head = head
        self._reader = reader

    def get(self, key: bytes) -> bytes | None:
        """Value of the key, None when absent."""
        row = self._reader.overwritten(key, self._number)
        return self._head.get(key) if row is None else row[0]

    def next_key(self, key: bytes) -> bytes | None:
        """Smallest key above this one."""
        while True:
            now = self._head.next_key(key)
            was = self._reader.next_overwritten(key, self._number, now)
            following = now if was is None else was
            if following is None or self.get(following) is not None:
                return following
            key = following

    def keys_from(self, prefix: bytes) -> Iterator[bytes]:
        """Keys that start with the prefix, in order."""
        key = prefix if self.get(prefix) is not None else self.next_key(prefix)
        while key is not None and key.startswith(prefix):
            yield key
            key = self.next_key(key)

    def root_with(self, changes: Changes, version: int) -> bytes:
        """Never offered: the trie of an old block is not kept."""
        raise RuntimeTrap("state roots are computed on the head only")


class Chain:
    """Blocks are appended by one thread; `reading` guards reads of other threads for the moment of a swap."""

    def __init__(self, store: Store, cache: Path | None = None) -> None:
        """Take up the chain of a store that has a genesis. Raises StoreError when the root does not match."""
        self.store = store
        self.runtimes = Runtimes(cache)
        self.reading = threading.Lock()
        self.state = HeadState(store.load_state())
        head = store.header(store.head_number())
        genesis = store.hash_of(0)
        if head is None or genesis is None:
            raise StoreError("the database has no genesis block")
        if head.state_root != self.state.root:
            raise StoreError(
                f"block {head.number} has state root {head.state_root.hex()}, the stored state {self.state.root.hex()}"
            )
        self.head: Header = head
        self.head_hash = head.hash
        self.genesis_hash: bytes = genesis
        self.slot_duration = self.api().slot_duration()

    def api(self, overlay: Overlay | None = None) -> RuntimeApi:
        """The head's runtime, on a fresh overlay unless one is given."""
        return self.runtimes.api(overlay or Overlay(self.state))

    def append(self, block: Block, changes: Changes) -> Changes:
        """Store a block and make it the head; returns what it overwrote. Raises StoreError."""
        writes, before = self.state.difference(changes)
        block_hash = block.header.hash
        self.store.append(block, writes, before)
        with self.reading:
            self.state.commit(writes)
            self.head, self.head_hash = block.header, block_hash
        return before

    def state_at(self, block_hash: bytes | None, reader: BlockReader) -> Backend:
        """State after a block, the head for None. Raises UnknownBlock, StateDiscarded.

        Outside the appending thread, hold `reading` from this call to the last read.
        """
        if block_hash is None or block_hash == self.head_hash:
            return self.state
        number = reader.number_of(block_hash)
        if number is None or number > self.head.number:
            raise UnknownBlock(f"no block 0x{block_hash.hex()}")
        if number < reader.oldest_state():
            raise StateDiscarded(f"the state of block {number} is no longer kept")
        return PastState(number, self.state, reader)


def make_genesis(state: dict[bytes, bytes], spec: bytes) -> Genesis:
    """Block 0 of this state."""
    if CODE_KEY not in state:
        raise StoreError("a genesis needs runtime code")
    return Genesis(genesis_header(HeadState(state).root), state, spec)
