"""A nonce that nothing uses any more is filled, so that what was signed above it still lands."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from proxy_node import ProxyNode

from ainur_node.ledger.calls import Caller
from ainur_node.ports import OutboxRow
from ainur_node.storage.memory import MemoryStore
from pallets_client import flights
from pallets_client.client import ChainClient
from pallets_client.flights import Flights
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Call, Outcome, Signed
from pallets_client.testing.host import HostProcess


@pytest.mark.real
async def test_after_a_restart_a_gap_is_filled_through_the_outbox(
    host: HostProcess, proxy: ProxyNode, client: ChainClient, key: Sr25519, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "STALL", 0.5)
    store, to = MemoryStore(), sha256(b"to" + key.account)
    proxy.before = lambda method: "swallow" if method == "author_submitExtrinsic" else None
    lower, upper = await _signed_only(proxy, store, key, to)
    await store.resolve(lower.hash, "expired")

    caller = Caller(store)
    caller.writer = writer = Writer(host.url, key, on_signed=caller.on_signed)
    with trio.fail_after(60):
        assert await caller.resume() == 1
        await caller.settle_resumed()
    await trio.to_thread.run_sync(writer.close)

    rows = {row.nonce: row for row in await store.outbox(10) if row.hash != lower.hash}
    assert (rows[upper.nonce].outcome or "").startswith("included")
    assert rows[lower.nonce].call == "System.remark"
    assert len(rows[lower.nonce].ref) == 32
    assert client.account(to).free == AIN


async def _signed_only(proxy: ProxyNode, store: MemoryStore, key: Sr25519, to: bytes) -> list[OutboxRow]:
    """Two rows of a process that died before the node had either."""
    caller = Caller(store)
    caller.writer = writer = Writer(proxy.url, key, on_signed=caller.on_signed, timeout=1.0)
    for ref in (b"lower", b"upper"):
        writer.submit(balances.transfer(to, AIN), ref)
    with trio.fail_after(30):
        while len(rows := await store.unresolved(key.account)) < 2:  # noqa: ASYNC110 — the writer is a thread
            await trio.sleep(0.01)
    await trio.to_thread.run_sync(writer.close)
    return sorted(rows, key=lambda row: row.nonce)


class Unstored:
    """A signer whose rows cannot be written down for a while; nonce 5 is free."""

    def __init__(self, failures: int) -> None:
        self.key = SimpleNamespace(account=bytes(32))
        self.failures = failures
        self.refs: list[bytes] = []

    def forget_nonce(self) -> None:
        pass

    def free_nonce(self, taken: set[int]) -> int:
        return next(nonce for nonce in range(5, 10) if nonce not in taken)

    def sign(self, call: Call, ref: bytes, nonce: int) -> Signed:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        self.refs.append(ref)
        return Signed(ref, bytes([nonce] * 32), nonce, 10, 1034, b"filler", f"{call.pallet}.{call.name}")


def test_a_filler_that_cannot_be_written_down_disturbs_nobody_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    above = Signed(b"above", bytes([6] * 32), 6, 10, 1034, b"above", "System.remark")
    answers = {"0x" + b"above".hex(): bytes([6] * 32), "0x" + b"filler".hex(): bytes([5] * 32)}

    def call(_method: str, raw: str) -> Any:
        sent.append(raw)
        return "0x" + answers[raw].hex()

    monkeypatch.setattr(flights, "STALL", 0.0)
    signer, waiting = Unstored(failures=1), Future[Outcome]()
    flying = Flights(SimpleNamespace(call=call), signer)  # type: ignore[arg-type]  # as much of both as a nudge asks for
    flying.adopt(above, waiting)

    flying.nudge()
    assert len(flying) == 1
    assert not waiting.done()
    flying.nudge()

    assert len(flying) == 2
    assert sent[-1] == "0x" + b"filler".hex()
    assert [len(ref) for ref in signer.refs] == [32]
