"""The requester's calls: each looks first whether it is already so, by me."""

from ainur_node.domain import events
from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.ids import AuctionId, EscrowId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import ABOUT_THE_WINNER
from ainur_node.errors import Transient
from ainur_node.ledger.chain_reads import ChainReads, refusal_of
from ainur_node.ledger.records import auction_of, award_proof
from ainur_node.ledger.refusals import refusal_at
from ainur_node.ledger.watch import AUCTION
from ainur_node.ports import ChainAuction, ChainEscrow, OpenTerms
from pallets_client.pallets import escrow as escrow_calls
from pallets_client.pallets import vcg_auction
from pallets_client.records import Failed, Included, Refused

# Opening must reach a block within this time (market ms), or it never happens.
OPEN_WITHIN = 60_000
# Escrow outcomes after which the payee got everything.
_SETTLED_PAID = frozenset({"paid", "auto"})


class RequesterCalls(ChainReads):
    """Open, close, award, and every way in which a payer ends an auction or an escrow."""

    async def open_auction(
        self,
        task: bytes,
        attempt: int,
        auction: AuctionId,
        spec: bytes,
        capability: bytes,
        budget: Amount,
        terms: OpenTerms,
    ) -> events.Funded | events.FundingRefused:
        """Hold the budget under a new auction."""
        found = await self.auction(auction)
        if found is None:
            wanted = vcg_auction.AuctionTerms(
                auctioneer_key=self.node_key,
                spec=spec,
                capability=capability,
                mode=0,
                rule=1,
                slots=1,
                budget=budget,
                quality_bps=terms.quality_bps,
                min_score=terms.min_score,
                commit_within=terms.commit_within,
                reveal_within=terms.reveal_within,
                start_within=terms.start_within,
                deliver_within=terms.deliver_within,
                review_within=terms.review_within,
                challenge_within=terms.challenge_within,
            )
            call = vcg_auction.open_(task, attempt, wanted, self._watch.market_now() + OPEN_WITHIN)
            outcome = await self._caller.send(call, auction)
            if not isinstance(outcome, Included):
                code, hint = refusal_of(outcome)
                return events.FundingRefused(code, hint)
            found = await self.auction(auction)
        if found is None:
            raise Transient("the opened auction is not visible yet")
        return events.Funded(
            auction, found.reserve, found.fee_bps, found.score_epoch, found.commit_end, found.reveal_end, found.award_by
        )

    async def close_auction(self, auction: AuctionId, root: bytes, count: int) -> events.Closed | Rejection:
        """Put the root of the bid set on chain."""
        found = await self.auction(auction)
        if found is not None and found.state == "open":
            outcome = await self._caller.send(vcg_auction.close(auction, root, count), auction)
            if isinstance(outcome, Failed) and outcome.error.endswith(".TooEarly"):
                raise Transient("the commit window is not over on chain yet")
            if isinstance(outcome, Refused):
                raise Transient(f"close: {refusal_of(outcome)[1]}")
            if isinstance(outcome, Failed):
                return Rejection(*refusal_of(outcome))
            return events.Closed(auction, outcome.block_number, outcome.block_hash)
        if found is None or found.root != root:
            return Rejection("not_closed", "the auction ended before its root was on chain")
        return events.Closed(auction, found.close_block, await self.block_hash(found.close_block))

    async def award(
        self,
        auction: AuctionId,
        opening: Opening,
        proof: MerkleProof,
        commit: Commit,
        price: Amount,
        transcript: bytes,
        *,
        all_revealed: bool,
    ) -> events.Escrowed | events.AwardRefused:
        """Turn the hold into the winner's escrow."""
        found = await self.auction(auction)
        if found is None or found.state not in ("closed", "awarded"):
            return events.AwardRefused("not_closed")
        if found.state == "closed":
            late = self._watch.market_now() > found.reveal_end
            if not all_revealed and not late:
                await self._watch.wait_change(AUCTION, auction, until=found.reveal_end)
                raise Transient("the reveal window is not over on chain yet")
            call = vcg_auction.award(
                auction, 0, award_proof(opening, proof, commit), price, transcript, all_revealed=all_revealed
            )
            outcome = await self._caller.send(call, auction, bytes([len(found.failed)]))
            if isinstance(outcome, Failed) and outcome.error.endswith(".TooEarly"):
                raise Transient("the reveal window is not over on chain yet")
            if isinstance(outcome, Refused):
                raise Transient(f"award: {refusal_of(outcome)[1]}")
            if isinstance(outcome, Failed):
                return await self._award_refused(outcome, auction, opening, commit, price)
            found = await self.auction(auction)
        escrow = await self.escrow(found.escrow) if found is not None and found.escrow is not None else None
        if found is None or found.escrow is None or escrow is None:
            raise Transient("the award is not visible yet")
        if escrow.payee != opening.provider:
            return events.AwardRefused("awarded_to_another")
        return events.Escrowed(
            found.escrow, escrow.payee, escrow.amount, escrow.fee, escrow.awarded_at, escrow.deliver_by
        )

    async def _award_refused(
        self, outcome: Failed, auction: AuctionId, opening: Opening, commit: Commit, price: Amount
    ) -> events.AwardRefused:
        """A refusal that the state of its block shows; Transient for one that was over before the block ended."""
        code, number = refusal_of(outcome)[0], outcome.block_number
        if code not in ABOUT_THE_WINNER:
            return events.AwardRefused(code, number)
        seen = await self.refusal_at(number, auction, opening, commit, price)
        if seen is None:
            raise Transient(f"the chain refused this winner ({code}) and would take it now")
        return events.AwardRefused(seen, number)

    async def refusal_at(
        self, block: int, auction: AuctionId, opening: Opening, commit: Commit, price: Amount
    ) -> str | None:
        """Why the chain would not award this winner after a block; None when it would."""
        at = await self.block_hash(block)
        return await self._read(refusal_at, self._client, auction, opening, commit, price, at)

    async def auction_at(self, block: int, auction: AuctionId) -> ChainAuction | None:
        """An auction as it stood after a block."""
        found = await self._read(self._client.auction, auction, await self.block_hash(block))
        return auction_of(found) if found is not None else None

    async def release(self, auction: AuctionId, transcript: bytes | None, *, all_revealed: bool) -> str:
        """Cancel, no_sale or expire, whichever the state allows."""
        found = await self.auction(auction)
        if found is None or found.state not in ("open", "closed"):
            return found.state if found is not None else "unknown"
        now = self._watch.market_now()
        if found.state == "open":
            call = vcg_auction.cancel(auction)
        elif transcript is not None and now <= found.award_by:
            if not all_revealed and now <= found.reveal_end:
                await self._watch.wait_change(AUCTION, auction, until=found.reveal_end)
                raise Transient("the reveal window is not over on chain yet")
            call = vcg_auction.no_sale(auction, transcript, all_revealed=all_revealed)
        elif now > found.award_by:
            call = vcg_auction.expire(auction)
        else:
            await self._watch.wait_change(AUCTION, auction, until=found.award_by)
            raise Transient("the award time is not over on chain yet")
        outcome = await self._caller.send(call, auction)
        if isinstance(outcome, Included):
            return call.name
        raise Transient(f"{call.name} was refused: {refusal_of(outcome)[1]}")

    async def expire(self, auction: AuctionId) -> str:
        """End an auction whose time is over; the state that it has then."""
        found = await self.auction(auction)
        if found is not None and found.state in ("open", "closed"):
            await self._caller.send(vcg_auction.expire(auction), auction)
            found = await self.auction(auction)
        return found.state if found is not None else "unknown"

    async def refund(self, escrow: EscrowId) -> str:
        """Take back an overdue escrow."""
        return await self._end(escrow, escrow_calls.refund(escrow))

    async def accept(self, escrow: EscrowId, *, verified: bool) -> events.Settled:
        """Pay the escrow out."""
        await self._end(escrow, escrow_calls.accept(escrow, 0, verified=verified))
        found = await self.escrow(escrow)
        if found is None or found.state != "settled":
            raise Transient("the payment is not visible yet")
        return _settled(escrow, found)

    async def dispute(self, escrow: EscrowId, ground: int, evidence: bytes) -> events.Disputed | events.Settled:
        """Open a case."""
        found = await self.escrow(escrow)
        if found is not None and found.state == "delivered":
            outcome = await self._caller.send(escrow_calls.dispute(escrow, 0, ground, evidence), escrow)
            if not isinstance(outcome, Included):
                raise Transient(f"the dispute was refused: {refusal_of(outcome)[1]}")
            found = await self.escrow(escrow)
        if found is not None and found.state == "disputed":
            return events.Disputed(escrow, ground, found.until, found.bond)
        if found is None or found.state != "settled":
            raise Transient("the dispute is not visible yet")
        return _settled(escrow, found)


def _settled(escrow: EscrowId, found: ChainEscrow) -> events.Settled:
    whole = found.outcome in _SETTLED_PAID
    paid = found.amount if whole else found.paid_so_far
    return events.Settled(escrow, found.outcome, paid, found.fee if whole else ZERO)
