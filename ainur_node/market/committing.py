"""Stages SendCommit and AwaitAward: hand the sealed bid in, then watch the chain for an award."""

from hashlib import blake2b

import structlog

from ainur_node.domain.auction.commitments import inclusion_message
from ainur_node.domain.events import Awarded, CommitRefused, Committed, Lost
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.orders import AwaitAward, SendCommit
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.messages import CommitReceipt, CommitRequest
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import ChainAuction, Ledger, Mesh, RemoteRefusal
from ainur_node.signing import signed_by

log = structlog.get_logger(__name__)

COMMIT_TIMEOUT = 1.5
# Outcomes that bring the auction back to its runner-up: until the bid stops standing, the award may still come.
REOPENS = frozenset({"declined", "not_delivered"})

# Our estimate of the chain's clock may be ahead of it: an award within this time (ms) is still seen.
GRACE = 10_000
# An auctioneer that misses a deadline gets this long (market ms) to end its auction itself; then the bidders do it,
# each at a moment of its own within TURN times their number: whoever comes second pays a fee for nothing.
LENIENCE = 2_000
TURN = 1_000
MAX_TURNS = 30
# A call that changed nothing is made again after this long, at most MAX_CALLS times in all.
CALL_AGAIN = 10_000
MAX_CALLS = 3
# Commits without a receipt that are remembered until they are sent again.
MAX_UNSURE = 1024
NEVER = 2**63


class Committing:
    """Talks to the auctioneer; believes only the chain."""

    def __init__(self, mesh: Mesh, ledger: Ledger) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._unsure: set[bytes] = set()

    async def send(self, order: SendCommit) -> Committed | CommitRefused:
        """Hand the commit in; the signed inclusion receipt is kept as evidence."""
        c = order.commit
        request = CommitRequest(
            auction=order.auction,
            provider=c.provider,
            commit=c.commit,
            seq=c.seq,
            standing_until=c.standing_until,
            signature=c.signature,
        )
        try:
            answer = await self._mesh.request(
                order.auctioneer, "auction.commit", messages.encode(request), timeout=COMMIT_TIMEOUT
            )
            receipt = messages.decode(CommitReceipt, answer)
        except RemoteRefusal as exc:
            if exc.code == "not_open" and order.auction in self._unsure:
                return self._unconfirmed(order)
            return CommitRefused(exc.code)
        except Misbehaviour:
            return CommitRefused("bad_inclusion")
        except Transient:
            chain = await self._ledger.auction(order.auction)
            if chain is None:
                return CommitRefused("too_late")
            if chain.state != "open" or await self._ledger.market_now() > chain.commit_end:
                return self._unconfirmed(order)
            if len(self._unsure) < MAX_UNSURE:
                self._unsure.add(order.auction)
            raise
        message = inclusion_message(self._ledger.genesis, order.auction, c.provider, c.commit, receipt.seen_block)
        if not signed_by(node_key_of(order.auctioneer), message, receipt.signature):
            return CommitRefused("bad_inclusion")
        return Committed(receipt.seen_block, receipt.signature)

    def _unconfirmed(self, order: SendCommit) -> Committed:
        """The commit may have arrived and only its receipt been lost: a request to reveal will show it."""
        self._unsure.discard(order.auction)
        return Committed(0, b"")

    async def award(self, order: AwaitAward) -> Awarded | Lost:
        """Awarded when an escrow names this account; Lost when that cannot happen any more."""
        seen = await self._ledger.auction(order.auction)
        calls, end = 0, order.standing_until + GRACE
        while True:
            fact = await self._judge(seen)
            if fact is not None:
                return fact
            now = await self._ledger.market_now()
            if now > end:
                return Lost("bid_expired")
            due = self._due(order.auction, seen) + calls * CALL_AGAIN if calls < MAX_CALLS else end
            if now > due:
                calls += 1
                await self._ledger.expire(order.auction)
                seen = await self._ledger.auction(order.auction)
                continue
            seen = await self._ledger.watch_auction(order.auction, seen, until=min(due, end))

    def _due(self, auction: AuctionId, seen: ChainAuction | None) -> int:
        """Market time at which this bidder ends an overdue auction: nobody's money is left to wait for its payer."""
        if seen is None or seen.state not in ("open", "closed"):
            return NEVER
        turns = min(seen.count, MAX_TURNS) or MAX_TURNS
        place = int.from_bytes(blake2b(auction + self._ledger.account, digest_size=4).digest()) % (turns * TURN)
        return (seen.award_by if seen.state == "closed" else seen.reveal_end) + LENIENCE + place

    async def _judge(self, seen: ChainAuction | None) -> Awarded | Lost | None:
        if seen is None or seen.state in ("no_sale", "void"):
            return Lost("no_sale")
        if self._ledger.account in seen.failed:
            return Lost("failed")
        if seen.state != "awarded" or seen.escrow is None:
            return None
        escrow = await self._ledger.escrow(seen.escrow)
        if escrow is None:
            return Lost("no_escrow")
        if escrow.payee == self._ledger.account and escrow.state in ("funded", "delivered"):
            return Awarded(seen.escrow, escrow.amount, escrow.awarded_at, escrow.start_by, escrow.deliver_by)
        if escrow.state == "settled" and escrow.outcome not in REOPENS:
            return Lost("outbid")
        # Somebody else works: settled escrows are watched through the auction, so look again when it changes.
        watched = await self._ledger.watch_escrow(seen.escrow, escrow, until=escrow.deliver_by)
        return Lost("outbid") if watched is not None and watched.state in ("delivered", "disputed") else None
