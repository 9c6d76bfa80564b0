"""Extrinsics on their way: signing, nonces, and finding out what became of each. Used by one thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from time import monotonic

from pallets_client import extrinsic
from pallets_client.errors import ChainMisbehaviour, ChainRefused, ChainUnreachable
from pallets_client.inclusion import find_in_block
from pallets_client.keys import Sr25519
from pallets_client.link import Link, tohex, unhex
from pallets_client.records import Call, Expired, Outcome, Refused, Signed

MAX_FLIGHTS = 256  # per account; the pool of a node takes thousands
MAX_RESIGN = 3  # times a call is signed anew because the nonce or the runtime had moved on
STALL = 6.0  # seconds without inclusion after which the same bytes are sent again
ALREADY_IMPORTED, BANNED, TOO_LOW_PRIORITY, DROPPED, INVALID = 1013, 1012, 1014, 1016, 1010
_OUTDATED, _BAD_SIGNATURE, _ANCIENT = "outdated", "bad signature", "ancient birth block"


@dataclass(slots=True)
class Flight:
    """A signed extrinsic whose bytes may have left, and who waits for it."""

    signed: Signed
    waiting: list[Future[Outcome]]
    sent_at: float = field(default_factory=monotonic)


class Flights:
    """All extrinsics of one account that are signed and not settled, by hash, oldest first."""

    def __init__(self, link: Link, key: Sr25519, era_blocks: int, on_signed: Callable[[Signed], None] | None) -> None:
        self._link = link
        self._key = key
        self._era_blocks = era_blocks
        self._on_signed = on_signed
        self._flights: dict[bytes, Flight] = {}
        self._scanned = 0  # blocks up to this one hold none of the flights
        self._base: int | None = None  # no smaller nonce is free; None: ask the node
        self._connections = 0

    def __len__(self) -> int:
        return len(self._flights)

    def has_room(self) -> bool:
        """Whether another call may be signed now."""
        return len(self._flights) < MAX_FLIGHTS

    def tell_waiting(self, exc: Exception) -> None:
        """Tell all callers that nobody knows; the flights go on, so that nothing is signed twice."""
        for flight in self._flights.values():
            waiting, flight.waiting = flight.waiting, []
            for future in waiting:
                settle(future, exc)

    def adopt(self, signed: Signed, future: Future[Outcome]) -> None:
        """Follow an extrinsic that was signed before this process began."""
        self._scanned = min(self._scanned, signed.block) if self._flights else signed.block
        self._flights[signed.hash] = Flight(signed, [future], sent_at=0.0)

    # sending -------------------------------------------------------------------------------------------

    def launch(self, call: Call, ref: bytes, future: Future[Outcome]) -> None:
        """Sign a call, have it written down, send it. A call whose ``ref`` is on its way is only followed.

        Raises ChainUnreachable while nothing is signed; CallMalformed for a call that does not fit.
        """
        if not future.running() and not future.set_running_or_notify_cancel():
            return
        under_way = next((flight for flight in self._flights.values() if ref and flight.signed.ref == ref), None)
        if under_way is not None:
            under_way.waiting.append(future)
            return
        refused: Refused | None = None
        for _ in range(MAX_RESIGN):
            flight = Flight(self._sign(call, ref), [future])
            if self._on_signed is not None:
                try:
                    self._on_signed(flight.signed)
                except Exception as exc:  # noqa: BLE001  # reason: the outbox's failure is the caller's answer
                    settle(future, exc)
                    return
            if not self._flights:
                self._scanned = flight.signed.block
            self._flights[flight.signed.hash] = flight
            try:
                refused = self._send(flight)
            except ChainUnreachable:
                return  # it may have arrived: it is followed from now on
            if refused is None:
                return
            del self._flights[flight.signed.hash]  # it never entered the pool, and only we have its bytes
            if not self._can_be_signed_anew(refused):
                break
        if refused is not None:
            settle(future, refused)

    def _sign(self, call: Call, ref: bytes) -> Signed:
        runtime = self._link.runtime()
        nonce = self._free_nonce()
        head = self._link.latest_head()
        era = extrinsic.Era.at(head.number, self._era_blocks)
        terms = extrinsic.Terms(self._link.genesis, nonce, era, head.hash)
        raw = extrinsic.sign(runtime, call, self._key, terms)
        name = f"{call.pallet}.{call.name}"
        return Signed(ref, extrinsic.extrinsic_hash(raw), nonce, head.number, era.end, raw, name)

    def _free_nonce(self) -> int:
        if self._base is None:
            answer = self._link.call("system_accountNextIndex", self._key.ss58)
            if type(answer) is not int or not 0 <= answer < 2**32:
                raise ChainMisbehaviour(f"the node sent {answer!r:.80} for a nonce")
            self._base = answer
        taken = {flight.signed.nonce for flight in self._flights.values()}
        nonce = self._base
        while nonce in taken:
            nonce += 1
        return nonce

    def _send(self, flight: Flight) -> Refused | None:
        flight.sent_at = monotonic()
        try:
            answer = self._link.call("author_submitExtrinsic", tohex(flight.signed.raw))
        except ChainRefused as exc:
            return None if exc.code == ALREADY_IMPORTED else Refused(exc.code, exc.reason)
        if unhex(answer, 32) != flight.signed.hash:
            raise ChainMisbehaviour("the node names our extrinsic by another hash")
        return None

    def _can_be_signed_anew(self, refused: Refused) -> bool:
        """Whether only the nonce or the runtime had moved on."""
        if _BAD_SIGNATURE in refused.reason:
            self._link.forget_runtime()
            return True
        if refused.code == TOO_LOW_PRIORITY or _OUTDATED in refused.reason:
            self._base = None
            return True
        return False

    # finding out ---------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Read the blocks that are new, and settle what they hold and what they leave behind."""
        if not self._flights:
            return
        if self._connections != self._link.connections:
            self._connections = self._link.connections
            self._base = None
            for flight in self._flights.values():
                flight.sent_at = 0.0  # the node may have forgotten it: send it again
        head = self._link.latest_head()
        while self._flights and self._scanned < head.number:
            found = find_in_block(self._link, self._scanned + 1, self._flights.keys(), head)
            self._scanned += 1
            for hash_, outcome in found.items():
                self._land(hash_, outcome)
        for hash_, flight in list(self._flights.items()):
            if flight.signed.era_end_block <= self._scanned:
                self._base = None
                self._land(hash_, Expired(flight.signed.era_end_block))

    def nudge(self) -> None:
        """Send again what is overdue, the smallest nonce first; fill a gap that would hold up the rest."""
        overdue = monotonic() - STALL
        flights = sorted(self._flights.values(), key=lambda flight: flight.signed.nonce)
        late = [flight for flight in flights if flight.sent_at <= overdue]
        for flight in late:
            refused = self._send(flight)
            if refused is not None:
                self._judge_refusal(flight, refused)
        if late and self._flights:
            self._fill_gap()

    def _judge_refusal(self, flight: Flight, refused: Refused) -> None:
        if refused.code != INVALID:
            return  # banned, dropped or crowded out for now: its era decides
        if _OUTDATED in refused.reason or _ANCIENT in refused.reason:
            # A block with it, or with another of its nonce, may have been on a branch not scanned.
            self._rescan(flight)
            if flight.signed.hash not in self._flights:
                return
        self._base = None
        self._land(flight.signed.hash, refused)

    def _rescan(self, flight: Flight) -> None:
        head = self._link.head()
        for number in range(flight.signed.block + 1, min(head.number, flight.signed.era_end_block) + 1):
            found = find_in_block(self._link, number, (flight.signed.hash,), head)
            if found:
                self._land(flight.signed.hash, found[flight.signed.hash])
                return

    def _fill_gap(self) -> None:
        """A nonce below all flights that nothing uses would keep them waiting until their eras end."""
        self._base = None
        nonce = self._free_nonce()
        if nonce < min(flight.signed.nonce for flight in self._flights.values()):
            signed = self._sign(Call("System", "remark", {"remark": b""}), b"")
            filler = Flight(signed, [])
            self._flights[signed.hash] = filler
            self._send(filler)

    def _land(self, hash_: bytes, outcome: Outcome) -> None:
        flight = self._flights.pop(hash_)
        if self._base is not None:
            self._base = max(self._base, flight.signed.nonce + 1)
        for future in flight.waiting:
            settle(future, outcome)


def settle(future: Future[Outcome], end: Outcome | Exception) -> None:
    """End a future that its caller may have cancelled."""
    try:
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
    except InvalidStateError:
        return  # cancelled: nobody waits
