"""Whether a finished task adds up: every number of the story against every other, in pure integer arithmetic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ainur_node.domain.money import format_ain


@dataclass(frozen=True, slots=True)
class Bid:
    """One revealed bid, by node name; planck."""

    node: str
    ask: int
    penalty: int

    @property
    def adjusted(self) -> int:
        """What counts in the comparison."""
        return self.ask + self.penalty


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read where: terms and prices from the chain, bids from the verified transcript, money from both ends."""

    budget: int
    reserve: int
    fee_bps: int
    winner: str
    paid: int
    fee: int
    escrow: str
    bids: tuple[Bid, ...]
    fees: Mapping[str, int]
    before: Mapping[str, int]
    after: Mapping[str, int]
    held_after: Mapping[str, int]
    held_before: Mapping[str, int]
    quality_before: int
    quality_after: int
    audit_difference: int
    issuance_before: int
    issuance_after: int
    payer: str
    pids: tuple[int, ...]
    peer_ids: tuple[str, ...]
    verified: bool
    result_matches: bool
    trouble: tuple[str, ...] = field(default=())

    @property
    def second(self) -> int | None:
        """Lowest adjusted ask of the others."""
        return min((bid.adjusted for bid in self.bids if bid.node != self.winner), default=None)

    @property
    def winning(self) -> Bid | None:
        """The winner's bid."""
        return next((bid for bid in self.bids if bid.node == self.winner), None)


def faults(found: Findings) -> list[str]:
    """Everything that is not as promised, a sentence each; empty when all is proven."""
    return [*found.trouble, *_auction(found), *_money(found), *_rest(found)]


def _auction(found: Findings) -> Iterator[str]:
    mine, second = found.winning, found.second
    if len(found.bids) < 3:
        yield f"only {len(found.bids)} bids were revealed"
    if found.reserve != found.budget * 10_000 // (10_000 + found.fee_bps):
        yield f"the reserve {_ain(found.reserve)} does not follow from the budget {_ain(found.budget)}"
    if mine is None:
        yield f"the winner {found.winner} is not among the bids"
        return
    if any(bid.adjusted < mine.adjusted for bid in found.bids):
        yield "a cheaper bid lost"
    expected = min(found.reserve if second is None else second, found.reserve) - mine.penalty
    if found.paid != expected:
        yield f"paid {_ain(found.paid)}, but min(second, reserve) - penalty is {_ain(expected)}"
    if found.paid < mine.ask:
        yield f"paid {_ain(found.paid)}, less than the ask of {_ain(mine.ask)}"
    if found.fee != -(-found.paid * found.fee_bps // 10_000):
        yield f"the fee {_ain(found.fee)} is not {found.fee_bps} bps of {_ain(found.paid)}, rounded up"
    if found.paid + found.fee > found.budget:
        yield "price and fee are above the budget"


def _money(found: Findings) -> Iterator[str]:
    for name, before in found.before.items():
        change = found.after[name] - before
        expected = -found.fees[name]
        if name == found.winner:
            expected += found.paid
        if name == found.payer:
            expected -= found.paid + found.fee
        if change != expected:
            yield f"{name}'s money changed by {_ain(change)}, price and fees explain {_ain(expected)}"
        if found.held_after[name] != found.held_before.get(name, 0):
            yield f"{_ain(found.held_after[name])} of {name} are held after the end"
    if found.audit_difference != 0:
        yield f"the audit differs by {found.audit_difference} planck"
    if found.issuance_after != found.issuance_before:
        yield "total issuance changed"


def _rest(found: Findings) -> Iterator[str]:
    if found.escrow != "released":
        yield f"the escrow is {found.escrow}, not released"
    if found.quality_after <= found.quality_before:
        yield f"the winner's reputation did not rise: {found.quality_before} -> {found.quality_after}"
    if len(set(found.pids)) != len(found.before) or len(set(found.peer_ids)) != len(found.before):
        yield "the nodes are not separate processes with identities of their own"
    if not found.verified:
        yield "the observer could not verify the auction"
    if not found.result_matches:
        yield "the result's bytes are not those of the receipt"


def _ain(planck: int) -> str:
    return f"{format_ain(planck)} AIN"
