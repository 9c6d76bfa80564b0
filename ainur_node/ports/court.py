"""The court on chain, in market words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain.court.docket import Decision, Docket, Seat
from ainur_node.domain.ids import AccountId, EscrowId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.ports.price import Price


@dataclass(frozen=True, slots=True)
class ArbiterRecord:
    """Somebody who can be drawn: planck at stake and locked by seats; ``leaving`` is when it may withdraw."""

    stake: Amount
    locked: Amount
    units: int
    leaving: int | None


@dataclass(frozen=True, slots=True)
class CourtTerms:
    """What this world's court costs: planck, times in market ms."""

    stake_unit: Amount
    seat_fee: Amount
    answer: int
    appeal: int
    commit: int


@dataclass(frozen=True, slots=True)
class Done:
    """A call is in a block; ``fee`` in planck."""

    block: int
    fee: Amount


@dataclass(frozen=True, slots=True)
class Bench:
    """The panel of one round with its votes, and what it decided if the chain still tells."""

    round: int
    seats: tuple[Seat, ...]
    decision: Decision | None = None


class CourtBook(Protocol):
    """Disputes and arbiters on chain. Calls return once they are in a block; Transient when the chain is away."""

    account: AccountId
    genesis: bytes

    async def market_now(self) -> int:
        """Market time in ms, estimated for this instant."""
        ...

    async def sealed_now(self) -> int:
        """Market time of the best block: no estimate."""
        ...

    async def height(self) -> int:
        """Number of the best block."""
        ...

    async def wait_block(self, after: int, seconds: float) -> None:
        """Return when a block above ``after`` was seen, or after that many seconds."""
        ...

    async def docket(self, escrow: EscrowId) -> Docket | None:
        """The dispute of an escrow as it stands; None when there is none and never was one with a case."""
        ...

    async def escrow_of(self, case: bytes) -> EscrowId | None:
        """The escrow that a case is about; None before it was opened."""
        ...

    async def bench(self, case: bytes, round_: int) -> Bench | None:
        """The panel of a round; None before it was drawn."""
        ...

    async def seated_in(self, first: int, last: int) -> list[tuple[EscrowId, bytes]]:
        """Escrow and case of each seat that this account was given in blocks ``first`` to ``last``."""
        ...

    async def arbiter(self, account: AccountId) -> ArbiterRecord | None:
        """An arbiter."""
        ...

    async def terms(self) -> CourtTerms:
        """What this world's court costs."""
        ...

    async def price(self, calls: Sequence[str]) -> Price:
        """What calls would cost now, with the node key's if joining has to bind it first; nothing is sent."""
        ...

    async def node_key(self, account: AccountId) -> NodeKey | None:
        """The node key that is bound to an account, or was last: who gives up an identity answers for its receipts."""
        ...

    async def account_of(self, node_key: NodeKey) -> AccountId | None:
        """The account that a node key is bound to."""
        ...

    async def respond(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        """Answer a dispute as its payee; the case opens."""
        ...

    async def plead(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        """Plead as the payer; the draw begins."""
        ...

    async def submit_evidence(self, docket: Docket, exhibit: bytes) -> Done | Rejection:
        """Add a hash to the own evidence."""
        ...

    async def open_nonce(self, docket: Docket, link: bytes) -> Done | Rejection:
        """Open the next link of the own nonces."""
        ...

    async def poke(self, docket: Docket, call: str) -> Done | Rejection:
        """``draw``, ``tally``, ``execute``, ``default_ruling`` or a party's ``appeal``."""
        ...

    async def commit_vote(self, docket: Docket, commit: bytes) -> Done | Rejection:
        """Commit to a vote."""
        ...

    async def reveal_vote(self, docket: Docket, vote: tuple[bytes, bool, int], salt: bytes) -> Done | Rejection:
        """Open the own vote; only once a sealed block is past ``commit_end``."""
        ...

    async def denounce_vote(
        self, docket: Docket, arbiter: AccountId, vote: tuple[bytes, bool, int], salt: bytes
    ) -> Done | Rejection:
        """Show another arbiter's opening before its time; by anyone."""
        ...

    async def join(self, stake: Amount, key: bytes) -> Done | Rejection:
        """Become an arbiter or add to the stake; once for each ``key``, whatever dies in between."""
        ...

    async def knows_join(self, key: bytes) -> bool:
        """Whether such a join was ordered before, and is under way or done."""
        ...

    async def leave(self, key: bytes) -> Done | Rejection:
        """Be drawn no more; once for each ``key``."""
        ...

    async def withdraw(self, key: bytes) -> Done | Rejection:
        """Have the stake back; once for each ``key``."""
        ...
