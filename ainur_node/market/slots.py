"""How many auctions of this node may run at once: a burst of tasks queues here instead of drowning the bidders."""

import trio

from ainur_node.domain.events import AwardRefused, Escrowed, FundingRefused, Released
from ainur_node.domain.requester import Phase, RequesterTask
from ainur_node.market.codec import TASK, Fact, State

# Facts after which an auction no longer needs its bidders' attention.
_ENDS = (Escrowed, FundingRefused, Released, AwardRefused)
_RUNNING = frozenset({Phase.BIDDING, Phase.CLOSING, Phase.REVEALING, Phase.AWARDING, Phase.RELEASING})


class AuctionSlots:
    """A counted number of places, first come first served; kept by auction, so that a retry takes no second one."""

    def __init__(self, places: int) -> None:
        self._limiter = trio.CapacityLimiter(places)

    async def take(self, auction: bytes) -> None:
        """Wait for a place; at once when the auction has one."""
        if auction not in self._limiter.statistics().borrowers:
            await self._limiter.acquire_on_behalf_of(auction)

    def give_back(self, auction: bytes) -> None:
        """Free the place, if there is one."""
        if auction in self._limiter.statistics().borrowers:
            self._limiter.release_on_behalf_of(auction)

    def resume(self, states: list[State]) -> None:
        """Take places for auctions that an earlier process left running, as far as there are."""
        for state in states:
            if isinstance(state, RequesterTask) and state.phase in _RUNNING and self._limiter.available_tokens:
                self._limiter.acquire_on_behalf_of_nowait(state.auction)

    def heard(self, life: str, key: bytes, fact: Fact, state: State) -> None:
        """A listener of the engine."""
        del key
        if life == TASK and isinstance(state, RequesterTask) and isinstance(fact, _ENDS):
            ended = fact.auction if isinstance(fact, Released) else state.auction
            self.give_back(ended)
