"""Peers that say old things again, or too much."""

from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from ainur_node.devnet.faults.fault import Altered, Fault
from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ports import Gossip, GossipChannel, Handler, RemoteRefusal

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

# The provider with the highest ask: it never wins, so whatever it spoils is not its own work.
LOUD = "n3"
COMMIT, REVEAL, WORLD, AUCTIONS = "auction.commit", "auction.reveal", "node.world", "auctions"
MAX_FRAMES = 64
# A flood: some seconds of well-formed calls and gossip, then as many of garbage; so many calls to each peer at once, so
# much gossip in a burst, and the pause after a call or a burst.
FLOOD_SECONDS = 5.0
CALLS_AT_ONCE, BURST, PAUSE = 16, 5, 0.05
GARBAGE = b"\xc1" * 200


class Hearing(Altered):
    """A channel that notes each message that is taken from it."""

    def __init__(self, honest: Any, heard: Any) -> None:
        super().__init__(honest)
        self._heard = heard

    async def receive(self) -> Gossip:
        """The next message, noted."""
        gossip: Gossip = await self._honest.receive()
        await self._heard(gossip)
        return gossip


class ReplaysFrames(Altered):
    """A mesh on which whatever was once sent or heard in an auction is sent again in each later one."""

    def __init__(self, honest: Any) -> None:
        super().__init__(honest)
        self._commits: deque[bytes] = deque(maxlen=MAX_FRAMES)
        self._announced: deque[bytes] = deque(maxlen=MAX_FRAMES)
        self._opened: bytes | None = None

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask as the honest node does; before a commit, everybody is sent those of earlier auctions."""
        if method == COMMIT:
            for other in {peer, *(each.peer_id for each in self._honest.peers())}:
                for old in self._commits:
                    await self._again(other, old, timeout)
            self._commits.append(body)
        answer: bytes = await self._honest.request(peer, method, body, timeout=timeout)
        return answer

    async def _again(self, peer: PeerId, body: bytes, timeout: float) -> None:
        with suppress(Transient, Misbehaviour, RemoteRefusal):
            await self._honest.request(peer, COMMIT, body, timeout=timeout)

    def subscribe(self, topic: str) -> GossipChannel:
        """Listen as the honest node does; announcements heard earlier are made again in this node's name."""
        channel: GossipChannel = self._honest.subscribe(topic)
        return Hearing(channel, self._announce) if topic == AUCTIONS else channel

    async def _announce(self, gossip: Gossip) -> None:
        with suppress(Transient):
            for old in self._announced:
                await self._honest.publish(AUCTIONS, old)
        if gossip.body not in self._announced:
            self._announced.append(gossip.body)

    def serve(self, method: str, handler: Handler, **limits: Any) -> None:
        """Serve as the honest node does, but open every later bid with the words of the first."""
        answer = partial(self._open, handler) if method == REVEAL else handler
        self._honest.serve(method, answer, **limits)

    async def _open(self, honest: Handler, peer: PeerId, body: bytes) -> bytes:
        true = await honest(peer, body)
        self._opened = self._opened or true
        return self._opened


class Floods(Altered):
    """A mesh that, from the first auction on, sends everybody far more than anybody takes."""

    _begun = False

    def subscribe(self, topic: str) -> GossipChannel:
        """Listen as the honest node does; the first announcement sets the flood off."""
        channel: GossipChannel = self._honest.subscribe(topic)
        return Hearing(channel, self._begin) if topic == AUCTIONS else channel

    async def _begin(self, gossip: Gossip) -> None:
        if not self._begun:
            self._begun = True
            trio.lowlevel.spawn_system_task(self._flood, gossip.body)

    async def _flood(self, announcement: bytes) -> None:
        turn = trio.current_time() + FLOOD_SECONDS
        with trio.move_on_at(turn + FLOOD_SECONDS):
            async with trio.open_nursery() as nursery:
                for each in self._honest.peers():
                    for _ in range(CALLS_AT_ONCE):
                        nursery.start_soon(self._ask, each.peer_id, turn)
                while trio.current_time() < turn:
                    for _ in range(BURST):
                        with suppress(Transient):
                            await self._honest.publish(AUCTIONS, announcement)
                    await trio.sleep(PAUSE)

    async def _ask(self, peer: PeerId, turn: float) -> None:
        """One of many: asks what is answered twice a second, and from ``turn`` on sends garbage until it is banned."""
        while True:
            method, body = (WORLD, b"") if trio.current_time() < turn else (COMMIT, GARBAGE)
            with suppress(RemoteRefusal, Transient, Misbehaviour):
                await self._honest.request(peer, method, body, timeout=5.0)
            await trio.sleep(PAUSE)


def replays_frames(outside: "Outside") -> "Outside":
    """Send old frames again."""
    return replace(outside, mesh=ReplaysFrames(outside.mesh))


def floods(outside: "Outside") -> "Outside":
    """Send more than anybody takes."""
    return replace(outside, mesh=Floods(outside.mesh))


FAULTS = (
    Fault(
        name="replays-frames",
        sentence="from the second task on n3 sends its old commits and opening, and announcements that it heard, again",
        ends="all of them are refused; n3's old opening does not fit its new bid, n1 wins and is paid",
        nodes=(LOUD,),
        alter=replays_frames,
    ),
    Fault(
        name="floods",
        sentence="n3 floods everybody with requests and gossip from the first task on, then with garbage",
        ends="it is held back, then banned; tasks settle all the while",
        nodes=(LOUD,),
        alter=floods,
    ),
)
