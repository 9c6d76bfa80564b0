"""An auction between its close and the return of the auctioneer's bond, as on chain (docs/protocol.md §6.2.1)."""

from dataclasses import dataclass

from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.domain.money import ZERO, Amount


@dataclass(frozen=True, slots=True)
class Won:
    """The winner of the award that may be challenged."""

    provider: AccountId
    ask: Amount
    penalty: int
    price: Amount


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it at one block, whose market time is ``now``.

    ``live``: open or closed, so that an award may still come. ``until`` is the end of the challenge window, 0 before
    the first award; ``won`` is None when there was no sale. ``demanded`` is the market time until which the transcript
    must be published, 0 when nobody waits for it. ``out`` did not compete when the award was made: the first
    ``failed`` of them won and failed before, the others are on record as skipped. ``beacon`` is empty when the chain
    has forgotten it.
    """

    auction: AuctionId
    now: int
    payer: AccountId
    reserve: Amount
    quality_bps: int
    score_epoch: int
    min_score: int
    rule: int
    bond: Amount
    challenge_within: int
    live: bool
    root: bytes
    count: int
    beacon: bytes
    until: int = 0
    transcript: bytes = b""
    all_revealed: bool = False
    won: Won | None = None
    failed: int = 0
    out: tuple[AccountId, ...] = ()
    demanded: int = 0
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Convicted:
    """A challenge that succeeded: what became of the bond, in planck, and in which block."""

    burned: Amount
    compensation: Amount = ZERO
    reward: Amount = ZERO
    block: int = 0
