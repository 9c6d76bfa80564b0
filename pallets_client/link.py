"""A lasting link to one node: connects when needed, checks the chain, caches the runtime, follows heads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from pallets_client.connection import Connection
from pallets_client.errors import ChainMisbehaviour, ChainRefused, ChainUnreachable, UnknownBlock
from pallets_client.hashing import blake2_256
from pallets_client.records import Head
from pallets_client.runtime import Runtime
from pallets_client.scale import encode_compact

MAX_LOGS = 64  # digest items of a header
DEFAULT_TIMEOUT = 10.0  # seconds


def unhex(value: object, size: int | None = None) -> bytes:
    """Bytes of a 0x-string; raises ChainMisbehaviour for anything else or another size."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ChainMisbehaviour(f"a hex string was expected, not {value!r:.80}")
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError as exc:
        raise ChainMisbehaviour("the node sent hex that is none") from exc
    if size is not None and len(raw) != size:
        raise ChainMisbehaviour(f"{size} bytes were expected, not {len(raw)}")
    return raw


def tohex(value: bytes) -> str:
    """0x-string of bytes."""
    return "0x" + value.hex()


def parse_header(header: object) -> tuple[Head, bytes, bytes]:
    """Head, parent hash and state root of a header as JSON; the hash is computed, never believed."""
    if not isinstance(header, dict) or not isinstance(header.get("digest"), dict):
        raise ChainMisbehaviour("the node sent a header without its parts")
    try:
        number = int(header["number"], 16)
    except (KeyError, TypeError, ValueError) as exc:
        raise ChainMisbehaviour("the node sent a header without a number") from exc
    logs = header["digest"].get("logs")
    if not isinstance(logs, list) or len(logs) > MAX_LOGS or not 0 <= number < 2**32:
        raise ChainMisbehaviour("the node sent a header out of bounds")
    parent = unhex(header.get("parentHash"), 32)
    state_root = unhex(header.get("stateRoot"), 32)
    encoded = (
        parent
        + encode_compact(number)
        + state_root
        + unhex(header.get("extrinsicsRoot"), 32)
        + encode_compact(len(logs))
        + b"".join(unhex(log) for log in logs)
    )
    return Head(number, blake2_256(encoded)), parent, state_root


class Link:
    """RPC to one node; every method may be called from any thread, and raises ChainUnreachable in time."""

    def __init__(self, url: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.url = url
        self.timeout = timeout
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._genesis: bytes | None = None
        self._runtime: Runtime | None = None
        self._heads = threading.Condition()
        self._head: Head | None = None
        self._watching: Connection | None = None
        self._closed = False
        self.connections = 0  # made so far: a new number means that nothing sent before is sure to be known
        self.on_change: Callable[[], None] | None = None

    # requests ------------------------------------------------------------------------------------------

    def call(self, method: str, *params: Any) -> Any:
        """Result of one request, connecting first when there is no connection."""
        return self._connected().request(method, params, self.timeout)

    def close(self) -> None:
        """End the link; later calls raise ChainUnreachable."""
        with self._lock:
            self._closed = True
            connection = self._connection
        if connection is not None:
            connection.close()
        with self._heads:
            self._heads.notify_all()

    def _connected(self) -> Connection:
        with self._lock:
            if self._closed:
                raise ChainUnreachable("the client was closed")
            if self._connection is not None and self._connection.alive:
                return self._connection
            connection = Connection.open(self.url, self.timeout)
            try:
                self._check_chain(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self.connections += 1
            self._runtime = None  # the node may have come back with another runtime
            self._watch_runtime(connection)
            return connection

    def _watch_runtime(self, connection: Connection) -> None:
        def changed(version: object) -> None:
            runtime = self._runtime
            spec = version.get("specVersion") if isinstance(version, dict) else None
            if runtime is not None and spec != runtime.spec_version:
                self._runtime = None

        try:
            connection.request("state_subscribeRuntimeVersion", [], self.timeout, changed)
        except ChainRefused:
            return  # a node without this subscription: upgrades are met by the reconnect that follows them

    def _check_chain(self, connection: Connection) -> None:
        genesis = unhex(connection.request("chain_getBlockHash", [0], self.timeout), 32)
        if self._genesis is not None and genesis != self._genesis:
            raise ChainMisbehaviour(
                f"another chain answers at {self.url}: genesis {genesis.hex()}, was {self._genesis.hex()}"
            )
        self._genesis = genesis

    # what hardly changes -------------------------------------------------------------------------------

    @property
    def genesis(self) -> bytes:
        """Hash of block 0."""
        if self._genesis is None:
            self._connected()
        assert self._genesis is not None
        return self._genesis

    def runtime(self) -> Runtime:
        """The runtime of the best block, read once per connection and after ``forget_runtime``."""
        found = self._runtime
        if found is not None and self._connection is not None and self._connection.alive:
            return found
        self._connected()
        with self._lock:
            if self._runtime is None:
                version = self.call("state_getRuntimeVersion")
                try:
                    spec, transaction = int(version["specVersion"]), int(version["transactionVersion"])
                except (TypeError, KeyError, ValueError) as exc:
                    raise ChainMisbehaviour("the node sent a runtime version without its parts") from exc
                self._runtime = Runtime(unhex(self.call("state_getMetadata")), spec, transaction)
            return self._runtime

    def forget_runtime(self) -> None:
        """Read the metadata again at the next use: the runtime was upgraded."""
        with self._lock:
            self._runtime = None

    # storage -------------------------------------------------------------------------------------------

    def storage(self, pallet: str, name: str, *keys: Any, at: bytes | None = None) -> Any:
        """Decoded value of a storage item at a block, None where nothing is stored."""
        item = self.runtime().item(pallet, name)
        raw = self.raw_storage(item.key(*keys), at)
        return item.value(raw)

    def raw_storage(self, key: bytes, at: bytes | None = None) -> bytes | None:
        """Stored bytes; raises UnknownBlock when the node has no state of that block."""
        params = [tohex(key)] if at is None else [tohex(key), tohex(at)]
        try:
            found = self.call("state_getStorage", *params)
        except ChainRefused as exc:
            if at is not None:
                raise UnknownBlock(f"no state of block {at.hex()}: {exc}") from exc
            raise
        return None if found is None else unhex(found)

    # heads ---------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The best block, asked from the node."""
        return parse_header(self.call("chain_getHeader"))[0]

    def watch_heads(self) -> None:
        """Subscribe to new heads on the present connection, if that was not done."""
        connection = self._connected()
        with self._lock:
            if self._watching is connection:
                return
            self._watching = connection
        connection.on_end(self._changed)
        try:
            connection.request("chain_subscribeNewHeads", [], self.timeout, self._take_head)
        except BaseException:
            with self._lock:
                self._watching = None
            raise

    def latest_head(self) -> Head:
        """The last head heard of while watching, or the best block."""
        with self._heads:
            head = self._head
        if head is not None and self._watching is not None and self._watching.alive:
            return head
        return self.head()

    def next_head(self, after: int, timeout: float) -> Head | None:
        """A head above ``after``, waited for at most ``timeout`` seconds; None when there was none."""
        self.watch_heads()
        with self._heads:
            self._heads.wait_for(lambda: self._above(after) or self._closed or not self._alive(), timeout)
            if self._above(after):
                return self._head
        if not self._alive():
            raise ChainUnreachable("the connection to the node ended")
        return None

    def _above(self, after: int) -> bool:
        return self._head is not None and self._head.number > after

    def _alive(self) -> bool:
        return self._connection is not None and self._connection.alive

    def _take_head(self, header: object) -> None:
        head = parse_header(header)[0]
        with self._heads:
            self._head = head
            self._heads.notify_all()
        if self.on_change is not None:
            self.on_change()

    def _changed(self) -> None:
        with self._heads:
            self._heads.notify_all()
        if self.on_change is not None:
            self.on_change()


def parse_block(answer: object) -> tuple[Head, bytes, bytes, Sequence[bytes]]:
    """Head, parent, state root and extrinsics of what ``chain_getBlock`` answers."""
    if not isinstance(answer, dict) or not isinstance(answer.get("block"), dict):
        raise ChainMisbehaviour("the node sent a block without its parts")
    head, parent, state_root = parse_header(answer["block"].get("header"))
    extrinsics = answer["block"].get("extrinsics")
    if not isinstance(extrinsics, list):
        raise ChainMisbehaviour("the node sent a block without extrinsics")
    return head, parent, state_root, [unhex(raw) for raw in extrinsics]
