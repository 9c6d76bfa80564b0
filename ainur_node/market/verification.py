"""Stage Verify: fetch the delivered result, check its receipt, run the work again."""

import structlog
import trio

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.events import Mismatch, Settled, Verified, WinnerFailed
from ainur_node.domain.ids import NodeKey, PackageId
from ainur_node.domain.orders import Verify
from ainur_node.domain.receipt import Exit, Receipt, delivery_hash, hash_of, seed_of
from ainur_node.domain.task import VerificationPolicy
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.library import Library
from ainur_node.market.messages import EscrowHint, Output
from ainur_node.market.replaying import difference, job_of
from ainur_node.market.schema import check
from ainur_node.market.watching import GONE, PAID, ended, gone
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import ChainEscrow, Ledger, Mesh, RemoteRefusal, Run, Sandbox
from ainur_node.signing import signed_by

log = structlog.get_logger(__name__)

NOT_AVAILABLE, RECEIPT_INVALID, REPLAY_DIFFERS, SCHEMA_INVALID = range(4)
FETCH_TIMEOUT = 10.0
# Disputing takes a block or two: give up on missing bytes this long (market ms) before the review time ends.
LAST_CALL = 10_000
REPLAY_DEADLINE = 30_000
# A result that the clock paid for is asked for this often, with pauses of so many seconds.
TRIES = 5
PAUSE = 2.0


class Verification:
    """Trusts nothing but hashes: the delivery on chain, the signed receipt, and its own replay."""

    def __init__(self, mesh: Mesh, ledger: Ledger, library: Library, sandbox: Sandbox) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._library = library
        self._sandbox = sandbox

    async def run(self, order: Verify) -> Verified | Mismatch | WinnerFailed | Settled:
        """Verified, or the ground of dispute with evidence; how the escrow ended when the clock was faster."""
        escrow = await self._ledger.escrow(order.escrow)
        if escrow is not None and escrow.state == "settled":
            return await self._afterwards(order, ended(order.escrow, order.opening.provider, escrow))
        if escrow is None and (end := await gone(self._ledger, order.escrow, order.deliver_by)) is not None:
            return await self._afterwards(order, end)
        provider = await self._ledger.provider(order.opening.provider)
        if provider is None:
            raise Transient("the provider's record cannot be read")
        try:
            output = await self._fetch(order, provider.node_key)
        except (Transient, RemoteRefusal, Misbehaviour) as exc:
            return await self._unavailable(order, escrow, str(exc))
        return await self._check(order, output, provider.node_key)

    async def _afterwards(
        self, order: Verify, done: WinnerFailed | Settled
    ) -> Verified | Mismatch | WinnerFailed | Settled:
        """The clock paid before we looked, or may have: the result is fetched and checked all the same."""
        if not isinstance(done, Settled) or done.outcome not in (*PAID, GONE):
            return done
        for _ in range(TRIES):
            try:
                provider = await self._ledger.provider(order.opening.provider)
                if provider is None:
                    return done
                output = await self._fetch(order, provider.node_key)
                return await self._check(order, output, provider.node_key, paid=True)
            except (Transient, RemoteRefusal, Misbehaviour) as exc:
                log.info("paid_result_not_had", escrow=order.escrow.hex()[:16], why=str(exc))
                await trio.sleep(PAUSE)
        return done

    async def _fetch(self, order: Verify, node_key: NodeKey) -> Output:
        request = messages.encode(EscrowHint(auction=order.auction, escrow=order.escrow))
        answer = await self._mesh.request(peer_id_of(node_key), "task.output", request, timeout=FETCH_TIMEOUT)
        return messages.decode(Output, answer)

    async def _unavailable(self, order: Verify, escrow: ChainEscrow | None, why: str) -> Mismatch:
        now = await self._ledger.market_now()
        if escrow is None or now < escrow.delivered_at + escrow.review_within - LAST_CALL:
            raise Transient(f"the result cannot be fetched yet: {why}")
        evidence = await self._library.keep(why.encode()[:1000])
        return Mismatch(order.escrow, NOT_AVAILABLE, "not_available", evidence)

    async def _check(
        self, order: Verify, output: Output, node_key: NodeKey, *, paid: bool = False
    ) -> Verified | Mismatch:
        """Against receipt, replay and schema; a replay that ends undecided is tried again unless all is ``paid``."""
        receipt = output.receipt(order.escrow)
        fault = self._receipt_fault(order, output, receipt, node_key)
        if fault is not None:
            return await self._mismatch(order, RECEIPT_INVALID, fault, output)
        manifest = await self._library.ready(await self._package(order))
        if manifest.module != order.opening.terms.module:
            raise Transient("the package of the winner's module cannot be had")
        run = await self._replay(order) if order.spec.policy is VerificationPolicy.REPLAY else None
        if run is not None and not run.exit.provable and not paid:
            raise Transient(f"the replay could not be finished here: {run.exit.name}")
        replayed = run is not None and run.exit.provable
        if run is not None and replayed and (what := difference(run, receipt)) is not None:
            log.warning("replay_differs", escrow=order.escrow.hex()[:16], what=what, fuel=run.fuel_used)
            return await self._mismatch(order, REPLAY_DIFFERS, "replay_differs", output)
        if manifest.output_schema_hash != order.spec.output_schema:
            raise Transient("no package here has both the module and the output schema of the task")
        if await check(output.body, manifest.output_schema) is not None:
            return await self._mismatch(order, SCHEMA_INVALID, "schema_invalid", output)
        blob = await self._library.keep(output.body)
        return Verified(order.escrow, blob, len(output.body), receipt, replayed)

    def _receipt_fault(self, order: Verify, output: Output, receipt: Receipt, node_key: NodeKey) -> str | None:
        genesis, e = self._ledger.genesis, receipt.execution
        digest = hash_of(genesis, receipt)
        delivery = delivery_hash(genesis, order.escrow, 0, order.opening.provider, e.output_sha256, digest, output.salt)
        expected = {
            # The chain drops the hash when an escrow ends: without it the signature and the replay have to do.
            "delivery": (delivery, order.delivery or delivery),
            "output": (content_hash(output.body), e.output_sha256),
            "provider": (e.provider, order.opening.provider),
            "terms": (e.terms, terms_hash(genesis, order.opening.terms)),
            "input": (e.input_sha256, order.input_sha256),
            "seed": (e.seed, seed_of(genesis, order.escrow, order.input_sha256)),
            "clock": (e.clock, order.awarded_at),
            "exit": (e.exit, Exit.OK),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                return f"receipt_{name}"
        if e.fuel_used > order.spec.limits.fuel or len(output.body) > order.spec.limits.output:
            return "receipt_limits"
        return None if signed_by(node_key, digest, receipt.signature) else "receipt_signature"

    async def _package(self, order: Verify) -> PackageId:
        """A package with the module of the escrow; the agent may have been updated to another one since."""
        held = self._library.package_of(order.opening.terms.module, order.spec.output_schema)
        if held is not None:
            return held.manifest.package
        agents = await self._ledger.agents()
        won = next((a for a in agents if a.agent == order.opening.terms.agent), None)
        return PackageId(won.package) if won is not None else order.package

    async def _replay(self, order: Verify) -> Run:
        task_input = await self._library.bytes_of(order.input_sha256)
        if task_input is None:
            raise Transient("the input is missing from the blob store")
        genesis = self._ledger.genesis
        job = job_of(genesis, order.escrow, order.spec, order.opening, order.awarded_at, task_input, REPLAY_DEADLINE)
        return await self._library.run(job)

    async def _mismatch(self, order: Verify, ground: int, code: str, output: Output) -> Mismatch:
        evidence = await self._library.keep(messages.encode(output))
        return Mismatch(order.escrow, ground, code, evidence)
