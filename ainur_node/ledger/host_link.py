"""The chain host of this node, asked for whole blocks and handed those of others: its `ainur_*` methods."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

import trio

from ainur_node.errors import Transient
from pallets_client.errors import ChainError, ChainRefused
from pallets_client.link import Link, tohex, unhex

METHOD_NOT_FOUND = -32601
TIMEOUT = 120.0  # seconds: a full block on a starved machine


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block of this node's host."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """How many blocks were taken; `error` is the name and the words of the first that was refused."""

    count: int
    error: tuple[str, str] | None
    tip: Tip


class HostLink:
    """A connection of its own: a request that waits there holds back no other."""

    def __init__(self, url: str) -> None:
        self._link = Link(url, TIMEOUT)
        self._spec = b""
        self._packing = trio.Lock()

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    @property
    def connections(self) -> int:
        """How often a connection was made; a new one may be to a host that has forgotten its pool."""
        return self._link.connections

    async def offers_blocks(self) -> bool:
        """Whether this host gives whole blocks; a native node has its own network for that."""
        try:
            await self._ask("ainur_hostStatus")
        except NotOffered:
            return False
        return True

    async def tip(self) -> Tip:
        """The newest block."""
        return _tip(await self._ask("ainur_getBlocks", 0, 0))

    async def hash_of(self, number: int) -> bytes | None:
        """Hash of a block, None when there is none."""
        found = await self._ask("chain_getBlockHash", number)
        return None if found is None else unhex(found, 32)

    async def blocks(self, first: int, count: int, most: int) -> tuple[list[bytes], Tip]:
        """Blocks from `first` on, together at most `most` bytes unless the first alone is larger."""
        found = await self._ask("ainur_getBlocks", first, count, most)
        return [unhex(each) for each in found["blocks"]], _tip(found)

    async def take(self, blocks: list[bytes]) -> Imported:
        """Hand over consecutive blocks."""
        said = await self._ask("ainur_importBlocks", [tohex(each) for each in blocks])
        error = said.get("error")
        refused = None if error is None else (str(error.get("data", "malformed")), str(error.get("message", "")))
        return Imported(int(said["imported"]), refused, _tip(said))

    async def extrinsics(self, place: int, wait_ms: int) -> tuple[int, list[bytes]]:
        """(new place, extrinsics) that came to the pool after a place."""
        said = await self._ask("ainur_nextExtrinsics", place, wait_ms)
        return int(said["place"]), [unhex(each) for each in said["extrinsics"]]

    async def submit(self, raw: bytes) -> None:
        """Put an extrinsic into the pool. Raises ChainRefused with the code of the pool."""
        try:
            await trio.to_thread.run_sync(self._link.call, "author_submitExtrinsic", tohex(raw), abandon_on_cancel=True)
        except ChainRefused:
            raise
        except ChainError as exc:
            raise Transient(f"the chain host does not answer: {exc}", hint="it is started again by itself") from exc

    async def genesis(self) -> bytes:
        """The genesis as a raw chain specification, compressed: once, and beside the loop, for it is megabytes."""
        async with self._packing:
            if not self._spec:
                spec = await self._ask("sync_state_genSyncSpec", True)
                self._spec = await trio.to_thread.run_sync(_packed, spec)
        return self._spec

    async def _ask(self, method: str, *params: Any) -> Any:
        try:
            return await trio.to_thread.run_sync(self._link.call, method, *params, abandon_on_cancel=True)
        except ChainRefused as exc:
            if exc.code == METHOD_NOT_FOUND:
                raise NotOffered(f"the chain host has no {method}") from exc
            raise Transient(f"the chain host refuses {method}: {exc}") from exc
        except ChainError as exc:
            raise Transient(f"the chain host does not answer: {exc}", hint="it is started again by itself") from exc


def _packed(spec: Any) -> bytes:
    return zlib.compress(json.dumps(spec, separators=(",", ":")).encode(), 6)


class NotOffered(Transient):
    """The chain behind this node is no host of ours."""


def _tip(said: Any) -> Tip:
    return Tip(int(said["number"]), unhex(said["hash"], 32))
