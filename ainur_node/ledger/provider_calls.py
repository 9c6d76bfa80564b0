"""The provider's calls: each looks first whether it is already so, by me."""

from ainur_node.domain import events
from ainur_node.domain.ids import EscrowId
from ainur_node.errors import Transient
from ainur_node.ledger.chain_reads import ChainReads, refusal_of
from pallets_client.pallets import escrow as escrow_calls
from pallets_client.records import Call, Failed, Refused


class ProviderCalls(ChainReads):
    """Deliver, and every way in which a payee ends an escrow."""

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> events.DeliveredOnChain | events.DeliveryRefused:
        """Put the delivery hash on chain."""
        found = await self.escrow(escrow)
        if found is not None and found.state == "funded" and found.payee == self.account:
            outcome = await self._caller.send(escrow_calls.deliver(escrow, 0, delivery), escrow, found.auction)
            if isinstance(outcome, Refused):
                raise Transient(f"deliver: {refusal_of(outcome)[1]}")
            if isinstance(outcome, Failed):
                return events.DeliveryRefused(refusal_of(outcome)[0])
            return events.DeliveredOnChain(delivery)
        if found is not None and found.delivery == delivery:
            return events.DeliveredOnChain(delivery)
        return events.DeliveryRefused("escrow_gone")

    async def decline(self, escrow: EscrowId) -> str:
        """Give the escrow back."""
        return await self._end_mine(escrow, escrow_calls.decline(escrow, 0))

    async def give_back(self, escrow: EscrowId) -> str:
        """Return the money of a delivery that is wrong."""
        return await self._end_mine(escrow, escrow_calls.give_back(escrow))

    async def auto_release(self, escrow: EscrowId) -> str:
        """Pay out after the review time."""
        return await self._end(escrow, escrow_calls.auto_release(escrow))

    async def timeout_dispute(self, escrow: EscrowId) -> str:
        """End a dispute whose limit is over."""
        return await self._end(escrow, escrow_calls.timeout_dispute(escrow))

    async def _end_mine(self, escrow: EscrowId, call: Call) -> str:
        """As :meth:`_end`; nothing is sent when a runner-up's escrow took the place of ours under its id."""
        found = await self.escrow(escrow)
        if found is not None and found.payee != self.account:
            return "not_party"
        return await self._end(escrow, call)
