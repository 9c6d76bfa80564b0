"""Money: whole planck in memory, decimal AIN for people."""

import re
from typing import NewType

Amount = NewType("Amount", int)

PLANCK_PER_AIN = 10**12
ZERO = Amount(0)
# Budgets above this could overflow a u128 when multiplied by basis points and scores.
MAX_BUDGET = Amount(2**90)

_DECIMAL = re.compile(r"(\d{1,16})(?:\.(\d{1,12}))?", re.ASCII)


def parse_ain(text: str) -> Amount:
    """Decimal AIN such as ``1.25`` as planck; ValueError when it is not exactly representable."""
    written = text.strip()
    match = _DECIMAL.fullmatch(written)
    if match is None:
        raise ValueError(f"{written[:40]!r} is not an amount: write AIN with at most 12 decimals, like 1.25")
    whole, fraction = match.group(1), match.group(2) or ""
    amount = int(whole) * PLANCK_PER_AIN + int(fraction.ljust(12, "0"))
    if amount > MAX_BUDGET:
        raise ValueError(f"{written!r} is above the largest amount, {format_ain(MAX_BUDGET)} AIN")
    return Amount(amount)


def format_ain(planck: int) -> str:
    """Planck as decimal AIN without trailing zeros."""
    sign = "-" if planck < 0 else ""
    whole, fraction = divmod(abs(planck), PLANCK_PER_AIN)
    digits = f"{fraction:012d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
