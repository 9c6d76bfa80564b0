"""Becoming an arbiter and ceasing to be one: each step happens once, whatever dies while it is under way."""

from typing import Protocol

import structlog
import trio

from ainur_node.domain.money import Amount, format_ain
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.market.court_records import CourtRecords
from ainur_node.ports.court import ArbiterRecord, CourtBook, Done

log = structlog.get_logger(__name__)

LOOK_EVERY = 30.0
"""Seconds between two looks whether the stake of an arbiter that left can be had: it lasts for days."""
RETRY = 2.0


class Identity(Protocol):
    """The part of the registry that arbiters need."""

    async def bind_node_key(self) -> Rejection | None:
        """Tell the chain which node key is this account's: by it parties know to whom they show evidence."""
        ...


class Joining:
    """Joins and leaves for one account."""

    def __init__(self, book: CourtBook, identity: Identity, records: CourtRecords) -> None:
        self._book = book
        self._identity = identity
        self._records = records
        self._busy = trio.Lock()

    async def join(self, stake: Amount, key: bytes) -> Done | Rejection:
        """Put ``stake`` more behind seats because a person says so; once for each ``key``."""
        short = None if await self._book.knows_join(key) else await self._short_of(stake)
        if short is not None:
            return short
        await self._records.note_left(left=False)
        return await self._join(stake, key)

    async def _short_of(self, stake: Amount) -> Rejection | None:
        """What the chain would refuse for want of money is not signed: it would cost a fee."""
        price = await self._book.price(["join_arbiters"])
        needed = Amount(stake + sum(price.fees.values()))
        if needed <= price.spendable:
            return None
        return Rejection(
            "not_enough_free",
            f"stake and fees come to {format_ain(needed)} AIN, {format_ain(price.spendable)} AIN can be spent: "
            "take a smaller stake, or add money with ainur wallet fund",
            {"spendable": str(price.spendable)},
        )

    async def _join(self, stake: Amount, key: bytes) -> Done | Rejection:
        refused = await self._identity.bind_node_key()
        return refused if refused is not None else await self._book.join(stake, key)

    async def join_up_to(self, stake: Amount) -> Done | Rejection | None:
        """Join with what is missing to ``stake``; None when nothing is, or this account left or is leaving."""
        if not await self._records.ordered("join"):
            known = await self._book.arbiter(self._book.account)
            missing = stake - (known.stake if known is not None else 0)
            if missing <= 0 or (known is not None and known.leaving is not None) or await self._records.left():
                return None
        else:
            missing = 0  # what an earlier process ordered is brought to its end first
        key, ordered = await self._records.order("join", missing)
        done = await self._join(Amount(ordered), key)
        await self._records.end_order("join")
        return done if missing or isinstance(done, Rejection) else await self.join_up_to(stake)

    async def leave(self) -> tuple[str, Done | Rejection]:
        """Be drawn no more; once the unbonding time is over, take the stake back. What was done, and how it went."""
        known = await self._book.arbiter(self._book.account)
        if known is None:
            return "none", Rejection("not_an_arbiter", "this account is no arbiter: ainur dispute join makes it one")
        if known.leaving is None:
            await self._records.note_left(left=True)
            return "leaving", await self._once("leave")
        not_yet = await self._not_yet(known)
        return ("waiting", not_yet) if not_yet is not None else ("withdrawn", await self._once("withdraw"))

    async def _once(self, name: str) -> Done | Rejection:
        async with self._busy:
            key, _ = await self._records.order(name)
            done = await (self._book.leave(key) if name == "leave" else self._book.withdraw(key))
            await self._records.end_order(name)
            return done

    async def _not_yet(self, known: ArbiterRecord) -> Rejection | None:
        """Why the stake of an arbiter that left cannot be had; by sealed time, so that no call is refused."""
        left = (known.leaving or 0) - await self._book.sealed_now()
        if left > 0:
            wait = f"it left already; the stake can be had in {-(-left // 1000)} s, and a running node then takes it"
            return Rejection("unbonding", wait, {"stake": str(known.stake)})
        if known.locked:
            return Rejection(
                "stake_locked",
                "seats of a case that is not closed lock the stake: the node takes it back when that case ends",
                {"locked": str(known.locked)},
            )
        return None

    async def run(self) -> None:
        """Take the stake back by itself once an arbiter that left may have it."""
        while True:
            try:
                known = await self._book.arbiter(self._book.account)
                due = known is not None and known.leaving is not None and await self._not_yet(known) is None
                if due:
                    done = await self._once("withdraw")
                    what = done.code if isinstance(done, Rejection) else "stake_is_back"
                    log.info("left_the_court", how=what)
            except Transient as exc:
                log.info("court_waits", why=str(exc))
                await trio.sleep(RETRY)
                continue
            await trio.sleep(LOOK_EVERY)
