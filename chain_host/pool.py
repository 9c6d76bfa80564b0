"""The transaction pool: what waits for a block, in order of tags; pure, time arrives as an argument."""

import heapq
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .runtime_api import Valid

READY_COUNT, READY_BYTES = 8_192, 20 << 20  # Substrate's own defaults
FUTURE_COUNT, FUTURE_BYTES = 512, 2 << 20
FUTURE_SECONDS = 600.0
BAN_SECONDS = 60.0
MAX_BANS = 2 * READY_COUNT
MAX_ATTEMPTS = 16  # blocks that may pass a ready extrinsic over before it is dropped
MAX_TAGS = 64  # of one extrinsic


class PoolRefusal(Exception):  # noqa: N818  # named for what happened
    """An extrinsic that does not enter; `code` and `data` are those of Substrate's author errors."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message if data is None else f"{message}: {data}")
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Status:
    """What became of an extrinsic: future, ready, usurped, dropped or invalid; `by` names the usurper."""

    hash: bytes
    kind: str
    by: bytes | None = None


@dataclass(slots=True)
class Entry:
    """One waiting extrinsic; `order` is its place of arrival, `last_block` the last that may include it."""

    hash: bytes
    raw: bytes
    valid: Valid
    order: int
    last_block: int
    arrived: float
    missing: set[bytes] = field(default_factory=set)
    attempts: int = 0

    def rank(self) -> tuple[int, int]:
        """Smaller is sooner."""
        return -self.valid.priority, self.order


class Pool:
    """Ready extrinsics, and future ones that wait for a tag. Not thread-safe."""

    def __init__(self) -> None:
        self._ready: dict[bytes, Entry] = {}
        self._future: OrderedDict[bytes, Entry] = OrderedDict()
        self._provider: dict[bytes, bytes] = {}  # tag → ready extrinsic that provides it
        self._needing: dict[bytes, set[bytes]] = {}  # tag → ready extrinsics that require it
        self._waiting: dict[bytes, set[bytes]] = {}  # tag → future extrinsics that miss it
        self._ready_bytes = self._future_bytes = self._arrivals = 0
        self._bans: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ready)

    def __contains__(self, extrinsic_hash: bytes) -> bool:
        return extrinsic_hash in self._ready or extrinsic_hash in self._future

    def statistics(self) -> dict[str, int]:
        """Counts and bytes, for display."""
        return {
            "ready": len(self._ready),
            "ready_bytes": self._ready_bytes,
            "future": len(self._future),
            "future_bytes": self._future_bytes,
            "bans": len(self._bans),
        }

    def provides(self, tag: bytes) -> bool:
        """Whether a ready extrinsic provides the tag."""
        return tag in self._provider

    def ban(self, extrinsic_hash: bytes, now: float) -> None:
        """Refuse these bytes for a while without asking the runtime again."""
        self._bans[extrinsic_hash] = now + BAN_SECONDS
        self._bans.move_to_end(extrinsic_hash)
        while len(self._bans) > MAX_BANS:
            self._bans.popitem(last=False)

    def check(self, extrinsic_hash: bytes, now: float) -> None:
        """Refuse what is here already or banned, before any work is spent on it."""
        if extrinsic_hash in self:
            raise PoolRefusal(1013, "Transaction Already Imported", "0x" + extrinsic_hash.hex())
        until = self._bans.get(extrinsic_hash)
        if until is not None:
            if now < until:
                raise PoolRefusal(1012, "Transaction is temporarily banned")
            del self._bans[extrinsic_hash]

    def submit(self, extrinsic_hash: bytes, raw: bytes, valid: Valid, block: int, now: float) -> list[Status]:
        """Take in an extrinsic that is valid after `block`; what changed, the newcomer first.

        Raises PoolRefusal and changes nothing.
        """
        self.check(extrinsic_hash, now)
        if len(valid.provides) > MAX_TAGS or len(valid.requires) > MAX_TAGS or not valid.provides:
            raise PoolRefusal(1015, "Cycle Detected" if valid.provides else "No tags provided")
        self._arrivals += 1
        entry = Entry(extrinsic_hash, raw, valid, self._arrivals, block + min(valid.longevity, 1 << 62), now)
        entry.missing = {tag for tag in valid.requires if tag not in self._provider}
        if entry.missing:
            return [Status(extrinsic_hash, "future"), *self._add_future(entry)]
        return self._add_ready(entry) + self._promote(valid.provides)

    def _add_future(self, entry: Entry) -> list[Status]:
        if len(entry.raw) > FUTURE_BYTES:
            raise PoolRefusal(1016, "Immediately Dropped", "The future queue cannot hold the transaction")
        self._future[entry.hash] = entry
        self._future_bytes += len(entry.raw)
        for tag in entry.missing:
            self._waiting.setdefault(tag, set()).add(entry.hash)
        dropped = []
        while len(self._future) > FUTURE_COUNT or self._future_bytes > FUTURE_BYTES:
            oldest = next(iter(self._future))
            self._take_future(oldest)
            dropped.append(Status(oldest, "dropped"))
        return dropped

    def _take_future(self, extrinsic_hash: bytes) -> Entry:
        entry = self._future.pop(extrinsic_hash)
        self._future_bytes -= len(entry.raw)
        for tag in entry.missing:
            waiting = self._waiting[tag]
            waiting.discard(extrinsic_hash)
            if not waiting:
                del self._waiting[tag]
        return entry

    def _add_ready(self, entry: Entry) -> list[Status]:
        rivals = {self._provider[tag] for tag in entry.valid.provides if tag in self._provider}
        best = max((self._ready[rival].valid.priority for rival in rivals), default=-1)
        if entry.valid.priority <= best:
            data = f"The transaction has too low priority to replace another transaction already in the pool. ({best})"
            raise PoolRefusal(1014, "Priority is too low", data)
        room = [self._ready[rival] for rival in sorted(rivals)]
        victims = self._victims(entry, room)
        changed = [Status(entry.hash, "ready")]
        changed += (Status(rival.hash, "usurped", entry.hash) for rival in room)
        for rival in room:
            self._take_ready(rival.hash)
        self._ready[entry.hash] = entry
        self._ready_bytes += len(entry.raw)
        for tag in entry.valid.provides:
            self._provider[tag] = entry.hash
        for tag in entry.valid.requires:
            self._needing.setdefault(tag, set()).add(entry.hash)
        for rival in room:
            changed += self._demote_without(rival)
        for victim in victims:
            if victim in self._ready:
                changed.append(Status(victim, "dropped"))
                changed += self._demote_without(self._take_ready(victim))
        return changed

    def _victims(self, entry: Entry, leaving: list[Entry]) -> list[bytes]:
        """Worst ready extrinsics that must go to make room. Raises PoolRefusal when the newcomer is the worst."""
        count = len(self._ready) - len(leaving) + 1
        size = self._ready_bytes - sum(len(other.raw) for other in leaving) + len(entry.raw)
        if count <= READY_COUNT and size <= READY_BYTES:
            return []
        victims = []
        gone = {other.hash for other in leaving}
        for other in sorted(self._ready.values(), key=Entry.rank, reverse=True):
            if count <= READY_COUNT and size <= READY_BYTES:
                break
            if other.hash in gone or any(self._provider.get(tag) == other.hash for tag in entry.valid.requires):
                continue
            if other.valid.priority >= entry.valid.priority:
                break
            victims.append(other.hash)
            count, size = count - 1, size - len(other.raw)
        if count > READY_COUNT or size > READY_BYTES:
            raise PoolRefusal(
                1016, "Immediately Dropped", "The transaction couldn't enter the pool because of the limit"
            )
        return victims

    def _take_ready(self, extrinsic_hash: bytes) -> Entry:
        entry = self._ready.pop(extrinsic_hash)
        self._ready_bytes -= len(entry.raw)
        for tag in entry.valid.provides:
            if self._provider.get(tag) == extrinsic_hash:
                del self._provider[tag]
        for tag in entry.valid.requires:
            needing = self._needing.get(tag, set())
            needing.discard(extrinsic_hash)
            if not needing:
                self._needing.pop(tag, None)
        return entry

    def _promote(self, tags: Iterable[bytes]) -> list[Status]:
        """Move future extrinsics that missed only these tags to the ready ones, and so on down the chain."""
        changed: list[Status] = []
        given = list(tags)
        while given:
            tag = given.pop()
            for waiting in sorted(self._waiting.get(tag, ()), key=lambda each: self._future[each].order):
                if waiting not in self._future:
                    continue
                entry = self._take_future(waiting)
                entry.missing.discard(tag)
                try:
                    if entry.missing:
                        changed += self._add_future(entry)
                    else:
                        changed += self._add_ready(entry)
                        given += entry.valid.provides
                except PoolRefusal:
                    changed.append(Status(waiting, "dropped"))
        return changed

    def _demote_without(self, gone: Entry) -> list[Status]:
        """Put those that needed tags of a removed extrinsic back among the future ones."""
        changed: list[Status] = []
        lost = [set(gone.valid.provides) - self._provider.keys()]
        while lost:
            tags = lost.pop()
            needing = set().union(*(self._needing.get(tag, ()) for tag in tags))
            for entry in sorted((self._ready[each] for each in needing), key=lambda each: each.order):
                self._take_ready(entry.hash)
                entry.missing = tags & set(entry.valid.requires)
                lost.append(set(entry.valid.provides) - self._provider.keys())
                try:
                    changed += [Status(entry.hash, "future"), *self._add_future(entry)]
                except PoolRefusal:
                    changed.append(Status(entry.hash, "dropped"))
        return changed

    def remove(self, extrinsic_hash: bytes, kind: str) -> list[Status]:
        """Take out an extrinsic that will not be included; dependents wait for another to take its place."""
        if extrinsic_hash in self._future:
            self._take_future(extrinsic_hash)
            return [Status(extrinsic_hash, kind)]
        if extrinsic_hash not in self._ready:
            return []
        return [Status(extrinsic_hash, kind), *self._demote_without(self._take_ready(extrinsic_hash))]

    def included(self, hashes: Iterable[bytes]) -> list[Status]:
        """Take out what a block includes; their tags are now given for good."""
        changed: list[Status] = []
        for extrinsic_hash in hashes:
            if extrinsic_hash in self._ready:
                changed += self._promote(self._take_ready(extrinsic_hash).valid.provides)
            elif extrinsic_hash in self._future:
                self._take_future(extrinsic_hash)
        return changed

    def passed_over(self, hashes: Iterable[bytes]) -> list[Status]:
        """Count a block that had no place for these; after MAX_ATTEMPTS they are dropped."""
        changed: list[Status] = []
        for extrinsic_hash in hashes:
            entry = self._ready.get(extrinsic_hash)
            if entry is not None:
                entry.attempts += 1
                if entry.attempts >= MAX_ATTEMPTS:
                    changed += self.remove(extrinsic_hash, "dropped")
        return changed

    def expire(self, block: int, now: float) -> list[Status]:
        """Drop what block + 1 may no longer include, and future extrinsics that waited too long."""
        old = [e.hash for e in self._ready.values() if e.last_block <= block]
        old += [e.hash for e in self._future.values() if e.last_block <= block or now - e.arrived > FUTURE_SECONDS]
        changed: list[Status] = []
        for extrinsic_hash in old:
            changed += self.remove(extrinsic_hash, "invalid")
        return changed

    def ready(self) -> Iterator[Entry]:
        """Ready extrinsics, best first, none before one it depends on."""
        unmet: dict[bytes, int] = {}
        dependents: dict[bytes, list[Entry]] = {}
        heap: list[tuple[int, int, bytes]] = []
        for entry in self._ready.values():
            providers = {self._provider[tag] for tag in entry.valid.requires if tag in self._provider}
            unmet[entry.hash] = len(providers)
            for provider in providers:
                dependents.setdefault(provider, []).append(entry)
            if not providers:
                heapq.heappush(heap, (*entry.rank(), entry.hash))
        while heap:
            best = self._ready[heapq.heappop(heap)[2]]
            yield best
            for entry in dependents.get(best.hash, ()):
                unmet[entry.hash] -= 1
                if not unmet[entry.hash]:
                    heapq.heappush(heap, (*entry.rank(), entry.hash))

    def oldest(self, most: int, after: int) -> list[Entry]:
        """Up to `most` ready extrinsics by arrival, those after place `after` first."""
        entries = sorted(self._ready.values(), key=lambda entry: (entry.order <= after, entry.order))
        return entries[:most]

    def after(self, place: int) -> list[tuple[int, bytes]]:
        """(place of arrival, bytes) of ready extrinsics that arrived after a place, oldest first."""
        return sorted((entry.order, entry.raw) for entry in self._ready.values() if entry.order > place)

    def pending(self) -> list[bytes]:
        """Bytes of ready extrinsics, best first."""
        return [entry.raw for entry in self.ready()]
