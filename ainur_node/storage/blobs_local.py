"""Content-addressed files in one directory: written whole or not at all, checked at every read."""

import errno
import hashlib
import os
import secrets
from pathlib import Path

import structlog
import trio

from ainur_node.errors import Bug, Transient
from ainur_node.storage import limits

_log = structlog.get_logger(__name__)

MAX_BLOB = 64 << 20
"""Bytes of one blob."""
READERS = 4
"""Threads that read or write blobs at the same time: a disk gains nothing from more."""


class LocalBlobs:
    """Blobs named by their sha-256 under `root`, in all at most `max_bytes`. Files are touched in threads."""

    def __init__(self, root: Path, *, max_bytes: int, max_blob: int = MAX_BLOB) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._max_blob = max_blob
        self._limiter = trio.CapacityLimiter(READERS)
        self._quota = trio.Lock()
        self._bytes: int | None = None  # counted before a write whenever it is not known
        self._count = 0
        self._corrupted = 0

    async def put(self, data: bytes) -> bytes:
        """Store `data` and give its sha-256; on return it survives a power cut.

        Raises Transient when the disk or the quota is full, Bug for a blob above the limit.
        """
        if len(data) > self._max_blob:
            raise Bug(f"a blob of {len(data)} bytes; at most {self._max_blob} are allowed")
        digest: bytes = await self._in_thread(_digest, data)
        async with self._quota:
            if await self._in_thread(self._is_sound, digest):
                return digest
            await self._count_once()
            if self._used + len(data) > self._max_bytes:
                raise Transient(
                    f"blobs would take {self._used + len(data)} bytes, {self._max_bytes} are allowed",
                    hint="raise node.max_blob_mib or let old tasks be collected",
                )
            await self._in_thread(self._write, digest, data)
            self._bytes = self._used + len(data)
            self._count += 1
        return digest

    async def get(self, sha256: bytes) -> bytes | None:
        """Give a blob, or None when it is not here or its file is damaged (which is then removed)."""
        limits.check_sha256(sha256)
        data: bytes | None = await self._in_thread(_read, self._path(sha256))
        if data is None or await self._in_thread(_matches, data, sha256):
            return data
        # Looked at again under the lock, so that a file that `put` has just made good is not removed.
        async with self._quota:
            await self._in_thread(self._is_sound, sha256)
        return None

    async def has(self, sha256: bytes) -> bool:
        """Whether a file of that name is here; only `get` says whether it is sound."""
        return await self.size(sha256) is not None

    async def size(self, sha256: bytes) -> int | None:
        """Bytes of a blob, or None when it is not here."""
        limits.check_sha256(sha256)
        return await self._in_thread(_size, self._path(sha256))

    async def delete(self, sha256: bytes) -> bool:
        """Remove a blob; False when it was not here."""
        limits.check_sha256(sha256)
        async with self._quota:
            await self._count_once()
            size = await self._in_thread(_remove, self._path(sha256))
            if size is None:
                return False
            self._bytes = max(0, self._used - size)
            self._count -= 1
            return True

    def statistics(self) -> dict[str, int]:
        """Counts for `ainur status`; zero until the first write, and after damage until the next."""
        return {
            "blobs": self._count,
            "blob_bytes": self._bytes or 0,
            "blob_bytes_allowed": self._max_bytes,
            "blobs_corrupted": self._corrupted,
        }

    @property
    def _used(self) -> int:
        return self._bytes or 0

    async def _count_once(self) -> None:
        if self._bytes is None:
            self._count, self._bytes = await self._in_thread(self._sweep)

    async def _in_thread(self, fn, *args):  # type: ignore[no-untyped-def] # typed by its callers
        try:
            return await trio.to_thread.run_sync(fn, *args, limiter=self._limiter)
        except OSError as error:
            hint = "look at the disk that holds the node's home"
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                hint = "free space on the disk that holds the node's home"
            raise Transient(f"blobs: {error.strerror or error}", hint=hint) from error

    def _path(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self._root / name[:2] / name

    def _sweep(self) -> tuple[int, int]:
        """Remove what a crash left half written; give count and bytes of the rest."""
        count = total = 0
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in sorted(self._root.iterdir()):
            for entry in sorted(directory.iterdir()) if directory.is_dir() else ():
                if entry.suffix == ".tmp":
                    entry.unlink(missing_ok=True)
                else:
                    count, total = count + 1, total + entry.stat().st_size
        return count, total

    def _write(self, digest: bytes, data: bytes) -> None:
        path = self._path(digest)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_directory(self._root)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)

    def _is_sound(self, sha256: bytes) -> bool:
        """Whether the blob is here; a damaged file is removed. The caller holds the lock."""
        data = _read(self._path(sha256))
        if data is None:
            return False
        if _matches(data, sha256):
            return True
        _log.error("blob_corrupted", sha256=sha256.hex(), size=len(data))
        self._path(sha256).unlink(missing_ok=True)
        self._corrupted += 1
        self._bytes = None
        return False


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _matches(data: bytes, sha256: bytes) -> bool:
    return _digest(data) == sha256


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _remove(path: Path) -> int | None:
    size = _size(path)
    if size is not None:
        path.unlink(missing_ok=True)
    return size


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
