"""Callers that die and come back over one store and one chain; writers work in threads, as the real one does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import trio

from ainur_node.ledger.calls import Caller
from ainur_node.storage.memory import MemoryStore
from pallets_client.errors import ChainUnreachable
from pallets_client.keys import Sr25519, development_seed
from pallets_client.pallets import balances
from pallets_client.records import AIN, Call, Outcome, Signed
from pallets_client.testing import InMemoryChain, MemoryClient, MemoryWriter

ME, YOU = Sr25519(development_seed("me")), Sr25519(development_seed("you"))
ERA = 8


class ThreadedWriter:
    """MemoryWriter whose work happens in another thread; `dies` stops it at a moment of its own."""

    def __init__(self, chain: InMemoryChain, on_signed: Callable[[Signed], None]) -> None:
        self.key = ME
        self.inner = MemoryWriter(chain, ME, era_blocks=ERA, on_signed=self._signed)
        self._on_signed = on_signed
        self.before_row: Callable[[], None] = lambda: None
        self.after_row: Callable[[], None] = lambda: None
        self.submitted = 0

    def _signed(self, signed: Signed) -> None:
        self.before_row()
        self._on_signed(signed)
        self.after_row()

    def submit(self, call: Call, ref: bytes) -> Future[Outcome]:
        self.submitted += 1
        return self._elsewhere(self.inner.submit, call, ref)

    def resume(self, signed: Signed) -> Future[Outcome]:
        return self._elsewhere(self.inner.resume, signed)

    def close(self) -> None:
        self.inner.close()

    @staticmethod
    def _elsewhere(work: Callable[..., Future[Outcome]], *args: Any) -> Future[Outcome]:
        future: Future[Outcome] = Future()

        def run() -> None:
            try:
                work(*args).add_done_callback(done)
            except Exception as exc:  # noqa: BLE001 # reason: whoever waits for the future is told
                future.set_exception(exc)

        def done(inner: Future[Outcome]) -> None:
            if inner.exception() is not None:
                future.set_exception(inner.exception())
            else:
                future.set_result(inner.result())

        threading.Thread(target=run, daemon=True).start()
        return future


class OutboxWorld:
    """What survives: the chain and the store."""

    def __init__(self) -> None:
        self.chain = InMemoryChain(fee=0)
        self.client = MemoryClient(self.chain)
        self.store = MemoryStore()
        self.chain.endow(ME.account, 100 * AIN)
        self.chain.endow(YOU.account, AIN)

    def caller(self) -> tuple[Caller, ThreadedWriter]:
        """A process that just started; the one before it is dead."""
        caller = Caller(self.store)
        writer = ThreadedWriter(self.chain, caller.on_signed)
        caller.writer = writer
        return caller, writer

    def received(self) -> int:
        return self.client.account(YOU.account).free - AIN

    def pass_blocks(self, count: int) -> None:
        for _ in range(count):
            self.chain.advance(1)

    async def outcomes(self) -> list[str | None]:
        return [row.outcome for row in reversed(await self.store.outbox(100))]


def gift(amount: int = AIN) -> Call:
    return balances.transfer(YOU.account, amount)


async def until(condition: Callable[[], bool]) -> None:
    """Poll, with a deadline."""
    with trio.fail_after(10):
        while not condition():  # noqa: ASYNC110 — the chain is a thing of threads
            await trio.sleep(0.001)


AWAY = ChainUnreachable("no node")
