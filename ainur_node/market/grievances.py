"""What a bidder holds against an auctioneer or a buyer: found when a bid or a job ends, kept with its evidence.

Nothing here moves money: the chain's rules did that already. It says who did what, and where the proof of it lies, so
that ``ainur auction why`` on the node that was wronged names the offender.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
import trio

from ainur_node.domain import orders
from ainur_node.domain.auction.commitments import bid_set_root
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.events import Awarded, Challenged, Committed, Lost, Paid
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.provider import Phase, ProviderJob
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import auditing, codec
from ainur_node.market.codec import JOB
from ainur_node.market.hints import LOST
from ainur_node.market.library import Library
from ainur_node.ports import ChainAuction, Ledger, Observer, RemoteRefusal, TaskStore

log = structlog.get_logger(__name__)

GRIEVANCE = "grievance"
# Different wrongs that are kept of one auction: the words of a peer must not fill the store.
MAX_KEPT = 8
# Seconds to look for evidence when a bid or job has ended; its end waits for it.
PATIENCE = 5.0

SENTENCES = {
    "dropped_commit": "it signed that it had taken this node's bid in, and left it out of the bids closed on chain",
    "other_root": "it asked this node to open its bid under another root than the one on chain",
    "not_my_leaf": "it asked this node to open its bid without showing the bid under the root on chain",
    "left_out": "this node opened its bid when it was asked, and the transcript says that it did not",
    "false_transcript": "the transcript behind its award does not hold",
    "underpaid": "it paid less than the rule gives by the reserve and the bids that stand on chain",
    "better_bid": "it signed for this node's reveal and awarded past it, or paid more than this bid left room for",
    "withheld": "it did not publish the transcript that its winner asked for on chain",
    "never_awarded": "it closed the bids and named no winner in time; its bond is burned",
    "never_accepted": "it let the review time pass without a word; the chain paid by itself",
    "input_withheld": "it did not hand the input over in time, so the work was declined",
    "input_mismatch": "it handed over another input than the one that the task is about, so the work was declined",
}
"""What an auctioneer or a buyer can be named for, in a sentence each."""

_DECLINED = {"input_unavailable": "input_withheld", "input_mismatch": "input_mismatch"}


@dataclass(frozen=True, slots=True)
class Grievance:
    """One wrong: who is answerable, and the kind and id of the evidence, for people and programs alike."""

    code: str
    who: str
    kind: str
    id: str
    details: dict[str, str] = field(default_factory=dict)


class Grievances:
    """Looks at auctions when they have ended for this node, and keeps what was wrong about them."""

    def __init__(self, ledger: Ledger, library: Library, store: TaskStore, observer: Observer) -> None:
        self._ledger = ledger
        self._library = library
        self._store = store
        self._observer = observer

    # --- stages with a look afterwards ----------------------------------------------------------------------------

    def after_bid(
        self, stage: Callable[[orders.AwaitAward], Awaitable[Awarded | Lost]]
    ) -> Callable[[orders.AwaitAward], Awaitable[Awarded | Lost]]:
        """The stage AwaitAward; a bid that is lost is looked into before that is written down."""

        async def run(order: orders.AwaitAward) -> Awarded | Lost:
            fact = await stage(order)
            if isinstance(fact, Lost):
                await self._look(order.auction, self._lost)
            return fact

        return run

    def after_work(
        self, stage: Callable[[orders.AwaitSettlement], Awaitable[Challenged | Paid]]
    ) -> Callable[[orders.AwaitSettlement], Awaitable[Challenged | Paid]]:
        """The stage AwaitSettlement; who was paid looks whether it was by the rule."""

        async def run(order: orders.AwaitSettlement) -> Challenged | Paid:
            fact = await stage(order)
            if isinstance(fact, Paid):
                if fact.outcome == "auto":
                    await self.note(order.auction, "never_accepted", "escrow", order.escrow)
                await self._look(order.auction, self._won)
            return fact

        return run

    def after_decline(
        self, stage: Callable[[orders.Decline], Awaitable[Paid]]
    ) -> Callable[[orders.Decline], Awaitable[Paid]]:
        """The stage Decline; a job that was declined for the buyer's fault names the buyer."""

        async def run(order: orders.Decline) -> Paid:
            fact = await stage(order)
            code = _DECLINED.get(order.code)
            escrow = await self._ledger.escrow(order.escrow) if code is not None else None
            if code is not None and escrow is not None:
                await self.note(escrow.auction, code, "escrow", order.escrow)
            return fact

        return run

    # --- what is kept ---------------------------------------------------------------------------------------------

    async def note(self, auction: AuctionId, code: str, kind: str, evidence: bytes, **details: str) -> None:
        """Keep a wrong, once for each code; without effect on an auction in which this node did not bid."""
        job = await self._job(auction)
        kept = await self._kept(auction)
        if job is None or len(kept) >= MAX_KEPT or any(each.code == code for each in kept):
            return
        found = Grievance(code, job.payer.hex(), kind, evidence.hex(), details)
        await self._store.put_doc(GRIEVANCE, auction, msgspec.json.encode([*kept, found]).decode())
        self._observer.count(f"grievance.{code}")
        log.warning("grievance", code=code, auction=auction.hex()[:16], who=found.who[:16], kind=kind)

    async def _kept(self, auction: AuctionId) -> list[Grievance]:
        return kept_of(await self._store.get_doc(GRIEVANCE, auction))

    # --- looking --------------------------------------------------------------------------------------------------

    async def _look(self, auction: AuctionId, look: Callable[[ProviderJob, ChainAuction], Awaitable[None]]) -> None:
        """Look within PATIENCE; evidence that cannot be had now says nothing against anybody."""
        with trio.move_on_after(PATIENCE):
            try:
                job, chain = await self._job(auction), await self._ledger.auction(auction)
                if job is not None and chain is not None:
                    await look(job, chain)
            except (Transient, RemoteRefusal, Misbehaviour) as exc:
                log.info("not_looked_into", auction=auction.hex()[:16], why=str(exc))

    async def _lost(self, job: ProviderJob, chain: ChainAuction) -> None:
        """A bid that did not win: was it there, was it opened, was anybody awarded?"""
        closing = await self._ledger.closing(job.auction)
        if chain.state == "void" and closing is not None and not chain.failed:
            await self.note(job.auction, "never_awarded", "auction", job.auction, root=closing.root.hex())
        if closing is None or not chain.transcript or not await self._suspicious(job):
            return
        transcript = await self._transcript(job, chain)
        if transcript is None:
            return
        row = next((r for r in transcript.rows if r.commit.provider == job.opening.provider), None)
        if row is None or row.commit.commit != job.commit.commit:
            await self._dropped(job, closing, transcript)
        elif job.phase is Phase.REVEALED and row.status is RowStatus.NOT_REVEALED:
            await self.note(job.auction, "left_out", "transcript", chain.transcript)

    async def _suspicious(self, job: ProviderJob) -> bool:
        """Whether the transcript is worth fetching: most bids are lost to a better one, and each would cost a call."""
        doc = await self._store.get_doc(LOST, job.auction)
        told = msgspec.json.decode(doc) if doc is not None else {}
        return job.phase is not Phase.REVEALED or told.get("outcome") != "outbid"

    async def _dropped(self, job: ProviderJob, closing: ChainAuction, transcript: Transcript) -> None:
        """Not among the bids: proven when those bids make the root on chain and the auctioneer signed for ours."""
        rows = {row.commit.provider: row.commit.commit for row in transcript.rows}
        if bid_set_root(self._ledger.genesis, job.auction, rows) != closing.root:
            await self.note(job.auction, "false_transcript", "transcript", closing.transcript, failed="root")
            return
        for stored in await self._store.facts(JOB, job.auction):
            happened = codec.decode_fact(stored.kind, stored.fact)
            if isinstance(happened, Committed) and happened.inclusion:
                await self.note(
                    job.auction,
                    "dropped_commit",
                    "inclusion",
                    happened.inclusion,
                    signed_by=closing.auctioneer_key.hex(),
                    commit=job.commit.commit.hex(),
                    seen_block=str(happened.seen_block),
                    root=closing.root.hex(),
                    transcript=closing.transcript.hex(),
                )

    async def _won(self, job: ProviderJob, chain: ChainAuction) -> None:
        """Work that was paid: does the transcript hold, and is the price that of the rule?"""
        transcript = await self._transcript(job, chain) if chain.transcript else None
        escrow = await self._ledger.escrow(chain.escrow) if chain.escrow is not None else None
        if transcript is None or escrow is None or escrow.payee != job.opening.provider:
            return
        checks = await auditing.checks(self._ledger, job.auction, chain, escrow, transcript)
        # Another bidder may have changed its key since: no fault of the auctioneer's.
        failed = [check.name for check in checks if not check.ok and check.name != "node_key"]
        if not failed:
            return
        due = auditing.due_by_the_chain(self._ledger.genesis, chain, transcript)
        details = {"failed": ", ".join(failed), "paid": str(escrow.amount)}
        if due is not None and due.winner.provider == escrow.payee:
            details["due"] = str(due.price)
        short = due is not None and due.winner.provider == escrow.payee and escrow.amount < due.price
        code = "underpaid" if short else "false_transcript"
        await self.note(job.auction, code, "transcript", chain.transcript, **details)

    async def _transcript(self, job: ProviderJob, chain: ChainAuction) -> Transcript | None:
        found = await self._library.find_transcript(chain.transcript, [job.auctioneer])
        return found if isinstance(found, Transcript) else None

    async def _job(self, auction: AuctionId) -> ProviderJob | None:
        stored = await self._store.load(JOB, auction)
        job = codec.decode_state(JOB, stored.state) if stored is not None else None
        return job if isinstance(job, ProviderJob) else None


def kept_of(doc: str | None) -> list[Grievance]:
    """The wrongs of one auction, as stored."""
    return msgspec.json.decode(doc, type=list[Grievance]) if doc is not None else []


def rows_of(doc: str | None) -> list[dict[str, Any]]:
    """The wrongs of one auction as rows for people: who, for what, on what evidence."""
    return [
        {
            "who": each.who,
            "role": "requester",
            "code": each.code,
            "sentence": SENTENCES.get(each.code, each.code),
            "evidence": {"kind": each.kind, "id": each.id},
            "details": each.details,
        }
        for each in kept_of(doc)
    ]
