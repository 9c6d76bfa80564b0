"""Who wants to be told of new heads, storage changes, runtime versions and the fate of an extrinsic."""

from dataclasses import dataclass
from itertools import count
from typing import Protocol

from chain_host.node import NewBlock
from chain_host.pool import Status

from .encoding import dumps, header_json, hexed
from .errors import TOO_MANY, RpcError

MAX_SUBSCRIPTIONS = 1_024  # of one connection, as Substrate's own default
MAX_WATCHED_KEYS = 256
MAX_WATCHED_BYTES = 1 << 20  # of all keys that one connection watches
KEY_OVERHEAD = 64  # bytes that a key of no bytes takes
LAST_KINDS = ("finalized", "usurped", "dropped", "invalid")


class Sink(Protocol):
    """Where notifications of one connection go."""

    subscriptions: set[str]

    def push(self, text: str) -> None:
        """Queue a message; a connection that cannot keep up is closed, not waited for."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: `method` names its notifications; `keys` for storage, `hash` for an extrinsic."""

    sink: Sink
    id: str
    method: str
    keys: frozenset[bytes] = frozenset()
    hash: bytes = b""

    def send(self, result: str) -> None:
        """Notify with a result that is JSON text."""
        self.sink.push(
            f'{{"jsonrpc":"2.0","method":"{self.method}","params":{{"subscription":"{self.id}","result":{result}}}}}'
        )


def _size(keys: frozenset[bytes]) -> int:
    return sum(KEY_OVERHEAD + len(key) for key in keys)


class Subscriptions:
    """All subscriptions of a server, by kind."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._heads: dict[str, Subscription] = {}
        self._storage: dict[str, Subscription] = {}
        self._versions: dict[str, Subscription] = {}
        self._silent: dict[str, Subscription] = {}
        self._homes = {
            "state_storage": self._storage,
            "state_runtimeVersion": self._versions,
            "grandpa_justifications": self._silent,
        }
        self._watches: dict[bytes, dict[str, Subscription]] = {}
        self._all: dict[str, Subscription] = {}

    def add(
        self, sink: Sink, method: str, *, keys: frozenset[bytes] = frozenset(), extrinsic: bytes = b""
    ) -> Subscription:
        """A new subscription. Raises RpcError when the connection has too many."""
        self.check_room(sink)
        if keys and _size(keys) + sum(_size(self._all[each].keys) for each in sink.subscriptions) > MAX_WATCHED_BYTES:
            raise RpcError(TOO_MANY, "Too many keys on the connection", f"at most {MAX_WATCHED_BYTES} bytes of them")
        made = Subscription(sink, str(next(self._ids)), method, keys, extrinsic)
        self._all[made.id] = made
        self._home(made)[made.id] = made
        sink.subscriptions.add(made.id)
        return made

    def check_room(self, sink: Sink) -> None:
        """Raises RpcError when the connection has too many."""
        if len(sink.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise RpcError(TOO_MANY, "Too many subscriptions on the connection", f"at most {MAX_SUBSCRIPTIONS}")

    def _home(self, one: Subscription) -> dict[str, Subscription]:
        if one.hash:
            return self._watches.setdefault(one.hash, {})
        return self._homes.get(one.method, self._heads)

    def remove(self, sink: Sink, subscription_id: str) -> bool:
        """End a subscription of this connection; whether there was one."""
        one = self._all.get(subscription_id)
        if one is None or one.sink is not sink:
            return False
        del self._all[subscription_id]
        self._home(one).pop(subscription_id, None)
        if one.hash and not self._watches.get(one.hash):
            self._watches.pop(one.hash, None)
        sink.subscriptions.discard(subscription_id)
        return True

    def drop(self, sink: Sink) -> None:
        """End all subscriptions of a connection."""
        for subscription_id in list(sink.subscriptions):
            self.remove(sink, subscription_id)

    def statistics(self) -> dict[str, int]:
        """Counts by kind."""
        return {
            "heads": len(self._heads),
            "storage": len(self._storage),
            "versions": len(self._versions),
            "watches": sum(map(len, self._watches.values())),
        }

    def statuses(self, changed: list[Status] | tuple[Status, ...]) -> None:
        """Tell watchers what became of their extrinsics."""
        for status in changed:
            if status.hash in self._watches:
                by = hexed(status.by)
                self._tell(status.hash, status.kind, dumps({status.kind: by} if by else status.kind))

    def _tell(self, extrinsic: bytes, kind: str, result: str) -> None:
        for one in list(self._watches.get(extrinsic, {}).values()):
            one.send(result)
            if kind in LAST_KINDS:
                self.remove(one.sink, one.id)

    def version(self, version: str) -> None:
        """Tell of a new runtime; `version` is JSON text."""
        for one in list(self._versions.values()):
            one.send(version)

    def block(self, block: NewBlock, values: dict[bytes, bytes | None]) -> None:
        """Tell everybody of a block; `values` are the watched keys it changed."""
        if self._heads:
            head = dumps(header_json(block.header))
            for one in list(self._heads.values()):
                one.send(head)
        for one in list(self._storage.values()):
            changed = [[hexed(key), hexed(values[key])] for key in sorted(one.keys & values.keys())]
            if changed:
                one.send(dumps({"block": hexed(block.hash), "changes": changed}))
        block_hash = hexed(block.hash)
        for extrinsic in block.included:
            if extrinsic in self._watches:
                self._tell(extrinsic, "inBlock", dumps({"inBlock": block_hash}))
                self._tell(extrinsic, "finalized", dumps({"finalized": block_hash}))
        self.statuses(block.statuses)

    def watched_keys(self) -> set[bytes]:
        """Storage keys anybody watches."""
        return set().union(*(one.keys for one in self._storage.values()))
