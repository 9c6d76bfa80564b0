"""A node without a market: it serves the local protocol, meets its peers by their files and shares offers in one."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import trio

from ainur_node import config, keystore
from ainur_node.devnet.homes import peer_id
from ainur_node.rpc.messages import Send
from ainur_node.rpc.server import Server
from ainur_node.rpc.whereabouts import Whereabouts, remove_whereabouts, write_whereabouts
from ainur_node.storage.rundir import run_directory


class FakeNode:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = config.load(options={"node.home": str(home)}).config
        self.keys = keystore.load(home)
        self.offers = home.parent / "fake-offers"
        self.peer_id = peer_id(self.keys.node_key)

    async def status(self, params: dict[str, Any]) -> dict[str, Any]:
        world = [path for path in self.home.parent.glob("*/run/node.json") if path.parent.parent != self.home]
        return {"pid": os.getpid(), "peers": len(world), "offers": 0, "chain": {"height": 7}}

    async def publish(self, params: dict[str, Any], send: Send) -> None:
        name = self.config.node.name
        offer = {"id": name, "name": "x", "capability": "summarize", "ask": params["ask"], "node": name}
        with self.offers.open("a") as file:
            file.write(json.dumps(offer) + "\n")
        await send({"step": "checking"})
        await send({"step": "offered", "agent": name})

    async def agents(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"agents": [json.loads(line) for line in self.offers.read_text().splitlines()]}

    async def run(self) -> None:
        socket = run_directory(self.home) / "rpc.sock"
        handlers = {"node.status": self.status, "agent.list": self.agents}
        async with trio.open_nursery() as nursery:
            await nursery.start(Server(socket, handlers, {"agent.publish": self.publish}).run)
            here = Whereabouts(
                pid=os.getpid(),
                rpc=str(socket),
                peer_id=self.peer_id,
                addresses=list(self.config.mesh.listen),
                account=self.keys.account.hex(),
                genesis="",
                chain_url=self.config.chain.url,
                name=self.config.node.name,
                started=int(time.time() * 1000),
            )
            write_whereabouts(self.home, here)
            print(json.dumps({"ready": True, "peer_id": self.peer_id}), flush=True)  # noqa: T201 # the contract with the supervisor
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    nursery.cancel_scope.cancel()
        remove_whereabouts(self.home)


if __name__ == "__main__":
    trio.run(FakeNode(Path(sys.argv[sys.argv.index("--home") + 1])).run)
