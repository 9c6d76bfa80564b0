"""What an operator may tune about the market; times in ms, rates in basis points."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Windows travel as durations; the chain checks them against its parameters."""

    commit_within: int = 1500
    reveal_within: int = 4000
    start_within: int = 20_000
    deliver_within: int = 60_000
    review_within: int = 60_000
    # How long an award may be challenged on chain, at the stake of this node's bond; 0: not at all.
    challenge_within: int = 0
    quality_bps: int = 400
    min_score: int = 0
    max_open_tasks: int = 512
    # Auctions of this node that run side by side; the rest of a burst waits with its budget still free.
    max_auctions: int = 12
    max_open_jobs: int = 128
    # How long a bid stands past the award deadline: a runner-up may be awarded late.
    standing_extra: int = 30_000
