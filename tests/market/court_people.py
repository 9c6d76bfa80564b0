"""A court in memory for one account that joins, leaves and votes; calls of orders happen once for each key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ainur_node.domain.court.docket import Docket
from ainur_node.domain.ids import AccountId, EscrowId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ports.court import ArbiterRecord, CourtTerms, Done
from ainur_node.ports.price import Price

UNBONDING = 60_000
UNIT, PLENTY = Amount(10**12), Amount(10**15)


@dataclass
class PeoplesCourt:
    """What the chain keeps of one arbiter, and the dispute it may look at."""

    account: AccountId
    genesis: bytes = bytes(range(32))
    now: int = 1_000
    record: ArbiterRecord | None = None
    docket_now: Docket | None = None
    done: dict[bytes, Done] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    spendable: Amount = PLENTY
    answers: bool = True
    """Whether a caller is still there to hear that its order is in a block."""

    async def market_now(self) -> int:
        return self.now

    async def sealed_now(self) -> int:
        return self.now

    async def arbiter(self, account: AccountId) -> ArbiterRecord | None:
        return self.record if account == self.account else None

    async def terms(self) -> CourtTerms:
        return CourtTerms(UNIT, Amount(UNIT // 50), 60_000, 10_000, 20_000)

    async def price(self, calls: Sequence[str]) -> Price:
        return Price({f"Escrow.{call}": Amount(10) for call in calls}, self.spendable, Amount(10**10))

    async def escrow_of(self, case: bytes) -> EscrowId | None:
        known = self.docket_now
        return known.escrow if known is not None and known.case == case else None

    async def docket(self, escrow: EscrowId) -> Docket | None:
        known = self.docket_now
        return known if known is not None and known.escrow == escrow else None

    async def join(self, stake: Amount, key: bytes) -> Done | Rejection:
        def joined() -> None:
            known = self.record or ArbiterRecord(Amount(0), Amount(0), 0, None)
            whole = Amount(known.stake + stake)
            self.record = replace(known, stake=whole, units=whole // UNIT)

        return self._once(key, ("join", stake), joined)

    async def knows_join(self, key: bytes) -> bool:
        return key in self.done

    async def leave(self, key: bytes) -> Done | Rejection:
        def left() -> None:
            assert self.record is not None
            self.record = replace(self.record, units=0, leaving=self.now + UNBONDING)

        return self._once(key, ("leave",), left)

    async def withdraw(self, key: bytes) -> Done | Rejection:
        def gone() -> None:
            assert self.record is not None
            assert self.record.leaving is not None
            assert self.now >= self.record.leaving, "a call that the chain refuses costs a fee"
            assert not self.record.locked
            self.record = None

        return self._once(key, ("withdraw",), gone)

    async def denounce_vote(
        self, docket: Docket, arbiter: AccountId, vote: tuple[bytes, bool, int], salt: bytes
    ) -> Done | Rejection:
        self.calls.append(("denounce", arbiter, vote, salt))
        return Done(7, Amount(10))

    def _once(self, key: bytes, call: tuple[Any, ...], effect: Any) -> Done:
        if key not in self.done:
            self.calls.append(call)
            effect()
            self.done[key] = Done(len(self.calls), Amount(10))
        if not self.answers:
            raise Transient("the process died before it heard")
        return self.done[key]
