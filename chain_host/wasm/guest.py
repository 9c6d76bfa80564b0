"""The memory of one runtime instance, and the bump allocator that serves it."""

import ctypes
from typing import Any

import wasmtime

from chain_host.errors import RuntimeTrap

PAGE = 65_536
MASK32 = 0xFFFFFFFF
MAX_PAGES = 2048  # 128 MiB a call: what Substrate gives a runtime by default
ARENA = 4 << 20  # results of host functions are laid here without entering the guest

# Memory and allocator live in a module of their own: allocation never leaves the sandbox, which halves the
# host calls of a block. Nothing is ever freed: an instance lives for one call.
SUPPORT = """(module
 (memory (export "memory") %d)
 (global $next (export "next") (mut i32) (i32.const 0))
 (func (export "malloc") (param $size i32) (result i32) (local $at i32) (local $pages i32)
  (if (i32.gt_u (local.get $size) (i32.const 33554432)) (then unreachable))
  (local.set $at (global.get $next))
  (global.set $next (i32.add (local.get $at)
   (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -8))))
  (local.set $pages (i32.sub (i32.shr_u (i32.add (global.get $next) (i32.const 65535)) (i32.const 16))
   (memory.size)))
  (if (i32.gt_s (local.get $pages) (i32.const 0))
   (then (if (i32.lt_s (memory.grow (i32.add (local.get $pages) (i32.const 32))) (i32.const 0))
    (then (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0)) (then unreachable))))))
  (local.get $at))
 (func (export "free") (param i32)))"""


class Guest:
    """Reads and writes the memory of the running instance; pointers of the guest are never trusted.

    A fat pointer is `length << 32 | address`.
    """

    __slots__ = ("_end", "_malloc", "_memory", "_next", "_store", "base", "size")

    def __init__(self) -> None:
        self.base = 0
        self.size = 0

    def attach(self, store: Any, memory: Any, malloc: Any, heap_base: int) -> int:
        """Serve this instance; returns where the guest's own allocations start."""
        self._store, self._memory, self._malloc = store, memory, malloc
        self._next = (heap_base + 7) & ~7
        self._end = self._next + ARENA
        missing = -(-self._end // PAGE) - memory.size(store)
        if missing > 0:
            memory.grow(store, missing)
        self.base = ctypes.addressof(memory.data_ptr(store).contents)
        self.size = memory.data_len(store)
        return self._end

    def detach(self) -> None:
        """Forget the instance, so that its memory can be returned."""
        self._store = self._memory = self._malloc = None
        self.base = self.size = 0

    def _check(self, address: int, length: int) -> None:
        if address + length > self.size:
            self.size = self._memory.data_len(self._store)
            if address + length > self.size:
                raise RuntimeTrap("guest pointer out of range")

    def read(self, address: int, length: int) -> bytes:
        """Copy of guest memory."""
        if not length:
            return b""
        if address + length > self.size:
            self._check(address, length)
        return ctypes.string_at(self.base + address, length)

    def read_fat(self, pointer: int) -> bytes:
        """Copy of what a fat pointer names."""
        return self.read(pointer & MASK32, pointer >> 32)

    def copy_into(self, address: int, data: bytes) -> None:
        """Write into memory the guest has set aside."""
        self._check(address, len(data))
        ctypes.memmove(self.base + address, data, len(data))

    def write(self, data: bytes) -> int:
        """Lay bytes into fresh guest memory; returns their address."""
        room = (len(data) + 15) & ~7
        if self._next + room > self._end:
            chunk = max(room, ARENA)
            try:
                start = self._malloc(self._store, chunk) & MASK32
            except wasmtime.Trap:
                raise RuntimeTrap("the runtime ran out of memory") from None
            self._next, self._end = start, start + chunk
            self.size = self._memory.data_len(self._store)
        address = self._next
        self._next += room
        ctypes.memmove(self.base + address, data, len(data))
        return address

    def write_fat(self, data: bytes) -> int:
        """Lay bytes into fresh guest memory; returns their fat pointer."""
        return self.write(data) | len(data) << 32
