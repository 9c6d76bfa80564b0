"""Every block of a chain in order, whatever happens to the connection meanwhile."""

from __future__ import annotations

from collections import deque
from time import monotonic, sleep

from pallets_client.answers import unhex
from pallets_client.errors import ChainMisbehaviour, ChainUnreachable
from pallets_client.link import Link
from pallets_client.records import Head

AT_ONCE = 256  # hashes asked for in one go
_PAUSE = 0.05  # seconds between attempts to reach a node that went away


class Follower:
    """Heads above ``after``, each number once and none left out.

    A subscription says what is newest; what came while the connection was down, or was finalized in one go,
    is asked for by number. With ``finalized`` only blocks are told that no other can take the place of; without
    it a block that was told may be replaced later, and is not told a second time.
    """

    def __init__(self, link: Link, after: int, *, finalized: bool = False) -> None:
        self._link = link
        self._told = after
        self._finalized = finalized
        self._ready: deque[Head] = deque()

    def next(self, timeout: float) -> Head | None:
        """The next block, waited for at most ``timeout`` seconds; None when there was none, or no node."""
        deadline = monotonic() + timeout
        while not self._ready:
            left = deadline - monotonic()
            if left <= 0:
                return None
            try:
                self._fetch(left)
            except ChainUnreachable:
                sleep(min(_PAUSE, max(0.0, deadline - monotonic())))
        head = self._ready.popleft()
        self._told = head.number
        return head

    def _fetch(self, timeout: float) -> None:
        newest = self._link.next_head(self._told, timeout)
        if newest is not None and self._finalized:
            newest = self._link.finalized()
            if newest.number <= self._told:
                # The best block moves before the finalized one does: wait for whatever comes next.
                self._link.next_head(self._link.latest_head().number, min(timeout, _PAUSE))
                return
        if newest is None:
            return
        first = self._told + 1
        missed = list(range(first, min(newest.number, first + AT_ONCE)))
        if missed:
            self._ready.extend(self._hashes(missed))
        if newest.number == first + len(missed):
            self._ready.append(newest)

    def _hashes(self, numbers: list[int]) -> list[Head]:
        answer = self._link.call("chain_getBlockHash", numbers)
        if not isinstance(answer, list) or len(answer) != len(numbers):
            raise ChainMisbehaviour("the node did not name the blocks that it was asked for")
        return [Head(number, unhex(found, 32)) for number, found in zip(numbers, answer, strict=True)]
