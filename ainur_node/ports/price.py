"""What a call would cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from ainur_node.domain.money import Amount


@dataclass(frozen=True, slots=True)
class Price:
    """What calls would cost now in fees, by their names, and what this account could spend on them; planck."""

    fees: Mapping[str, Amount]
    spendable: Amount
    fee_reserve: Amount
