"""Stages CloseAuction and ReleaseHold: the root goes on chain; an auction without a sale gives its holds back."""

from ainur_node.domain.events import Closed, NoSale, Released
from ainur_node.domain.orders import CloseAuction, ReleaseHold
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import CLOSED_TOO_LATE
from ainur_node.ports import Ledger


class Closing:
    """Reveals start only after the root is in a block."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def run(self, order: CloseAuction) -> Closed | NoSale:
        """Close; too late means no sale, and the bond is safe because nothing was closed."""
        answer = await self._ledger.close_auction(order.auction, order.root, order.count)
        if isinstance(answer, Rejection):
            return NoSale(order.auction, ((CLOSED_TOO_LATE, 1),))
        return answer


class Releasing:
    """Ends an auction the way its state on chain allows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def run(self, order: ReleaseHold) -> Released:
        """Cancel, no_sale or expire."""
        how = await self._ledger.release(order.auction, order.transcript, all_revealed=order.all_revealed)
        return Released(order.auction, how)
