"""An arbiter whose own store fails: it waits and says why, and never votes as if a party had shown nothing."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
from domain_records import GENESIS
from market_fakes import MemoryBlobs, ScriptedClock
from test_court_evidence import sample
from trio.testing import MockClock

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court import docket as d
from ainur_node.domain.court.docket import Docket, Role
from ainur_node.domain.ids import PeerId
from ainur_node.errors import Transient
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_evidence import Evidence
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.library import Library
from ainur_node.ports import RemoteRefusal
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters

BUNDLE, DOCKET, SPEC = sample()
UNOPENED = replace(BUNDLE, delivery_salt=bytes(32))
LOG = b"any file may be an exhibit"
PEERS = {Role.PAYER: PeerId("payer"), Role.PAYEE: PeerId("payee")}


class FullBlobs(MemoryBlobs):
    """A quota that only some bytes still fit into."""

    def __init__(self, fits: Callable[[bytes], bool]) -> None:
        super().__init__()
        self.fits = fits
        self.asked = 0

    async def put(self, data: bytes) -> bytes:
        self.asked += 1
        if not self.fits(data):
            raise Transient("the blob store is full")
        return await super().put(data)


class World:
    """An arbiter, two parties that hand over what they show, and a chain that names them."""

    def __init__(self, fits: Callable[[bytes], bool]) -> None:
        self.shown: dict[bytes, bytes] = {}
        self.blobs = FullBlobs(fits)
        self.store = MemoryStore()
        mesh, ledger = SimpleNamespace(request=self.request), SimpleNamespace(auction=self.auction)
        self.book = SimpleNamespace(genesis=GENESIS)
        clock = ScriptedClock("judge")
        self.records = CourtRecords(self.store, clock)
        library = Library(GENESIS, self.store, self.blobs, cast(Any, mesh), cast(Any, None))
        self.evidence = Evidence(
            self.store, cast(Any, mesh), cast(Any, ledger), library, cast(Any, self.book), self.records
        )
        self.judging = Judging(self.evidence, library, cast(Any, self.book), clock)

    def docket(self, payer: list[bytes], payee: list[bytes], *, replay: bool) -> Docket:
        """A case with what each side shows."""
        self.shown = {content_hash(data): data for data in (*payer, *payee)}
        exhibits = tuple(map(content_hash, payer)), tuple(map(content_hash, payee))
        return replace(DOCKET, case=b"c" * 32, phase=d.Voting(20_000, 30_000), exhibits=exhibits, replay=replay)

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        await trio.lowlevel.checkpoint()
        wanted = next((data for name, data in self.shown.items() if name in body), None)
        if wanted is None:
            raise RemoteRefusal("gone", "it is no longer stored here")
        return wanted

    async def auction(self, auction: bytes) -> Any:
        return SimpleNamespace(spec=SPEC, auctioneer_key=bytes(32))


def nothing(_: bytes) -> bool:
    return False


async def test_a_full_store_is_told_as_one_plain_fault_however_many_exhibits_met_it(autojump_clock: MockClock) -> None:
    world = World(nothing)
    docket = world.docket([LOG, UNOPENED.encode()], [BUNDLE.encode()], replay=True)

    with pytest.raises(Transient, match="the blob store is full"):
        await world.evidence.bundles(docket, PEERS)

    assert world.blobs.asked == 3, "one exhibit that cannot be kept hides no other"


async def test_a_blob_that_cannot_be_read_here_is_no_missing_evidence(autojump_clock: MockClock) -> None:
    world = World(lambda _: True)

    async def broken(name: bytes) -> bytes | None:
        raise Transient("input/output error")

    world.blobs.get = broken  # type: ignore[method-assign]

    with pytest.raises(Transient, match="input/output error"):
        await world.evidence.bundles(world.docket([], [BUNDLE.encode()], replay=False), PEERS)


@pytest.mark.parametrize("payer", [[], [UNOPENED.encode()]])
async def test_where_nothing_is_replayed_an_own_fault_becomes_no_vote_for_not_opened(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, payer: list[bytes]
) -> None:
    world = World(lambda data: data != BUNDLE.encode())

    async def parties(_: Docket) -> dict[Role, PeerId]:
        return PEERS

    monkeypatch.setattr(world.evidence, "parties", parties)

    with pytest.raises(Transient, match="the blob store is full"):
        await world.judging.look(world.docket(payer, [BUNDLE.encode()], replay=False))


async def test_a_fault_beside_the_bundle_that_opens_the_delivery_stops_nobody(autojump_clock: MockClock) -> None:
    world = World(lambda data: data == BUNDLE.encode())
    docket = world.docket([LOG, UNOPENED.encode()], [LOG, BUNDLE.encode()], replay=False)

    assert await world.evidence.bundles(docket, PEERS) == [BUNDLE]


async def test_a_seated_arbiter_with_a_full_store_waits_and_asks_again_until_there_is_room(
    autojump_clock: MockClock, logged: list[MutableMapping[str, Any]]
) -> None:
    world = World(nothing)
    docket = world.docket([], [BUNDLE.encode()], replay=True)
    arbiter = Arbitrating(cast(Any, world.book), world.records, cast(Any, None), Counters())
    world.book.docket = answering(docket)
    arbiter._serve = fetching(world)  # type: ignore[method-assign]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(arbiter._follow, docket.escrow, docket.case)
        await trio.sleep(60)
        assert 5 < world.blobs.asked < 30, "at growing pauses"
        world.blobs.fits = lambda _: True
        await trio.sleep(10)
        assert content_hash(BUNDLE.encode()) in world.blobs.kept
        nursery.cancel_scope.cancel()

    assert {line["why"] for line in logged if line["event"] == "court_waits"} == {"the blob store is full"}


async def test_a_case_that_cannot_be_noted_yet_is_followed_all_the_same(autojump_clock: MockClock) -> None:
    world = World(nothing)
    docket = world.docket([], [], replay=True)
    arbiter = Arbitrating(cast(Any, world.book), world.records, cast(Any, None), Counters())
    world.book.docket = answering(None)
    honest, away = world.records.note, [True, True]

    async def note(*words: Any) -> None:
        if away:
            away.pop()
            raise Transient("the database is gone")
        await honest(*words)

    world.records.note = note  # type: ignore[method-assign]

    with trio.fail_after(60):
        await arbiter._follow(docket.escrow, docket.case)

    assert [case for case, _ in await world.records.cases(9)] == [docket.case]


def answering(docket: Docket | None) -> Callable[[bytes], Awaitable[Docket | None]]:
    async def read(_: bytes) -> Docket | None:
        await trio.lowlevel.checkpoint()
        return docket

    return read


def fetching(world: World) -> Callable[[Docket], Awaitable[None]]:
    async def serve(docket: Docket) -> None:
        await world.evidence.bundles(docket, PEERS)
        await trio.sleep(2)

    return serve
