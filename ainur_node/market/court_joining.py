"""Becoming an arbiter and ceasing to be one."""

from typing import Protocol

from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.ports import Clock
from ainur_node.ports.court import CourtBook, Done


class Identity(Protocol):
    """The part of the registry that arbiters need."""

    async def bind_node_key(self) -> Rejection | None:
        """Tell the chain which node key is this account's: by it parties know to whom they show evidence."""
        ...


class Joining:
    """Joins and leaves for one account."""

    def __init__(self, book: CourtBook, identity: Identity, clock: Clock) -> None:
        self._book = book
        self._identity = identity
        self._clock = clock

    async def join(self, stake: Amount) -> Done | Rejection:
        """Put ``stake`` more behind seats, node key first."""
        refused = await self._identity.bind_node_key()
        if refused is not None:
            return refused
        return await self._book.join(stake, self._clock.random(16))

    async def join_up_to(self, stake: Amount) -> Done | Rejection | None:
        """Join with what is missing to ``stake``; None when nothing is, or this account is leaving."""
        known = await self._book.arbiter(self._book.account)
        missing = stake - (known.stake if known is not None else 0)
        if missing <= 0 or (known is not None and known.leaving is not None):
            return None
        return await self.join(Amount(missing))

    async def leave(self) -> tuple[str, Done | Rejection]:
        """Be drawn no more; once the unbonding time is over, take the stake back. What was done, and how it went."""
        known = await self._book.arbiter(self._book.account)
        if known is None:
            return "none", Rejection("not_an_arbiter", "this account is no arbiter: ainur dispute join makes it one")
        if known.leaving is None:
            return "leaving", await self._book.leave()
        if await self._book.market_now() < known.leaving:
            left = (known.leaving - await self._book.market_now()) // 1000
            return "waiting", Rejection(
                "unbonding", f"it left already; the stake can be had in {left} s", {"stake": str(known.stake)}
            )
        return "withdrawn", await self._book.withdraw()
