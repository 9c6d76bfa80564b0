"""Executors by runtime code: compiled once, kept for the code in use and a few of older blocks."""

import contextlib
from pathlib import Path

from .errors import RuntimeTrap
from .hashing import blake2_256
from .overlay import Overlay
from .runtime_api import RuntimeApi
from .state import HeadState
from .wasm.engine import Modules, unpacked
from .wasm.executor import Executor
from .wasm.sections import embedded_version, written_from

CODE_KEY = b":code"
MAX_EXECUTORS = 3


class Runtimes:
    """All executors of one thread."""

    def __init__(self, cache: Path | None) -> None:
        self._modules = Modules(cache)
        self._executors: dict[bytes, Executor] = {}
        self._newest_code: bytes | None = None
        self._newest: Executor | None = None

    def of(self, code: bytes) -> Executor:
        """The executor of a blob. Raises RuntimeTrap when it is no runtime."""
        if code is self._newest_code and self._newest is not None:
            return self._newest  # hashing a blob of a megabyte costs more than most calls
        digest = blake2_256(code)
        executor = self._executors.get(digest)
        if executor is None:
            executor = Executor(self._modules.load(code), self._version_of, written_from=written_from(unpacked(code)))
            while len(self._executors) >= MAX_EXECUTORS:
                self._executors.pop(next(iter(self._executors)))
            self._executors[digest] = executor
        self._newest_code, self._newest = code, executor
        return executor

    def api(self, overlay: Overlay) -> RuntimeApi:
        """The runtime that the overlay's backend holds."""
        code = overlay.backend.get(CODE_KEY)
        if code is None:
            raise RuntimeTrap("the state has no runtime code")
        return RuntimeApi(self.of(code), overlay)

    def _version_of(self, code: bytes) -> bytes | None:
        """Version of a blob: the one in its sections, else what it says in an executor of its own."""
        with contextlib.suppress(RuntimeTrap):
            found = embedded_version(unpacked(code))
            if found is not None:
                return found
            executor = Executor(self._modules.load(code))
            return executor.call(Overlay(HeadState()), "Core_version", keep=False, seconds=1.0)
        return None
