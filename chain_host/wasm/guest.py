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
 (func $malloc (export "malloc") (param $size i32) (result i32) (local $at i32) (local $pages i32)
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
 (func (export "free") (param i32))
 %s)"""


class Guest:
    """Reads and writes the memory of the running instance; pointers of the guest are never trusted.

    A fat pointer is `length << 32 | address`.
    """

    __slots__ = ("_base", "_end", "_malloc", "_memory", "_next", "_size", "_store", "_view")

    def __init__(self) -> None:
        self._base = 0
        self._size = 0
        self._view = memoryview(b"")

    def attach(self, store: Any, memory: Any, malloc: Any, heap_base: int) -> int:
        """Serve this instance; returns where the guest's own allocations start."""
        self._store, self._memory, self._malloc = store, memory, malloc
        self._next = (heap_base + 7) & ~7
        self._end = self._next + ARENA
        missing = -(-self._end // PAGE) - memory.size(store)
        if missing > 0:
            memory.grow(store, missing)
        self._base = ctypes.addressof(memory.data_ptr(store).contents)
        self._look()
        return self._end

    def _look(self) -> None:
        """See all of the memory. Growing never moves it: its address space is reserved as a whole."""
        self._size = self._memory.data_len(self._store)
        self._view = memoryview((ctypes.c_ubyte * self._size).from_address(self._base)).cast("B")

    def detach(self) -> None:
        """Forget the instance, so that its memory can be returned."""
        self._store = self._memory = self._malloc = None
        self._base = self._size = 0
        self._view = memoryview(b"")

    def _check(self, end: int) -> None:
        if end > self._size:
            self._look()
            if end > self._size:
                raise RuntimeTrap("guest pointer out of range")

    def read(self, address: int, length: int) -> bytes:
        """Copy of guest memory."""
        end = address + length
        if end > self._size:
            self._check(end)
        return self._view[address:end].tobytes()

    def read_fat(self, pointer: int) -> bytes:
        """Copy of what a fat pointer names."""
        address = pointer & MASK32
        end = address + (pointer >> 32)
        if end > self._size:
            self._check(end)
        return self._view[address:end].tobytes()

    def copy_into(self, address: int, data: bytes) -> None:
        """Write into memory the guest has set aside."""
        end = address + len(data)
        if end > self._size:
            self._check(end)
        self._view[address:end] = data

    def write(self, data: bytes) -> int:
        """Lay bytes into fresh guest memory; returns their address."""
        size = len(data)
        address = self._next
        room = (size + 15) & ~7
        if address + room > self._end:
            address = self._more(max(room, ARENA))
        self._next = address + room
        self._view[address : address + size] = data
        return address

    def _more(self, chunk: int) -> int:
        try:
            start: int = self._malloc(self._store, chunk) & MASK32
        except wasmtime.Trap:
            raise RuntimeTrap("the runtime ran out of memory") from None
        self._end = start + chunk
        self._look()
        return start

    def write_fat(self, data: bytes) -> int:
        """Lay bytes into fresh guest memory; returns their fat pointer."""
        return self.write(data) | len(data) << 32
