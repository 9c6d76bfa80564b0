"""Decoded storage values of the court as records; anything else that a node sends is its misbehaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from pallets_client.errors import ChainMisbehaviour
from pallets_client.pallets import court
from pallets_client.pallets.shape import byte_strings, record, variant

T = TypeVar("T")

_PHASES = {kind.__name__: kind for kind in (court.Pleading, court.Seeding, court.Voting, court.Ruled, court.Closed)}
_VOTES = {kind.__name__: kind for kind in (court.Waiting, court.Committed, court.Revealed, court.Denounced)}
_PARTIES = {"Payer": court.Party.PAYER, "Payee": court.Party.PAYEE}


def parse_case(value: object) -> court.Case:
    """A case with its phase."""
    struct = _struct(value, "Case")
    ruling = struct.get("ruling")
    return record(
        court.Case,
        {
            **struct,
            "payer": _side(struct.get("payer")),
            "payee": _side(struct.get("payee")),
            "ruling": None if ruling is None else record(court.Ruling, ruling),
            "appeals": tuple(_appeal(item) for item in _list(struct.get("appeals"), "appeals")),
            "phase": cast(court.Phase, _one_of(_PHASES, struct.get("phase"), "Phase")),
        },
    )


def parse_panel(value: object) -> court.Panel:
    """A panel with its votes."""
    struct = _struct(value, "Panel")
    return record(court.Panel, {**struct, "seats": tuple(_seat(s) for s in _list(struct.get("seats"), "seats"))})


def parse_arbiter(value: object) -> court.Arbiter:
    """An arbiter."""
    return record(court.Arbiter, value)


def _side(value: object) -> court.Side:
    struct = _struct(value, "Side")
    return record(court.Side, {**struct, "exhibits": byte_strings(struct.get("exhibits"), "exhibits")})


def _appeal(value: object) -> court.Appeal:
    struct = _struct(value, "Appeal")
    party = variant(struct.get("by"), "Party").name
    if party not in _PARTIES:
        raise ChainMisbehaviour(f"party {party}")
    return record(court.Appeal, {**struct, "by": _PARTIES[party]})


def _seat(value: object) -> court.Seat:
    struct = _struct(value, "Seat")
    return record(court.Seat, {**struct, "vote": cast(court.Vote, _one_of(_VOTES, struct.get("vote"), "Vote"))})


def _one_of(kinds: Mapping[str, type[T]], value: object, where: str) -> T:
    """The record of a variant by its name."""
    found = variant(value, where)
    kind = kinds.get(found.name)
    if kind is None:
        raise ChainMisbehaviour(f"{where} {found.name}")
    names = [item.name for item in fields(kind)]  # type: ignore[arg-type]  # only dataclasses are listed
    missing = [name for name in names if name not in found.fields]
    if missing:
        raise ChainMisbehaviour(f"{where} {found.name}: the runtime has no field {missing[0]}")
    return record(kind, found.fields)


def _struct(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ChainMisbehaviour(f"{where}: a struct expected, not {type(value).__name__}")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ChainMisbehaviour(f"{where}: a list expected")
    return value
