"""Pallet market: the world's constants, its random id and its clock."""

from __future__ import annotations

from dataclasses import dataclass

from pallets_client.records import AIN, EXISTENTIAL_DEPOSIT, Call

PALLET = "Market"


@dataclass(frozen=True, slots=True)
class Params:
    """Genesis constants; times in milliseconds of market time, money in planck, rates in 1/10,000.

    What was added after the first release has its development value where a chain does not know it yet.
    """

    award_within: int
    start_within: int
    review_within: int
    dispute_answer: int
    dispute_limit: int
    unbonding: int
    tombstone: int
    fee_bps: int
    quality_bps_max: int
    bond_bps: int
    perf_bps: int
    epoch: int
    half_life: int
    score_k: int
    min_stake: int
    max_reveal: int
    min_reveal: int
    min_price: int
    fee_reserve: int
    max_deliver: int
    decline_cap: int
    item_deposit: int = AIN // 100
    byte_deposit: int = AIN // 10_000
    registration_fee: int = 0
    channel_deposit: int = AIN // 100
    channel_challenge_min: int = 10_000
    channel_challenge_max: int = 3_600_000
    channel_life: int = 2_592_000_000
    court_plead: int = 30_000
    court_nonce: int = 20_000
    court_commit: int = 20_000
    court_reveal: int = 10_000
    court_appeal: int = 10_000
    arbiter_unbonding: int = 1_200_000
    stake_unit: int = AIN
    seat_fee: int = AIN // 50


DEVELOPMENT = Params(
    award_within=60_000,
    start_within=20_000,
    review_within=60_000,
    dispute_answer=60_000,
    dispute_limit=600_000,
    unbonding=1_200_000,
    tombstone=3_600_000,
    fee_bps=100,
    quality_bps_max=400,
    bond_bps=1_000,
    perf_bps=2_000,
    epoch=10_000,
    half_life=86_400_000,
    score_k=AIN // 10,
    min_stake=10 * AIN,
    max_reveal=30_000,
    min_reveal=200,
    min_price=EXISTENTIAL_DEPOSIT,
    fee_reserve=AIN // 50,
    max_deliver=600_000,
    decline_cap=20,
    item_deposit=AIN // 100,
    byte_deposit=AIN // 10_000,
    registration_fee=0,
)


def set_params(params: Params) -> Call:
    """Replace the constants; root only."""
    return Call(PALLET, "set_params", {"params": params})
