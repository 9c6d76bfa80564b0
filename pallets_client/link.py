"""A lasting link to a chain: connects to one of its nodes, checks the chain, caches the runtime, follows heads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from pallets_client.answers import parse_header, tohex, unhex, upgrades_runtime
from pallets_client.connection import Connection
from pallets_client.endpoints import Endpoints
from pallets_client.errors import ChainMisbehaviour, ChainRefused, ChainUnreachable, StaleHead, UnknownBlock
from pallets_client.records import Head
from pallets_client.runtime import Runtime

DEFAULT_TIMEOUT = 10.0  # seconds
MAX_RUNTIMES = 3  # kept: the present one, and those that old blocks may need
DEEP = 1024  # blocks below the best one that count as final when finality itself stands still
STALE_AFTER = 60.0  # seconds without a new head after which nothing is signed


class Link:
    """RPC to one node of a chain; every method may be called from any thread, and raises ChainUnreachable in time.

    With several addresses one node answers everything, and another takes its place when it goes away or
    falls behind.
    """

    def __init__(self, urls: str | Sequence[str], timeout: float = DEFAULT_TIMEOUT) -> None:
        self._endpoints = Endpoints(urls)
        self.url = self._endpoints.urls[0]  # of the node that answers, or that was last asked
        self.timeout = timeout
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._opening: Connection | None = None  # the last one made; `close` ends it before its chain is known, too
        self._genesis: bytes | None = None
        self._runtime: Runtime | None = None
        self._known: dict[int, Runtime] = {}
        self._spec: int | None = None
        self._heads = threading.Condition()
        self._head: Head | None = None
        self._moved = monotonic()  # when the head was last seen to move
        self._highest = -1
        self._upgrade_at = b""  # the last block that changed the runtime
        self._finalized: Head | None = None
        self.upgrades = 0  # of the runtime, met so far: above 0, old blocks may need an older runtime
        self._watching: Connection | None = None
        self._closed = False
        self.connections = 0  # made so far: a new number means that nothing sent before is sure to be known
        self.on_change: Callable[[], None] | None = None

    # requests ------------------------------------------------------------------------------------------

    def call(self, method: str, *params: Any) -> Any:
        """Result of one request, connecting first when there is no connection."""
        return self._connected().request(method, params, self.timeout)

    def close(self) -> None:
        """End the link, also for who waits for an answer; later calls raise ChainUnreachable."""
        # Without the lock: whoever connects holds it as long as a node takes, and looks at `_closed` afterwards.
        self._closed = True
        self._endpoints.close()
        for connection in (self._opening, self._connection):
            if connection is not None:
                connection.close()
        with self._heads:
            self._heads.notify_all()

    def _connected(self) -> Connection:
        with self._lock:
            self._refuse_closed()
            if self._connection is not None and self._connection.alive:
                return self._connection
            connection = self._open()
            self._connection = connection
            self.connections += 1
            self._runtime = None  # the node may have come back with another runtime
            self._watch_runtime(connection)
            return connection

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ChainUnreachable("the client was closed")

    def _open(self) -> Connection:
        """A connection to the first endpoint that answers, with our chain behind it."""
        fault: Exception | None = None
        for url in self._endpoints.order():
            self._refuse_closed()
            self.url = url
            try:
                connection = self._opening = Connection.open(url, self.timeout)
                try:
                    self._refuse_closed()
                    self._check_chain(connection)
                except BaseException:
                    connection.close()
                    raise
            except (ChainUnreachable, ChainMisbehaviour, ChainRefused) as exc:
                # What another chain or a broken node says is told in preference to mere silence.
                if fault is None or isinstance(exc, ChainMisbehaviour):
                    fault = exc
                self._endpoints.rest(url)
            else:
                self._endpoints.prefer(url)
                return connection
        assert fault is not None
        raise fault

    def _watch_runtime(self, connection: Connection) -> None:
        def changed(version: object) -> None:
            runtime = self._runtime
            spec = version.get("specVersion") if isinstance(version, dict) else None
            if runtime is not None and spec != runtime.spec_version:
                self._upgraded()

        try:
            connection.request("state_subscribeRuntimeVersion", [], self.timeout, changed)
        except ChainRefused:
            return  # a node without this subscription: upgrades are met by the reconnect that follows them

    def _upgraded(self) -> None:
        self.upgrades += 1
        self._runtime = None
        if self.on_change is not None:
            self.on_change()

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
                self._runtime = self._read_runtime()
                spec = self._runtime.spec_version
                if self._spec not in (None, spec):
                    self.upgrades += 1  # it came while nobody was connected
                self._spec = spec
            return self._runtime

    def runtime_before(self, block: bytes) -> Runtime:
        """The runtime that executes the children of ``block`` and speaks in their events.

        Costs a question once an upgrade was met, and nothing before.
        """
        current = self.runtime()
        if not self.upgrades:
            return current
        spec, _ = self._versions(block)
        found = self._known.get(spec)
        return found if found is not None else self._read_runtime(block)

    def _versions(self, *at: bytes) -> tuple[int, int]:
        version = self.call("state_getRuntimeVersion", *map(tohex, at))
        try:
            return int(version["specVersion"]), int(version["transactionVersion"])
        except (TypeError, KeyError, ValueError) as exc:
            raise ChainMisbehaviour("the node sent a runtime version without its parts") from exc

    def _read_runtime(self, *at: bytes) -> Runtime:
        at = at or (self.head().hash,)  # version and metadata of one block: an upgrade may come between two questions
        spec, transaction = self._versions(*at)
        found = self._known.get(spec)
        if found is None:
            found = Runtime(unhex(self.call("state_getMetadata", *map(tohex, at))), spec, transaction)
            self._known[spec] = found
            while len(self._known) > MAX_RUNTIMES:
                self._known.pop(min(self._known))
        return found

    def forget_runtime(self) -> None:
        """Read the metadata again at the next use: the runtime may have been upgraded."""
        with self._lock:
            self._runtime = None
            self._known.clear()

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
        header = self.call("chain_getHeader")
        head = parse_header(header)[0]
        self._note(head, header)
        return head

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
            self._watch_finalized(connection)
        except BaseException:
            with self._lock:
                self._watching = None
            raise

    def _watch_finalized(self, connection: Connection) -> None:
        with self._heads:
            self._finalized = None
        try:
            connection.request("chain_subscribeFinalizedHeads", [], self.timeout, self._take_finalized)
        except ChainRefused:
            return  # a node without finality: ``finalized`` asks it, and believes the best block at last

    def latest_head(self) -> Head:
        """The last head heard of while watching, or the best block."""
        with self._heads:
            head = self._head
        if head is not None and self._watching is not None and self._watching.alive:
            return head
        return self.head()

    def finalized(self) -> Head:
        """The last block that no other can take the place of.

        Where finality has stopped, or never began, a block ``DEEP`` below the best one has to do.
        """
        with self._heads:
            known = self._finalized
        if known is None or self._watching is None or not self._watching.alive:
            try:
                found = unhex(self.call("chain_getFinalizedHead"), 32)
            except ChainRefused:
                return self.head()
            known = parse_header(self.call("chain_getHeader", tohex(found)))[0]
        deep = self.latest_head().number - DEEP
        return known if known.number >= deep else Head(deep, unhex(self.call("chain_getBlockHash", deep), 32))

    def head_to_sign_on(self, stale_after: float = STALE_AFTER) -> Head:
        """The head of a node that keeps up, for an era to begin with; changes to a better endpoint first.

        Raises StaleHead when the chain stands still for us, EndpointsDisagree when two nodes finalized
        different blocks.
        """
        head = self.latest_head()
        if self.keep_up(stale_after):
            return self.head()
        if self.still() > stale_after:
            raise StaleHead(f"{self.url} has had no new block for {self.still():.0f} s, its last is {head.number}")
        return head

    def still(self) -> float:
        """Seconds since the head was last seen to move."""
        with self._heads:
            return monotonic() - self._moved

    def keep_up(self, stale_after: float = STALE_AFTER) -> bool:
        """Go over to another endpoint when this one has fallen behind; whether that was done."""
        with self._lock:
            at_once = self.still() > stale_after
            better = self._endpoints.better_than(self.url, self.call, self.genesis, at_once=at_once)
            if better is None:
                return False
            self._endpoints.prefer(better)
            connection = self._connection
        if connection is not None:
            connection.close()  # the next question goes to the better one
        self.watch_heads()
        return True

    def next_head(self, after: int, timeout: float) -> Head | None:
        """A head above ``after``, waited for at most ``timeout`` seconds; None when there was none."""
        self.watch_heads()
        with self._heads:
            self._heads.wait_for(lambda: self._above(after) or self._closed or not self._alive(), timeout)
            if self._above(after):
                return self._head
        if not self._alive():
            raise ChainUnreachable("the connection to the node ended")
        self.keep_up()
        return None

    def _above(self, after: int) -> bool:
        return self._head is not None and self._head.number > after

    def _alive(self) -> bool:
        return self._connection is not None and self._connection.alive

    def _take_head(self, header: object) -> None:
        head = parse_header(header)[0]
        self._note(head, header)
        with self._heads:
            self._head = head
            self._heads.notify_all()
        if self.on_change is not None:
            self.on_change()

    def _take_finalized(self, header: object) -> None:
        head = parse_header(header)[0]
        with self._heads:
            self._finalized = head
        if self.on_change is not None:
            self.on_change()

    def _note(self, head: Head, header: object) -> None:
        with self._heads:
            if head.number > self._highest:
                self._highest = head.number
                self._moved = monotonic()
        if upgrades_runtime(header) and self._upgrade_at != head.hash:
            self._upgrade_at = head.hash
            self._upgraded()

    def _changed(self) -> None:
        with self._heads:
            self._heads.notify_all()
        if self.on_change is not None:
            self.on_change()
