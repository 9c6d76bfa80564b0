"""What only finalized blocks may decide, over a chain whose best blocks come and go."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from pallets_client.errors import UnknownBlock
from pallets_client.finality import Fate, Landings, decided
from pallets_client.flight import Flight, Landing, Registry
from pallets_client.records import Call, Expired, Head, Included, Outcome, Signed

ME = bytes([7] * 32)
CALL = Call("System", "remark", {"remark": b""})


def block(number: int, fork: int = 0) -> bytes:
    return bytes([number, fork]) + bytes(30)


def signed(number: int, *, nonce: int = 5, spec: int = 1, ref: bytes = b"one") -> Signed:
    return Signed(ref, bytes([number] * 32), nonce, 10, 20, b"raw", "System.remark", spec)


class Fork:
    """As much of a link as finality asks for."""

    def __init__(self, final: int) -> None:
        self.final = Head(final, block(final))
        self.canonical: dict[int, bytes] = {}
        self.nonce = 5
        self.spec = 1
        self.pruned = False

    def finalized(self) -> Head:
        return self.final

    def call(self, method: str, *params: Any) -> Any:
        if method == "chain_getBlockHash":
            return "0x" + self.canonical.get(params[0], block(params[0])).hex()
        return {"specVersion": self.spec}

    def storage(self, pallet: str, name: str, *keys: Any, at: bytes) -> Any:
        if self.pruned:
            raise UnknownBlock("gone")
        return {"nonce": self.nonce}


class Told:
    """What finality said of each extrinsic, and which flights came back."""

    def __init__(self) -> None:
        self.ends: dict[bytes, Outcome] = {}
        self.back: list[Flight] = []

    def landings(self, link: Fork) -> Landings:
        return Landings(link, lambda one, outcome: self.ends.update({one.hash: outcome}), self.back.append)  # type: ignore[arg-type]  # a fake link


def landing(flight: Flight, number: int, fork: int = 0) -> Landing:
    outcome = Included(block(number, fork), number, 1, 0, ())
    return Landing(flight, flight.signed.hash, outcome, block(number, fork), number)


def test_nothing_is_said_for_good_before_the_block_is_final() -> None:
    link, told = Fork(final=11), Told()
    landings = told.landings(link)
    landings.add(landing(Flight(signed(1), []), 12))

    landings.settle()
    assert (told.ends, len(landings)) == ({}, 1)

    link.final = Head(12, block(12))
    landings.settle()
    assert isinstance(told.ends[signed(1).hash], Included)
    assert len(landings) == 0


def test_a_call_whose_block_was_replaced_flies_again() -> None:
    link, told = Fork(final=14), Told()
    landings = told.landings(link)
    flight = Flight(signed(1), [])
    landings.add(landing(flight, 12, fork=9))

    landings.settle()

    assert told.back == [flight]
    assert told.ends == {}


def test_only_the_variant_that_landed_is_included_the_others_never_will_be() -> None:
    link, told = Fork(final=12), Told()
    flight = Flight(signed(1), [], CALL)
    flight.renew(signed(2))
    landings = told.landings(link)
    landings.add(Landing(flight, signed(1).hash, Included(block(12), 12, 1, 0, ()), block(12), 12))

    landings.settle()

    assert isinstance(told.ends[signed(1).hash], Included)
    assert isinstance(told.ends[signed(2).hash], Expired)


@pytest.mark.parametrize(
    ("final", "nonce", "spec", "known", "fate"),
    [
        (15, 5, 1, True, None),
        (15, 6, 1, True, Fate.NONCE_USED),
        (20, 5, 1, True, Fate.IMPOSSIBLE),
        (20, 6, 1, True, Fate.NONCE_USED),
        (15, 5, 2, True, None),  # it can be signed again with its nonce
        (15, 5, 2, False, Fate.IMPOSSIBLE),
        (15, 5, 1, False, None),
    ],
)
def test_a_call_is_over_when_its_nonce_is_used_its_era_has_passed_or_its_runtime_is_gone(
    final: int, nonce: int, spec: int, known: bool, fate: Fate | None
) -> None:
    link = Fork(final)
    link.nonce, link.spec = nonce, spec
    flight = Flight(signed(1), [], CALL if known else None)

    assert decided(link, flight, ME, link.final) is fate  # type: ignore[arg-type]  # a fake link


def test_without_the_state_of_a_block_only_the_era_decides() -> None:
    link = Fork(19)
    link.pruned = True
    flight = Flight(signed(1), [], CALL)

    assert decided(link, flight, ME, link.final) is None  # type: ignore[arg-type]  # a fake link
    assert decided(link, flight, ME, Head(20, block(20))) is Fate.NONCE_USED  # type: ignore[arg-type]  # as above


def test_rows_of_one_call_are_one_flight_and_rows_of_two_calls_are_two() -> None:
    registry = Registry()
    first = Flight(signed(1), [Future()])
    registry.add(first)

    assert registry.same(signed(2)) is first
    assert registry.same(signed(3, nonce=6)) is None
    assert registry.same(signed(4, ref=b"two")) is None
    assert registry.same(signed(5, ref=b"")) is None
    first.renew(signed(2))
    registry.add(first)
    assert registry.of(signed(2).hash) is registry.of(signed(1).hash) is first
    assert (len(registry), registry.nonces()) == (1, {5})
    registry.remove(first)
    assert list(registry.hashes) == []
