"""Stages AwaitDelivery and AwaitRuling: the requester watches its escrow; overdue work is refunded."""

from ainur_node.domain.events import Delivered, Settled, WinnerFailed
from ainur_node.domain.ids import AccountId, EscrowId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.orders import AwaitDelivery, AwaitRuling
from ainur_node.errors import Transient
from ainur_node.ports import ChainEscrow, Ledger

PAID = frozenset({"paid", "auto"})
FAILED = frozenset({"declined", "not_delivered", "gave_back"})
# Nobody knows how it ended: the payer was away for longer than the chain keeps what is over.
GONE = "gone"
# Looks at an escrow before the court at least this often (market ms).
SLICE = 600_000


class Watching:
    """Turns what the escrow on chain becomes into facts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def delivery(self, order: AwaitDelivery) -> Delivered | WinnerFailed | Settled:
        """Until delivered, ended or overdue; overdue escrows are taken back.

        Transient when that is not in a block yet, or the chain that is read has not come to the award yet.
        """
        seen: ChainEscrow | None = await self._ledger.escrow(order.escrow)
        while True:
            if seen is not None and seen.state in ("delivered", "disputed"):
                return Delivered(order.escrow, seen.delivery, seen.delivered_at)
            if seen is not None and seen.state == "settled":
                if seen.outcome in PAID:
                    # The clock paid while we were away: what was paid for is still fetched. Its hash is gone by now.
                    return Delivered(order.escrow, b"", 0)
                return ended(order.escrow, order.payee, seen)
            if await self._ledger.market_now() > order.deliver_by:
                if seen is None:
                    return await _gone_by_now(self._ledger, order.escrow, order.deliver_by)
                await self._ledger.refund(order.escrow)
                seen = await self._ledger.escrow(order.escrow)
                if seen is not None and seen.state == "funded":
                    raise Transient("the refund is not in a block yet")
                continue
            seen = await self._ledger.watch_escrow(order.escrow, seen, until=order.deliver_by)

    async def ruling(self, order: AwaitRuling) -> WinnerFailed | Settled:
        """Until the dispute ended; after its limit anyone may end one that is not before the court.

        Transient when the chain did not end it, or the chain that is read has not come to the award yet.
        """
        seen = await self._ledger.escrow(order.escrow)
        while seen is None or seen.state != "settled":
            now = await self._ledger.market_now()
            if seen is not None and seen.case:
                seen = await self._ledger.watch_escrow(order.escrow, seen, until=now + SLICE)
                continue
            if now > order.until:
                if seen is None:
                    return await _gone_by_now(self._ledger, order.escrow, order.until)
                how = await self._ledger.timeout_dispute(order.escrow)
                after = await self._ledger.escrow(order.escrow)
                if after == seen:
                    raise Transient(f"the chain did not end the dispute: {how}")
                seen = after
                continue
            seen = await self._ledger.watch_escrow(order.escrow, seen, until=order.until)
        return ended(order.escrow, order.payee, seen, order.bond)


async def gone(ledger: Ledger, escrow: EscrowId, past: int) -> Settled | None:
    """The end of an escrow that ended and was forgotten while this node was away; None when it may be read too early.

    ``past``: market ms by which it stood on chain, 0 when that is not known. How it ended is not known any more, nor
    what it paid. Raises Transient.
    """
    return Settled(escrow, GONE, ZERO, ZERO) if past and await ledger.forgotten(escrow, past) else None


async def _gone_by_now(ledger: Ledger, escrow: EscrowId, past: int) -> Settled:
    end = await gone(ledger, escrow, past)
    if end is None:
        raise Transient(f"escrow {escrow.hex()[:16]} cannot be seen: the chain that is read is behind its award")
    return end


def ended(escrow: EscrowId, payee: AccountId, seen: ChainEscrow, bond: Amount = ZERO) -> WinnerFailed | Settled:
    """The fact behind a settled escrow; ``bond`` is what its dispute held."""
    if seen.outcome in FAILED:
        return WinnerFailed(escrow, payee, seen.outcome, Amount(seen.amount + seen.fee), bond)
    whole = seen.outcome in PAID
    return Settled(escrow, seen.outcome, seen.amount if whole else seen.paid_so_far, seen.fee if whole else ZERO)
