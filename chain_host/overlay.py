"""Uncommitted writes of runtime calls: nested transactions over a backend that does not change meanwhile."""

import bisect
from collections.abc import Iterator
from typing import Protocol

from .errors import RuntimeTrap
from .scale import compact, read_compact

_CHILD_PREFIX = b":child_storage:"
MAX_DEPTH = 255  # as Substrate's own limit on nested storage layers


class Backend(Protocol):
    """Committed state of one block."""

    def get(self, key: bytes) -> bytes | None:
        """Value of the key, None when absent."""
        ...

    def next_key(self, key: bytes) -> bytes | None:
        """Smallest key above this one."""
        ...

    def keys_from(self, prefix: bytes) -> Iterator[bytes]:
        """Keys that start with the prefix, in order."""
        ...

    def root_with(self, changes: dict[bytes, bytes | None], version: int) -> bytes:
        """State root after these changes."""
        ...


class Overlay:
    """Layers of writes; a None value is a removed key. Not thread-safe."""

    __slots__ = ("_floor", "_layers", "_sorted", "_touched", "_unsorted", "backend")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._layers: list[dict[bytes, bytes | None]] = [{}]
        self._floor = 1
        # every key ever written here: next_key may then step over keys without merging the layers
        self._touched: set[bytes] = set()
        self._sorted: list[bytes] = []
        self._unsorted: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """Value as the runtime sees it now."""
        for layer in reversed(self._layers):
            if key in layer:
                return layer[key]
        return self.backend.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write or remove a key. Child storage is not offered by this host: such keys are left alone."""
        if key.startswith(_CHILD_PREFIX):
            return
        self._layers[-1][key] = value
        if key not in self._touched:
            self._touched.add(key)
            self._unsorted.append(key)

    def append(self, key: bytes, item: bytes) -> None:
        """Add one encoded item to a SCALE vector; a value that is none becomes a vector of this item."""
        current = self.get(key)
        if current:
            try:
                count, start = read_compact(current)
            except ValueError:
                count, start = 0, len(current)
            self.put(key, compact(count + 1) + current[start:] + item)
        else:
            self.put(key, compact(1) + item)

    def next_key(self, key: bytes) -> bytes | None:
        """Smallest key above this one that exists here."""
        if self._unsorted:
            self._sorted = sorted(self._sorted + self._unsorted)
            self._unsorted = []
        below = self.backend.next_key(key)
        while below is not None and below in self._touched and self.get(below) is None:
            below = self.backend.next_key(below)
        index = bisect.bisect_right(self._sorted, key)
        while index < len(self._sorted):
            candidate = self._sorted[index]
            if below is not None and candidate >= below:
                break
            if self.get(candidate) is not None:
                return candidate
            index += 1
        return below

    def clear_prefix(self, prefix: bytes, limit: int | None) -> tuple[int, bool]:
        """Remove keys with this prefix: all that were written here and at most `limit` of the backend.

        Returns how many backend keys were visited and whether some were left.
        """
        if prefix.startswith(_CHILD_PREFIX):
            return 0, False
        for key in [key for key in self._touched if key.startswith(prefix)]:
            if self._written(key):
                self.put(key, None)
        visited = 0
        for key in self.backend.keys_from(prefix):
            if visited == limit:
                return visited, True
            self.put(key, None)
            visited += 1
        return visited, False

    def _written(self, key: bytes) -> bool:
        return any(key in layer for layer in self._layers)

    def changes(self) -> dict[bytes, bytes | None]:
        """All layers merged into one; not to be changed by the caller."""
        if len(self._layers) == 1:
            return self._layers[0]
        merged: dict[bytes, bytes | None] = {}
        for layer in self._layers:
            merged.update(layer)
        return merged

    def root(self, version: int) -> bytes:
        """State root with everything written so far."""
        return self.backend.root_with(self.changes(), version)

    def begin(self) -> None:
        """Open a nested transaction."""
        if len(self._layers) > MAX_DEPTH:
            raise RuntimeTrap("too many nested storage transactions")
        self._layers.append({})

    def commit(self) -> None:
        """Merge the innermost transaction into the one around it."""
        top = self._pop()
        self._layers[-1].update(top)

    def rollback(self) -> None:
        """Forget the innermost transaction."""
        self._pop()

    def _pop(self) -> dict[bytes, bytes | None]:
        if len(self._layers) <= self._floor:
            raise RuntimeTrap("no storage transaction is open")
        return self._layers.pop()

    def enter_call(self) -> tuple[int, int]:
        """Open a layer for one runtime call, which cannot close layers that are not its own."""
        mark = (self._floor, len(self._layers))
        self.begin()
        self._floor = len(self._layers)
        return mark

    def leave_call(self, mark: tuple[int, int], *, keep: bool) -> None:
        """Close the layer of a call; transactions the call left open are rolled back."""
        self._floor, depth = mark
        own = self._layers[depth]
        del self._layers[depth:]
        if keep:
            self._layers[-1].update(own)
