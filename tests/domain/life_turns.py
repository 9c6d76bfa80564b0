"""The facts whose values decide where a life turns, beside the one sample of every kind."""

from domain_records import AUCTION
from life_samples import ESCROW, WINNER

from ainur_node.domain import events as fact
from ainur_node.domain.money import ZERO
from ainur_node.domain.requester import NOT_STANDING, WORTH_ANOTHER

REQUESTER_TURNS: tuple[fact.RequesterFact, ...] = (
    *(fact.NoSale(AUCTION, ((code, 1),)) for code in WORTH_ANOTHER),
    fact.AwardRefused(NOT_STANDING, 9),
    fact.AwardRefused("not_closed", 9),
    fact.AwardRefused("not_enough_free", 9),
    fact.WinnerFailed(ESCROW, WINNER, "gave_back"),
    fact.Settled(ESCROW, "gave_back", ZERO, ZERO),
    fact.Settled(ESCROW, "ruled", ZERO, ZERO),
)
PROVIDER_TURNS: tuple[fact.ProviderFact, ...] = (fact.Paid("declined", ZERO),)
