"""Real py-libp2p hosts that met everybody and then call and shout without an end."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import trio
from besieged import Besieged
from garbage_bytes import body_garbage

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.records import Topic
from ainur_node.mesh.settings import MeshSettings
from ainur_node.mesh.testing import Shelf
from ainur_node.ports import RemoteRefusal

HOSTS = 4


class StrangerHost:
    """One hostile peer with a key of its own and nothing to lose: garbage, replays and floods."""

    def __init__(self, genesis: bytes, seed: int, methods: Sequence[str]) -> None:
        self.dice = random.Random(seed)
        self.mesh = Libp2pMesh(MeshSettings(), self.dice.randbytes(32), genesis, Shelf())
        self.methods = [*methods, "no.such.method"]
        self.heard: list[messages.Announce] = []
        self.calls = 0

    async def listen(self) -> None:
        """Keep the announcements that can be twisted further; strangers hear one another's garbage too."""
        async for gossip in self.mesh.subscribe(Topic.AUCTIONS):
            with contextlib.suppress(Misbehaviour):
                self.heard = [*self.heard[-7:], messages.decode(messages.Announce, gossip.body)]

    async def call(self, peers: Sequence[PeerId]) -> None:
        """Every method with every body, again and again; being banned is part of it."""
        while True:
            ids = [self.dice.randbytes(32), *(announce.auction for announce in self.heard)]
            peer, method = self.dice.choice(peers), self.dice.choice(self.methods)
            self.calls += 1
            try:
                await self.mesh.request(peer, method, body_garbage(self.dice, ids), timeout=1.0)
            except (Transient, RemoteRefusal, Misbehaviour):
                await trio.sleep(0.01)

    async def shout(self) -> None:
        """Announcements that are garbage, heard before, or of auctions that do not exist."""
        while True:
            body = self.dice.randbytes(50)
            if self.heard:
                real = self.dice.choice(self.heard)
                other = msgspec.structs.replace(real, auction=self.dice.randbytes(32))
                body = messages.encode(self.dice.choice([real, other, other]))
            with contextlib.suppress(Transient):
                await self.mesh.publish(self.dice.choice([Topic.TASKS, Topic.AUCTIONS, *Topic]), body)
            await trio.sleep(0.015)


class Hosts:
    """All of them."""

    def __init__(self, strangers: Sequence[StrangerHost]) -> None:
        self._strangers = strangers

    @property
    def calls(self) -> int:
        """How often any of them asked a node for something."""
        return sum(stranger.calls for stranger in self._strangers)


@asynccontextmanager
async def shouting_hosts(besieged: Besieged, serves: dict[str, list[str]]) -> AsyncIterator[Hosts]:
    """Some hosts at work for the length of the block."""
    strangers = [StrangerHost(besieged.genesis, seed, serves["methods"]) for seed in range(HOSTS)]
    said = [await trio.to_thread.run_sync(besieged.status, name) for name in besieged.homes]
    async with trio.open_nursery() as nursery:
        for stranger in strangers:
            await nursery.start(stranger.mesh.run)
            nursery.start_soon(stranger.listen)
            for each in said:
                await stranger.mesh.connect(each["addresses"][0])
        for stranger in strangers:
            nursery.start_soon(stranger.shout)
            for _ in range(4):
                nursery.start_soon(stranger.call, [PeerId(each["peer_id"]) for each in said])
        yield Hosts(strangers)
        nursery.cancel_scope.cancel()
