"""The audit: every planck is free, on hold for a reason, or in the sink."""

from __future__ import annotations

from pallets_client.errors import ChainMisbehaviour
from pallets_client.hashing import SINK_ACCOUNT
from pallets_client.link import Link
from pallets_client.paging import entries
from pallets_client.parsing import parse_holds
from pallets_client.records import Audit


def audit(link: Link, at: bytes) -> Audit:
    """Sum all accounts and all holds at one block; the difference is 0 on an honest chain.

    ``reserved`` money that no hold explains counts as held under "reserved": a pallet that reserves without
    a reason would show up there.
    """
    runtime = link.runtime()
    issuance = link.storage("Balances", "TotalIssuance", at=at)
    if type(issuance) is not int:
        raise ChainMisbehaviour("total issuance is no number")
    free, sink, reserved = 0, 0, 0
    for (account,), info in entries(link, runtime.item("System", "Account"), at):
        data = info["data"]
        reserved += data["reserved"]
        if account == SINK_ACCOUNT:
            sink += data["free"]
        else:
            free += data["free"]
    held: dict[str, int] = {}
    for _, holds in entries(link, runtime.item("Balances", "Holds"), at):
        for reason, amount in parse_holds(holds).items():
            held[reason] = held.get(reason, 0) + amount
    unexplained = reserved - sum(held.values())
    if unexplained:
        held["reserved"] = unexplained
    difference = issuance - free - sink - sum(held.values())
    return Audit(issuance, free, held, sink, difference, at)
