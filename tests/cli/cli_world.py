"""A node that only pretends: a real socket and a real server, with answers written in the tests."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from ainur_node.rpc.messages import Refuse
from ainur_node.rpc.server import Server
from ainur_node.rpc.whereabouts import Whereabouts, remove_whereabouts, write_whereabouts

TASK = "3fa9c1d2" + "0" * 56
OTHER = "3fa9ffff" + "0" * 56
AUCTION = "a" * 64
ESCROW = "e" * 64
AGENT = "5c" * 32
PACKAGE = "77" * 32
AIN = 10**12
BEGAN = 1_790_000_000_000

SHOWN: dict[str, Any] = {
    "task": TASK,
    "phase": "settled",
    "final": True,
    "capability": "summarize",
    "budget": str(3 * AIN // 2),
    "reserve": "1485148514851",
    "price": str(AIN // 4),
    "fee": str(AIN // 400),
    "attempt": 0,
    "auction": AUCTION,
    "escrow": ESCROW,
    "winner": {"provider": "b" * 64, "node": "12D3KooWwinner"},
    "submitted_at": BEGAN,
    "ended_at": BEGAN + 3120,
    "outcome": "paid",
    "reasons": [],
    "output_sha256": "c" * 64,
    "output_size": 21,
    "verified": True,
    "history": [
        {"seq": 1, "kind": "Submitted", "at": BEGAN, "text": "submitted"},
        {"seq": 2, "kind": "Settled", "at": BEGAN + 3120, "text": "paid 0.25 AIN"},
    ],
}
STORY = [
    {"seq": 1, "kind": "Submitted", "at": BEGAN, "text": "submitted", "phase": "funding", "final": False, "data": {}},
    {
        "seq": 2,
        "kind": "Cleared",
        "at": BEGAN + 2100,
        "text": "3 bids, n2 wins",
        "phase": "awarding",
        "final": False,
        "data": {},
    },
    {"seq": 3, "kind": "Settled", "at": BEGAN + 3120, "text": "paid", "phase": "settled", "final": True, "data": {}},
]
DISPUTE = ("open", "evidence", "vote", "show", "appeal", "join", "leave", "denounce")
QUOTED = ("transfer", "fund", "submit", "cancel", "publish", "offer", "retire")
QUOTE = {
    "dry_run": True,
    "holds": {"Escrow::EscrowFunds": str(AIN)},
    "pays": str(AIN // 2),
    "burns": str(AIN // 100),
    "fees": {"VcgAuction.open": str(AIN // 200)},
    "total": str(AIN + AIN // 100),
    "spendable": str(98 * AIN),
    "affordable": True,
}
ROWS = [
    {
        "provider": "b" * 64,
        "status": 1,
        "ask": str(AIN // 5),
        "quality": 500_000,
        "penalty": "0",
        "adjusted": str(AIN // 5),
    },
    {
        "provider": "d" * 64,
        "status": 1,
        "ask": str(AIN // 4),
        "quality": 500_000,
        "penalty": "0",
        "adjusted": str(AIN // 4),
    },
]


@dataclass(frozen=True)
class Typed:
    """What a command line ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.splitlines()[-1])


Type = Callable[..., Typed]


class FakeNode:
    """What was asked, and what is answered; tests change ``answers`` before they ask."""

    def __init__(self, home: Path, name: str = "fake") -> None:
        self.home = home
        self.name = name
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.shown = dict(SHOWN)
        self.story = list(STORY)
        self.stuck = False
        self.known: set[str] | None = None
        self.answers: dict[str, Any] = {
            "node.status": {
                "name": name,
                "home": str(home),
                "pid": os.getpid(),
                "peer_id": "12D3KooWfake",
                "addresses": [],
                "account": "ab" * 32,
                "ss58": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
                "genesis": "9" * 64,
                "chain": {"url": "ws://127.0.0.1:9944", "height": 12, "market_now": 1, "connected": True},
                "peers": 4,
                "tasks": {"settled": 2},
                "jobs": {},
                "offers": 1,
                "counters": {"bids": 3},
                "stages": {"auction": {"count": 2, "p50_ms": 2012.5, "p95_ms": 2100.0}},
                "sandbox": {},
                "mesh": {},
                "serves": {"protocols": [], "topics": [], "methods": []},
                "loop": {"lag_ms_max": 70.5, "lag_ms_max_60s": 31.4, "lag_ms_p99_60s": 2.5},
                "rss_kib": 150 << 10,
                "uptime_s": 3725,
            },
            "task.submit": {"task": TASK, "auction": AUCTION, "budget": str(3 * AIN // 2)},
            "task.result": {
                "task": TASK,
                "output": b'{"summary":"It works."}',
                "sha256": "c" * 64,
                "size": 23,
                "verified": True,
                "fuel_used": 123,
            },
            "task.cancel": {"task": TASK, "cancelled": True},
            "task.list": {
                "tasks": [
                    {
                        "task": TASK,
                        "phase": "settled",
                        "capability": "summarize",
                        "budget": str(AIN),
                        "price": str(AIN // 4),
                        "at": BEGAN,
                    },
                    {
                        "task": OTHER,
                        "phase": "bidding",
                        "capability": "summarize",
                        "budget": str(AIN),
                        "price": "0",
                        "at": BEGAN,
                    },
                ]
            },
            "agent.list": {
                "agents": [
                    {
                        "id": AGENT,
                        "name": "text-summary",
                        "capability": "summarize",
                        "ask": str(AIN // 5),
                        "node": "n1",
                        "package": PACKAGE,
                        "reputation": 500_000,
                    },
                    {
                        "id": "6d" * 32,
                        "name": "text-summary",
                        "capability": "summarize",
                        "ask": None,
                        "node": "n2",
                        "package": PACKAGE,
                        "reputation": 512_345,
                    },
                ]
            },
            "agent.show": {"id": AGENT, "name": "text-summary", "ask": str(AIN // 5), "reputation": 500_000},
            "agent.offer": {"agent": AGENT, "package": PACKAGE, "name": "text-summary", "capability": "summarize"},
            "agent.withdraw": {"agent": AGENT},
            "agent.retire": {"agent": AGENT, "active": False, "retired": True},
            "agent.lint": {
                "ok": True,
                "findings": [],
                "imports": [],
                "exports": ["_start"],
                "size": 8,
                "sha256": "f" * 64,
            },
            "auction.show": {"auction": AUCTION, "task": TASK, "state": "awarded", "rows": ROWS, "winner": "b" * 64},
            "auction.verify": {
                "auction": AUCTION,
                "ok": True,
                "checks": [{"name": "root", "ok": True, "detail": "3 leaves"}],
                "winner": "b" * 64,
                "price": str(AIN // 4),
                "reserve": str(AIN),
                "rows": ROWS,
                "faults": [],
            },
            "auction.why": {
                "outcome": "no_sale",
                "reasons": [{"code": "ask_above_reserve", "count": 2, "sentence": "they ask more"}],
                "rows": [],
            },
            "receipt.show": {"receipt": {"exit": 0, "fuel_used": 123, "module": b"\x01" * 32}},
            "receipt.verify": {
                "ok": True,
                "replayed": True,
                "checks": [{"name": "signature", "ok": True, "detail": ""}],
            },
            "wallet.show": {
                "account": "ab" * 32,
                "ss58": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
                "free": str(99 * AIN),
                "held": {"EscrowFunds": str(AIN)},
                "spendable": str(98 * AIN),
                "in_escrow": str(AIN),
                "in_dispute": "0",
                "fee_reserve": str(AIN // 10),
            },
            "wallet.fund": {"hash": "1" * 64, "block": 3, "fee": "0"},
            "wallet.transfer": {"hash": "2" * 64, "block": 4, "fee": "1000000"},
            "wallet.ledger": {
                "rows": [
                    {
                        "at": BEGAN,
                        "call": "VcgAuction.open",
                        "hash": "3" * 64,
                        "nonce": 5,
                        "state": "in_block",
                        "block": 7,
                        "intent": "{}",
                    }
                ]
            },
            "wallet.audit": {
                "issuance": str(1000 * AIN),
                "free": str(998 * AIN),
                "held": {"EscrowFunds": str(AIN)},
                "sink": str(AIN),
                "difference": "0",
                "at_block": 12,
            },
            "channel.open": {},
            "channel.top_up": {},
            "channel.show": {},
            "channel.list": {"channels": []},
            "channel.close": {},
            **{f"dispute.{verb}": {} for verb in DISPUTE},
            "dispute.list": {"cases": []},
            "chain.status": {
                "url": "ws://127.0.0.1:9944",
                "genesis": "9" * 64,
                "height": 12,
                "hash": "8" * 64,
                "spec_version": 1,
                "market_now": 1000,
                "peers": 0,
            },
        }
        self.answers["wallet.balance"] = self.answers["wallet.show"]
        self.answers |= {f"quote.{name}": dict(QUOTE) for name in QUOTED}
        self.answers |= {f"quote.dispute_{verb}": dict(QUOTE) for verb in DISPUTE}
        self.publishing = [{"text": "stored"}, {"text": "registered", **self.answers["agent.offer"]}]

    def params(self, method: str) -> dict[str, Any]:
        """What the last question of this method carried."""
        return [params for asked, params in self.asked if asked == method][-1]

    def handlers(self) -> dict[str, Any]:
        def handler(method: str) -> Any:
            async def answer(params: dict[str, Any]) -> dict[str, Any]:
                self.asked.append((method, params))
                if self.stuck:
                    await trio.sleep_forever()
                found = self.answers[method]
                if self.known is not None and method.startswith("auction.") and params.get("auction") not in self.known:
                    raise refusal("unknown_auction")
                if isinstance(found, Exception):
                    raise found
                return dict(found)

            return answer

        async def show(params: dict[str, Any]) -> dict[str, Any]:
            self.asked.append(("task.show", params))
            if params["task"] not in (TASK, OTHER):
                raise refusal("unknown_task")
            return self.shown

        return {method: handler(method) for method in self.answers} | {"task.show": show}

    def streams(self) -> dict[str, Any]:
        async def watch(params: dict[str, Any], send: Any) -> None:
            self.asked.append(("task.watch", params))
            for item in self.story:
                if item["seq"] > params.get("since", 0):
                    await send(item)
            if not self.story or not self.story[-1]["final"]:
                await trio.sleep_forever()

        async def publish(params: dict[str, Any], send: Any) -> None:
            self.asked.append(("agent.publish", params))
            for item in self.publishing:
                if isinstance(item, Exception):
                    raise item
                await send(item)

        return {"task.watch": watch, "agent.publish": publish}


def refusal(code: str, hint: str = "do something else", exit_code: int = 1, **details: Any) -> Refuse:
    return Refuse(code, hint, exit_code, details)


@contextmanager
def running(node: FakeNode, socket_dir: Path) -> Iterator[FakeNode]:
    """Serve the fake from a thread until the block ends."""
    ready = threading.Event()
    box: dict[str, Any] = {}
    path = socket_dir / f"{node.name}.sock"

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            server = Server(path, node.handlers(), node.streams(), crash_dir=socket_dir / "crashes")
            await nursery.start(server.run)
            box["token"], box["scope"] = trio.lowlevel.current_trio_token(), nursery.cancel_scope
            ready.set()

    thread = threading.Thread(target=trio.run, args=(serve,), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError
    here = Whereabouts(os.getpid(), str(path), "12D3KooWfake", [], "ab" * 32, "9" * 64, "ws://x", node.name, BEGAN)
    write_whereabouts(node.home, here)
    try:
        yield node
    finally:
        remove_whereabouts(node.home)
        box["token"].run_sync_soon(box["scope"].cancel)
        thread.join(10)
