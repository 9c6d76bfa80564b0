"""Native code on disk, believed only with this machine's own MAC over it, and the modules it was made from."""

import hashlib
import hmac
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from wasm_runtime.limits import MIB, engine_id

KEY_BYTES = 32
CACHE_BYTES = 2048 * MIB
CACHE_ENTRIES = 512
_MAC_BYTES = 32

Native = bytes | memoryview
"""Machine code. Megabytes of it are looked at where they are: copying them would hold up every other thread."""


class KeyExposedError(PermissionError):
    """The key file can be read or written by others, so its MACs prove nothing."""


def open_key(path: Path) -> bytes:
    """The 32-byte key of `path`, made on first use with mode 0600; raises KeyExposedError when others can read it."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
    if path.stat().st_mode & 0o077:
        raise KeyExposedError(f"{path} must have mode 0600")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise KeyExposedError(f"{path} must hold {KEY_BYTES} bytes; remove it to get a new key")
    return key


class Cache:
    """A directory of `<sha-256>.wasm` and `<sha-256>.native`; bounded in bytes and entries, safe between threads.

    Native code is machine code that a worker will execute: an entry whose MAC fails is deleted, counted in `refused`
    and reported as missing. The MAC covers the engine id, the module's hash and the code.
    """

    def __init__(self, directory: Path, key: bytes, *, most_bytes: int = CACHE_BYTES) -> None:
        self._directory = directory
        self._key = key
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self.refused = 0

    def native(self, sha256: bytes) -> Native | None:
        """Checked native code of a module, or None."""
        path = self._path(sha256, "native")
        try:
            entry = memoryview(path.read_bytes())
        except FileNotFoundError:
            return None
        code = entry[_MAC_BYTES:]
        if not hmac.compare_digest(entry[:_MAC_BYTES], self._mac(sha256, code)):
            self.refused += 1
            self.discard(sha256)
            return None
        with suppress(FileNotFoundError):
            os.utime(path)
        return code

    def module(self, sha256: bytes) -> bytes | None:
        """The module's own bytes, checked against their hash, or None."""
        try:
            wasm = self._path(sha256, "wasm").read_bytes()
        except FileNotFoundError:
            return None
        return wasm if hashlib.sha256(wasm).digest() == sha256 else None

    def store(self, sha256: bytes, wasm: bytes, native: Native) -> None:
        """Keeps a module and its native code; the entries used least recently give way."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write(self._path(sha256, "wasm"), wasm)
        self._write(self._path(sha256, "native"), self._mac(sha256, native), native)
        self._evict()

    def discard(self, sha256: bytes) -> None:
        """Forgets the native code of a module but keeps the module."""
        self._path(sha256, "native").unlink(missing_ok=True)

    def _path(self, sha256: bytes, kind: str) -> Path:
        return self._directory / f"{sha256.hex()}.{kind}"

    def _mac(self, sha256: bytes, code: Native) -> bytes:
        return hmac.digest(self._key, engine_id() + sha256 + hashlib.sha256(code).digest(), "sha256")

    def _write(self, path: Path, *parts: Native) -> None:
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for part in parts:
                    file.write(part)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _evict(self) -> None:
        with self._lock:
            entries = []
            for path in self._directory.iterdir():
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    entries.append((facts.st_mtime, facts.st_size, path))
            entries.sort()
            total = sum(size for _, size, _ in entries)
            count = len(entries)
            for _, size, path in entries:
                if total <= self._most_bytes and count <= 2 * CACHE_ENTRIES:
                    return
                path.unlink(missing_ok=True)
                total -= size
                count -= 1
