"""The local questions of a node: method names onto desks, and the answers about the node itself."""

import json
import os
import time
from pathlib import Path
from typing import Any

import trio

from ainur_node.config import Config
from ainur_node.domain.ids import PeerId
from ainur_node.ledger.watch import ChainWatch
from ainur_node.market.asking import whole
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.desk_quotes import Fees, QuoteDesk
from ainur_node.market.desk_wallet import WalletCalls, WalletDesk
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.ports import Clock, Ledger, Outbox, Sandbox
from ainur_node.pulse import Pulse, memory_kib
from ainur_node.rpc.messages import Handler, Params, StreamHandler, Then
from ainur_node.telemetry import Counters
from ainur_node.wiring import Market
from pallets_client.client import ChainClient
from pallets_client.keys import ss58_encode


class Questions:
    """Answers of ``node.*`` and ``chain.*``, and the table of all others."""

    def __init__(
        self,
        config: Config,
        account: bytes,
        mesh: Libp2pMesh,
        ledger: Ledger,
        watch: ChainWatch,
        client: ChainClient,
        market: Market,
        sandbox: Sandbox,
        counters: Counters,
        pulse: Pulse,
        stop: trio.Event,
    ) -> None:
        self._config = config
        self._account = account
        self._mesh = mesh
        self._ledger = ledger
        self._watch = watch
        self._client = client
        self._market = market
        self._sandbox = sandbox
        self._counters = counters
        self._pulse = pulse
        self._stop = stop

    def tables(
        self, wallet: WalletCalls, outbox: Outbox, clock: Clock, fees: Fees
    ) -> tuple[dict[str, Handler], dict[str, StreamHandler]]:
        """Handlers and streams by method name."""
        m = self._market
        money = WalletDesk(self._ledger, wallet, outbox, clock, ss58_encode, _faucet(self._config.home), m.engine)
        quotes = QuoteDesk(self._ledger, fees, m.tasks)
        handlers: dict[str, Any] = {
            "node.status": self._status,
            "node.stop": self._stop_node,
            "chain.status": self._chain,
            "task.submit": m.tasks.submit,
            "task.show": m.tasks.show,
            "task.result": m.tasks.result,
            "task.cancel": m.tasks.cancel,
            "task.list": m.tasks.list_tasks,
            "agent.lint": m.agents.lint,
            "agent.withdraw": m.agents.withdraw,
            "agent.retire": m.agents.retire,
            "agent.list": m.agents.list_agents,
            "agent.show": m.agents.show,
            "auction.show": m.auctions.show,
            "auction.verify": m.auctions.verify,
            "auction.why": m.auctions.why,
            "receipt.show": m.receipts.receipt,
            "receipt.verify": m.receipts.verify,
            "wallet.show": money.balance,
            "wallet.balance": money.balance,
            "wallet.fund": money.fund,
            "wallet.transfer": money.transfer,
            "wallet.ledger": money.ledger,
            "wallet.audit": money.audit,
            "quote.transfer": quotes.transfer,
            "quote.fund": quotes.fund,
            "quote.submit": quotes.submit,
            "quote.cancel": quotes.cancel,
            "quote.publish": quotes.publish,
            "quote.offer": quotes.offer,
            "quote.retire": quotes.retire,
        }
        streams: dict[str, Any] = {
            "task.watch": m.tasks.watch,
            "agent.publish": m.agents.publish,
            "agent.offer": m.agents.offer,
        }
        return handlers, streams

    def serve(self) -> None:
        """Tell newcomers of the mesh where this world's chain answers."""
        self._mesh.serve("node.world", self._world, max_body=64, per_peer_per_second=2, concurrent=8)

    async def _world(self, peer: PeerId, body: bytes) -> bytes:
        del peer, body
        return json.dumps({"chain": self._config.chain.url}).encode()

    async def _status(self, params: Params) -> dict[str, Any]:
        recent = whole(params, "recent_ms", 1, 60_000, 60_000)
        m = self._market
        return {
            "name": self._config.node.name,
            "home": str(self._config.home),
            "pid": os.getpid(),
            "peer_id": self._mesh.peer_id,
            "addresses": self._mesh.addresses(),
            "account": self._account.hex(),
            "ss58": ss58_encode(self._account),
            "genesis": self._ledger.genesis.hex(),
            "chain": self._chain_now(),
            "peers": len(self._mesh.peers()),
            "tasks": _phases(m.engine.states(TASK)),
            "jobs": _phases(m.engine.states(JOB)),
            "bonds": m.bonds.open,
            "challenges": m.challenging.open,
            "engine": m.engine.statistics(),
            "offers": sum(o.active for o in m.offers.all()),
            "counters": self._counters.counters(),
            "stages": self._counters.stages(),
            "mesh": dict(self._mesh.statistics()),
            "serves": self._mesh.serves(),
            "loop": {**self._pulse.lags(), "lag_ms_max_recent": self._pulse.longest(recent / 1000)},
            "rss_kib": memory_kib(),
            "windows": {
                "commit_ms": self._config.market.commit_window_ms,
                "reveal_ms": self._config.market.reveal_window_ms,
            },
            "uptime_s": int(time.monotonic() - self._counters.started),
        }

    async def _stop_node(self, params: Params) -> Then:
        del params
        return Then({}, self._stop.set)

    def _chain_now(self) -> dict[str, Any]:
        return {
            "url": self._config.chain.url,
            "height": self._watch.height,
            "market_now": self._watch.market_now(),
            "connected": self._watch.reachable,
        }

    async def _chain(self, params: Params) -> dict[str, Any]:
        del params
        head = await trio.to_thread.run_sync(self._client.head)
        return {
            **self._chain_now(),
            "genesis": self._ledger.genesis.hex(),
            "height": head.number,
            "hash": head.hash.hex(),
        }


def _phases(states: list[Any]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for state in states:
        counted[str(state.phase)] = counted.get(str(state.phase), 0) + 1
    return counted


def _faucet(home: Path) -> Path | None:
    """The key of the world's faucet: beside the world file, in this home or in the directory of its devnet."""
    for directory in (home, home.parent):
        candidate = directory / "faucet.key"
        if candidate.is_file():
            return candidate
    return None
