"""ports.Ledger on pallets_client: each call looks first whether it is already so, by me."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import trio

from ainur_node.domain import events
from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import ABOUT_THE_WINNER
from ainur_node.errors import Transient
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.records import agent_of, auction_of, award_proof, escrow_of, provider_of
from ainur_node.ledger.refusals import refusal_at
from ainur_node.ledger.watch import AUCTION, ESCROW, ChainWatch
from ainur_node.ports import Balance, ChainAgent, ChainAuction, ChainEscrow, ChainProvider, OpenTerms
from pallets_client.errors import ChainError
from pallets_client.pallets import escrow as escrow_calls
from pallets_client.pallets import reputation, vcg_auction
from pallets_client.records import Call, Failed, Included, Refused

T = TypeVar("T")

# Opening must reach a block within this time (market ms), or it never happens.
OPEN_WITHIN = 60_000
# Provider records and the agent list may be this old (seconds).
FRESH = 2.0
# Escrow outcomes after which the payee got nothing.
_SETTLED_PAID = frozenset({"paid", "auto"})


class ChainLedger:
    """The market's view of the chain."""

    def __init__(self, client: Any, caller: Caller, watch: ChainWatch, account: bytes, node_key: bytes) -> None:
        self._client = client
        self._caller = caller
        self._watch = watch
        self.account = AccountId(account)
        self.node_key = NodeKey(node_key)
        self.genesis: bytes = client.genesis_hash
        self._fresh: dict[tuple[str, bytes], tuple[float, Any]] = {}

    # --- reads ----------------------------------------------------------------------------------------------------

    async def _read(self, function: Callable[..., T], *args: Any) -> T:
        try:
            return await trio.to_thread.run_sync(function, *args, abandon_on_cancel=True)
        except ChainError as exc:
            raise Transient(
                f"the chain cannot be read: {exc}", hint="check chain.url and `ainur chain status`"
            ) from exc

    async def _read_fresh(self, kind: str, key: bytes, function: Callable[..., Any], *args: Any) -> Any:
        known = self._fresh.get((kind, key))
        if known is not None and trio.current_time() - known[0] < FRESH:
            return known[1]
        value = await self._read(function, *args)
        if len(self._fresh) > 4096:
            self._fresh.clear()
        # That something is not there is never remembered: whoever just registered must be known at once.
        if value:
            self._fresh[kind, key] = (trio.current_time(), value)
        return value

    async def market_now(self) -> int:
        """Market time, estimated for this instant."""
        return self._watch.market_now()

    async def height(self) -> int:
        """Number of the best block."""
        return self._watch.height

    async def block_hash(self, number: int) -> bytes:
        """Hash of a block."""
        block = await self._read(self._client.block, number)
        return bytes(block.hash)

    async def balance(self, account: AccountId) -> Balance:
        """What the account owns; the fee reserve is what ``open`` leaves untouched."""
        found = await self._read(self._client.account, account)
        params = await self._read_fresh("params", b"", self._client.params)
        spendable = max(0, found.spendable - params.fee_reserve)
        return Balance(Amount(found.free), dict(found.held), Amount(spendable), Amount(params.fee_reserve))

    async def auction(self, auction: AuctionId) -> ChainAuction | None:
        """An auction as stored."""
        found = await self._read(self._client.auction, auction)
        return auction_of(found) if found is not None else None

    async def closing(self, auction: AuctionId) -> ChainAuction | None:
        """The auction with root, count and block of its close, whatever became of it since."""
        found = await self.auction(auction)
        closing = await self._read(self._client.closing, auction) if found is not None else None
        if found is None or closing is None:
            return None
        return replace(found, root=closing.root, count=closing.count, close_block=closing.block)

    async def escrow(self, escrow: EscrowId) -> ChainEscrow | None:
        """An escrow as stored."""
        found = await self._read(self._client.escrow, escrow)
        return escrow_of(found) if found is not None else None

    async def watch_auction(self, auction: AuctionId, known: ChainAuction | None, *, until: int) -> ChainAuction | None:
        """The auction once it differs from ``known``, or as it stands when market time passes ``until``."""
        while True:
            found = await self.auction(auction)
            if found != known or self._watch.market_now() > until:
                return found
            await self._watch.wait_change(AUCTION, auction, until=until)

    async def watch_escrow(self, escrow: EscrowId, known: ChainEscrow | None, *, until: int) -> ChainEscrow | None:
        """The escrow once it differs from ``known``, or as it stands when market time passes ``until``."""
        while True:
            found = await self.escrow(escrow)
            if found != known or self._watch.market_now() > until:
                return found
            await self._watch.wait_change(ESCROW, escrow, until=until)

    async def provider(self, account: AccountId) -> ChainProvider | None:
        """A provider record."""
        found = await self._read_fresh("provider", account, self._client.provider, account)
        return provider_of(account, found) if found is not None else None

    async def provider_of(self, node_key: NodeKey) -> ChainProvider | None:
        """The provider that is bound to a node key."""
        owner = await self._read_fresh("owner", node_key, self._client.node_key_owner, node_key)
        provider = await self.provider(AccountId(owner)) if owner is not None else None
        return provider if provider is not None and provider.node_key == node_key else None

    async def quality(self, provider: AccountId, capability: bytes, epoch: int) -> int:
        """The score frozen for an epoch; frozen, so an answer about a finished epoch never ages."""
        found = await self._read_fresh("score", provider + capability, self._client.score, provider, capability)
        return reputation.quality_at(found, epoch)

    async def frozen_quality(self, provider: AccountId, capability: bytes, epoch: int) -> int | None:
        """As :meth:`quality`, but None when the entry of that epoch may have been dropped."""
        found = await self._read_fresh("score", provider + capability, self._client.score, provider, capability)
        if found is not None and len(found.history) >= reputation.HISTORY and found.history[0][0] > epoch:
            return None
        return reputation.quality_at(found, epoch)

    async def agents(self, capability: str | None = None) -> list[ChainAgent]:
        """Registered agents."""
        found = await self._read_fresh("agents", b"", self._client.agents)
        return [agent_of(i, a) for i, a in found if capability is None or a.capability_name == capability.encode()]

    # --- the requester's calls ------------------------------------------------------------------------------------

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
            )
            call = vcg_auction.open_(task, attempt, wanted, self._watch.market_now() + OPEN_WITHIN)
            outcome = await self._caller.send(call, auction)
            if not isinstance(outcome, Included):
                code, hint = _refusal(outcome)
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
                raise Transient(f"close: {_refusal(outcome)[1]}")
            if isinstance(outcome, Failed):
                return Rejection(*_refusal(outcome))
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
                raise Transient(f"award: {_refusal(outcome)[1]}")
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
        code, number = _refusal(outcome)[0], outcome.block_number
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
        raise Transient(f"{call.name} was refused: {_refusal(outcome)[1]}")

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
                raise Transient(f"the dispute was refused: {_refusal(outcome)[1]}")
            found = await self.escrow(escrow)
        if found is not None and found.state == "disputed":
            return events.Disputed(escrow, ground, found.until, found.bond)
        if found is None or found.state != "settled":
            raise Transient("the dispute is not visible yet")
        return _settled(escrow, found)

    # --- the provider's calls -------------------------------------------------------------------------------------

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> events.DeliveredOnChain | events.DeliveryRefused:
        """Put the delivery hash on chain."""
        found = await self.escrow(escrow)
        if found is not None and found.state == "funded" and found.payee == self.account:
            outcome = await self._caller.send(escrow_calls.deliver(escrow, 0, delivery), escrow, found.auction)
            if isinstance(outcome, Refused):
                raise Transient(f"deliver: {_refusal(outcome)[1]}")
            if isinstance(outcome, Failed):
                return events.DeliveryRefused(_refusal(outcome)[0])
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

    async def _end(self, escrow: EscrowId, call: Call) -> str:
        """Send a call that ends an escrow; the outcome it has now, or the refusal's code while it has none."""
        found = await self.escrow(escrow)
        if found is None or found.state == "settled":
            return found.outcome if found is not None else "unknown"
        outcome = await self._caller.send(call, escrow, found.payee, found.awarded_at.to_bytes(8, "little"))
        after = await self.escrow(escrow)
        if after is not None and after.state == "settled":
            return after.outcome
        if isinstance(outcome, Included):
            raise Transient(f"{call.name} is not visible yet")
        return _refusal(outcome)[0]


def _settled(escrow: EscrowId, found: ChainEscrow) -> events.Settled:
    whole = found.outcome in _SETTLED_PAID
    paid = found.amount if whole else found.paid_so_far
    return events.Settled(escrow, found.outcome, paid, found.fee if whole else ZERO)


def _refusal(outcome: Failed | Refused) -> tuple[str, str]:
    """A stable code and a sentence: ``VcgAuction.StakeTooLow`` becomes ``stake_too_low``."""
    if isinstance(outcome, Refused):
        return "fee_refused", f"the chain's pool refused the extrinsic: {outcome.reason}"
    name = outcome.error.rsplit(".", 1)[-1]
    code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return code, outcome.doc or outcome.error
