"""The arbiters' service: finds the cases in which this account has a seat, votes, and opens its votes."""

import structlog
import trio

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court.arbiter import Ballot, Duty, next_duty
from ainur_node.domain.court.docket import Docket, Voting
from ainur_node.domain.court.party import Wait
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_records import CourtRecords
from ainur_node.ports import Observer, Readiness
from ainur_node.ports.court import ArbiterRecord, CourtBook, Done

log = structlog.get_logger(__name__)

MAX_FOLLOWED = 64
LOOK_EVERY = 2.0
LONGEST_PAUSE = 4.0
NOTE_EVERY = 256
"""Blocks between two notes of how far this node has looked for seats."""
SCAN_BACK = 4_096
"""Blocks that are looked through for seats after this node was away: older ones are of cases long over."""


class Arbitrating:
    """One arbiter, in any number of cases."""

    def __init__(self, book: CourtBook, records: CourtRecords, judging: Judging, observer: Observer) -> None:
        self._book = book
        self._records = records
        self._judging = judging
        self._observer = observer
        self._followed: set[bytes] = set()
        self._searched = self._noted = 0
        self._voting: dict[bytes, trio.Lock] = {}

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Events are read only when the locked stake says that there is a seat to find."""
        async with trio.open_nursery() as nursery:
            task_status.started()
            known: Amount | None = ZERO
            mine: ArbiterRecord | None = None
            height = await self._book.height()
            while True:
                try:
                    mine = await self._book.arbiter(self._book.account)
                    locked = mine.locked if mine is not None else ZERO
                    if locked != known:
                        for escrow, case in await self._seats(height):
                            if case not in self._followed and len(self._followed) < MAX_FOLLOWED:
                                self._followed.add(case)
                                nursery.start_soon(self._follow, escrow, case)
                        known = locked
                    elif mine is not None and not locked:
                        await self._nothing_until(height)
                except Transient as exc:
                    log.info("court_waits", why=str(exc))
                    known = None
                    if mine is None:
                        await trio.sleep(LOOK_EVERY)  # whoever is no arbiter need not look at every block
                await self._book.wait_block(height, LOOK_EVERY)
                height = await self._book.height()

    async def _nothing_until(self, height: int) -> None:
        """No seat up to a block: a search begins there, after a restart a little before."""
        self._searched = height
        if height >= self._noted + NOTE_EVERY:
            await self._records.note_scanned(height)
            self._noted = height

    async def _seats(self, height: int) -> list[tuple[EscrowId, bytes]]:
        """Cases in which this account was seated since the last look without any."""
        scanned = self._searched if self._searched else await self._records.scanned() or 0
        first = max(height - SCAN_BACK, scanned + 1, 1)
        found: dict[bytes, EscrowId] = {}
        while first <= height:
            last = min(first + 255, height)
            found |= {case: escrow for escrow, case in await self._book.seated_in(first, last)}
            first = last + 1
        return [(escrow, case) for case, escrow in found.items()]

    async def _follow(self, escrow: EscrowId, case: bytes) -> None:
        pause, noted = 0.5, False
        try:
            while True:
                try:
                    if not noted:
                        await self._records.note(case, escrow, "arbiter")
                        noted = True
                    docket = await self._book.docket(escrow)
                    if docket is None or docket.case != case:
                        return
                    done = await self._serve(docket)
                except Transient as exc:
                    log.info("court_waits", case=case.hex()[:16], why=str(exc))
                    await trio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                if done is Duty.DONE:
                    return
                if isinstance(done, Rejection):
                    log.info("court_refused", case=case.hex()[:16], code=done.code)
                    await trio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                else:
                    pause = 0.5
        finally:
            self._followed.discard(case)

    async def _serve(self, docket: Docket) -> Done | Rejection | Duty | None:
        """Do what is due now, or wait for a block; DONE when nothing will ever be."""
        ballot = await self._records.ballot(docket)
        now, sealed = await self._book.market_now(), await self._book.sealed_now()
        duty = next_duty(docket, self._book.account, ballot, now=now, sealed=sealed)
        if isinstance(duty, Wait):
            await self._book.wait_block(await self._book.height(), LOOK_EVERY)
            return None
        if duty is Duty.DONE:
            return duty
        self._observer.count(f"court.{duty}")
        match duty:
            case Duty.JUDGE if await self._a_persons(docket, now):
                await self._book.wait_block(await self._book.height(), LOOK_EVERY)
                return None
            case Duty.JUDGE:
                await self.vote(docket, None)
                return None
            case Duty.COMMIT if ballot is not None:
                return await self.commit(docket, ballot)
            case Duty.REVEAL if ballot is not None:
                opening = (ballot.output, ballot.holds, ballot.payee_bps)
                return await self._book.reveal_vote(docket, opening, ballot.salt)
            case _:
                return await self._book.poke(docket, duty)

    async def _a_persons(self, docket: Docket, now: int) -> bool:
        """Whether a person may still judge: where nothing is replayed the first half of the time to vote is theirs."""
        if docket.replay or not isinstance(docket.phase, Voting):
            return False
        return docket.phase.commit_end - now > (await self._book.terms()).commit // 2

    async def vote(self, docket: Docket, given: Ballot | None) -> Ballot:
        """The vote of this draw: the one that stands, else ``given``, else by judging; on disk when this returns."""
        lock = self._voting.setdefault(docket.case, trio.Lock())
        try:
            async with lock:
                known = await self._records.ballot(docket)
                if known is None:
                    known = given if given is not None else await self._judging.judge(docket)
                    await self._records.cast(docket, known)
                return known
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._voting.pop(docket.case, None)

    async def commit(self, docket: Docket, ballot: Ballot) -> Done | Rejection:
        """Commit to a vote that is on disk."""
        commit = ballot.commit(self._book.genesis, docket.case, docket.round, self._book.account)
        log.info("voting", case=docket.case.hex()[:16], commit=content_hash(commit).hex()[:16])
        return await self._book.commit_vote(docket, commit)
