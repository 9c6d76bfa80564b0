"""The payer's bonds: each is followed from before the close until it is free again, or somebody took it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
import trio

from ainur_node.domain.auction.bond import Over, Publish, Release, Wait, lost, next_move
from ainur_node.domain.auction.standing import Standing
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.rejection import Rejection
from ainur_node.market.following import LOOK_EVERY, Following, Next
from ainur_node.market.library import Library
from ainur_node.ports import ChainAuction, Ledger, Observer, Readiness, TaskStore

log = structlog.get_logger(__name__)

BOND = "bond"
KEPT, RETURNED, LOST, GONE = "kept", "returned", "lost", "gone"
IDLE = 60_000
"""Market ms between two looks before the window begins."""


class _Order(Protocol):
    @property
    def auction(self) -> AuctionId: ...


O = TypeVar("O", bound=_Order)  # noqa: E741 # reason: an order, as T is a type
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond as ``task show`` tells it: planck, and market time until which the award can be challenged."""

    state: str
    amount: str
    until: int = 0


@dataclass(slots=True)
class _Memory:
    standing: Standing | None = None
    answered: int = 0
    """Market time of the newest demand that was answered."""


class Bonds:
    """Answers demands, takes the bond back after the window; nothing of it needs a person."""

    def __init__(self, ledger: Ledger, library: Library, store: TaskStore, observer: Observer) -> None:
        self._ledger = ledger
        self._library = library
        self._store = store
        self._observer = observer
        self._following = Following(BOND, store, unfinished=_is_kept, memory=_Memory, look=self._look)

    @property
    def open(self) -> int:
        """How many bonds are at stake."""
        return self._following.open

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Take up what a restart left, then follow until cancelled; anybody may release what is too old."""
        await self._following.run(task_status=task_status)

    def before(self, stage: Callable[[O], Awaitable[F]]) -> Callable[[O], Awaitable[F]]:
        """A stage from which on the bond can be lost: it is on disk and followed before that begins."""

        async def run(order: O) -> F:
            chain = await self._ledger.auction(order.auction)
            if chain is not None and chain.challenge_within and chain.bond:
                await self._keep(order.auction, chain)
            return await stage(order)

        return run

    async def _keep(self, auction: AuctionId, chain: ChainAuction) -> None:
        if await self._store.get_doc(BOND, auction) is None:
            await self._put(auction, Bond(KEPT, str(chain.bond)))
        self._following.follow(auction)

    async def _look(self, auction: AuctionId, memory: _Memory) -> Next:
        seen = await self._ledger.auction(auction)
        standing = await self._ledger.standing(auction)
        if seen is None or (standing is None and seen.state == "void"):
            return await self._end(auction, GONE)
        if standing is None:
            await self._ledger.watch_auction(auction, seen, until=seen.award_by)
            return Next.ON
        move = next_move(standing, published=memory.answered == standing.demanded > 0)
        if isinstance(move, Over):
            return await self._end(auction, LOST if lost(memory.standing, standing) else GONE)
        memory.standing = standing
        match move:
            case Wait(until=until):
                await self._note(auction, standing)
                await self._ledger.watch_auction(auction, seen, until=_next_look(standing, until))
            case Publish():
                await self._publish(auction, standing)
                memory.answered = standing.demanded
            case Release():
                if (refused := await self._ledger.release_bond(auction)) is None:
                    return await self._end(auction, RETURNED)
                log.info("bond_not_released", auction=auction.hex()[:16], code=refused.code)
                return Next.LATER
        return Next.ON

    async def _publish(self, auction: AuctionId, standing: Standing) -> None:
        found = await self._library.find_transcript(standing.transcript, [])
        refused = await self._ledger.publish(found) if isinstance(found, Transcript) else found
        code = refused.code if isinstance(refused, Rejection) else "published"
        self._observer.count(f"bond.{code}")
        log.info("demand_answered", auction=auction.hex()[:16], code=code)

    async def _note(self, auction: AuctionId, standing: Standing) -> None:
        known = await self.of(auction)
        if known is not None and known.until != standing.until:
            await self._put(auction, replace(known, until=standing.until))

    async def _end(self, auction: AuctionId, state: str) -> Next:
        known = await self.of(auction)
        await self._put(auction, replace(known, state=state) if known is not None else Bond(state, "0"))
        self._observer.count(f"bond.{state}")
        (log.warning if state == LOST else log.info)("bond_over", auction=auction.hex()[:16], state=state)
        return Next.OVER

    async def of(self, auction: bytes) -> Bond | None:
        """What became of the bond of an auction; None when it had no challenge window."""
        doc = await self._store.get_doc(BOND, auction)
        return msgspec.json.decode(doc, type=Bond) if doc is not None else None

    async def _put(self, auction: AuctionId, bond: Bond) -> None:
        await self._store.put_doc(BOND, auction, msgspec.json.encode(bond).decode())


def _is_kept(doc: str) -> bool:
    return msgspec.json.decode(doc, type=Bond).state == KEPT


def _next_look(s: Standing, until: int) -> int:
    """Within a window a demand may come at any time."""
    return min(until, s.now + LOOK_EVERY) if until else s.now + IDLE


def told(doc: str | None) -> dict[str, Any] | None:
    """A stored bond as a row of ``task show``; None when its auction had no challenge window."""
    if doc is None:
        return None
    bond = msgspec.json.decode(doc, type=Bond)
    return {"state": bond.state, "amount": bond.amount, "until": bond.until}
