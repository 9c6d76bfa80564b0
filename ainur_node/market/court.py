"""The court at one node: the services of parties and arbiters, their evidence, and the desk that asks them."""

from typing import Any

import structlog
import trio

from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_evidence import Evidence
from ainur_node.market.court_joining import Identity, Joining
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_parties import Parties
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.desk_arbiters import ArbiterDesk
from ainur_node.market.desk_court import CourtDesk
from ainur_node.market.desk_dockets import Dockets
from ainur_node.market.engine import Engine
from ainur_node.market.library import Library
from ainur_node.ports import Clock, Ledger, Mesh, Observer, Readiness, TaskStore
from ainur_node.ports.court import CourtBook

log = structlog.get_logger(__name__)

RETRY = 2.0


class Court:
    """Serve, then run; ``stake`` None: this node joins the arbiters only when it is told to."""

    def __init__(
        self,
        store: TaskStore,
        mesh: Mesh,
        ledger: Ledger,
        library: Library,
        engine: Engine,
        book: CourtBook,
        identity: Identity,
        clock: Clock,
        observer: Observer,
        *,
        stake: Amount | None,
        appeals: int,
    ) -> None:
        records = CourtRecords(store, clock)
        self._evidence = Evidence(store, mesh, ledger, library, book, records)
        judging = Judging(self._evidence, library, book, clock)
        self._parties = Parties(engine, book, records, self._evidence, observer, appeals)
        self._arbitrating = Arbitrating(book, records, judging, observer)
        self._joining = Joining(book, identity, records)
        self._stake = stake
        dockets = Dockets(book, store)
        self._arbiters = ArbiterDesk(book, records, judging, self._arbitrating, self._joining, dockets, clock)
        self._desk = CourtDesk(
            book,
            ledger,
            store,
            records,
            self._evidence,
            self._parties,
            self._arbiters,
            dockets,
            clock,
        )

    def serve(self) -> None:
        """Answer arbiters from now on."""
        self._evidence.serve()

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Follow disputes and seats until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._parties.run)
            await nursery.start(self._arbitrating.run)
            nursery.start_soon(self._joining.run)
            if self._stake is not None:
                nursery.start_soon(self._join, self._stake)
            task_status.started()

    async def _join(self, stake: Amount) -> None:
        """What the configuration asks for; an arbiter that left stays one that left."""
        while True:
            try:
                done = await self._joining.join_up_to(stake)
            except Transient as exc:
                log.info("court_waits", why=str(exc))
                await trio.sleep(RETRY)
                continue
            if isinstance(done, Rejection):
                log.warning("not_an_arbiter", code=done.code, hint=done.hint)
            return

    def handlers(self) -> dict[str, Any]:
        """Local questions by method name."""
        desk, arbiters = self._desk, self._arbiters
        return {
            "dispute.open": desk.open,
            "dispute.evidence": desk.evidence,
            "dispute.vote": arbiters.vote,
            "dispute.show": desk.show,
            "dispute.list": desk.list_cases,
            "dispute.appeal": desk.appeal,
            "dispute.denounce": arbiters.denounce,
            "dispute.join": arbiters.join,
            "dispute.leave": arbiters.leave,
            "dispute.arbiter": arbiters.arbiter,
            "quote.dispute_open": desk.quote_open,
            "quote.dispute_evidence": desk.quote_evidence,
            "quote.dispute_vote": arbiters.quote_vote,
            "quote.dispute_appeal": desk.quote_appeal,
            "quote.dispute_denounce": arbiters.quote_denounce,
            "quote.dispute_join": arbiters.quote_join,
            "quote.dispute_leave": arbiters.quote_leave,
        }
