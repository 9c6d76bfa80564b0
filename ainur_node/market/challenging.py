"""The bidder's side of a challenge window: follows each auction in which it bid, and proves what it can prove."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog
import trio

from ainur_node.domain import orders
from ainur_node.domain.auction.accusing import Ask, Held, Look, Over, Prove, Seen, Wait, next_move
from ainur_node.domain.auction.proofs import CODES, Proof
from ainur_node.domain.auction.standing import Convicted, Standing
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.canonical import capability_id
from ainur_node.domain.events import CommitRefused, Committed
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.provider import ProviderJob
from ainur_node.errors import Transient
from ainur_node.market import codec
from ainur_node.market.affidavits import Affidavits
from ainur_node.market.codec import JOB
from ainur_node.market.following import LOOK_EVERY, Following, Next
from ainur_node.market.grievances import Grievances
from ainur_node.market.library import Library
from ainur_node.ports import Ledger, Observer, Readiness, TaskStore

log = structlog.get_logger(__name__)

CHALLENGE = "challenge"
WATCHING, SUCCEEDED, REFUSED, OVER = "watching", "succeeded", "refused", "over"
MAX_REFUSED = 3
"""Challenges of one auction that the chain refused before this node gives up: each costs a fee."""
NAMED = frozenset({"better_bid", "withheld"})
"""Faults that nothing but their proof shows: the others are noted where they are met."""
LOOKS, LOOK_AGAIN = 3, 1.0
"""Looks for a transcript, and seconds between them, before it counts as withheld: a demand costs both sides a fee."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What this node did about an auction as ``auction why`` tells it; planck as text."""

    state: str
    fault: str = ""
    demanded: bool = False
    burned: str = "0"
    compensation: str = "0"
    reward: str = "0"
    block: int = 0
    why: str = ""
    refused: int = 0


@dataclass(slots=True)
class _Memory:
    """The transcript that was looked for, by its hash."""

    seen: Seen | None = None
    looked: bytes = b""

    def of(self, transcript: bytes) -> Seen | None:
        """What the last look for this transcript found; None when nobody looked yet."""
        return self.seen if self.looked == transcript else None

    def forget_missing(self) -> None:
        """A transcript that was found is the same for ever; one that is withheld may come yet."""
        if self.seen is not None and self.seen.transcript is None:
            self.seen = None


class Challenging:
    """Sends each call at most once; what it rests on is on disk before it leaves."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        store: TaskStore,
        grievances: Grievances,
        affidavits: Affidavits,
        observer: Observer,
    ) -> None:
        self._ledger = ledger
        self._library = library
        self._store = store
        self._grievances = grievances
        self._affidavits = affidavits
        self._observer = observer
        self._following = Following(CHALLENGE, store, unfinished=_is_watched, memory=_Memory, look=self._move)

    @property
    def open(self) -> int:
        """How many auctions are followed."""
        return self._following.open

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Take up what a restart left, then follow until cancelled."""
        await self._following.run(task_status=task_status)

    def after_commit(
        self, stage: Callable[[orders.SendCommit], Awaitable[Committed | CommitRefused]]
    ) -> Callable[[orders.SendCommit], Awaitable[Committed | CommitRefused]]:
        """The stage SendCommit; a bid that may have been taken in is followed from then on."""

        async def run(order: orders.SendCommit) -> Committed | CommitRefused:
            fact = await stage(order)
            chain = await self._ledger.auction(order.auction) if isinstance(fact, Committed) else None
            if chain is not None and chain.challenge_within:
                if await self._store.get_doc(CHALLENGE, order.auction) is None:
                    await self._put(order.auction, Challenge(WATCHING))
                self._following.follow(order.auction)
            return fact

        return run

    async def of(self, auction: bytes) -> Challenge | None:
        """What was done about an auction; None when it was never followed."""
        doc = await self._store.get_doc(CHALLENGE, auction)
        return msgspec.json.decode(doc, type=Challenge) if doc is not None else None

    # --- following ------------------------------------------------------------------------------------------------

    async def _move(self, auction: AuctionId, memory: _Memory) -> Next:
        chain, standing = await self._ledger.auction(auction), await self._ledger.standing(auction)
        job = await self._job(auction)
        if chain is None or job is None or (chain.state == "void" and not chain.bond):
            return await self._end(auction, OVER, "void")
        if standing is None:
            await self._ledger.watch_auction(auction, chain, until=chain.reveal_end)
            return Next.ON
        held = await self._held(job, standing)
        soon = standing.now + LOOK_EVERY
        match next_move(self._ledger.genesis, held, standing, memory.of(standing.transcript)):
            case Over(code=code):
                return await self._end(auction, OVER, code)
            case Prove(proof=proof):
                return Next.OVER if await self._prove(auction, proof) else Next.LATER
            case Look():
                memory.seen, memory.looked = await self._look(job, standing), standing.transcript
            case Ask():
                await self._demand(auction)
                await self._ledger.watch_auction(auction, chain, until=soon)
            case Wait(until=until):
                memory.forget_missing()
                await self._ledger.watch_auction(auction, chain, until=min(until or soon, soon))
        return Next.ON

    async def _held(self, job: ProviderJob, s: Standing) -> Held:
        """The bid, and whatever the auctioneer signed about it so far."""
        kept = await self._affidavits.of(job.auction)
        seen_block, inclusion = 0, b""
        for stored in await self._store.facts(JOB, job.auction):
            fact = codec.decode_fact(stored.kind, stored.fact)
            if isinstance(fact, Committed) and fact.inclusion:
                seen_block, inclusion = fact.seen_block, fact.inclusion
        capability = capability_id(job.capability)
        quality = await self._ledger.frozen_quality(job.opening.provider, capability, s.score_epoch)
        return Held(
            opening=job.opening,
            commit=job.commit.commit,
            spec=job.spec.encode(),
            quality=quality if quality is not None else -1,
            seen_block=seen_block,
            inclusion=inclusion,
            other=kept.other,
            ack=kept.ack,
            place=kept.place,
        )

    async def _look(self, job: ProviderJob, s: Standing) -> Seen:
        found = await self._library.find_transcript(s.transcript, [job.auctioneer])
        for _ in range(LOOKS - 1):
            if isinstance(found, Transcript):
                break
            await trio.sleep(LOOK_AGAIN)
            found = await self._library.find_transcript(s.transcript, [job.auctioneer])
        if not isinstance(found, Transcript):
            return Seen(None, {})
        capability = capability_id(job.capability)
        frozen = {
            row.commit.provider: await self._ledger.frozen_quality(row.commit.provider, capability, s.score_epoch)
            for row in found.rows
        }
        return Seen(found, frozen)

    async def _job(self, auction: AuctionId) -> ProviderJob | None:
        stored = await self._store.load(JOB, auction)
        job = codec.decode_state(JOB, stored.state) if stored is not None else None
        return job if isinstance(job, ProviderJob) else None

    # --- moves ----------------------------------------------------------------------------------------------------

    async def _prove(self, auction: AuctionId, proof: Proof) -> bool:
        """Challenge; False when it was refused and the auction is worth another look."""
        fault = CODES[type(proof)]
        before = await self.of(auction) or Challenge(WATCHING)
        await self._put(auction, replace(before, fault=fault))
        answer = await self._ledger.challenge(auction, proof)
        if isinstance(answer, Convicted):
            done = replace(
                before,
                state=SUCCEEDED,
                fault=fault,
                burned=str(answer.burned),
                compensation=str(answer.compensation),
                reward=str(answer.reward),
                block=answer.block,
            )
            await self._put(auction, done)
            self._observer.count(f"challenge.{fault}")
            if fault in NAMED:
                await self._grievances.note(auction, fault, "auction", auction)
            log.warning("auctioneer_convicted", auction=auction.hex()[:16], fault=fault, burned=done.burned)
            return True
        log.info("challenge_refused", auction=auction.hex()[:16], fault=fault, code=answer.code)
        refused = before.refused + 1
        over = refused >= MAX_REFUSED or answer.code == "no_bond"
        state = REFUSED if over else WATCHING
        await self._put(auction, replace(before, state=state, fault=fault, why=answer.code, refused=refused))
        return over

    async def _demand(self, auction: AuctionId) -> None:
        refused = await self._ledger.demand(auction)
        before = await self.of(auction) or Challenge(WATCHING)
        await self._put(auction, replace(before, demanded=True, why=refused.code if refused is not None else ""))
        if refused is not None:
            raise Transient(f"the transcript cannot be demanded: {refused.hint}")

    async def _end(self, auction: AuctionId, state: str, why: str) -> Next:
        before = await self.of(auction) or Challenge(WATCHING)
        await self._put(auction, replace(before, state=state, why=why))
        return Next.OVER

    async def _put(self, auction: AuctionId, challenge: Challenge) -> None:
        await self._store.put_doc(CHALLENGE, auction, msgspec.json.encode(challenge).decode())


def _is_watched(doc: str) -> bool:
    return msgspec.json.decode(doc, type=Challenge).state == WATCHING


def told(doc: str | None) -> dict[str, Any] | None:
    """A stored challenge as a row of ``auction why``: only what this node did, not that it looked."""
    challenge = msgspec.json.decode(doc, type=Challenge) if doc is not None else Challenge(WATCHING)
    if not (challenge.fault or challenge.demanded):
        return None
    return {
        "state": challenge.state,
        "fault": challenge.fault or None,
        "demanded": challenge.demanded,
        "burned": challenge.burned,
        "compensation": challenge.compensation,
        "reward": challenge.reward,
        "block": challenge.block or None,
        "why": challenge.why or None,
    }
