"""Kill the client at every step of its outbox, and cut its connection; `once_run` is the command.

Each round is one life of a client: it takes up what the lives before it left open, orders payments of its own, and is
killed with SIGKILL at one step of the outbox, while its connection to a real chain host is cut at random moments. Its
store is a real PostgreSQL server. After each round of all steps, and at the end, a life that nobody disturbs ends what
is open. Then the whole chain is read: every payment that was ordered must be in it exactly once. Each life orders one
step into the court as well, which no event names: the stake in the end is the sum of all that were ordered.
"""

import contextlib
import json
import multiprocessing
import os
import random
import select
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import trio

from ainur_node.domain.money import Amount
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.court import ChainCourt
from ainur_node.ledger.intents import Intents
from ainur_node.storage.postgres import open_store
from pallets_client import flights
from pallets_client.client import ChainClient
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519, development_seed
from pallets_client.link import Link
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Outcome, Signed
from pallets_client.testing.host import HostProcess
from tests.pallets_client.proxy_node import ProxyNode

STEPS = (
    "queued",  # the intent is stored, nothing is signed
    "signed",  # signed, the row is not stored
    "stored",  # the row is stored, no byte has left
    "handed in",  # the bytes may have left, no answer has come
    "taken",  # the pool has them
    "in a block",  # found in a block, the outcome is not stored
    "settled",  # the outcome is stored, the intent is open
    "ended",  # the intent is ended, nobody was told
)
PAYMENTS = 3  # ordered in each round
AMOUNT = AIN // 100
STAKE = AIN  # of each step into the court
CUTS = 0.01  # of all messages, in each direction; a connection that lives needs a few dozen
ROUND_SECONDS = 60.0
LAST_SECONDS = 300.0
ERA = 256
PAYER = Sr25519(development_seed("the payer of the rounds"))


def payee(seed: int, round_: int, number: int) -> bytes:
    """An account that nobody but one payment ever pays."""
    return sha256(b"payee %d %d %d" % (seed, round_, number))


@dataclass(frozen=True)
class Life:
    """What one life of the client is told: None for ``step`` lets it live until everything is ended."""

    dsn: str
    url: str
    seed: int
    round: int
    step: str | None
    countdown: int  # how many times it passes the step before it dies there


class Death:
    """Kills this process, as a power cut would, when it passes its step for the n-th time."""

    def __init__(self, life: Life) -> None:
        self._step = life.step
        self._left = life.countdown

    def at(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # the signal is on its way


class Mortal(Caller):
    """A caller that dies at the steps of its rows."""

    death: Death

    def on_signed(self, signed: Signed) -> None:
        self.death.at("signed")
        super().on_signed(signed)
        self.death.at("stored")

    def on_final(self, signed: Signed, outcome: Outcome) -> None:
        self.death.at("in a block")
        super().on_final(signed, outcome)

    async def _write_down(self, signed: bytes, outcome: str) -> None:
        await super()._write_down(signed, outcome)
        self.death.at("settled")


class MortalStore:
    """The node's store, with steps before and after the documents of an intent."""

    def __init__(self, store: Any, death: Death) -> None:
        self._store = store
        self._death = death

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        await self._store.put_doc(kind, key, doc)
        if kind == "intent":
            self._death.at("queued")

    async def delete_doc(self, kind: str, key: bytes) -> None:
        await self._store.delete_doc(kind, key)
        if kind == "intent":
            self._death.at("ended")


def live(life: Life, told: Connection) -> None:
    """One life, in a process of its own."""
    flights.STALL = 1.0  # lost bytes are missed soon: the rounds are many
    threading.Thread(target=_die_with, args=(told,), daemon=True).start()
    trio.run(_live, life, told)


def _die_with(parent: Connection) -> None:
    """Nobody is left behind when the run itself is killed."""
    with contextlib.suppress(EOFError, OSError):
        parent.recv()
    os._exit(1)


async def _live(life: Life, told: Connection) -> None:
    death = Death(life)
    _die_while_sending(death)
    async with open_store(life.dsn, pool=2) as store, trio.open_nursery() as nursery:
        caller = Mortal(store, final=True)
        caller.death = death
        caller.writer = writer = Writer(
            life.url,
            PAYER,
            era_blocks=ERA,
            on_signed=caller.on_signed,
            on_final=caller.on_final,
            timeout=2.0,
            patience=5.0,
        )
        try:
            await caller.resume()
            intents = Intents(MortalStore(store, death), caller, lambda: time.time_ns() // 1_000_000)
            nursery.start_soon(caller.keep_books)
            nursery.start_soon(caller.settle_resumed)
            nursery.start_soon(intents.run)
            if life.step is not None:
                for number in range(PAYMENTS):
                    nursery.start_soon(_order, intents, life, number)
                bench = ChainCourt(
                    SimpleNamespace(genesis_hash=bytes(32)), caller, intents, cast(Any, None), PAYER.account
                )
                nursery.start_soon(_join, bench, life)
                await trio.sleep_forever()
            while [one for one in await intents.pending(1000) if one.state == "queued"]:  # noqa: ASYNC110 — a store has no events
                await trio.sleep(0.05)
            while await store.unresolved(PAYER.account):  # noqa: ASYNC110 — a store has no events
                await trio.sleep(0.05)
            told.send([one.why for one in await intents.pending(1000)])
        finally:
            await trio.to_thread.run_sync(writer.close)
            nursery.cancel_scope.cancel()


async def _order(intents: Intents, life: Life, number: int) -> None:
    call = balances.transfer(payee(life.seed, life.round, number), AMOUNT)
    while True:
        try:
            await intents.carry_out(call, b"round %d payment %d" % (life.round, number))
        except Exception:  # noqa: BLE001 # reason: whoever ordered asks again, as a person would
            await trio.sleep(0.05)
        else:
            return


async def _join(bench: ChainCourt, life: Life) -> None:
    while True:
        try:
            await bench.join(Amount(STAKE), b"round %d joins" % life.round)
        except Exception:  # noqa: BLE001 # reason: whoever ordered asks again, as a person would
            await trio.sleep(0.05)
        else:
            return


def _die_while_sending(death: Death) -> None:
    """Have the link pass the steps around the bytes that leave."""
    real: Callable[..., Any] = Link.call

    def call(link: Link, method: str, *params: Any) -> Any:
        if method != "author_submitExtrinsic":
            return real(link, method, *params)
        answer = real(link, method, *params)
        death.at("taken")
        return answer

    Link.call = call  # type: ignore[method-assign] # only in this process


class Rounds:
    """The world that outlives every client: chain, store, and the line between them."""

    def __init__(self, directory: Path, dsn: str, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.dsn = dsn
        home = directory / "chain"
        home.mkdir()
        self.host = HostProcess(home, PAYER.account)
        self.proxy = ProxyNode(self.host.url)
        self.cuts = 0
        self.deaths: Counter[str] = Counter()
        self.ordered: list[bytes] = []
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([__name__])

    def close(self) -> None:
        self.proxy.close()
        self.host.close()

    def _cut(self, _: str) -> str | None:
        if self.chance.random() < CUTS:
            self.cuts += 1
            return "cut"
        return None

    def round(self, number: int) -> None:
        """One life that ends at its step; ended here when it does not get there in time."""
        step = STEPS[number % len(STEPS)]
        life = Life(self.dsn, self.proxy.url, self.seed, number, step, self.chance.randint(1, PAYMENTS))
        self.ordered += [payee(self.seed, number, each) for each in range(PAYMENTS)]
        self.proxy.before = self.proxy.after = self._cut
        ours, theirs = self._processes.Pipe()
        process = self._processes.Process(target=live, args=(life, theirs))
        process.start()
        theirs.close()
        if step == "handed in":
            # The request is with the node; whoever asked dies before the answer is out.
            left = [life.countdown]

            def kill(method: str) -> str | None:
                if method == "author_submitExtrinsic":
                    left[0] -= 1
                    if left[0] <= 0:
                        os.kill(process.pid or 0, signal.SIGKILL)
                        return "cut"
                return self._cut(method)

            self.proxy.after = kill
        process.join(ROUND_SECONDS)
        died = process.exitcode == -signal.SIGKILL
        if process.is_alive():
            process.kill()
            process.join()
        self.deaths[step if died else f"{step}, not reached"] += 1
        self.proxy.reset()
        ours.close()

    def finish(self, rounds: int) -> list[str]:
        """A last life over a whole line; why any intent is dead."""
        ours, theirs = self._processes.Pipe()
        life = Life(self.dsn, self.proxy.url, self.seed, rounds, None, 0)
        process = self._processes.Process(target=live, args=(life, theirs))
        process.start()
        theirs.close()
        try:
            readable, _, _ = select.select([ours], [], [], LAST_SECONDS)
            if not readable:
                raise RuntimeError(f"the last client did not end what is open in {LAST_SECONDS:g} s")
            dead: list[str] = ours.recv()
            return dead
        finally:
            process.join(20)
            if process.is_alive():
                process.kill()
                process.join()
            ours.close()

    def stake(self) -> int:
        """Planck that the client has at stake in the court."""
        client = ChainClient(self.host.url)
        try:
            found = client.arbiter(PAYER.account)
            return found.stake if found is not None else 0
        finally:
            client.close()

    def paid(self) -> Counter[bytes]:
        """How often the chain paid each account, read from the events of all its blocks."""
        client = ChainClient(self.host.url)
        try:
            found: Counter[bytes] = Counter()
            for number in range(1, client.head().number + 1):
                block = client.block(number)
                if len(block.extrinsic_hashes) == 1:
                    continue  # the clock alone
                for event in client.events(block.hash):
                    if (event.pallet, event.name) == ("Balances", "Transfer") and event.fields["amount"] == AMOUNT:
                        found[event.fields["to"]] += 1
            for account in self.ordered:
                if found[account]:
                    assert client.account(account).free == found[account] * AMOUNT
            assert client.audit().difference == 0
            return found
        finally:
            client.close()


def run_rounds(directory: Path, dsn: str, rounds: int, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """All rounds; what they showed. ``good`` is True when each payment that was stored is on chain exactly once."""
    world = Rounds(directory, dsn, seed)
    began = time.monotonic()
    try:
        for number in range(rounds):
            world.round(number)
            if (number + 1) % len(STEPS) == 0:
                dead = world.finish(rounds)  # what piles up would only make each next life longer
                tell(f"{number + 1} rounds, {world.cuts} cuts, {len(dead)} dead, {time.monotonic() - began:.0f} s")
        dead = world.finish(rounds)
        paid, stake = world.paid(), world.stake()
    finally:
        world.close()
    stored, joins = trio.run(_stored, dsn)
    ordered = set(world.ordered)
    return {
        "rounds": rounds,
        "seed": seed,
        "deaths": dict(world.deaths),
        "cuts": world.cuts,
        "intents": len(stored),
        "once": sum(paid[account] == 1 for account in stored),
        "missing": sum(paid[account] == 0 for account in stored),
        "twice": sum(paid[account] > 1 for account in stored),
        "never_ordered_but_paid": sum(account not in stored for account in paid if account in ordered),
        "joins": joins,
        "joined": stake / STAKE,
        "dead": dead,
        "seconds": round(time.monotonic() - began, 1),
        "good": bool(stored) and not dead and all(paid[account] == 1 for account in stored) and stake == joins * STAKE,
    }


async def _stored(dsn: str) -> tuple[set[bytes], int]:
    """Payees and steps into the court of all intents that reached the store: what was killed before is no promise."""
    async with open_store(dsn, pool=2) as store:
        found = [doc for kind in ("intent", "intent_end") for _, doc in await store.docs(kind, 10_000)]
    calls = [json.loads(json.loads(doc)["call"]) for doc in found]
    paid = {bytes.fromhex(call["args"]["dest"]["fields"]["0"]["hex"]) for call in calls if "dest" in call["args"]}
    return paid, sum(call["call"] == "Escrow.join_arbiters" for call in calls)
