"""Extrinsics on their way: sending, sending again, and finding out what became of each. Used by one thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic

from pallets_client.answers import tohex, unhex
from pallets_client.errors import ChainError, ChainMisbehaviour, ChainRefused, ChainUnreachable
from pallets_client.fees import MAX_BUMPS, tip_after
from pallets_client.finality import Fate, Landings, decided, look_again
from pallets_client.flight import Flight, Landing, Registry, settle
from pallets_client.hashing import blake2_256
from pallets_client.inclusion import find_in_block
from pallets_client.link import Link
from pallets_client.records import Call, Expired, Failed, Included, Outcome, Refused, Signed
from pallets_client.signing import OverBudget, Signer

MAX_FLIGHTS = 256  # per account; the pool of a node takes thousands
MAX_RESIGN = 3  # times a call is signed anew because the nonce or the runtime had moved on
STALL = 6.0  # seconds without inclusion after which the node is asked whether it still has the bytes
PASSED_OVER = 3  # blocks without an extrinsic that the pool has: it takes a tip then
ALREADY_IMPORTED, BANNED, TOO_LOW_PRIORITY, DROPPED, INVALID = 1013, 1012, 1014, 1016, 1010
OVER_BUDGET = -1  # the code of a refusal of our own: the fee budget
# What nodes say of bytes that cannot be: Substrate in words, others by the name of the variant.
_OUTDATED = ("outdated", '"stale"')
_BAD_SIGNATURE = ("bad signature", '"badproof"')
_ANCIENT = ("ancient birth block", '"ancientbirthblock"')

OnFinal = Callable[[Signed, Outcome], None]


class Flights:
    """All extrinsics of one account that are signed and not settled, oldest first."""

    def __init__(self, link: Link, signer: Signer, on_final: OnFinal | None = None) -> None:
        self._link = link
        self._signer = signer
        self._registry = Registry()
        self._landings = Landings(link, on_final, self._take_back)
        self._scanned = 0  # blocks up to this one hold none of the flights
        self._connections = 0

    def __len__(self) -> int:
        return len(self._registry) + len(self._landings)

    def has_room(self) -> bool:
        """Whether another call may be signed now."""
        return len(self._registry) < MAX_FLIGHTS

    def tell_waiting(self, exc: Exception) -> None:
        """Tell all callers that nobody knows; the flights go on, so that nothing is signed twice."""
        for flight in self._registry:
            flight.tell(exc)

    def adopt(self, signed: Signed, future: Future[Outcome]) -> None:
        """Follow an extrinsic that was signed before this process began."""
        self._scanned = min(self._scanned, signed.block) if self._registry else signed.block
        flight = self._registry.same(signed)
        if flight is None:
            flight = Flight(signed, [future], sent_at=0.0)
        else:
            flight.renew(signed)
            flight.waiting.append(future)
        self._registry.add(flight)

    # sending -------------------------------------------------------------------------------------------

    def launch(self, call: Call, ref: bytes, future: Future[Outcome]) -> None:
        """Sign a call, have it written down, send it. A call whose ``ref`` is on its way is only followed.

        Raises ChainUnreachable while nothing is signed; CallMalformed for a call that does not fit.
        """
        if not future.running() and not future.set_running_or_notify_cancel():
            return
        under_way = self._registry.under(ref)
        if under_way is not None:
            under_way.waiting.append(future)
            return
        refused: Refused | None = None
        for _ in range(MAX_RESIGN):
            nonce = self._signer.free_nonce(self._registry.nonces())
            try:
                flight = Flight(self._signer.sign(call, ref, nonce), [future], call)
            except OverBudget as exc:
                settle(future, Refused(OVER_BUDGET, str(exc)))
                return
            except ChainError:
                raise
            except Exception as exc:  # noqa: BLE001  # reason: the outbox's failure is the caller's answer
                settle(future, exc)
                return
            if not self._registry:
                self._scanned = flight.signed.block
            self._registry.add(flight)
            try:
                refused = self._send(flight)
            except ChainUnreachable:
                return  # it may have arrived: it is followed from now on
            if refused is None or refused.code == ALREADY_IMPORTED:
                return
            self._registry.remove(flight)  # it never entered the pool, and only we have its bytes
            again = self._can_be_signed_anew(refused)
            self._landings.end(flight, refused)
            if not again:
                break
        if refused is not None:
            settle(future, refused)

    def _send(self, flight: Flight) -> Refused | None:
        """Hand the newest bytes in; None when the pool has them, also when it had them before."""
        flight.sent_at = monotonic()
        flight.sent_block = self._scanned
        try:
            answer = self._link.call("author_submitExtrinsic", tohex(flight.signed.raw))
        except ChainRefused as exc:
            return Refused(exc.code, exc.reason)
        if unhex(answer, 32) != flight.signed.hash:
            raise ChainMisbehaviour("the node names our extrinsic by another hash")
        return None

    def _can_be_signed_anew(self, refused: Refused) -> bool:
        """Whether only the nonce or the runtime had moved on."""
        if _says(refused, _BAD_SIGNATURE):
            self._link.forget_runtime()
            return True
        if refused.code == TOO_LOW_PRIORITY or _says(refused, _OUTDATED):
            self._signer.forget_nonce()
            return True
        return False

    # finding out ---------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Read the blocks that are new, and settle what they hold and what they leave behind."""
        if not len(self):
            return
        if self._connections != self._link.connections:
            self._connections = self._link.connections
            self._signer.forget_nonce()
            for flight in self._registry:
                flight.sent_at = 0.0  # the node may have forgotten it: send it again
        head = self._link.latest_head()
        self._note_runtimes()
        while self._registry and self._scanned < head.number:
            found = find_in_block(self._link, self._scanned + 1, tuple(self._registry.hashes), head)
            self._scanned += 1
            for hash_, outcome in found.items():
                self._land(hash_, outcome)
        self._landings.settle()
        self._bury()
        self._renew()

    def _land(self, hash_: bytes, outcome: Included | Failed) -> None:
        flight = self._registry.of(hash_)
        if flight is None:
            return  # a variant of one that has just landed: a node that shows both lies
        self._registry.remove(flight)
        self._signer.passed(flight.signed.nonce)
        self._landings.add(Landing(flight, hash_, outcome, outcome.block_hash, outcome.block_number))
        flight.tell(outcome)

    def _take_back(self, flight: Flight) -> None:
        """The block that held it is on no chain any more: it flies again."""
        flight.sent_at = 0.0
        self._scanned = min(self._scanned, flight.first_block)
        self._signer.forget_nonce()
        self._registry.add(flight)

    def _bury(self) -> None:
        """End what can be in no block any more, by the word of finalized blocks alone."""
        for flight in self._registry:
            if flight.era_end <= self._scanned:
                self._judge(flight)

    def _judge(self, flight: Flight) -> None:
        """Settle a flight if finalized blocks decide about it."""
        if flight not in self._registry:
            return
        final = self._link.finalized()
        fate = decided(self._link, flight, self._signer.key.account, final)
        if fate is None:
            return
        found = look_again(self._link, flight, final.number) if fate is Fate.NONCE_USED else {}
        if found:
            self._land(*next(iter(found.items())))
            return
        self._signer.forget_nonce()
        self._registry.remove(flight)
        end = Expired(flight.era_end)
        self._landings.end(flight, end)
        flight.tell(end)

    def _note_runtimes(self) -> None:
        """Have old blocks read with the runtime of their time when something was signed for another than ours."""
        if not self._link.upgrades and any(f.signed.spec != self._link.runtime().spec_version for f in self._registry):
            self._link.upgrades += 1

    def _renew(self) -> None:
        """Sign for the new runtime what was signed for an older one; the nonce stays, so that one counts."""
        if not self._link.upgrades:
            return
        spec = self._link.runtime().spec_version
        for flight in self._registry:
            if flight.signed.spec and flight.signed.spec != spec:
                self._sign_again(flight, flight.signed.tip)

    def _sign_again(self, flight: Flight, tip: int) -> None:
        """Replace a flight's bytes by others of the same nonce, if we know its call and may pay for it."""
        if flight.call is None or flight not in self._registry:
            self._judge(flight)
            return
        before = flight.signed
        try:
            signed = self._signer.sign(flight.call, before.ref, before.nonce, tip=tip, instead_of=before)
        except ChainError:
            raise
        except OverBudget:
            return  # what was signed may still land, and ends with its era
        except Exception as exc:  # noqa: BLE001  # reason: bytes that could not be written down must not leave
            flight.tell(exc)
            return
        flight.renew(signed)
        self._registry.add(flight)
        self._send(flight)

    # sending again -------------------------------------------------------------------------------------

    def nudge(self) -> None:
        """Ask about what is overdue, the smallest nonce first; fill a gap that would hold up the rest."""
        overdue = monotonic() - STALL
        flights = sorted(self._registry, key=lambda flight: flight.signed.nonce)
        late = [flight for flight in flights if flight.sent_at <= overdue]
        for flight in late:
            waited = self._scanned - flight.sent_block if flight.sent_at else 0
            refused = self._send(flight)
            if refused is not None:
                self._answer(flight, refused, waited, next_in_line=flight is flights[0])
        if late and self._registry:
            self._fill_gap()

    def _answer(self, flight: Flight, refused: Refused, waited: int, *, next_in_line: bool) -> None:
        """What to do about overdue bytes that the node does not take a second time."""
        crowded = refused.code == DROPPED or (refused.code == ALREADY_IMPORTED and waited >= PASSED_OVER)
        if crowded and next_in_line and flight.call is not None and flight.bumps < MAX_BUMPS:
            if self._gap_below(flight.signed.nonce) is not None:
                return  # it waits for another nonce, not for money
            flight.bumps += 1
            fee = self._signer.fees.of(flight.call, flight.signed.raw)
            self._sign_again(flight, tip_after(fee, flight.signed.tip))
        elif _says(refused, _BAD_SIGNATURE):
            self._link.forget_runtime()
            self._sign_again(flight, flight.signed.tip)
        elif _says(refused, _OUTDATED) or _says(refused, _ANCIENT):
            # A block with it, or with another of its nonce, may have been on a branch not scanned.
            self._signer.forget_nonce()
            self._judge(flight)
        # Banned, unpayable or crowded out for now: others may have the bytes, so its era decides.

    def _gap_below(self, nonce: int) -> int | None:
        """A nonce below this one that nothing uses; it would keep the flights waiting until their eras end."""
        self._signer.forget_nonce()
        free = self._signer.free_nonce(self._registry.nonces())
        return free if free < nonce else None

    def _fill_gap(self) -> None:
        gap = self._gap_below(min(self._registry.nonces()))
        if gap is not None:
            call = Call("System", "remark", {"remark": b""})
            try:
                signed = self._signer.sign(call, _filler_ref(gap), gap)
            except ChainError:
                raise
            except Exception:  # noqa: BLE001  # reason: nothing left and nobody asked for it; the next nudge tries again
                return
            filler = Flight(signed, [], call)
            self._registry.add(filler)
            self._send(filler)


def _filler_ref(nonce: int) -> bytes:
    """What names a filler where extrinsics are written down, for nothing is stored without a ref."""
    return blake2_256(b"ainur gap filler" + nonce.to_bytes(8, "big"))


def _says(refused: Refused, words: tuple[str, ...]) -> bool:
    said = refused.reason.lower()
    return any(word in said for word in words)
