"""Stage HoldBudget: the auction is opened on chain and holds the budget."""

from ainur_node.domain.canonical import capability_id
from ainur_node.domain.events import Funded, FundingRefused
from ainur_node.domain.orders import HoldBudget
from ainur_node.domain.task import spec_hash
from ainur_node.market.settings import MarketSettings
from ainur_node.market.slots import AuctionSlots
from ainur_node.ports import Ledger, OpenTerms


class Funding:
    """One call on chain; opening twice is the same as once, because the id follows from task and attempt."""

    def __init__(self, ledger: Ledger, settings: MarketSettings, slots: AuctionSlots) -> None:
        self._ledger = ledger
        self._slots = slots
        self._settings = settings

    async def run(self, order: HoldBudget) -> Funded | FundingRefused:
        """Hold the budget, once there is a place for one more auction."""
        await self._slots.take(order.auction)
        s = self._settings
        terms = OpenTerms(
            commit_within=s.commit_within,
            reveal_within=s.reveal_within,
            start_within=s.start_within,
            deliver_within=min(s.deliver_within, order.spec.deadline_ms),
            review_within=s.review_within,
            quality_bps=order.spec.quality_bps,
            min_score=order.spec.min_score,
            challenge_within=s.challenge_within,
        )
        spec = spec_hash(self._ledger.genesis, order.spec)
        capability = capability_id(order.capability)
        return await self._ledger.open_auction(
            order.task, order.attempt, order.auction, spec, capability, order.budget, terms
        )
