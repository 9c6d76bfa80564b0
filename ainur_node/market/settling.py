"""Stages Accept and OpenDispute: the requester's last word on a delivery."""

from ainur_node.domain.events import Disputed, Settled
from ainur_node.domain.orders import Accept, OpenDispute
from ainur_node.market.watching import gone
from ainur_node.ports import Ledger

# Looks at a disputed escrow at least this often (market ms).
SLICE = 600_000


class Settling:
    """Pays or disputes; both are idempotent on chain."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def accept(self, order: Accept) -> Settled:
        """Release the escrow; one that a person disputed meanwhile is the court's, and its end is waited for.

        Transient while the payment, or the escrow itself, cannot be seen.
        """
        seen = await self._ledger.escrow(order.escrow)
        while seen is not None and seen.state == "disputed":
            until = await self._ledger.market_now() + SLICE
            seen = await self._ledger.watch_escrow(order.escrow, seen, until=until)
        if seen is None and (end := await gone(self._ledger, order.escrow, order.deliver_by)) is not None:
            return end
        return await self._ledger.accept(order.escrow, verified=order.verified)

    async def dispute(self, order: OpenDispute) -> Disputed | Settled:
        """Open a case with the evidence's hash; nothing is sent about an escrow that the chain forgot."""
        seen = await self._ledger.escrow(order.escrow)
        if seen is None and (end := await gone(self._ledger, order.escrow, order.deliver_by)) is not None:
            return end
        return await self._ledger.dispute(order.escrow, order.ground, order.evidence)
