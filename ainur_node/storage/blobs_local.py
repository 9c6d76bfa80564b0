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
        self._bytes: int | None = None  # counted at the first write
        self._count = 0
        self._corrupted = 0

    async def put(self, data: bytes) -> bytes:
        """Store `data` and give its sha-256; on return it survives a power cut.

        Raises Transient when the disk or the quota is full, Bug for a blob above the limit.
        """
        if len(data) > self._max_blob:
            raise Bug(f"a blob of {len(data)} bytes; at most {self._max_blob} are allowed")
        digest = hashlib.sha256(data).digest()
        async with self._quota:
            await self._count_once()
            if await self._in_thread(self._read_checked, digest) is not None:
                return digest
            if self._used + len(data) > self._max_bytes:
                raise Transient(
                    f"blobs would take {self._used + len(data)} bytes, {self._max_bytes} are allowed",
                    hint="raise node.max_blob_bytes or let old tasks be collected",
                )
            await self._in_thread(self._write, digest, data)
            self._bytes = self._used + len(data)
            self._count += 1
        return digest

    async def get(self, sha256: bytes) -> bytes | None:
        """Give a blob, or None when it is not here or its file is damaged (which is then put aside)."""
        limits.check_sha256(sha256)
        return await self._in_thread(self._read_checked, sha256)

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
        """Counts for `ainur status`; zero before the first write of this process."""
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
                elif not entry.suffix:
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

    def _read_checked(self, sha256: bytes) -> bytes | None:
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).digest() == sha256:
            return data
        _log.error("blob_corrupted", sha256=sha256.hex(), size=len(data))
        self._corrupted += 1
        path.replace(path.with_suffix(".corrupt"))
        return None


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
