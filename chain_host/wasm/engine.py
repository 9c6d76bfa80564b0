"""The one wasmtime engine of a process, its clock of epochs and its cache of compiled modules."""

import functools
import hashlib
import os
import threading
from importlib.metadata import version
from pathlib import Path

import wasmtime
import zstandard

from chain_host.errors import RuntimeTrap

EPOCH_SECONDS = 0.05
MAX_CODE = 50 << 20  # as Substrate's own limit on an unpacked runtime
_ZSTD_PREFIX = bytes.fromhex("52bc537646db8e05")
_CACHED_MODULES = 4  # the running runtime, an upgrade, and old blocks' runtimes


def unpacked(code: bytes) -> bytes:
    """The wasm of `:code`, which may carry the zstd prefix of Substrate."""
    if code.startswith(_ZSTD_PREFIX):
        try:
            return zstandard.ZstdDecompressor().decompress(code[len(_ZSTD_PREFIX) :], max_output_size=MAX_CODE)
        except zstandard.ZstdError as exc:
            raise RuntimeTrap(f"the runtime cannot be unpacked: {exc}") from exc
    if len(code) > MAX_CODE:
        raise RuntimeTrap("the runtime is too large")
    return code


def _tick(engine: wasmtime.Engine, stop: threading.Event) -> None:
    while not stop.wait(EPOCH_SECONDS):
        engine.increment_epoch()


@functools.lru_cache(1)
def engine() -> wasmtime.Engine:
    """The engine; the first call starts the daemon thread that advances its epochs."""
    config = wasmtime.Config()
    config.cranelift_nan_canonicalization = True
    config.epoch_interruption = True
    # Substrate's own executor refuses these too; and what they could change of an instance beside its memory
    # and globals would outlive a call (see instances.py).
    config.wasm_bulk_memory = False
    config.wasm_simd = False
    config.wasm_relaxed_simd = False
    config.wasm_multi_memory = False
    config.wasm_memory64 = False
    made = wasmtime.Engine(config)
    threading.Thread(target=_tick, args=(made, threading.Event()), name="wasm-epochs", daemon=True).start()
    return made


class Modules:
    """Compiled runtimes, in memory and in a directory that only this user may write."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self._loaded: dict[bytes, wasmtime.Module] = {}

    def load(self, code: bytes) -> wasmtime.Module:
        """The compiled form of `:code`. Raises RuntimeTrap when it is no valid module."""
        digest = hashlib.sha256(code).digest()
        module = self._loaded.get(digest)
        if module is None:
            module = self._read(digest) or self._compile(code, digest)
            while len(self._loaded) >= _CACHED_MODULES:
                self._loaded.pop(next(iter(self._loaded)))
            self._loaded[digest] = module
        return module

    def _path(self, digest: bytes) -> Path | None:
        if self.directory is None:
            return None
        return self.directory / f"{digest.hex()[:32]}-{version('wasmtime')}.cwasm"

    def _read(self, digest: bytes) -> wasmtime.Module | None:
        path = self._path(digest)
        if path is None or not path.is_file() or not _is_private(path):
            return None
        try:
            return wasmtime.Module.deserialize_file(engine(), str(path))
        except wasmtime.WasmtimeError:
            return None  # another build of wasmtime or a torn write: compile again

    def _compile(self, code: bytes, digest: bytes) -> wasmtime.Module:
        try:
            module = wasmtime.Module(engine(), unpacked(code))
        except wasmtime.WasmtimeError as exc:
            raise RuntimeTrap(f"the runtime is no valid module: {str(exc).splitlines()[0]}") from exc
        path = self._path(digest)
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(module.serialize())
            part.replace(path)
        return module


def _is_private(path: Path) -> bool:
    """Machine code is run as it lies there, so nobody else may have been able to write it."""
    return all(info.st_uid == os.getuid() and not info.st_mode & 0o022 for info in (path.stat(), path.parent.stat()))
