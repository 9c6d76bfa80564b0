"""What the chain says about the channels of a demo, held against what was promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pallets_client.client import ChainClient
from pallets_client.pallets.channels import PALLET

MAX_BLOCKS = 4096
HOWS = ("by_payee", "mutual", "finalized")
EXPECTED = {"by_payee": "by_payee", "mutual": "mutual", "vanished": "finalized", "old_voucher": "finalized"}
"""How each channel of the story must end."""


@dataclass(slots=True)
class Ended:
    """The end of one channel by the chain's events; money in planck."""

    how: str = ""
    paid: int = 0
    returned: int = 0
    calls: int = 0
    claims: list[int] = field(default_factory=list)


class Told(Protocol):
    """A channel as the story has it."""

    @property
    def payer(self) -> str:
        """Name of the node that pays."""
        ...

    @property
    def payee(self) -> str:
        """Name of the node that is paid."""
        ...

    @property
    def steps(self) -> int:
        """Steps promised."""
        ...


def endings_between(chain: ChainClient, first: int, last: int) -> dict[bytes, Ended]:
    """Claims and ends of all channels in blocks ``first + 1`` to ``last``."""
    found: dict[bytes, Ended] = {}
    for number in range(first + 1, min(last, first + MAX_BLOCKS) + 1):
        seen: set[tuple[bytes, int | None]] = set()
        for event in chain.events(chain.block(number).hash):
            if event.pallet != PALLET or "channel" not in event.fields:
                continue
            channel = event.fields["channel"]
            ended = found.setdefault(channel, Ended())
            if (channel, event.extrinsic) not in seen:
                seen.add((channel, event.extrinsic))
                ended.calls += 1
            if event.name == "Claimed":
                ended.claims.append(int(event.fields["claimed"]))
            if event.name == "Closed":
                ended.how = _how(event.fields["how"])
                ended.paid, ended.returned = int(event.fields["paid"]), int(event.fields["returned"])
    return found


def _how(value: Any) -> str:
    """A unit variant by its name, in the words of the command line."""
    name = str(getattr(value, "name", value))
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def channel_faults(
    story: Mapping[str, tuple[Told, Ended | None]],
    price: int,
    deposit: int,
    before: Mapping[str, int],
    after: Mapping[str, int],
    fees: Mapping[str, int],
    old: Mapping[str, Any],
) -> list[str]:
    """What is not as promised, in sentences; empty when every planck is where it belongs."""
    wrong: list[str] = []
    gains = dict.fromkeys(before, 0)
    for name, (told, ended) in story.items():
        promised = told.steps * price
        gains[told.payee] += promised
        gains[told.payer] -= promised
        if ended is None or not ended.how:
            wrong.append(f"{name}: the chain never closed it")
            continue
        if ended.how != EXPECTED[name]:
            wrong.append(f"{name}: closed as {ended.how}, not {EXPECTED[name]}")
        if ended.paid != promised or ended.returned != deposit - promised:
            wrong.append(f"{name}: paid {ended.paid} and returned {ended.returned}, promised were {promised}")
    liar = story["old_voucher"][1]
    if liar is not None and int(old["cumulative"]) not in liar.claims:
        wrong.append("old_voucher: the old voucher was never brought")
    for name, gain in gains.items():
        moved = after[name] - before[name] + fees.get(name, 0)
        if moved != gain:
            wrong.append(f"{name} has {moved} planck more without its fees, {gain} were promised")
    return wrong
