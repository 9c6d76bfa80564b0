"""Committed state of the head block, in memory, with its trie."""

import bisect
from collections.abc import Iterator, Mapping

from .errors import RuntimeTrap
from .trie import Trie

STATE_VERSION = 1
Changes = dict[bytes, bytes | None]


class HeadState:
    """Keys and values after the head block. Only the thread that commits blocks may call `commit`."""

    __slots__ = ("_last", "keys", "trie", "values")

    def __init__(self, values: Mapping[bytes, bytes] | None = None) -> None:
        self.values: dict[bytes, bytes] = dict(values or {})
        self.keys = sorted(self.values)
        self.trie = Trie(version=STATE_VERSION).updated(dict(self.values))
        # the trie of the last root asked for: committing that block need not compute it again
        self._last: tuple[Changes, Trie] | None = None

    def get(self, key: bytes) -> bytes | None:
        """Value of the key, None when absent."""
        return self.values.get(key)

    def next_key(self, key: bytes) -> bytes | None:
        """Smallest key above this one."""
        index = bisect.bisect_right(self.keys, key)
        return self.keys[index] if index < len(self.keys) else None

    def keys_from(self, prefix: bytes) -> Iterator[bytes]:
        """Keys that start with the prefix, in order."""
        index = bisect.bisect_left(self.keys, prefix)
        while index < len(self.keys) and self.keys[index].startswith(prefix):
            yield self.keys[index]
            index += 1

    def root_with(self, changes: Changes, version: int = STATE_VERSION) -> bytes:
        """State root after these changes."""
        if version != STATE_VERSION:
            raise RuntimeTrap(f"state version {version} is not offered")
        return self._trie_with(changes).root

    def _trie_with(self, changes: Changes) -> Trie:
        """The new trie, built from the last one asked for when little lies between."""
        base, done = self.trie, dict[bytes, bytes | None]()
        if self._last is not None and self._last[0].keys() <= changes.keys():
            done, base = self._last
        values = self.values
        todo = {key: value for key, value in changes.items() if done.get(key, values.get(key)) != value}
        trie = base.updated(todo)
        self._last = (done | todo, trie)
        return trie

    def difference(self, changes: Changes) -> tuple[Changes, Changes]:
        """(writes that change something, what those keys hold now)."""
        values = self.values
        writes = {key: value for key, value in changes.items() if values.get(key) != value}
        return writes, {key: values.get(key) for key in writes}

    def commit(self, writes: Changes) -> None:
        """Apply the writes of one block, as `difference` gave them."""
        trie = self._trie_with(writes)
        for key, value in writes.items():
            if value is None:
                del self.values[key]
                self.keys.pop(bisect.bisect_left(self.keys, key))
            else:
                if key not in self.values:
                    bisect.insort(self.keys, key)
                self.values[key] = value
        self.trie, self._last = trie, None

    @property
    def root(self) -> bytes:
        """State root of the head."""
        return self.trie.root
