"""The service of parties: follows every dispute of this node to its end, and makes the calls that are its own."""

from collections.abc import Iterator

import structlog
import trio

from ainur_node.domain import provider, requester
from ainur_node.domain.court.docket import Closed, Docket, Role
from ainur_node.domain.court.nonces import case_id, chain_of, next_link
from ainur_node.domain.court.party import Move, Policy, Wait, next_move
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Transient
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.court_evidence import Evidence
from ainur_node.market.court_records import MAX_KEPT, CourtRecords
from ainur_node.market.engine import Engine
from ainur_node.ports import Observer, Readiness
from ainur_node.ports.court import CourtBook, Done

log = structlog.get_logger(__name__)

MAX_FOLLOWED = 64
"""Disputes of one node that are followed at the same time; the others wait for one of them to end."""
LOOK_EVERY = 2.0
LONGEST_PAUSE = 8.0


class Parties:
    """Payer or payee, whichever this node is in a dispute."""

    def __init__(
        self,
        engine: Engine,
        book: CourtBook,
        records: CourtRecords,
        evidence: Evidence,
        observer: Observer,
        appeals: int,
    ) -> None:
        self._engine = engine
        self._book = book
        self._records = records
        self._evidence = evidence
        self._observer = observer
        self._policy = Policy(stands=True, appeals=appeals)
        self._followed: set[EscrowId] = set()
        self._adopted: set[EscrowId] = set()

    def adopt(self, escrow: EscrowId) -> None:
        """Follow a dispute that a person opened: the task itself knows nothing of it."""
        self._adopted.add(escrow)

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Follow disputes until cancelled."""
        async with trio.open_nursery() as nursery:
            for _, known in await self._records.cases(MAX_KEPT):
                if known.role == Role.PAYER.name.lower():
                    self.adopt(EscrowId(bytes.fromhex(known.escrow)))
            task_status.started()
            height = 0
            while True:
                for escrow, role, state in self._mine():
                    if escrow not in self._followed and len(self._followed) < MAX_FOLLOWED:
                        self._followed.add(escrow)
                        nursery.start_soon(self._follow, escrow, role, state)
                await self._book.wait_block(height, LOOK_EVERY)
                height = await self._book.height()

    def _mine(self) -> Iterator[tuple[EscrowId, Role, RequesterTask | ProviderJob]]:
        for state in self._engine.states(TASK):
            if not isinstance(state, RequesterTask) or state.escrow is None:
                continue
            if state.phase is requester.Phase.DISPUTED or state.escrow in self._adopted:
                yield state.escrow, Role.PAYER, state
        for state in self._engine.states(JOB):
            # Answered: it was run again, and stands; what does not stand is given back by the engine.
            stands = isinstance(state, ProviderJob) and state.phase is provider.Phase.DELIVERED and state.answered
            if stands and isinstance(state, ProviderJob) and state.escrow is not None:
                yield state.escrow, Role.PAYEE, state

    async def _follow(self, escrow: EscrowId, role: Role, state: RequesterTask | ProviderJob) -> None:
        pause = 0.5
        try:
            while True:
                try:
                    docket = await self._book.docket(escrow)
                    if docket is None or isinstance(docket.phase, Closed):
                        return
                    height = await self._book.height()
                    now = await self._book.market_now()
                    move = next_move(docket, role, self._policy, now=now, height=height)
                    if isinstance(move, Wait):
                        await self._book.wait_block(height, LOOK_EVERY)
                        continue
                    done = await self.make(docket, role, move, state)
                except Transient as exc:
                    log.info("court_waits", escrow=escrow.hex()[:16], why=str(exc))
                    await trio.sleep(min(pause, LONGEST_PAUSE))
                    pause *= 2
                    continue
                self._observer.count(f"court.{move}")
                if isinstance(done, Rejection):
                    # Somebody else was faster, or the chain's clock is behind ours: look again, never at once.
                    log.info("court_refused", escrow=escrow.hex()[:16], move=str(move), code=done.code)
                    await trio.sleep(min(pause, LONGEST_PAUSE))
                    pause *= 2
                else:
                    log.info("court_moved", escrow=escrow.hex()[:16], move=str(move), block=done.block)
                    pause = 0.5
        finally:
            self._followed.discard(escrow)
            self._adopted.discard(escrow)

    async def make(
        self, docket: Docket, role: Role, move: Move, state: RequesterTask | ProviderJob
    ) -> Done | Rejection:
        """Carry a move out; what it rests on is on disk before it leaves."""
        me = docket.payer if role is Role.PAYER else docket.payee
        case = docket.case or case_id(self._book.genesis, docket.escrow, docket.milestone)
        if move not in (Move.RESPOND, Move.PLEAD, Move.OPEN_NONCE):
            return await self._book.poke(docket, move)
        secret = await self._records.secret(case)
        if move is Move.OPEN_NONCE:
            link = next_link(self._book.genesis, case, me, secret, docket.nonces[role])
            if link is None:
                return Rejection(
                    "no_nonce", "the secret behind this node's nonces is not the one that was committed to"
                )
            return await self._book.open_nonce(docket, link)
        await self._records.note(case, docket.escrow, role.name.lower())
        head = chain_of(self._book.genesis, case, me, secret)[0]
        if move is Move.RESPOND:
            exhibits = await self._evidence.of_job(case, state) if isinstance(state, ProviderJob) else []
            return await self._book.respond(docket, exhibits, head)
        exhibits = await self._evidence.of_task(case, state) if isinstance(state, RequesterTask) else []
        return await self._book.plead(docket, exhibits, head)
