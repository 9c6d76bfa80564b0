"""Stage StartWork and the hand-over of bytes: fetch the input, run the agent, sign the receipt, serve the result."""

import structlog
import trio

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.events import Completed, WorkFailed
from ainur_node.domain.ids import AuctionId, EscrowId, PeerId
from ainur_node.domain.orders import StartWork
from ainur_node.domain.provider import Phase, ProviderJob
from ainur_node.domain.receipt import Execution, Exit, Receipt, hash_of
from ainur_node.domain.task import input_commitment
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import codec, messages
from ainur_node.market.codec import JOB
from ainur_node.market.engine import Engine
from ainur_node.market.library import Library
from ainur_node.market.messages import EscrowHint, Input, output_message
from ainur_node.market.replaying import job_of
from ainur_node.market.schema import check
from ainur_node.ports import Clock, Ledger, Mesh, RemoteRefusal, Run, Sandbox, TaskStore
from ainur_node.signing import NodeSigner

log = structlog.get_logger(__name__)

FETCH_TIMEOUT = 10.0
SHORTEST_FETCH = 1.0
FETCH_PAUSE = 0.5
# Declining must be in a block before the start limit: stop asking for the input this long (market ms) before it.
LAST_CALL = 3_000
WORK_DEADLINE = 30_000
PATIENCE = 2.0
SERVES_OUTPUT = frozenset({Phase.DELIVERED, Phase.ANSWERING, Phase.GIVING_BACK, Phase.PAID, Phase.UNPAID})


class Working:
    """Runs won jobs; only an exit ok with an output of the right shape is ever delivered."""

    def __init__(
        self,
        mesh: Mesh,
        ledger: Ledger,
        library: Library,
        sandbox: Sandbox,
        signer: NodeSigner,
        clock: Clock,
    ) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._library = library
        self._sandbox = sandbox
        self._signer = signer
        self._clock = clock

    async def run(self, order: StartWork) -> Completed | WorkFailed:
        """Do the work."""
        task_input = await self._fetch(order)
        if isinstance(task_input, WorkFailed):
            return task_input
        body = task_input.body
        sha = content_hash(body)
        if input_commitment(self._ledger.genesis, task_input.salt, sha) != order.spec.input_commitment:
            return WorkFailed("input_mismatch", "the input is not what the task committed to")
        manifest = await self._library.ready(order.package)
        await self._keep_input(order.escrow, task_input)
        genesis = self._ledger.genesis
        job = job_of(genesis, order.escrow, order.spec, order.opening, order.awarded_at, body, WORK_DEADLINE)
        run = await self._library.run(job)
        if run.exit is not Exit.OK:
            return WorkFailed(f"exit_{run.exit.name.lower()}", run.log[-200:].decode("utf-8", "replace"))
        if (why := await check(run.output, manifest.output_schema)) is not None:
            return WorkFailed("output_schema", why)
        await self._library.keep(run.output)
        return Completed(self._receipt(order, run, sha, job.seed), self._clock.random(32))

    async def _keep_input(self, escrow: EscrowId, task_input: Input) -> None:
        """For the day somebody disputes the work; a full disk costs us that answer, but not the job."""
        try:
            await self._library.keep(task_input.body)
            await self._library.keep_salt(escrow, task_input.salt)
        except Transient as exc:
            log.warning("input_not_kept", why=str(exc))

    async def _fetch(self, order: StartWork) -> Input | WorkFailed:
        """The input, asked for again and again while declining is still possible.

        The engine's back-off would be too coarse: a pause longer than LAST_CALL costs the performance lock.
        """
        request = messages.encode(EscrowHint(auction=order.auction, escrow=order.escrow))
        while True:
            left = (order.start_by - LAST_CALL - await self._ledger.market_now()) / 1000
            try:
                timeout = min(max(left, SHORTEST_FETCH), FETCH_TIMEOUT)
                answer = await self._mesh.request(order.requester, "task.input", request, timeout=timeout)
                return messages.decode(Input, answer)
            except (Transient, RemoteRefusal, Misbehaviour) as exc:
                now = await self._ledger.market_now()
                if now > order.start_by:
                    escrow = await self._ledger.escrow(order.escrow)
                    if escrow is None or escrow.state == "settled" or escrow.payee != order.opening.provider:
                        return WorkFailed("escrow_ended", "the escrow ended before the input could be had")
                    # Too late to decline without loss: only the input can help now.
                    raise Transient(f"the input cannot be fetched: {exc}") from exc
                if now > order.start_by - LAST_CALL:
                    return WorkFailed("input_unavailable", str(exc)[:200])
                await trio.sleep(FETCH_PAUSE)

    def _receipt(self, order: StartWork, run: Run, input_sha256: bytes, seed: bytes) -> Receipt:
        genesis = self._ledger.genesis
        execution = Execution(
            escrow=order.escrow,
            provider=order.opening.provider,
            terms=terms_hash(genesis, order.opening.terms),
            input_sha256=input_sha256,
            seed=seed,
            clock=order.awarded_at,
            host_transcript=run.host_transcript,
            output_sha256=content_hash(run.output),
            output_len=len(run.output),
            exit=run.exit,
            code=run.code,
            fuel_used=run.fuel_used,
        )
        unsigned = Receipt(execution, run.cpu_ns, run.peak_memory_kib, self._sandbox.engine, b"")
        signature = self._signer.sign(hash_of(genesis, unsigned))
        return Receipt(execution, run.cpu_ns, run.peak_memory_kib, self._sandbox.engine, signature)


class ServingOutputs:
    """Answers ``task.output``: the result's bytes, once the delivery is in a block, to the requester only."""

    def __init__(self, mesh: Mesh, engine: Engine, library: Library, store: TaskStore) -> None:
        self._mesh = mesh
        self._engine = engine
        self._library = library
        self._store = store

    def serve(self) -> None:
        """Start answering."""
        self._mesh.serve("task.output", self._output, max_body=256, per_peer_per_second=100, concurrent=32)

    async def _output(self, peer: PeerId, body: bytes) -> bytes:
        request = messages.decode(EscrowHint, body)
        job = await self._delivered(AuctionId(request.auction))
        known = job is not None and job.escrow == EscrowId(request.escrow) and job.auctioneer == peer
        if job is None or not known or job.receipt is None or job.phase not in SERVES_OUTPUT:
            raise RemoteRefusal("not_delivered", "nothing was delivered under this escrow to this peer")
        output = await self._library.bytes_of(job.receipt.execution.output_sha256)
        if output is None:
            raise RemoteRefusal("gone", "the result is no longer stored here")
        return messages.encode(output_message(output, job.delivery_salt, job.receipt))

    async def _delivered(self, auction: AuctionId) -> ProviderJob | None:
        """The job; the requester may see the delivery on chain before we have written it down."""
        with trio.move_on_after(PATIENCE):
            while (job := await self._job(auction)) is not None and job.phase is Phase.DELIVERING:
                await self._engine.wait_news(JOB, auction)
        return await self._job(auction)

    async def _job(self, auction: AuctionId) -> ProviderJob | None:
        state = self._engine.state(JOB, auction)
        if state is None:
            stored = await self._store.load(JOB, auction)
            state = codec.decode_state(JOB, stored.state) if stored is not None else None
        return state if isinstance(state, ProviderJob) else None
