"""What only finalized blocks may decide: that a call happened for good, and that it never will."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from pallets_client.answers import tohex, unhex
from pallets_client.errors import UnknownBlock
from pallets_client.flight import Flight, Landing
from pallets_client.inclusion import find_in_block
from pallets_client.link import Link
from pallets_client.records import Expired, Failed, Head, Included, Outcome, Signed

LOOK_AT_MOST = 4096  # blocks; eras are not longer


class Landings:
    """Calls that a block holds which another may still take the place of."""

    def __init__(
        self, link: Link, on_final: Callable[[Signed, Outcome], None] | None, take_back: Callable[[Flight], None]
    ) -> None:
        self._link = link
        self._on_final = on_final
        self._take_back = take_back
        self._waiting: list[Landing] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, landing: Landing) -> None:
        """Watch over a block that holds a call."""
        self._waiting.append(landing)

    def settle(self) -> None:
        """End what is final now; a call whose block was replaced is handed back to be followed again."""
        if not self._waiting:
            return
        final = self._link.finalized()
        for landing in tuple(self._waiting):
            if landing.block_number > final.number:
                continue
            if landing.block_hash != final.hash and not self._is_canonical(landing):
                self._waiting.remove(landing)
                self._take_back(landing.flight)
                continue
            self.end(landing.flight, landing.outcome, landing.hash)
            self._waiting.remove(landing)

    def _is_canonical(self, landing: Landing) -> bool:
        return unhex(self._link.call("chain_getBlockHash", landing.block_number), 32) == landing.block_hash

    def end(self, flight: Flight, outcome: Outcome, landed: bytes = b"") -> None:
        """Say for good what became of each extrinsic of a flight; only one of them can have ``landed``."""
        if self._on_final is None:
            return
        for hash_, signed in flight.variants.items():
            own = outcome if not landed or hash_ == landed else Expired(signed.era_end_block)
            self._on_final(signed, own)


class Fate(Enum):
    """Why no block after a finalized one can hold an extrinsic."""

    NONCE_USED = 1  # by itself or by something else: the blocks say which
    IMPOSSIBLE = 2  # its era is over, or the runtime that it was signed for is gone


def decided(link: Link, flight: Flight, account: bytes, final: Head) -> Fate | None:
    """Whether no block after ``final`` can hold any variant of a flight; None while one may."""
    try:
        info = link.storage("System", "Account", account, at=final.hash)
    except UnknownBlock:
        return Fate.NONCE_USED if final.number >= flight.era_end else None  # that state is gone: read the blocks
    if isinstance(info, dict) and int(info["nonce"]) > flight.signed.nonce:
        return Fate.NONCE_USED
    if final.number >= flight.era_end:
        return Fate.IMPOSSIBLE
    # Bytes that nobody can sign again, for a runtime that is gone.
    return Fate.IMPOSSIBLE if flight.call is None and _other_runtime(link, flight, final) else None


def _other_runtime(link: Link, flight: Flight, final: Head) -> bool:
    specs = {signed.spec for signed in flight.variants.values()}
    if 0 in specs:
        return False  # an older outbox did not keep it: the era decides
    version = link.call("state_getRuntimeVersion", tohex(final.hash))
    return isinstance(version, dict) and version.get("specVersion") not in specs


def look_again(link: Link, flight: Flight, last: int) -> dict[bytes, Included | Failed]:
    """Which variant a block up to ``last`` holds, read from the chain as it is now; empty for none."""
    first = flight.first_block + 1
    for number in range(first, min(last, flight.era_end, first + LOOK_AT_MOST) + 1):
        found = find_in_block(link, number, tuple(flight.variants))
        if found:
            return found
    return {}
