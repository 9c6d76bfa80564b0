"""The one loop that turns facts into orders: fact -> step -> commit -> carry out the orders."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
import trio

from ainur_node.domain import provider, requester
from ainur_node.domain.orders import Order
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Bug, Transient
from ainur_node.market import codec
from ainur_node.market.codec import JOB, TASK, Fact, State
from ainur_node.ports import AlreadyDone, Clock, Conflict, Observer, Readiness, StoredOrder, TaskStore

log = structlog.get_logger(__name__)

Stage = Callable[[Any], Awaitable[Fact]]

# First pause after a transient failure, and the longest; doubled in between.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
# An order that ended the node this often is set aside at the next start, until another version of the node is started;
# ``ainur status`` counts such orders.
CRASHES_TO_PARK = 3
CRASHES = "stage_crash"
MAX_PARKED = 10_000
# Seconds that somebody who waits for an answer is kept waiting for a store that is away: it may just be restarting.
STORE_PATIENCE = 15.0


@dataclass(slots=True)
class _Life:
    """An open life in memory: its state, version and whoever waits for news of it."""

    state: State | None
    version: int
    lock: trio.Lock = field(default_factory=trio.Lock)
    news: trio.Event = field(default_factory=trio.Event)


class Engine:
    """Owns every open life; only ``step`` chooses the next order and only this class hands it out."""

    def __init__(
        self,
        store: TaskStore,
        genesis: bytes,
        stages: Mapping[type, Stage],
        observer: Observer,
        clock: Clock,
        *,
        build: str = "",
    ) -> None:
        self._store = store
        self._genesis = genesis
        self._stages = stages
        self._observer = observer
        self._clock = clock
        self._build = build
        self._lives: dict[tuple[str, bytes], _Life] = {}
        self._nursery: trio.Nursery | None = None
        self._closed = False
        self._busy = 0
        self._parked = 0
        self._crashes: dict[bytes, int] = {}
        self.listeners: list[Callable[[str, bytes, Fact, State], None]] = []
        self.on_resume: list[Callable[[list[State]], None]] = []

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Take up what a restart left open, then carry out orders until cancelled."""
        try:
            await self._run(task_status)
        finally:
            self._closed = True

    async def _run(self, task_status: Readiness) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for life in (TASK, JOB):
                for stored in await self._store.open_lives(life):
                    state = codec.decode_state(life, stored.state)
                    self._lives[life, stored.key] = _Life(state, stored.version)
            for resume in self.on_resume:
                resume(self.states(TASK))
            self._crashes = {key: self._crashed(doc) for key, doc in await self._store.docs(CRASHES, MAX_PARKED)}
            for order in await self._store.pending_orders():
                if self._crashes.get(_order_key(order), 0) >= CRASHES_TO_PARK:
                    self._parked += 1
                    log.error("order_parked", order=order.kind, key=order.key.hex()[:16], id=order.id)
                else:
                    nursery.start_soon(self._carry_out, order)
            task_status.started()
            await trio.sleep_forever()

    # --- facts from outside ---------------------------------------------------------------------------------------

    async def begin(self, life: str, key: bytes, fact: Fact) -> bool:
        """Start a life with its first fact; False when it exists already."""
        if (life, key) in self._lives:
            return False
        entry = self._lives[life, key] = _Life(None, 0)
        result = False
        try:
            async with entry.lock:
                state, orders = _begin(self._genesis, life, fact)
                # Whoever gives up waiting (a command line, a peer) must not leave a fact that is stored but unknown.
                with trio.CancelScope(shield=True):
                    result = await self._commit(life, key, entry, fact, state, orders, None)
        finally:
            if not result:
                self._lives.pop((life, key), None)
        return result

    async def tell(self, life: str, key: bytes, decide: Callable[[State], Fact | Rejection]) -> Rejection | None:
        """Let ``decide`` look at the state and answer with a fact or a refusal, with nothing in between."""
        entry = self._lives.get((life, key))
        if entry is None:
            return Rejection("not_open", "this one is over or unknown here")
        async with entry.lock:
            if entry.state is None:
                return Rejection("not_open", "this one is over or unknown here")
            answer = decide(entry.state)
            if isinstance(answer, Rejection):
                return answer
            state, orders = _step(entry.state, answer)
            with trio.CancelScope(shield=True):  # as above
                await self._commit(life, key, entry, answer, state, orders, None)
            return None

    # --- questions ------------------------------------------------------------------------------------------------

    def state(self, life: str, key: bytes) -> State | None:
        """The state of an open life."""
        entry = self._lives.get((life, key))
        return entry.state if entry else None

    def states(self, life: str) -> list[State]:
        """All open lives of one kind."""
        return [entry.state for (kind, _), entry in self._lives.items() if kind == life and entry.state is not None]

    async def wait_news(self, life: str, key: bytes) -> None:
        """Return at the next fact of an open life; at once when it is not open."""
        entry = self._lives.get((life, key))
        if entry is not None:
            await entry.news.wait()

    async def wait_quiet(self) -> None:
        """Return when no life is open; deadlines are the caller's."""
        while self._lives:
            await self.wait_news(*next(iter(self._lives)))

    def statistics(self) -> dict[str, int]:
        """Open lives and orders under way."""
        return {"open": len(self._lives), "orders": self._busy, "parked": self._parked}

    # --- orders ---------------------------------------------------------------------------------------------------

    async def _carry_out(self, stored: StoredOrder) -> None:
        order = codec.decode_order(stored.kind, stored.body)
        self._busy += 1
        try:
            await self._until_answered(stored, order)
        finally:
            self._busy -= 1

    async def _until_answered(self, stored: StoredOrder, order: Order) -> None:
        pause = FIRST_PAUSE
        while True:
            entry = self._lives.get((stored.life, stored.key))
            started = trio.current_time()
            try:
                if entry is None or entry.state is None:
                    await self._store.finish(stored.id, "the life is over")
                    return
                fact = await self._stages[type(order)](order)
                self._observer.time(stored.kind, trio.current_time() - started)
                await self._answer(stored, entry, fact)
                return
            except Exception as exc:  # reason: the stage guard: what was not foreseen is a bug, said once and loudly
                if not _only_transient(exc):
                    log.exception("stage_failed", order=stored.kind, key=stored.key.hex()[:16])
                    await self._note_crash(stored)
                    raise Bug(f"{stored.kind} of {stored.key.hex()[:16]} failed: {exc!r}") from exc
                self._observer.count("orders_postponed")
                log.warning("order_postponed", order=stored.kind, key=stored.key.hex()[:16], why=str(exc), pause=pause)
                await self._postpone(stored, str(exc))
                await trio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _crashed(self, doc: str) -> int:
        """How often an order ended this build of the node; what another build stumbled over may be mended."""
        found = msgspec.json.decode(doc)
        count, build = found if isinstance(found, list) else (found, self._build)
        return int(count) if build == self._build else 0

    async def _note_crash(self, stored: StoredOrder) -> None:
        """Count it, so that one order cannot end the node at every start."""
        key = _order_key(stored)
        self._crashes[key] = self._crashes.get(key, 0) + 1
        try:
            doc = msgspec.json.encode([self._crashes[key], self._build]).decode()
            await self._store.put_doc(CRASHES, key, doc)
        except Transient as exc:
            log.warning("crash_not_stored", order=stored.kind, why=str(exc))

    async def _postpone(self, stored: StoredOrder, why: str) -> None:
        try:
            await self._store.postpone(stored.id, why[:500])
        except Transient as exc:
            log.warning("postpone_not_stored", order=stored.kind, why=str(exc))

    async def _answer(self, stored: StoredOrder, entry: _Life, fact: Fact) -> None:
        async with entry.lock:
            if entry.state is None:
                return
            state, orders = _step(entry.state, fact)
            await self._commit(stored.life, stored.key, entry, fact, state, orders, stored.id)

    async def _written(self, row: tuple[Any, ...], patience: float) -> list[int] | Conflict | AlreadyDone:
        """Commit, again and again while the store is away.

        The very same row each time: a commit whose answer was lost is found again only by its own words, and a stage
        that runs a second time may come to others.
        """
        deadline, pause = trio.current_time() + patience, FIRST_PAUSE
        while True:
            try:
                return await self._store.commit(*row)
            except Transient as exc:
                if trio.current_time() + pause > deadline:
                    raise
                log.warning("commit_postponed", fact=row[3], key=row[1].hex()[:16], why=str(exc), pause=pause)
                await trio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _commit(
        self, life: str, key: bytes, entry: _Life, fact: Fact, state: State, orders: Sequence[Order], done: int | None
    ) -> bool:
        """Write fact, state and orders together, then hand the orders out."""
        kind = type(fact).__name__
        rows = [(type(order).__name__, codec.encode(order)) for order in orders]
        phase = f"={state.phase}" if state.final else str(state.phase)
        row = (life, key, entry.version, kind, codec.encode(fact), codec.encode(state), phase, rows, done)
        result = await self._written(row, STORE_PATIENCE if done is None else math.inf)
        if isinstance(result, AlreadyDone):
            raise Bug(f"{life} {key.hex()[:16]} went on without this process: order {done} is answered already")
        if isinstance(result, Conflict):
            if entry.version == 0:
                return False
            raise Bug(f"two writers on {life} {key.hex()[:16]}: version {entry.version} here, {result.stored} stored")
        entry.version += 1
        entry.state = state
        log.info("fact", fact=kind, life=life, key=key.hex()[:16], phase=str(state.phase))
        self._observer.count(f"{life}.{kind}")
        for listener in self.listeners:
            listener(life, key, fact, state)
        entry.news.set()
        entry.news = trio.Event()
        if state.final:
            self._lives.pop((life, key), None)
            entry.state = None
        if self._nursery is None:
            raise Bug("the engine is not running")
        if self._closed:  # The node is stopping: what is stored with the fact is taken up by the next start.
            return True
        for order_id, (order_kind, body) in zip(result, rows, strict=True):
            self._nursery.start_soon(self._carry_out, StoredOrder(order_id, life, key, order_kind, body, 0))
        return True


def _only_transient(exc: BaseException) -> bool:
    """Whether time alone may help; nurseries inside a stage wrap what it raises in groups."""
    if isinstance(exc, BaseExceptionGroup):
        return all(_only_transient(each) for each in exc.exceptions)
    return isinstance(exc, Transient)


def _order_key(order: StoredOrder) -> bytes:
    return order.id.to_bytes(8, "big")


def _begin(genesis: bytes, life: str, fact: Any) -> tuple[State, Sequence[Order]]:
    return requester.begin(genesis, fact) if life == TASK else provider.begin(genesis, fact)


def _step(state: State, fact: Any) -> tuple[State, Sequence[Order]]:
    match state:
        case RequesterTask():
            return requester.step(state, fact)
        case ProviderJob():
            return provider.step(state, fact)
