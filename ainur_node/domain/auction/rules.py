"""Prices: reserve from the budget, fee of a price, the second-price rule (docs/protocol.md §5)."""

from ainur_node.domain.money import Amount

BPS = 10_000
RULE_VERSION = 1


def reserve_of(budget: Amount, fee_bps: int) -> Amount:
    """``⌊B·10^4 / (10^4 + f)⌋``: the highest price whose fee still fits into the budget."""
    return Amount(budget * BPS // (BPS + fee_bps))


def fee_of(price: Amount, fee_bps: int) -> Amount:
    """``⌈p·f / 10^4⌉``, burned when the price is paid."""
    return Amount(-(-price * fee_bps // BPS))


def price_of(own_penalty: int, second_adjusted: int | None, reserve: Amount) -> Amount:
    """``min(second, R) − own penalty``: the highest ask with which the winner would still have won."""
    best_alternative = reserve if second_adjusted is None else min(second_adjusted, reserve)
    return Amount(best_alternative - own_penalty)
