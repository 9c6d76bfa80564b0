"""What an account may spend on fees, and when it pays a tip rather than send the same bytes again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from pallets_client.answers import tohex
from pallets_client.errors import ChainMisbehaviour
from pallets_client.link import Link
from pallets_client.records import AIN, Call

DAY = 86_400.0  # seconds
ESTIMATE_LASTS = 10.0  # seconds; the multiplier moves by a fraction of a percent per block
SIZE_STEP = 64  # bytes; extrinsics of one call that differ by less cost the same to a planck or two
MAX_ESTIMATES = 256
MAX_BUMPS = 4  # tips of one call: at most 15 times its fee in the end
MAX_REMEMBERED = 100_000  # extrinsics of one day; beyond that the oldest count on


@dataclass(frozen=True, slots=True)
class FeeBudget:
    """Planck that may go for fees and tips: of one extrinsic, and of all signed within a day."""

    per_call: int = AIN // 10
    per_day: int = 100 * AIN


def tip_after(fee: int, tip: int) -> int:
    """The next tip of a call that blocks keep passing over: its fee first, then twice the last."""
    return tip * 2 if tip else max(fee, 1)


class Purse:
    """Keeps the budget of one account; used by the writer's thread alone."""

    def __init__(self, budget: FeeBudget | None, *, clock: Callable[[], float] = monotonic) -> None:
        self.budget = budget
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._today = 0

    @property
    def today(self) -> int:
        """Planck promised in the last 24 hours."""
        self._forget(self._clock())
        return self._today

    def refusal(self, fee: int, tip: int = 0) -> str | None:
        """Why nothing may be signed that costs this much; None when it may."""
        if self.budget is None:
            return None
        if fee + tip > self.budget.per_call:
            return (
                f"it would cost {fee + tip} planck in fees, and {self.budget.per_call} are allowed for one call: "
                "raise chain.max_fee, or wait until the chain is less busy"
            )
        if self.today + fee + tip > self.budget.per_day:
            return (
                f"{self.today} planck of fees were signed within 24 hours, and {self.budget.per_day} are allowed: "
                "raise chain.daily_fees, or wait"
            )
        return None

    def spend(self, planck: int) -> None:
        """Count what was signed; a replaced extrinsic's fee is counted once, so its successor adds its tip only."""
        now = self._clock()
        self._forget(now)
        self._spent.append((now, planck))
        self._today += planck

    def _forget(self, now: float) -> None:
        while self._spent and (now - self._spent[0][0] > DAY or len(self._spent) > MAX_REMEMBERED):
            self._today -= self._spent.popleft()[1]


class Fees:
    """What calls cost now, asked once in a while for each kind and size."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: dict[tuple[str, str, int], tuple[float, int]] = {}

    def of(self, call: Call, raw: bytes) -> int:
        """Fee in planck of a signed extrinsic that holds ``call``."""
        if call.pallet == "Utility":
            return query_fee(self._link, raw)  # a batch costs what its calls cost
        key = (call.pallet, call.name, len(raw) // SIZE_STEP)
        known = self._known.get(key)
        now = monotonic()
        if known is not None and now - known[0] < ESTIMATE_LASTS:
            return known[1]
        if len(self._known) >= MAX_ESTIMATES:
            self._known.clear()
        fee = query_fee(self._link, raw)
        self._known[key] = (now, fee)
        return fee


def query_fee(link: Link, raw: bytes) -> int:
    """The node's answer to ``payment_queryInfo``, in planck."""
    answer = link.call("payment_queryInfo", tohex(raw))
    try:
        fee = answer["partialFee"]
        found = int(fee, 16) if isinstance(fee, str) and fee.startswith("0x") else int(fee)
    except (TypeError, KeyError, ValueError) as exc:
        raise ChainMisbehaviour("the node sent no fee") from exc
    if found < 0:
        raise ChainMisbehaviour("the node sent a fee below 0")
    return found
