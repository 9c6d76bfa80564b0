"""Stages Answer and GiveBack: a provider whose delivery is disputed looks at its own work again."""

import structlog
import trio

from ainur_node.domain.events import AnswerDiffers, AnswerStands, Paid
from ainur_node.domain.money import ZERO
from ainur_node.domain.orders import Answer, GiveBack
from ainur_node.domain.task import VerificationClass
from ainur_node.errors import Transient
from ainur_node.market.library import Library
from ainur_node.market.replaying import difference, job_of
from ainur_node.market.schema import check
from ainur_node.ports import Ledger, Run

log = structlog.get_logger(__name__)

RECEIPT_INVALID, REPLAY_DIFFERS, SCHEMA_INVALID = 1, 2, 3
# Grounds on which running the work again says who is right; that the result could not be had is not one of them.
DECIDABLE = frozenset({RECEIPT_INVALID, REPLAY_DIFFERS, SCHEMA_INVALID})
REPLAY_DEADLINE = 30_000
# A run that ends by a limit of this machine proves nothing: it is tried this often, with pauses of so many seconds.
TRIES = 3
PAUSE = 2.0


class Answering:
    """Stands by work that can be repeated; gives back the money for work that cannot."""

    def __init__(self, ledger: Ledger, library: Library) -> None:
        self._ledger = ledger
        self._library = library

    async def run(self, order: Answer) -> AnswerStands | AnswerDiffers:
        """Whether the delivered result is what the work gives here and now."""
        if order.ground not in DECIDABLE or order.spec.verification_class is not VerificationClass.DETERMINISTIC:
            return AnswerStands("nothing_to_replay")
        body = await self._library.bytes_of(order.receipt.execution.input_sha256)
        if body is None:
            return AnswerStands("input_gone")
        try:
            return await self._compare(order, body)
        except Transient:
            escrow = await self._ledger.escrow(order.escrow)
            if escrow is None or escrow.state != "disputed" or await self._ledger.market_now() > order.until:
                return AnswerStands("dispute_over")
            raise

    async def _compare(self, order: Answer, body: bytes) -> AnswerStands | AnswerDiffers:
        manifest = await self._library.ready(order.package)
        run = await self._replay(order, body)
        if not run.exit.provable:
            return AnswerStands(f"replay_ended_by_{run.exit.name.lower()}")
        differs = difference(run, order.receipt)
        if (
            differs is None
            and order.ground == SCHEMA_INVALID
            and manifest.output_schema_hash == order.spec.output_schema
        ):
            differs = "schema" if await check(run.output, manifest.output_schema) is not None else None
        if differs is None:
            return AnswerStands("replay_agrees")
        log.error("own_work_differs", escrow=order.escrow.hex()[:16], what=differs, fuel=run.fuel_used)
        return AnswerDiffers(differs)

    async def _replay(self, order: Answer, body: bytes) -> Run:
        genesis = self._ledger.genesis
        job = job_of(genesis, order.escrow, order.spec, order.opening, order.awarded_at, body, REPLAY_DEADLINE)
        for _ in range(TRIES - 1):
            run = await self._library.run(job)
            if run.exit.provable:
                return run
            await trio.sleep(PAUSE)
        return await self._library.run(job)

    async def give_back(self, order: GiveBack) -> Paid:
        """Return the money; whatever ended the escrow first is what counts."""
        how = await self._ledger.give_back(order.escrow)
        seen = await self._ledger.escrow(order.escrow)
        if seen is None or seen.payee != self._ledger.account:
            return Paid("gone", ZERO)
        if seen.state != "settled":
            raise Transient(f"the chain did not take escrow {order.escrow.hex()[:16]} back: {how}")
        whole = seen.outcome in ("paid", "auto")
        return Paid(seen.outcome, seen.amount if whole else seen.paid_so_far)
