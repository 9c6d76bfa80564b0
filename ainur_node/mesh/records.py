"""The nouns that cross the border of the mesh."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

import trio

from ainur_node.ports import Gossip


class Topic(StrEnum):
    """What nodes gossip about."""

    TASKS = "tasks"
    AUCTIONS = "auctions"
    AGENTS = "agents"
    HEARTBEATS = "heartbeats"
    ANNOUNCEMENTS = "announcements"


class WrongWorld(Exception):  # noqa: N818 # named by what it is, like the faults of errors.py
    """The peer lives on another genesis; both hashes are here to be shown."""

    def __init__(self, peer_id: str, ours: bytes, theirs: bytes, network: str = "") -> None:
        super().__init__(f"peer {peer_id} is of genesis {theirs.hex()}, this node of {ours.hex()}")
        self.peer_id = peer_id
        self.ours = ours
        self.theirs = theirs
        self.network = network


class Subscription:
    """Messages of one topic; when full the oldest goes, for fresh announcements are the useful ones."""

    def __init__(self, capacity: int) -> None:
        self._waiting: deque[Gossip] = deque(maxlen=capacity)
        self._arrived = trio.Event()
        self.closed = False
        self.dropped = 0

    def put(self, gossip: Gossip) -> bool:
        """Add one message; False when an older one had to go."""
        full = len(self._waiting) == self._waiting.maxlen
        self.dropped += full
        self._waiting.append(gossip)
        self._arrived.set()
        return not full

    async def receive(self) -> Gossip:
        """The next message, in the order of arrival."""
        while not self._waiting:
            if self.closed:
                raise trio.EndOfChannel
            self._arrived = trio.Event()
            await self._arrived.wait()
        await trio.lowlevel.checkpoint()
        return self._waiting.popleft()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Gossip:
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def close(self) -> None:
        """Hear no more; a waiting receive ends with EndOfChannel."""
        self.closed = True
        self._waiting.clear()
        self._arrived.set()
