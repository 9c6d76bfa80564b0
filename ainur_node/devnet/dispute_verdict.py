"""What a dispute must have done to everybody's money, held against what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EXPECTED_SEATS = (5, 11)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was seen; money in planck by node name, fees those of extrinsics."""

    arbiters: Sequence[str]
    provider: str
    payer: str
    rounds: Sequence[Mapping[str, Any]]
    ruling: Mapping[str, Any] | None
    outcome: str
    appeals: Sequence[Mapping[str, Any]]
    before: Mapping[str, int]
    after: Mapping[str, int]
    fees: Mapping[str, int]
    locked: Mapping[str, int]
    seat_fee: int
    perf_lock: int
    price: int
    quality_before: int
    quality_after: int

    def moved(self, name: str) -> int:
        """Planck that an account won, extrinsic fees apart."""
        return self.after[name] - self.before[name] + self.fees.get(name, 0)


def dispute_faults(trial: Trial) -> list[str]:
    """What is not as the ruling says, in sentences; empty when every planck is where it belongs."""
    wrong = _judgement(trial)
    seats = dict.fromkeys(trial.arbiters, 0)
    for each in trial.rounds:
        for seat in each["arbiters"]:
            if seat["arbiter"] in seats:
                seats[seat["arbiter"]] += int(seat["seats"])
            else:
                wrong.append(f"{seat['arbiter']} sat and is no arbiter of this world")
    gains = {name: count * trial.seat_fee for name, count in seats.items()}
    # Half of the price, but enough for the first panel's fees; the loser's bonds pay the seats, the rest is burned.
    bond = max((trial.price + 1) // 2, EXPECTED_SEATS[0] * trial.seat_fee)
    appeals = sum(int(each["bond"]) for each in trial.appeals if each["by"] == "payee")
    gains[trial.provider] = -(trial.perf_lock + bond + appeals)
    gains[trial.payer] = 0
    for name, gain in gains.items():
        if trial.moved(name) != gain:
            wrong.append(f"{name} has {trial.moved(name)} planck more without its fees, the ruling says {gain}")
    wrong += [
        f"{name} still holds {planck} planck as a dispute bond" for name, planck in trial.locked.items() if planck
    ]
    if trial.quality_after >= trial.quality_before:
        wrong.append(f"the reputation of {trial.provider} did not fall: {trial.quality_after}")
    return wrong


def _judgement(trial: Trial) -> list[str]:
    wrong = []
    seats = tuple(int(each["seats"]) for each in trial.rounds)
    if seats != EXPECTED_SEATS:
        wrong.append(f"panels of {seats} seats sat, not of {EXPECTED_SEATS}")
    for each in trial.rounds:
        wrong += [
            f"{seat['arbiter']} voted {seat['vote']} in round {each['round'] + 1}"
            for seat in each["arbiters"]
            if seat["vote"] != "revealed" or not seat.get("holds")
        ]
    if trial.ruling is None or trial.ruling["payee_bps"] != 0 or trial.ruling["for"] != "payer":
        wrong.append(f"the ruling is {trial.ruling}, not for the payer")
    if trial.outcome != "ruled":
        wrong.append(f"the escrow ended as {trial.outcome}")
    if [each["by"] for each in trial.appeals] != ["payee"]:
        wrong.append(f"appeals by {[each['by'] for each in trial.appeals]}, not one by the payee")
    return wrong
