"""Instances of one runtime: fresh for a call, or one that a call has left as good as fresh.

Making an instance costs as much as the extrinsic that it runs. Substrate's executor used to put back what a call had
written instead, and so does this: everything from the module's data up to the heap is restored byte by byte, the heap
is handed out from its start again, and the stack below is only read where it was written before. An instance whose
call trapped, or that grew, is thrown away.
"""

from typing import Any

from wasmtime import Instance, Linker, Module, Store, Val, wat2wasm

from chain_host.errors import RuntimeTrap

from .callbacks import export, is_entry
from .engine import engine
from .guest import MASK32, MAX_PAGES, PAGE, SUPPORT, Guest
from .hashing import NAMES, hashing_functions

_FUNCTIONS = ("ext_allocator_malloc_version_1", "ext_allocator_free_version_1")
MAX_KEPT_PAGES = 256  # 16 MiB: an instance that a call made larger is not kept


class Live:
    """One instance and what its guest memory needs to serve calls."""

    __slots__ = ("functions", "heap_base", "image", "instance", "malloc", "memory", "next", "start", "store")

    def __init__(self, store: Store, instance: Instance, memory: Any, malloc: Any, following: Any) -> None:
        self.store = store
        self.instance = instance
        self.memory = memory
        self.malloc = malloc
        self.next = following
        self.heap_base: int = export(store, instance, "__heap_base").value(store) & MASK32
        self.start = 0
        self.image = b""
        self.functions: dict[str, Any] = {}

    def function(self, name: str) -> Any:
        """An export of the runtime. Raises RuntimeTrap when there is none."""
        found = self.functions.get(name)
        if found is None:
            found = export(self.store, self.instance, name)
            if not is_entry(self.store, found):
                raise RuntimeTrap(f"the runtime has no {name}")
            self.functions[name] = found
        return found


class Instances:
    """Gives an instance for each call. `written_from` as `sections.written_from` says; None: always a fresh one."""

    def __init__(self, module: Module, linker: Linker, guest: Guest, written_from: int | None) -> None:
        pages = next(i.type.limits.min for i in module.imports if i.name == "memory")
        self._support = _support(pages)
        self._module = module
        self._linker = linker
        self._guest = guest
        self._written_from = written_from
        self._kept: Live | None = None

    def take(self) -> Live:
        """An instance that no call has left a trace in, its memory served by the guest."""
        live, self._kept = self._kept, None
        if live is None:
            live = self._fresh()
        live.start = self._guest.attach(live.store, live.memory, live.malloc, live.heap_base)
        live.next.set_value(live.store, Val.i32(live.start))
        if self._written_from is not None:
            size = live.heap_base - self._written_from
            if not live.image:
                live.image = self._guest.read(self._written_from, size)
            else:
                self._guest.copy_into(self._written_from, live.image)
        return live

    def give_back(self, live: Live) -> None:
        """Keep an instance whose call returned."""
        if self._written_from is not None and live.memory.size(live.store) <= MAX_KEPT_PAGES:
            self._kept = live

    def _fresh(self) -> Live:
        store = Store(engine())
        store.set_limits(memory_size=MAX_PAGES * PAGE)
        store.set_epoch_deadline(_STARTING)
        support = Instance(store, self._support, [])
        memory, malloc, free, following = (
            export(store, support, name) for name in ("memory", "malloc", "free", "next")
        )
        linker = self._linker
        linker.define(store, "env", "memory", memory)
        for name, function in zip(_FUNCTIONS, (malloc, free), strict=True):
            linker.define(store, "env", name, function)
        for name in NAMES:
            linker.define(store, "env", name, export(store, support, name))
        return Live(store, linker.instantiate(store, self._module), memory, malloc, following)


_STARTING = 1_000  # epochs; a runtime has no start function
_compiled: dict[int, Module] = {}


def _support(pages: int) -> Module:
    """The module that holds memory, allocator and hashes, compiled once for each size of memory."""
    if pages not in _compiled:
        _compiled[pages] = Module(engine(), wat2wasm(SUPPORT % (pages, hashing_functions())))
    return _compiled[pages]


def in_support(name: str) -> bool:
    """Whether a host function is part of that module, and so never leaves the sandbox."""
    return name in _FUNCTIONS or name in NAMES
