"""An arbiter's judgement: the work run again in the sandbox, and what differs from the delivery."""

import structlog
import trio

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court.arbiter import SCHEMA_INVALID, Ballot, Findings, judge
from ainur_node.domain.court.docket import Docket
from ainur_node.domain.court.evidence import Bundle, opens_delivery, receipt_fault
from ainur_node.domain.receipt import hash_of, seed_of
from ainur_node.errors import Transient
from ainur_node.market.court_evidence import Evidence
from ainur_node.market.library import Library
from ainur_node.market.replaying import difference
from ainur_node.market.schema import check
from ainur_node.ports import Clock, Job, Run
from ainur_node.ports.court import CourtBook
from ainur_node.signing import signed_by

log = structlog.get_logger(__name__)

REPLAY_DEADLINE = 30_000
TRIES = 3
PAUSE = 1.0


class Judging:
    """Trusts nobody: what is judged is bound to hashes on chain."""

    def __init__(self, evidence: Evidence, library: Library, book: CourtBook, clock: Clock) -> None:
        self._evidence = evidence
        self._library = library
        self._book = book
        self._clock = clock

    async def judge(self, docket: Docket) -> Ballot:
        """The vote; Transient while what it needs cannot be had: nothing is guessed."""
        found = await self.look(docket)
        ballot = judge(docket.ground, found, self._clock.random(32), replay=docket.replay)
        log.info(
            "judged",
            case=docket.case.hex()[:16],
            round=docket.round,
            holds=ballot.holds,
            receipt=found.receipt_fault,
            differs=found.difference,
            opened=found.opened,
        )
        return ballot

    async def look(self, docket: Docket) -> Findings:
        """Fetch, check, replay."""
        parties = await self._evidence.parties(docket)
        peers = list(parties.values())
        bundles = await self._evidence.bundles(docket, parties)
        if not bundles:
            if docket.replay:
                raise Transient("no party shows the work that this case is about")
            return Findings(opened=False, output=bytes(32), had_output=False)
        genesis = self._book.genesis
        bundle = next((each for each in bundles if opens_delivery(genesis, each, docket)), bundles[0])
        opened = opens_delivery(genesis, bundle, docket)
        if not docket.replay:
            output = await self._evidence.fetch(docket, bundle.receipt.execution.output_sha256, peers)
            return Findings(opened=opened, output=bytes(32), had_output=output is not None)
        body = await self._evidence.fetch(docket, bundle.receipt.execution.input_sha256, peers)
        if body is None:
            raise Transient("no party hands over the input of the work")
        manifest = await self._library.ready(await self._evidence.package(bundles, peers))
        run = await self._replay(docket, bundle, body)
        schema_fault = None
        if docket.ground == SCHEMA_INVALID:
            delivered = await self._evidence.fetch(docket, bundle.receipt.execution.output_sha256, peers)
            schema_fault = "gone" if delivered is None else await check(delivered, manifest.output_schema)
        return Findings(
            opened=opened,
            output=content_hash(run.output),
            receipt_fault=await self._receipt_fault(docket, bundle),
            difference=difference(run, bundle.receipt),
            schema_fault=schema_fault,
        )

    async def _receipt_fault(self, docket: Docket, bundle: Bundle) -> str | None:
        fault = receipt_fault(self._book.genesis, bundle, docket)
        if fault is not None:
            return fault
        key = await self._book.node_key(docket.payee)
        if key is None:
            raise Transient("the payee's node key cannot be read")
        signed = signed_by(key, hash_of(self._book.genesis, bundle.receipt), bundle.receipt.signature)
        return None if signed else "signature"

    async def _replay(self, docket: Docket, bundle: Bundle, body: bytes) -> Run:
        """The very job of the award; a run that this machine ended proves nothing and is tried again."""
        limits = bundle.spec.limits
        job = Job(
            module=docket.module,
            input=body,
            seed=seed_of(self._book.genesis, docket.escrow, content_hash(body)),
            clock=docket.awarded_at,
            fuel=limits.fuel,
            memory_kib=limits.memory_kib,
            output_limit=limits.output,
            deadline_ms=REPLAY_DEADLINE,
        )
        for _ in range(TRIES):
            run = await self._library.run(job)
            if run.exit.provable:
                return run
            await trio.sleep(PAUSE)
        raise Transient(f"the replay ended with {run.exit.name}, which proves nothing")
