"""Decoded storage values as the pallets' records; anything else that a node sends is its misbehaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from pallets_client.errors import ChainMisbehaviour
from pallets_client.pallets import auction_challenges, escrow, vcg_auction
from pallets_client.pallets.reputation import HISTORY, Score
from pallets_client.pallets.shape import Variant, record, variant
from pallets_client.records import Account

T = TypeVar("T")

_AUCTION_STATES = (
    vcg_auction.Open,
    vcg_auction.Closed,
    vcg_auction.Awarded,
    vcg_auction.NoSale,
    vcg_auction.Void,
)
_ESCROW_STATES = (escrow.Funded, escrow.Delivered, escrow.Disputed)
_OUTCOMES = dict(
    zip(
        ("Paid", "Auto", "Declined", "NotDelivered", "GaveBack", "Ruled", "Stale", "Agreed"),
        escrow.Settlement,
        strict=True,
    )
)


def parse_auction(value: object) -> vcg_auction.Auction:
    """An auction with its state."""
    struct = _struct(value, "Auction")
    return record(vcg_auction.Auction, {**struct, "state": _auction_state(struct.get("state"))})


def _auction_state(value: object) -> vcg_auction.AuctionState:
    found = variant(value, "AuctionState")
    for state in _AUCTION_STATES:
        if state.__name__ == found.name:
            return cast(vcg_auction.AuctionState, _state(state, found))
    raise ChainMisbehaviour(f"auction state {found.name}")


def parse_window(value: object) -> auction_challenges.Window:
    """The challenge window of an auction, with the demand that may stand in it."""
    struct = dict(_struct(value, "Window"))
    demand = variant(struct.get("demand"), "Demand")
    until = demand.fields.get("0", 0)
    won = struct.get("won")
    struct["won"] = None if won is None else record(auction_challenges.Won, won)
    struct["demanded"] = _int(until) if demand.name == "Until" else 0
    struct["answered"] = demand.name == "Answered"
    return record(auction_challenges.Window, struct)


def parse_skips(value: object) -> tuple[bytes, ...]:
    """The bidders on record as unable to win, in order."""
    if not isinstance(value, list):
        raise ChainMisbehaviour("VcgAuction.Skips: a list expected")
    return tuple(_bytes32(each) for each in value)


def parse_escrow(value: object) -> escrow.Escrow:
    """An escrow with its state."""
    struct = dict(_struct(value, "Escrow"))
    struct["state"] = _escrow_state(struct.get("state"))
    struct["splits"] = tuple((_bytes32(account), _int(bps)) for account, bps in _pairs(struct.get("splits"), "splits"))
    milestones = struct.get("milestones")
    if not isinstance(milestones, list):
        raise ChainMisbehaviour("Escrow.milestones: a list expected")
    struct["milestones"] = tuple(_int(amount) for amount in milestones)
    return record(escrow.Escrow, struct)


def _escrow_state(value: object) -> escrow.EscrowState:
    found = variant(value, "EscrowState")
    if found.name == "Settled":
        inner = _named(found, ("outcome", "at"))
        outcome = variant(inner["outcome"], "Outcome").name
        if outcome not in _OUTCOMES:
            raise ChainMisbehaviour(f"escrow outcome {outcome}")
        return escrow.Settled(_OUTCOMES[outcome], _int(inner["at"]))
    for state in _ESCROW_STATES:
        if state.__name__ == found.name:
            return cast(escrow.EscrowState, _state(state, found))
    raise ChainMisbehaviour(f"escrow state {found.name}")


def parse_proposal(value: object) -> escrow.Proposal:
    """What one party of an escrow offers the other."""
    struct = _struct(value, "Proposal")
    found = variant(struct.get("deal"), "Deal")
    deal: escrow.Deal
    match found.name:
        case "Milestones":
            inner = _named(found, ("parts", "deliver_within"))
            if not isinstance(inner["parts"], list):
                raise ChainMisbehaviour("Deal.parts: a list expected")
            deal = escrow.Milestones(tuple(_int(part) for part in inner["parts"]), _int(inner["deliver_within"]))
        case "TopUp":
            deal = escrow.TopUp(_int(_named(found, ("amount",))["amount"]))
        case "Split":
            deal = escrow.Split(_int(_named(found, ("payee_bps",))["payee_bps"]))
        case _:
            raise ChainMisbehaviour(f"deal {found.name}")
    return escrow.Proposal(_bytes32(struct.get("by")), deal)


def parse_score(value: object) -> Score:
    """A score with its history."""
    struct = _struct(value, "Score")
    history = tuple((_int(epoch), _int(q)) for epoch, q in _pairs(struct.get("history"), "history"))
    if len(history) > HISTORY:
        raise ChainMisbehaviour("a score with too long a history")
    return record(Score, {**struct, "history": history})


def parse_account(value: object, holds: object) -> Account:
    """Nonce, free money and holds of an account."""
    info = _struct(value, "AccountInfo")
    data = _struct(info.get("data"), "AccountData")
    return Account(_int(info.get("nonce")), _int(data.get("free")), parse_holds(holds))


def parse_holds(value: object) -> dict[str, int]:
    """Held amounts by "Pallet::Reason"."""
    held: dict[str, int] = {}
    if not isinstance(value, list):
        raise ChainMisbehaviour("Balances.Holds: a list expected")
    for entry in value:
        hold = _struct(entry, "Hold")
        outer = variant(hold.get("id"), "HoldReason")
        inner = variant(outer.fields.get("0"), "HoldReason")
        held[f"{outer.name}::{inner.name}"] = _int(hold.get("amount"))
    return held


def _state(cls: type[T], found: Variant) -> T:
    names = tuple(item.name for item in fields(cls))  # type: ignore[arg-type]  # only dataclasses are passed
    return record(cls, _named(found, names))


def _named(found: Variant, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The fields of a variant by name, also where the runtime gives them only by position."""
    if names and all(key.isdigit() for key in found.fields) and len(found.fields) == len(names):
        return dict(zip(names, found.fields.values(), strict=True))
    missing = [name for name in names if name not in found.fields]
    if missing:
        raise ChainMisbehaviour(f"{found.name}: the runtime has no field {missing[0]}")
    return found.fields


def _struct(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ChainMisbehaviour(f"{where}: a struct expected, not {type(value).__name__}")
    return value


def _pairs(value: object, where: str) -> list[tuple[Any, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, tuple) and len(item) == 2 for item in value):
        raise ChainMisbehaviour(f"{where}: a list of pairs expected")
    return value


def _int(value: object) -> int:
    if type(value) is not int:
        raise ChainMisbehaviour(f"a whole number expected, not {value!r:.80}")
    return value


def _bytes32(value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise ChainMisbehaviour("32 bytes expected")
    return value
