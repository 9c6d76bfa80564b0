"""A peer with a key of its own and nothing to lose: garbage, replays and floods on everything that a node serves."""

import contextlib
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from e2e_world import DOCUMENT, Ainur

from ainur_node.devnet.asking import ask
from ainur_node.devnet.layout import current, read_world
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.settings import MeshSettings
from ainur_node.mesh.testing import Shelf
from ainur_node.ports import RemoteRefusal

pytestmark = [pytest.mark.real, pytest.mark.slow]

VICTIMS = ("submitter", "n1", "n2", "n3")
TOPICS = ("tasks", "auctions", "agents", "heartbeats", "announcements")
METHODS = (
    *("auction.commit", "auction.pass", "auction.reveal", "auction.result", "auction.transcript"),
    *("task.input", "task.output", "task.awarded", "task.delivered", "dht.find", "dht.put", "no.such.method"),
)
AIN = 10**12


def bodies(dice: random.Random, auction: bytes) -> list[bytes]:
    """What a stranger may put into a call."""
    some, key, signature = dice.randbytes(32), dice.randbytes(32), dice.randbytes(64)
    commit = messages.CommitRequest(
        auction=auction, provider=some, commit=key, seq=2**63 - 1, standing_until=2**63 - 1, signature=signature
    )
    reveal = messages.RevealRequest(auction=auction, root=some, count=2**32 - 1, index=2**32 - 1, path=[key] * 9)
    result = messages.ResultNotice(
        auction=auction, outcome="outbid", price=b"\xff" * 16, own_adjusted=b"\xff" * 16, transcript=b"\0" * 300
    )
    right = [
        commit,
        reveal,
        result,
        messages.PassNotice(auction=auction, code="no_hold"),
        messages.EscrowHint(auction=auction, escrow=some),
        messages.TranscriptRequest(transcript=some),
    ]
    return [
        b"",
        dice.randbytes(40),
        b"\x81" * 200,
        b"\xdd\xff\xff\xff\xff",
        msgspec.msgpack.encode({"auction": auction.hex(), "escrow": None}),
        dice.randbytes(60_000),
        *(messages.encode(each) for each in right),
        *(messages.encode(each)[:-1] for each in right),
    ]


class Stranger:
    """One hostile peer."""

    def __init__(self, genesis: bytes, seed: int) -> None:
        self.dice = random.Random(seed)
        self.mesh = Libp2pMesh(MeshSettings(), self.dice.randbytes(32), genesis, Shelf())
        self.heard: list[bytes] = []
        self.calls = 0

    async def listen(self) -> None:
        async for gossip in self.mesh.subscribe("auctions"):
            # Strangers hear one another's garbage too: only what can be twisted further is worth keeping.
            with contextlib.suppress(Misbehaviour):
                messages.decode(messages.Announce, gossip.body)
                self.heard.append(gossip.body)

    async def call(self, peers: list[Any]) -> None:
        """Every method with every body, again and again; being banned is part of it."""
        while True:
            seen = [messages.decode(messages.Announce, body).auction for body in self.heard[-3:]]
            for body in bodies(self.dice, self.dice.choice([self.dice.randbytes(32), *seen])):
                peer, method = self.dice.choice(peers), self.dice.choice(METHODS)
                self.calls += 1
                try:
                    await self.mesh.request(peer, method, body, timeout=1.0)
                except (Transient, RemoteRefusal, Misbehaviour):
                    await trio.sleep(0.01)

    async def shout(self) -> None:
        """Announcements that are garbage, heard before, or of auctions that do not exist."""
        while True:
            body = self.dice.choice([self.dice.randbytes(50), *self.heard[-3:]])
            if self.heard and self.dice.random() < 0.7:
                real = messages.decode(messages.Announce, self.heard[0])
                body = messages.encode(msgspec.structs.replace(real, auction=self.dice.randbytes(32)))
            try:
                await self.mesh.publish(self.dice.choice(TOPICS[:2]), body)
            except Transient:
                await trio.sleep(0.05)
            await trio.sleep(0.015)


def task(home: Path) -> dict[str, Any]:
    """One task from its submission to its end."""
    params = {"capability": "summarize", "input": DOCUMENT.read_bytes(), "media": "text/plain"}
    found = ask(home, "task.submit", **params, budget=str(AIN), deadline_ms=30_000)["task"]
    while not (shown := ask(home, "task.show", task=found))["final"]:
        pass
    return shown


async def test_strangers_end_no_node_and_keep_nobody_from_trading(world: Ainur) -> None:
    layout = current(world.home)
    assert layout is not None
    known = read_world(layout)
    homes = {entry["name"]: Path(entry["home"]) for entry in known["nodes"]}
    before = {name: ask(homes[name], "node.status")["pid"] for name in VICTIMS}
    peers = [entry["peer_id"] for entry in known["nodes"] if entry["name"] in VICTIMS]
    strangers = [Stranger(bytes.fromhex(known["genesis"]), seed) for seed in range(4)]

    async with trio.open_nursery() as nursery:
        for stranger in strangers:
            await nursery.start(stranger.mesh.run)
            nursery.start_soon(stranger.listen)
            for address in known["bootstrap"]:
                await stranger.mesh.connect(address)
        await trio.to_thread.run_sync(task, homes["submitter"])
        for stranger in strangers:
            nursery.start_soon(stranger.shout)
            for _ in range(4):
                nursery.start_soon(stranger.call, peers)
        await trio.sleep(5)
        ends = [await trio.to_thread.run_sync(task, homes["submitter"]) for _ in range(5)]
        nursery.cancel_scope.cancel()

    after = {name: ask(homes[name], "node.status")["pid"] for name in VICTIMS}
    assert after == before
    assert [(end["phase"].lstrip("="), end["attempt"]) for end in ends] == [("settled", 0)] * 5
    assert sum(stranger.calls for stranger in strangers) > 500
    assert world("wallet", "audit").data["difference"] == 0
