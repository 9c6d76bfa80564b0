"""Processes are killed, stopped and cut off at named facts: every task ends, is paid at most once, nothing is lost.

A row's stage is the one of the life of a task whose fact was just written down, so that the blow falls into the order
that follows. Facts are waited for in the log of the node that writes them, never for a time, so that the same moment is
hit on a fast machine and on a slow one. What was paid is counted in the chain's own blocks.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import town as towns
from cutting import DATABASE_SOCKET, Cutter, Forbidden, cut_again_and_again
from payments import Payments
from town import CHAIN, DATABASE, NODES, PROVIDER, REQUESTER, Task, Town

from ainur_node.devnet.layout import SUBMITTER
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.domain.requester import MAX_ATTEMPTS

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

BOND_AND_FEES = PLANCK_PER_AIN // 8
"""What an attempt may cost beside price and fee: extrinsics, and the bond of an auction that was awarded too late."""

Note = Callable[..., None]

STAGES: dict[str, dict[str, tuple[str, ...]]] = {
    # Processes without a fact of their own at a stage are hit at the fact of the other side.
    "submit": dict.fromkeys((REQUESTER, PROVIDER, CHAIN, DATABASE), ("Submitted",)),
    "hold": dict.fromkeys((REQUESTER, PROVIDER, CHAIN, DATABASE), ("Funded",)),
    "auction": {
        REQUESTER: ("BidsCollected", "Closed", "Cleared"),
        PROVIDER: ("Invited", "Committed", "Revealed"),
        CHAIN: ("BidsCollected", "Closed", "Cleared"),
        DATABASE: ("Committed", "BidsCollected", "Cleared"),
    },
    "award": {REQUESTER: ("Escrowed",), PROVIDER: ("Awarded",), CHAIN: ("Escrowed",), DATABASE: ("Awarded",)},
    "work": dict.fromkeys((REQUESTER, PROVIDER, CHAIN, DATABASE), ("Completed",)),
    "deliver": {
        REQUESTER: ("Delivered",),
        PROVIDER: ("DeliveredOnChain",),
        CHAIN: ("DeliveredOnChain",),
        DATABASE: ("Delivered",),
    },
    "verify": dict.fromkeys((REQUESTER, PROVIDER, CHAIN, DATABASE), ("Verified",)),
    "settle": {REQUESTER: ("Settled",), PROVIDER: ("Paid",), CHAIN: ("Settled",), DATABASE: ("Settled",)},
}
STAGE_OF = {fact: stage for stage, facts in STAGES.items() for each in facts.values() for fact in each}


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL of a process right after a fact."""

    process: str
    fact: str

    def __str__(self) -> str:
        return f"{self.process}-{self.fact}"


def kills(*stages: str) -> list[Kill]:
    """Rows of these stages, the processes in turn."""
    found = []
    for facts in (STAGES[stage] for stage in stages):
        for number in range(max(map(len, facts.values()))):
            found += [Kill(process, each[number]) for process, each in facts.items() if number < len(each)]
    return found


Condition = Callable[[Town, Payments, Task], bool]


def fact(name: str) -> Condition:
    """Until a fact is written down, which takes until a window is over."""
    return lambda town, _, task: town.written(name, task)


def reveals_over(_: Town, payments: Payments, task: Task) -> bool:
    """Until nobody could reveal any more."""
    return payments.market_now() > payments.reveal_end(task)


def postponed(town: Town, _: Payments, __: Task) -> bool:
    """Until the requester's node gave up waiting for an answer."""
    return bool(town.logs[SUBMITTER].events("order_postponed") or town.logs[SUBMITTER].events("commit_postponed"))


def market_time(ms: int) -> Callable[[], Condition]:
    """Until the market's clock went on by this much."""

    def fresh() -> Condition:
        began: list[int] = []

        def over(_: Town, payments: Payments, __: Task) -> bool:
            began[:] = began or [payments.market_now()]
            return payments.market_now() > began[0] + ms

        return over

    return fresh


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGSTOP of a process right after a fact, until a condition holds; ``deadline_ms`` of the task."""

    process: str
    fact: str
    until: Callable[[], Condition]
    why: str
    deadline_ms: int = 30_000

    def __str__(self) -> str:
        return f"{self.process}-{self.fact}"


STOPS = (
    Stop(REQUESTER, "BidsCollected", lambda: reveals_over, "until the reveal window is over"),
    Stop(REQUESTER, "Escrowed", market_time(9_000), "until the winner may not start any more"),
    Stop(REQUESTER, "Completed", lambda: fact("Paid"), "until the winner takes what was not reviewed in time"),
    Stop(PROVIDER, "Committed", lambda: fact("Cleared"), "until the others are compared"),
    Stop(PROVIDER, "Awarded", lambda: fact("WinnerFailed"), "until the work is overdue", deadline_ms=5_000),
    Stop(PROVIDER, "DeliveredOnChain", market_time(4_000), "for 4 s"),
    Stop(CHAIN, "Funded", lambda: postponed, "until it is given up waiting for"),
    Stop(CHAIN, "Completed", lambda: postponed, "until it is given up waiting for"),
    Stop(DATABASE, "Funded", market_time(4_000), "for 4 s"),
    Stop(DATABASE, "Escrowed", market_time(4_000), "for 4 s"),
)


@dataclass(frozen=True, slots=True)
class Cut:
    """Every connection between two processes is cut right after a fact, and so is each that follows for a while."""

    one: str
    other: str
    fact: str

    def __str__(self) -> str:
        return f"{self.one}-{self.other}-{self.fact}"


CUTS = [
    *(Cut(REQUESTER, PROVIDER, fact) for fact in ("Funded", "Closed", "Awarded", "DeliveredOnChain")),
    *(Cut(REQUESTER, CHAIN, fact) for fact in ("Submitted", "BidsCollected", "Cleared", "Escrowed", "Verified")),
    *(Cut(PROVIDER, CHAIN, fact) for fact in ("Committed", "Awarded", "Completed", "DeliveredOnChain")),
    *(Cut(REQUESTER, DATABASE, fact) for fact in ("Submitted", "Funded", "Escrowed", "Verified")),
    *(Cut(PROVIDER, DATABASE, fact) for fact in ("Committed", "Awarded", "Completed")),
]

# A process that ends often is started again after ever longer pauses: a world of its own for half the kills.
EARLY, LATE = kills("submit", "hold", "auction"), kills("award", "work", "deliver", "verify", "settle")
WORLDS: dict[str, dict[str, dict[str, Any]]] = {
    "early kills": {},
    "late kills": {},
    # Windows that a stopped process can sit out.
    "stops": {"market": {"start_within_ms": 8_000, "review_within_ms": 24_000}},
    "cuts": {},
}


class Grounds:
    """The world that rows are tried in; another one's name ends it and makes that one."""

    def __init__(self) -> None:
        self._name = ""
        self._open = contextlib.ExitStack()
        self.town: Town
        self.payments: Payments

    def enter(self, name: str) -> tuple[Town, Payments]:
        """The world of this name, whole."""
        if name != self._name:
            self.leave()
            self.town = self._open.enter_context(towns.town(WORLDS[name]))
            self.payments = self._open.enter_context(contextlib.closing(Payments(self.town)))
            self._name = name
        self.town.wait_whole()
        self.town.listen()
        return self.town, self.payments

    def leave(self) -> None:
        """End the world that is there."""
        self._name = ""
        self._open.close()


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    here = Grounds()
    yield here
    here.leave()


class Row:
    """One task, or two, from before the blow to the end: what has to hold is the same for every kind of blow."""

    def __init__(self, town: Town, payments: Payments, note: Note) -> None:
        self._town = town
        self._payments = payments
        self._note = note
        self._keeper = {name: town.sure(name, "node.status")["peer_id"] for name in NODES.values()}
        self._height = payments.height()
        self._before = payments.wealth()
        self._began = time.monotonic()
        self._tasks: list[Task] = []

    def submit(self, deadline_ms: int = 30_000) -> Task:
        """A task that has to end."""
        self._tasks.append(self._town.submit(deadline_ms))
        return self._tasks[-1]

    def blow(self) -> None:
        """From here on seconds count."""
        self._began = time.monotonic()

    def check(self, how: str, process: str, fact: str) -> None:
        """Wait for the ends, write the row down, and hold it against what has to be."""
        ends = [self._town.wait_ended(task) for task in self._tasks]
        seconds = time.monotonic() - self._began
        self._town.wait_whole()
        with contextlib.suppress(AssertionError):  # judged below, when the row is written down
            self._town.wait(lambda: not self._payments.stuck(), "money is stuck", self._tasks[0])
        stuck, audit = self._payments.stuck(), self._town.sure(SUBMITTER, "wallet.audit")
        paid = self._payments.since(self._height)
        of_each = [self._payments.of(task, paid) for task in self._tasks]
        counts = [counted.total() for counted in of_each]
        phases = [str(end["phase"]).lstrip("=") for end in ends]
        told = [f"{phase} ({end['outcome']})" for phase, end in zip(phases, ends, strict=True)]
        self._note(
            "kills",
            how=how,
            process=process,
            stage=STAGE_OF[fact],
            fact=fact,
            end=", ".join(told),
            paid=", ".join(map(str, counts)),
            audit=audit["difference"],
            seconds=f"{seconds:.1f}",
        )
        assert int(audit["difference"]) == 0
        assert counts == [int(phase == "settled") for phase in phases], "paid otherwise than once for each settled task"
        assert len(paid) == sum(counts), "somebody was paid for no task of ours"
        assert stuck == {}
        self._check_money(ends, sum(each.amount for each in paid), sum(each.fee for each in paid))
        seen = {name: self._town.sure(name, "node.status")["peer_id"] for name in NODES.values()}
        assert seen == self._keeper

    def _check_money(self, ends: list[dict[str, Any]], price: int, fee: int) -> None:
        """What was earned and spent, by the balances of the chain, against its events and the requester's view."""
        after = self._payments.wealth()
        gained = {name: after[name] - self._before[name] for name in after}
        settled = [end for end in ends if end["phase"].lstrip("=") == "settled"]
        assert (price, fee) == tuple(sum(int(end[name]) for end in settled) for name in ("price", "fee"))
        assert sum(gained[name] for name in gained if name != SUBMITTER) <= price
        spent = -gained[SUBMITTER]
        assert price + fee <= spent <= price + fee + len(ends) * MAX_ATTEMPTS * BOND_AND_FEES


@pytest.mark.parametrize(
    ("name", "kill"), [("early kills", kill) for kill in EARLY] + [("late kills", kill) for kill in LATE], ids=str
)
def test_a_killed_process_comes_back_and_every_task_ends(grounds: Grounds, note: Note, name: str, kill: Kill) -> None:
    town, payments = grounds.enter(name)
    row = Row(town, payments, note)
    before = town.process(kill.process)
    task = row.submit()
    town.wait_fact(kill.fact, task)

    row.blow()
    town.kill(kill.process)
    row.submit()  # while it is away

    row.check("kill", kill.process, kill.fact)
    assert town.process(kill.process) != before


def test_a_world_that_lost_everything_at_once_goes_on(grounds: Grounds, note: Note) -> None:
    town, payments = grounds.enter("late kills")
    row = Row(town, payments, note)
    task = row.submit()
    town.wait_fact("Submitted", task)

    row.blow()
    for process in (REQUESTER, PROVIDER, CHAIN, DATABASE):
        town.kill(process)

    row.check("kill", "all four", "Submitted")


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_a_process_that_stands_still_for_longer_than_a_window_holds_nobody_up_for_ever(
    grounds: Grounds, note: Note, stop: Stop
) -> None:
    town, payments = grounds.enter("stops")
    row = Row(town, payments, note)
    task = row.submit(stop.deadline_ms)
    over = stop.until()
    town.wait_fact(stop.fact, task)

    row.blow()
    with town.stopped(stop.process):
        town.wait(lambda: over(town, payments, task), f"not {stop.why}", task)

    row.check(f"stop {stop.why}", stop.process, stop.fact)


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_connections_that_break_again_and_again_lose_nothing(grounds: Grounds, note: Note, cut: Cut) -> None:
    town, payments = grounds.enter("cuts")
    row = Row(town, payments, note)
    try:
        cutters = between(town, cut.one, cut.other)
    except Forbidden as error:
        pytest.skip(f"this kernel forbids it: {error}")
    task = row.submit()
    town.wait_fact(cut.fact, task)

    row.blow()
    times = cut_again_and_again(cutters)

    row.check(f"cut {times} times", f"{cut.one} to {cut.other}", cut.fact)
    assert times > 0, "there was nothing to cut"


def between(town: Town, one: str, other: str) -> list[Cutter]:
    """What cuts a node off from another process, whoever of the two dialled."""
    pid = town.process(one).pid
    if other == CHAIN:
        return [Cutter(pid, town.world.plan.chain_port)]
    if other == DATABASE:
        return [Cutter(pid, DATABASE_SOCKET)]
    ports = {node.name: int(node.listen.rsplit("/", 1)[1]) for node in town.world.plan.nodes}
    return [Cutter(pid, ports[NODES[other]]), Cutter(town.process(other).pid, ports[NODES[one]])]
