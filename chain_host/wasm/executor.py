"""Calls of one compiled runtime: each as if in a fresh instance, on the overlay the caller brings."""

from collections import deque
from collections.abc import Callable

from wasmtime import FuncType, Linker, Module, Trap, WasmtimeError

from chain_host.errors import RuntimeTrap
from chain_host.host_functions import host_functions
from chain_host.overlay import Overlay

from .callbacks import define, enter, make_callback
from .engine import EPOCH_SECONDS, engine
from .guest import Guest
from .instances import Instances, in_support

MAX_LOG = 64  # lines kept of one call, to name the cause of a trap
CALL_SECONDS = 10.0


class Executor:
    """One runtime. Not thread-safe: one thread makes all calls of an executor, and calls never nest."""

    def __init__(
        self,
        module: Module,
        version_of: Callable[[bytes], bytes | None] | None = None,
        *,
        written_from: int | None = None,
    ) -> None:
        """`written_from` lets instances be used again: see `sections.written_from`."""
        self._guest = Guest()
        self._failure: BaseException | None = None
        self.overlay: Overlay | None = None
        self.log: deque[tuple[int, str, str]] = deque(maxlen=MAX_LOG)
        self._version_of = version_of
        linker = Linker(engine())
        linker.allow_shadowing = True
        self._callbacks = []
        offered = host_functions(self._guest, self)
        for item in module.imports:
            if not isinstance(item.type, FuncType) or in_support(item.name):
                continue
            function = offered.get(item.name) or _missing(item.name)
            callback = make_callback(function, len(item.type.params), bool(item.type.results), self._failed)
            self._callbacks.append(callback)
            define(linker, item, callback)
        self._instances = Instances(module, linker, self._guest, written_from)

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
            live = self._instances.take()
            live.store.set_epoch_deadline(max(1, int(seconds / EPOCH_SECONDS)))
            function = live.function(name)
            pointer = self._guest.write(data)
            result = enter(live.store, function, pointer, len(data))
            out = self._guest.read_fat(result & 0xFFFFFFFFFFFFFFFF)
            self._instances.give_back(live)
            done = True
        except (Trap, WasmtimeError) as exc:
            raise RuntimeTrap(self._reason(exc)) from None
        finally:
            self.overlay = None
            self._guest.detach()
            overlay.leave_call(mark, keep=keep and done)
        return out

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
