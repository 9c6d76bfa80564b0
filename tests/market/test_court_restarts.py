"""A case between nodes of which every process is killed around every call: the next one goes on, and nobody is silent.

A kill is a cancellation just before a call reaches the chain, or just after it did and before anything heard of it;
what survives is the store alone, as it does for a node that is killed with SIGKILL. A person may open the dispute, and
where nothing can be replayed persons vote and the shares' median is what is paid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import test_provider_steps
import test_requester_steps
import trio
from market_fakes import ScriptedClock
from mini_court import CASE, COMMIT, GENESIS, PAYEE, PAYER, TRUE_OUTPUT, MiniCourt, empty, seats_of
from trio.testing import MockClock

from ainur_node.domain import events as fact
from ainur_node.domain import provider, requester
from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot, Findings, judge
from ainur_node.domain.court.docket import Docket, Role
from ainur_node.domain.court.party import Move
from ainur_node.domain.ids import AccountId, EscrowId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market import desk_court, views
from ainur_node.market.codec import TASK
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_joining import Joining
from ainur_node.market.court_parties import Parties
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.desk_arbiters import ArbiterDesk
from ainur_node.market.desk_court import CourtDesk
from ainur_node.market.desk_dockets import Dockets
from ainur_node.ports.court import ArbiterRecord, CourtTerms, Done
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters

ESCROW = empty(d.Closed()).escrow
PRICE = Amount(10**12)
TASK_STATE = replace(test_requester_steps.at(requester.Phase.DISPUTED), escrow=ESCROW)
JOB_STATE = replace(test_provider_steps.at(provider.Phase.DELIVERED), escrow=ESCROW, answered=True)
PAID = Done(1, Amount(1))
POKES = ("draw", "tally", "execute")
"""What anybody may call: of two that do so at the same moment, one is refused."""


class Trial:
    """A court, its clock, and the nodes that live in front of it."""

    def __init__(self, *, replay: bool, opened: bool = True) -> None:
        self.court = MiniCourt([seats_of(count, [1, 2, 3, 4]) for count in d.ROUND_SEATS])
        self.court.docket = replace(self.court.docket, replay=replay, price=PRICE)
        self.opened = opened
        self.sealed = trio.Event()

    async def run(self) -> None:
        while True:
            await trio.sleep(1)
            self.court.seal()
            self.sealed.set()
            self.sealed = trio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        with trio.fail_after(3_600):
            while not condition():
                await self.sealed.wait()

    @property
    def closed(self) -> bool:
        return isinstance(self.court.docket.phase, d.Closed)


class Book:
    """The court as one account calls it; its process may be killed around each call, once on either side."""

    genesis = GENESIS

    def __init__(self, trial: Trial, account: AccountId, *, mortal: bool) -> None:
        self.trial = trial
        self.account = account
        self.mortal = mortal
        self.killed: set[tuple[str, str]] = set()
        self.process = trio.CancelScope()

    async def _call(self, name: str, effect: Callable[[], None]) -> Done | Rejection:
        await self._maybe_die("before", name)
        try:
            effect()
        except AssertionError:
            if name not in POKES:
                raise
            return Rejection("wrong_phase", "somebody else was faster")
        await self._maybe_die("after", name)
        return PAID

    async def _maybe_die(self, side: str, name: str) -> None:
        if self.mortal and (side, name) not in self.killed:
            self.killed.add((side, name))
            self.process.cancel()
        await trio.lowlevel.checkpoint()

    async def market_now(self) -> int:
        return self.trial.court.now

    async def sealed_now(self) -> int:
        return self.trial.court.now

    async def height(self) -> int:
        return self.trial.court.height

    async def wait_block(self, after: int, seconds: float) -> None:
        with trio.move_on_after(seconds):
            await self.trial.sealed.wait()

    async def docket(self, escrow: EscrowId) -> Docket | None:
        await trio.lowlevel.checkpoint()
        return self.trial.court.docket if escrow == ESCROW and self.trial.opened else None

    async def escrow_of(self, case: bytes) -> EscrowId | None:
        return ESCROW if case == CASE else None

    async def bench(self, case: bytes, round_: int) -> None:
        return None

    async def terms(self) -> CourtTerms:
        return CourtTerms(Amount(10**12), Amount(10**10), 60_000, 10_000, COMMIT)

    async def arbiter(self, account: AccountId) -> ArbiterRecord | None:
        if account in (PAYER, PAYEE):
            return None
        seated = self.trial.court.docket.seat_of(account) is not None
        return ArbiterRecord(Amount(5 * 10**12), Amount(10**12 if seated else 0), 5, None)

    async def seated_in(self, first: int, last: int) -> list[tuple[EscrowId, bytes]]:
        return [(ESCROW, CASE)] if self.trial.court.docket.seat_of(self.account) is not None else []

    async def respond(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        return await self._move(Move.RESPOND, head)

    async def plead(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        return await self._move(Move.PLEAD, head)

    async def open_nonce(self, docket: Docket, link: bytes) -> Done | Rejection:
        return await self._move(Move.OPEN_NONCE, link)

    async def poke(self, docket: Docket, call: str) -> Done | Rejection:
        if self.account not in (PAYER, PAYEE):
            return await self._call(call, lambda: self.trial.court.poke(call))
        return await self._move(Move(call), b"")

    async def _move(self, move: Move, link: bytes) -> Done | Rejection:
        role = Role.PAYER if self.account == PAYER else Role.PAYEE
        return await self._call(move, lambda: self.trial.court.take(role, move, link))

    async def commit_vote(self, docket: Docket, commit: bytes) -> Done | Rejection:
        return await self._call("commit", lambda: self.trial.court.commit(self.account, commit))

    async def reveal_vote(self, docket: Docket, vote: tuple[bytes, bool, int], salt: bytes) -> Done | Rejection:
        ballot = Ballot(*vote, salt)
        return await self._call("reveal", lambda: self.trial.court.reveal(self.account, ballot))


class Node:
    """One account: what survives is its store; all else is made anew by each process."""

    def __init__(self, trial: Trial, account: AccountId, *, mortal: bool = True) -> None:
        self.trial = trial
        self.store = MemoryStore()
        self.book = Book(trial, account, mortal=mortal)
        self.lives = 0

    async def live(self) -> None:
        """Process after process, each killed where its book says."""
        while True:
            self.lives += 1
            with trio.CancelScope() as process:
                self.book.process = process
                await self.process()
            await trio.sleep(1)  # until somebody starts it again

    async def process(self) -> None:
        self.clock = ScriptedClock(f"{self.book.account.hex()} life {self.lives}")
        self.records = CourtRecords(self.store, self.clock)
        book = cast(Any, self.book)
        if self.book.account in (PAYER, PAYEE):
            states = {TASK: [TASK_STATE]} if self.book.account == PAYER else {"job": [JOB_STATE]}
            engine = SimpleNamespace(states=lambda kind: states.get(kind, []))
            self.parties = Parties(cast(Any, engine), book, self.records, cast(Any, Exhibits()), Counters(), 0)
            await self.parties.run()
        self.arbitrating = Arbitrating(book, self.records, cast(Any, Replay(self.clock)), Counters())
        await self.arbitrating.run()

    def desk(self) -> ArbiterDesk:
        """What a person at this node asks."""
        book, joining = cast(Any, self.book), cast(Joining, None)
        judging = cast(Any, Replay(self.clock))
        dockets = Dockets(book, self.store)
        return ArbiterDesk(book, self.records, judging, self.arbitrating, joining, dockets, self.clock)


class Exhibits:
    """What a party shows; other tests tell how."""

    async def of_task(self, case: bytes, task: Any) -> list[bytes]:
        return [b"1" * 32]

    async def of_job(self, case: bytes, job: Any) -> list[bytes]:
        return [b"2" * 32]

    async def add(self, case: bytes, data: bytes) -> bytes:
        return b"3" * 32


class Replay:
    """A judgement with another salt in each process, so that a lost ballot could never be opened."""

    def __init__(self, clock: ScriptedClock) -> None:
        self.clock = clock

    async def judge(self, docket: Docket) -> Ballot:
        found = Findings(opened=True, output=TRUE_OUTPUT, difference="output")
        return judge(docket.ground, found, self.clock.random(32), replay=docket.replay)


@asynccontextmanager
async def living(trial: Trial, *, mortal: bool) -> AsyncIterator[dict[AccountId, Node]]:
    accounts = [PAYER, PAYEE, *(AccountId(bytes([number]) * 32) for number in range(1, 5))]
    nodes = {account: Node(trial, account, mortal=mortal) for account in accounts}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trial.run)
        for node in nodes.values():
            nursery.start_soon(node.live)
        yield nodes
        nursery.cancel_scope.cancel()


async def test_a_case_is_ruled_though_every_process_dies_around_every_call(autojump_clock: MockClock) -> None:
    trial = Trial(replay=True)
    async with living(trial, mortal=True) as nodes:
        await trial.until(lambda: trial.closed)
        deaths = {account: node.book.killed for account, node in nodes.items()}

    assert trial.court.defaulted is None, "nobody was the silent one"
    assert trial.court.docket.decision == d.Decision(0, TRUE_OUTPUT, True)
    assert {seat.vote for seat in trial.court.docket.panel} == {"revealed"}
    sides = ("before", "after")
    assert deaths[PAYER] >= {(side, move) for side in sides for move in ("plead", "open_nonce")}
    assert deaths[PAYEE] >= {(side, move) for side in sides for move in ("respond", "open_nonce")}
    for number in range(1, 5):
        assert deaths[AccountId(bytes([number]) * 32)] >= {(s, call) for s in sides for call in ("commit", "reveal")}


async def test_a_person_disputes_what_cannot_be_replayed_and_the_median_of_persons_is_paid(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(replay=False, opened=False)
    shares = {1: 2_000, 2: 4_000, 3: 3_000, 4: 9_000}  # arbiter 1 has two of the five seats
    told: list[tuple[bytes, int]] = []

    async def dispute(escrow: EscrowId, ground: int, exhibit: bytes) -> None:
        told.append((exhibit, ground))
        trial.opened = True

    async def escrow(ident: EscrowId) -> Any:
        state = "disputed" if trial.opened else "delivered"
        return SimpleNamespace(state=state, amount=PRICE, outcome="", paid_so_far=0)

    async def own_task(store: Any, wanted: bytes) -> Any:
        return TASK_STATE

    monkeypatch.setattr(desk_court, "own_task", own_task)
    async with living(trial, mortal=False) as nodes:
        await trial.until(lambda: trial.court.height > 3)
        payer = nodes[PAYER]
        ledger = cast(Any, SimpleNamespace(escrow=escrow, dispute=dispute))
        desk = CourtDesk(
            cast(Any, payer.book),
            ledger,
            payer.store,
            payer.records,
            cast(Any, Exhibits()),
            payer.parties,
            cast(Any, None),
            Dockets(cast(Any, payer.book), payer.store),
            payer.clock,
        )
        opened = await desk.open({"task": TASK_STATE.task.hex(), "ground": 4, "why": "it is no summary"})
        await trial.until(lambda: isinstance(trial.court.docket.phase, d.Voting))
        for number, share in shares.items():
            seat = nodes[AccountId(bytes([number]) * 32)]
            await seat.desk().vote({"case": CASE.hex(), "payee_bps": share})
        await trial.until(lambda: trial.closed)

    assert (opened["state"], opened["repeated"]) == ("unanswered", False)
    assert told == [(b"3" * 32, 4)]
    decision = trial.court.docket.decision
    assert decision is not None
    assert (decision.payee_bps, decision.winner) == (3_000, Role.PAYER), "2,000 2,000 3,000 4,000 9,000"
    paid = Amount(PRICE * decision.payee_bps // 10_000)
    settled = fact.Settled(ESCROW, "ruled", paid, Amount(0))
    ended, _ = requester.step(TASK_STATE, settled)
    assert (ended.phase, ended.outcome, ended.price) == (requester.Phase.SETTLED, "ruled", paid)
    assert views.sentence(settled).startswith("the court ruled: 0.3 AIN are paid")
