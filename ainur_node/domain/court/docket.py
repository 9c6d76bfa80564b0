"""A dispute as it stands on chain, in the market's words; times in market ms, money in planck."""

from dataclasses import dataclass
from enum import IntEnum

from ainur_node.domain.ids import AccountId, AuctionId, EscrowId
from ainur_node.domain.money import ZERO, Amount

SEED_BLOCKS = 2
"""Blocks that must be sealed after the one in which a draw began (docs/protocol.md, section 6.6)."""
ROUND_SEATS = (5, 11, 23)
LAST_ROUND = len(ROUND_SEATS) - 1
EVEN = 5_000
"""From this share on a ruling is for the payee."""


class Role(IntEnum):
    """A side of a case; the number is the chain's."""

    PAYER = 0
    PAYEE = 1

    @property
    def other(self) -> "Role":
        """The side across."""
        return Role(1 - self)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The payee may respond until ``answer_by``; afterwards it loses if a court ``sat`` all the time."""

    answer_by: int
    sat: bool
    arbiters: bool


@dataclass(frozen=True, slots=True)
class Pleading:
    """The payer may plead until ``ends``."""

    ends: int


@dataclass(frozen=True, slots=True)
class Seeding:
    """A draw began in ``block``; nonces are opened until ``ends`` by those in ``opened``."""

    block: int
    ends: int
    opened: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Voting:
    """Commitments up to ``commit_end``, openings from then to ``reveal_end``."""

    commit_end: int
    reveal_end: int


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling; it may be appealed until ``ends`` when ``appealable``."""

    ends: int
    appealable: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is left to do."""


Phase = Unanswered | Pleading | Seeding | Voting | Ruled | Closed


@dataclass(frozen=True, slots=True)
class Seat:
    """One arbiter of the panel that sits now; ``vote`` is waiting, committed, revealed or denounced."""

    arbiter: AccountId
    seats: int
    vote: str = "waiting"
    commit: bytes = b""
    output: bytes = b""
    holds: bool = False
    payee_bps: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What a panel ruled: the payee's share, the output that counts (zeros: none), whether the ground holds."""

    payee_bps: int
    output: bytes
    holds: bool

    @property
    def winner(self) -> Role:
        """The side it is for."""
        return Role.PAYEE if self.payee_bps >= EVEN else Role.PAYER


@dataclass(frozen=True, slots=True)
class Docket:
    """Everything about one dispute. ``nonces`` are the heads that payer and payee stand committed to."""

    escrow: EscrowId
    auction: AuctionId
    case: bytes
    payer: AccountId
    payee: AccountId
    milestone: int
    ground: int
    delivery: bytes
    module: bytes
    terms: bytes
    awarded_at: int
    price: Amount
    until: int
    phase: Phase
    replay: bool = True
    round: int = 0
    redrawn: bool = False
    nonces: tuple[bytes, bytes] = (b"", b"")
    exhibits: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())
    panel: tuple[Seat, ...] = ()
    decision: Decision | None = None
    appeals: tuple[tuple[Role, Amount], ...] = ()
    unit: Amount = ZERO

    def role_of(self, account: bytes) -> Role | None:
        """Which side an account is."""
        if account == self.payer:
            return Role.PAYER
        return Role.PAYEE if account == self.payee else None

    def seat_of(self, account: bytes) -> Seat | None:
        """The seat of an account in the panel that sits now."""
        return next((seat for seat in self.panel if seat.arbiter == account), None)

    @property
    def all_open(self) -> bool:
        """Whether every vote that was committed is open."""
        return all(seat.vote != "committed" for seat in self.panel)
