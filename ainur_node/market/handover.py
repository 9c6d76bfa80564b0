"""Stages Deliver, Decline and AwaitSettlement: the provider's side of the escrow."""

from ainur_node.domain.events import Challenged, DeliveredOnChain, DeliveryRefused, Paid
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.money import ZERO
from ainur_node.domain.orders import AwaitSettlement, Decline, Deliver
from ainur_node.errors import Transient
from ainur_node.market import messages
from ainur_node.market.courier import Courier
from ainur_node.market.messages import EscrowHint
from ainur_node.ports import ChainEscrow, Ledger

PAYS = frozenset({"paid", "auto"})
# Looks at an escrow that nothing was heard of at least this often (market ms).
SLICE = 600_000


class Handover:
    """Delivers, then waits for the money; after the review time it takes what is due."""

    def __init__(self, ledger: Ledger, courier: Courier) -> None:
        self._ledger = ledger
        self._courier = courier

    async def deliver(self, order: Deliver) -> DeliveredOnChain | DeliveryRefused:
        """Put the delivery hash on chain; the bytes are served only after that."""
        return await self._ledger.deliver(order.escrow, order.delivery)

    async def decline(self, order: Decline) -> Paid:
        """Give the escrow back; when it is too late for that, wait until it is taken back."""
        await self._ledger.decline(order.escrow)
        seen = await self._ledger.escrow(order.escrow)
        while seen is not None and seen.payee == self._ledger.account and seen.state != "settled":
            if await self._ledger.market_now() > seen.deliver_by and seen.state == "funded":
                seen = await self._after(order.escrow, seen, await self._ledger.refund(order.escrow))
                continue
            seen = await self._ledger.watch_escrow(order.escrow, seen, until=seen.deliver_by)
        return _paid(seen, self._ledger.account)

    async def settle(self, order: AwaitSettlement) -> Challenged | Paid:
        """Until the escrow ended or is disputed for the first time; the auto-release is ours to trigger."""
        hint = messages.encode(EscrowHint(auction=order.auction, escrow=order.escrow))
        self._courier.hint(order.requester, "task.delivered", hint)
        seen = await self._ledger.escrow(order.escrow)
        while seen is not None and seen.payee == self._ledger.account and seen.state != "settled":
            if seen.state == "disputed" and not order.answered:
                return Challenged(seen.ground, seen.until)
            now = await self._ledger.market_now()
            due = seen.delivered_at + seen.review_within if seen.state == "delivered" else now + SLICE
            if seen.state == "disputed":
                due = now + SLICE if seen.case else seen.until
            if now > due:
                if seen.state == "disputed":
                    how = await self._ledger.timeout_dispute(order.escrow)
                else:
                    how = await self._ledger.auto_release(order.escrow)
                seen = await self._after(order.escrow, seen, how)
                continue
            seen = await self._ledger.watch_escrow(order.escrow, seen, until=due)
        return _paid(seen, self._ledger.account)

    async def _after(self, escrow: EscrowId, before: ChainEscrow, how: str) -> ChainEscrow | None:
        """The escrow after a call that should have ended it; Transient when it stands as before.

        Trying again at once would burn a fee at each turn, for instance while the chain's clock is behind ours.
        """
        seen = await self._ledger.escrow(escrow)
        if seen == before:
            raise Transient(f"the chain did not end escrow {escrow.hex()[:16]}: {how}")
        return seen


def _paid(seen: ChainEscrow | None, me: bytes) -> Paid:
    if seen is None or seen.payee != me:
        return Paid("gone", ZERO)
    return Paid(seen.outcome, seen.amount if seen.outcome in PAYS else seen.paid_so_far)
