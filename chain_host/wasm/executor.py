"""Calls of one compiled runtime: a fresh instance each, on the overlay the caller brings."""

from collections import deque
from collections.abc import Callable

from wasmtime import FuncType, Instance, Linker, Module, Store, Trap, Val, WasmtimeError, wat2wasm

from chain_host.errors import RuntimeTrap
from chain_host.host_functions import host_functions
from chain_host.overlay import Overlay

from .callbacks import define, export, make_callback
from .engine import EPOCH_SECONDS, engine
from .guest import MASK32, MAX_PAGES, PAGE, SUPPORT, Guest

MAX_LOG = 64  # lines kept of one call, to name the cause of a trap
CALL_SECONDS = 10.0
_SUPPORTING = ("memory", "malloc", "free", "next")


class Executor:
    """One runtime. Not thread-safe: one thread makes all calls of an executor, and calls never nest."""

    def __init__(self, module: Module, version_of: Callable[[bytes], bytes | None] | None = None) -> None:
        self._module = module
        self._guest = Guest()
        self._failure: BaseException | None = None
        self.overlay: Overlay | None = None
        self.log: deque[tuple[int, str, str]] = deque(maxlen=MAX_LOG)
        self._version_of = version_of
        self._heap_base: int | None = None
        pages = next(i.type.limits.min for i in module.imports if not isinstance(i.type, FuncType))
        self._support = Module(engine(), wat2wasm(SUPPORT % pages))
        self._linker = Linker(engine())
        self._linker.allow_shadowing = True
        self._callbacks = []
        offered = host_functions(self._guest, self)
        for item in module.imports:
            if not isinstance(item.type, FuncType) or item.name.startswith("ext_allocator_"):
                continue
            function = offered.get(item.name) or _missing(item.name)
            callback = make_callback(function, len(item.type.params), bool(item.type.results), self._failed)
            self._callbacks.append(callback)
            define(self._linker, item, callback)

    def _failed(self, exc: BaseException) -> None:
        self._failure = exc

    def runtime_version(self, code: bytes) -> bytes | None:
        """SCALE `RuntimeVersion` of another blob, None when it has none; used while `set_code` is checked."""
        return self._version_of(code) if self._version_of else None

    def call(
        self, overlay: Overlay, name: str, data: bytes = b"", *, seconds: float = CALL_SECONDS, keep: bool = True
    ) -> bytes:
        """Call an export with SCALE arguments and return its SCALE result.

        Writes go to the overlay when `keep`; after RuntimeTrap it is as it was before.
        """
        mark = overlay.enter_call()
        self.overlay, self._failure = overlay, None
        self.log.clear()
        done = False
        try:
            store = Store(engine())
            store.set_limits(memory_size=MAX_PAGES * PAGE)
            store.set_epoch_deadline(max(1, int(seconds / EPOCH_SECONDS)))
            function = export(store, self._instantiate(store), name)
            if function is None:
                raise RuntimeTrap(f"the runtime has no {name}")
            pointer = self._guest.write(data)
            result = function(store, pointer, len(data))
            out = self._guest.read_fat(result & 0xFFFFFFFFFFFFFFFF)
            done = True
        except (Trap, WasmtimeError) as exc:
            raise RuntimeTrap(self._reason(exc)) from None
        finally:
            self.overlay = None
            self._guest.detach()
            overlay.leave_call(mark, keep=keep and done)
        return out

    def _instantiate(self, store: Store) -> Instance:
        support = Instance(store, self._support, [])
        memory, malloc, free, following = (export(store, support, name) for name in _SUPPORTING)
        linker = self._linker
        linker.define(store, "env", "memory", memory)
        linker.define(store, "env", "ext_allocator_malloc_version_1", malloc)
        linker.define(store, "env", "ext_allocator_free_version_1", free)
        instance = linker.instantiate(store, self._module)
        if self._heap_base is None:
            self._heap_base = export(store, instance, "__heap_base").value(store) & MASK32
        start = self._guest.attach(store, memory, malloc, self._heap_base)
        following.set_value(store, Val.i32(start))
        return instance

    def _reason(self, exc: Exception) -> str:
        failure = self._failure
        if failure is not None and not isinstance(failure, Exception):
            raise failure  # an interrupt of this process, not a fault of the runtime
        text = str(failure) if failure is not None else str(exc).strip().splitlines()[-1]
        panics = [message for level, _target, message in self.log if level == 1]
        return " | ".join([text[:300], *(panic[:300] for panic in panics[-1:])])


def _missing(name: str) -> Callable[..., int | None]:
    def refuse(*_arguments: int) -> int | None:
        raise RuntimeTrap(f"host function not offered: {name}")

    return refuse
