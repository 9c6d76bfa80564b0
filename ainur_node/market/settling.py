"""Stages Accept and OpenDispute: the requester's last word on a delivery."""

from ainur_node.domain.events import Disputed, Settled
from ainur_node.domain.orders import Accept, OpenDispute
from ainur_node.ports import Ledger


class Settling:
    """Pays or disputes; both are idempotent on chain."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def accept(self, order: Accept) -> Settled:
        """Release the escrow."""
        return await self._ledger.accept(order.escrow, verified=order.verified)

    async def dispute(self, order: OpenDispute) -> Disputed | Settled:
        """Open a case with the evidence's hash."""
        return await self._ledger.dispute(order.escrow, order.ground, order.evidence)
