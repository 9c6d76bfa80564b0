"""Signed extrinsics against a node's RPC: signed before the clock starts, from first submit to last inclusion."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import msgspec
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from pallets_client import extrinsic
from pallets_client.answers import unhex
from pallets_client.client import ChainClient
from pallets_client.keys import Sr25519
from pallets_client.records import Call

WINDOW = 256  # requests without an answer: fewer would measure round trips, more only queues
PERIOD = 4096  # blocks of the era: as many block hashes as the runtime keeps
OPEN_WITHIN = 60.0
MAX_ANSWER = 64 << 20


@dataclass(slots=True)
class Taken:
    """What a load showed; times in seconds since the first submit."""

    sent: int
    included: int = 0
    refused: list[str] = field(default_factory=list)
    accepted_at: float = 0.0  # when the pool had taken the last one
    included_at: float = 0.0  # when the block with the last one was announced
    blocks: list[int] = field(default_factory=list)  # ours in each block that holds some

    def add_block(self, number: int, at: float) -> None:
        """A block with so many of ours."""
        self.included += number
        self.included_at = at
        self.blocks.append(number)

    @property
    def per_second(self) -> float:
        """Extrinsics a second from first submit to last inclusion."""
        return self.included / self.included_at if self.included_at else 0.0

    @property
    def pool_per_second(self) -> float:
        """Extrinsics a second that the pool answered for, while blocks were made."""
        return (self.sent - len(self.refused)) / self.accepted_at if self.accepted_at else 0.0


def presign(client: ChainClient, calls: Sequence[tuple[Sr25519, Call]]) -> tuple[list[bytes], float]:
    """Each call signed by its key, nonces in order of appearance; and the seconds that it took."""
    runtime, head = client.link.runtime(), client.head()
    nonces = {key.account: client.account(key.account).nonce for key in {key.account: key for key, _ in calls}.values()}
    era = extrinsic.Era.at(head.number, PERIOD)
    signed: list[bytes] = []
    began = monotonic()
    for key, call in calls:
        nonce = nonces[key.account]
        nonces[key.account] = nonce + 1
        terms = extrinsic.Terms(client.genesis_hash, nonce, era, head.hash)
        signed.append(extrinsic.sign(runtime, call, key, terms))
    return signed, monotonic() - began


def run(url: str, raws: Sequence[bytes], *, deadline: float) -> Taken:
    """Submit all over one connection, and read blocks over another until all are in; stops at ``deadline`` seconds."""
    taken = Taken(len(raws))
    waiting = {extrinsic.extrinsic_hash(raw) for raw in raws}
    requests = [
        b'{"jsonrpc":"2.0","id":%d,"method":"author_submitExtrinsic","params":["0x%s"]}' % (i, raw.hex().encode())
        for i, raw in enumerate(raws, 1)
    ]
    ready = threading.Event()
    ended = threading.Event()
    clock: list[float] = []
    with (
        connect(url, max_size=MAX_ANSWER, open_timeout=OPEN_WITHIN, compression=None) as pool,
        connect(url, max_size=MAX_ANSWER, open_timeout=OPEN_WITHIN, compression=None) as heads,
    ):
        watcher = threading.Thread(target=_watch, args=(heads, waiting, taken, clock, ready, ended), daemon=True)
        watcher.start()
        ready.wait(OPEN_WITHIN)
        clock.append(monotonic())
        _submit(pool, requests, taken, clock[0], clock[0] + deadline)
        if len(taken.refused) < len(raws):
            ended.wait(max(0.0, clock[0] + deadline - monotonic()))
        ended.set()
    watcher.join(OPEN_WITHIN)
    return taken


def _submit(pool: ClientConnection, requests: Sequence[bytes], taken: Taken, began: float, until: float) -> None:
    answered = sent = 0
    while answered < len(requests):
        while sent < len(requests) and sent - answered < WINDOW:
            pool.send(requests[sent], text=True)
            sent += 1
        try:
            answer = msgspec.json.decode(pool.recv(timeout=max(0.0, until - monotonic())))
        except (TimeoutError, WebSocketException) as exc:
            taken.refused += [f"no answer: {type(exc).__name__}"] * (len(requests) - answered)
            return
        answered += 1
        if "error" in answer:
            taken.refused.append(json.dumps(answer["error"])[:300])
        else:
            taken.accepted_at = monotonic() - began


class _Blocks:
    """Follows the heads of a chain without missing a block, and counts what they hold of ours."""

    def __init__(self, heads: ClientConnection, waiting: set[bytes], taken: Taken, clock: list[float]) -> None:
        self._heads = heads
        self._waiting = waiting
        self._taken = taken
        self._clock = clock
        self._ids = count(1)
        self._asked: dict[int, float] = {}
        self._seen: set[str] = set()
        self._last = -1

    def take(self, body: dict[str, Any]) -> bool:
        """One message of the node; whether it was a head."""
        now = monotonic()
        if "method" in body:
            height = int(body["params"]["result"]["number"], 16)
            for number in range(height if self._last < 0 else self._last + 1, height + 1):
                self._ask("chain_getBlockHash", number, now)
            self._last = max(self._last, height)
            return True
        at, result = self._asked.pop(body.get("id", -1), None), body.get("result")
        if at is None:
            return False
        if isinstance(result, str) and result not in self._seen:
            self._seen.add(result)
            self._ask("chain_getBlock", result, at)
        elif isinstance(result, dict):
            self._count(result["block"]["extrinsics"], at)
        return False

    def _ask(self, method: str, parameter: int | str, at: float) -> None:
        number = next(self._ids)
        self._asked[number] = at
        self._heads.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": [parameter]}))

    def _count(self, bodies: Sequence[str], at: float) -> None:
        found = {extrinsic.extrinsic_hash(unhex(raw)) for raw in bodies} & self._waiting
        if found and self._clock:
            self._waiting -= found
            self._taken.add_block(len(found), at - self._clock[0])


def _watch(
    heads: ClientConnection,
    waiting: set[bytes],
    taken: Taken,
    clock: list[float],
    ready: threading.Event,
    ended: threading.Event,
) -> None:
    blocks = _Blocks(heads, waiting, taken, clock)
    try:
        heads.send('{"jsonrpc":"2.0","id":0,"method":"chain_subscribeNewHeads","params":[]}')
        while not ended.is_set() and len(taken.refused) + taken.included < taken.sent:
            try:
                message = heads.recv(timeout=0.5)
            except TimeoutError:
                continue
            if blocks.take(msgspec.json.decode(message)):
                ready.set()
    except WebSocketException:
        pass  # the connection was closed at the end, or the node went: the counts say how far it came
    finally:
        ready.set()
        ended.set()
