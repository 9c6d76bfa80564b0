"""What will be an account's to claim, and when: escrows and holds whose windows run out."""

from typing import Any

from ainur_node.domain.ids import AuctionId, EscrowId
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import RequesterTask
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.engine import Engine
from ainur_node.ports import Ledger

MAX_CLAIMS = 32
"""Open lives that are looked up on chain for one answer: each costs a read."""


async def claims(engine: Engine, ledger: Ledger, now_ms: int) -> list[dict[str, Any]]:
    """Amounts that fall due by the clock alone, the soonest first; ``at`` in wall-clock ms.

    ``why`` says how: ``review_over`` (delivered work that its payer did not answer), ``not_delivered`` (a budget whose
    winner is late), ``not_awarded`` (a budget whose auction does not end), ``dispute_over`` (half, when nobody ruled).
    The node claims all of it by itself; anybody may.
    """
    lives = [*engine.states(JOB), *engine.states(TASK)]
    found: list[dict[str, Any]] = []
    for state in lives[:MAX_CLAIMS]:
        match state:
            case ProviderJob(escrow=escrow) if escrow is not None:
                found += await _of_escrow(ledger, escrow, state.task)
            case RequesterTask(escrow=escrow) if escrow is not None:
                found += await _of_escrow(ledger, escrow, state.task)
            case RequesterTask():
                found += await _of_auction(ledger, state.auction, state.task)
    market_now = await ledger.market_now()
    # Market time rests while the chain does, so this is the earliest moment.
    dated = [{**claim, "at": now_ms + claim.pop("due") - market_now} for claim in found]
    return sorted(dated, key=lambda claim: int(claim["at"]))


async def _of_escrow(ledger: Ledger, escrow: EscrowId, task: bytes) -> list[dict[str, Any]]:
    seen = await ledger.escrow(escrow)
    if seen is None:
        return []
    ids = {"task": task.hex(), "escrow": escrow.hex()}
    whole = str(seen.amount + seen.fee)
    if seen.state == "delivered" and seen.payee == ledger.account:
        due = seen.delivered_at + seen.review_within
        return [{"amount": str(seen.amount), "due": due, "why": "review_over", **ids}]
    if seen.state == "funded" and seen.payer == ledger.account:
        return [{"amount": whole, "due": seen.deliver_by, "why": "not_delivered", **ids}]
    if seen.state == "disputed":
        half = seen.amount // 2
        share = half if seen.payee == ledger.account else seen.amount - half
        return [{"amount": str(share), "due": seen.until, "why": "dispute_over", **ids}]
    return []


async def _of_auction(ledger: Ledger, auction: AuctionId, task: bytes) -> list[dict[str, Any]]:
    seen = await ledger.auction(auction)
    if seen is None or seen.state not in ("open", "closed"):
        return []
    ids = {"task": task.hex(), "auction": auction.hex()}
    return [{"amount": str(seen.budget), "due": seen.award_by, "why": "not_awarded", **ids}]
