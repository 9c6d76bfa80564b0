"""One call on its way: every extrinsic that was signed for it has the same nonce, so that one at most counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from time import monotonic

from pallets_client.records import Call, Outcome, Signed


@dataclass(slots=True, eq=False)
class Flight:
    """A call whose bytes may have left, and who waits for it.

    ``signed`` is the newest of its ``variants``, by hash: a call is signed again, with the same nonce, for a
    new runtime or with a higher tip. ``call`` is None for one that an earlier process signed.
    """

    signed: Signed
    waiting: list[Future[Outcome]]
    call: Call | None = None
    sent_at: float = field(default_factory=monotonic)
    sent_block: int = 0
    bumps: int = 0
    variants: dict[bytes, Signed] = field(init=False)

    def __post_init__(self) -> None:
        self.variants = {self.signed.hash: self.signed}

    def renew(self, signed: Signed) -> None:
        """Take another extrinsic of the same nonce as the newest."""
        self.signed = signed
        self.variants[signed.hash] = signed

    @property
    def first_block(self) -> int:
        """The last block that surely holds none of the variants."""
        return min(signed.block for signed in self.variants.values())

    @property
    def era_end(self) -> int:
        """The last block that can hold one of the variants."""
        return max(signed.era_end_block for signed in self.variants.values())

    def tell(self, end: Outcome | Exception) -> None:
        """Tell all who wait, once."""
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            settle(future, end)


@dataclass(frozen=True, slots=True)
class Landing:
    """What a block that is not final yet says about a flight."""

    flight: Flight
    hash: bytes
    outcome: Outcome
    block_hash: bytes
    block_number: int


class Registry:
    """The flights of one account, oldest first, and which hash belongs to which."""

    def __init__(self) -> None:
        self._flights: list[Flight] = []
        self._by_hash: dict[bytes, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(tuple(self._flights))

    def __contains__(self, flight: Flight) -> bool:
        return flight in self._flights

    @property
    def hashes(self) -> Iterable[bytes]:
        """Hashes of all variants."""
        return self._by_hash.keys()

    def add(self, flight: Flight) -> None:
        """Follow a flight, or one more variant of it."""
        if flight not in self._flights:
            self._flights.append(flight)
        for hash_ in flight.variants:
            self._by_hash[hash_] = flight

    def remove(self, flight: Flight) -> None:
        """Follow it no more."""
        self._flights.remove(flight)
        for hash_ in flight.variants:
            self._by_hash.pop(hash_, None)

    def of(self, hash_: bytes) -> Flight | None:
        """The flight that a hash belongs to."""
        return self._by_hash.get(hash_)

    def under(self, ref: bytes) -> Flight | None:
        """The flight of a ``ref``; calls without one are never the same."""
        return next((flight for flight in self._flights if ref and flight.signed.ref == ref), None)

    def same(self, signed: Signed) -> Flight | None:
        """The flight that ``signed`` is another variant of."""
        found = self.under(signed.ref)
        return found if found is not None and found.signed.nonce == signed.nonce else None

    def nonces(self) -> set[int]:
        """Nonces in use."""
        return {flight.signed.nonce for flight in self._flights}


def settle(future: Future[Outcome], end: Outcome | Exception) -> None:
    """End a future that its caller may have cancelled."""
    try:
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
    except InvalidStateError:
        return  # cancelled: nobody waits
