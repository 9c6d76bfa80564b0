"""The services of a court between nodes: what must be on disk is there before a call leaves, evidence goes to seated
arbiters only, and a silent or lying party keeps no arbiter from judging.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
from market_fakes import MemoryBlobs, ScriptedClock
from nacl.signing import SigningKey
from trio.testing import MockClock

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot, Findings, judge
from ainur_node.domain.court.docket import Docket, Role, Seat
from ainur_node.domain.court.nonces import case_id, chain_of
from ainur_node.domain.court.party import Move
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey, PeerId
from ainur_node.domain.money import Amount
from ainur_node.errors import Transient
from ainur_node.ledger.court import ChainCourt
from ainur_node.market import court_records, messages
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_evidence import EXHIBIT, Evidence
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_parties import Parties
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.library import Library
from ainur_node.market.messages import ExhibitRequest
from ainur_node.mesh.memory import MemoryMesh, MemoryNetwork
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import RemoteRefusal
from ainur_node.ports.court import Done
from ainur_node.storage.memory import MemoryStore
from ainur_node.telemetry import Counters

GENESIS = bytes(range(32))
PAYER, PAYEE, JUDGE = AccountId(b"p" * 32), AccountId(b"q" * 32), AccountId(b"j" * 32)
ESCROW = EscrowId(b"e" * 32)
CASE = case_id(GENESIS, ESCROW, 0)
SEAT = Seat(JUDGE, 3)


def voting(*panel: Seat, exhibits: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())) -> Docket:
    """A case in which a panel votes."""
    return Docket(
        escrow=ESCROW,
        auction=AuctionId(b"a" * 32),
        case=CASE,
        payer=PAYER,
        payee=PAYEE,
        milestone=0,
        ground=2,
        delivery=b"d" * 32,
        module=b"m" * 32,
        terms=b"t" * 32,
        awarded_at=5,
        price=Amount(10**12),
        until=600_000,
        phase=d.Voting(20_000, 30_000),
        panel=panel,
        exhibits=exhibits,
    )


@dataclass
class Book:
    """A court of one case; every call looks first whether what it rests on is stored."""

    account: AccountId
    docket_now: Docket
    store: MemoryStore
    keys: dict[AccountId, NodeKey] = field(default_factory=dict)
    now: int = 1_000
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    called: dict[str, trio.Event] = field(default_factory=lambda: defaultdict(trio.Event))
    genesis: bytes = GENESIS

    async def docket(self, escrow: EscrowId) -> Docket | None:
        await trio.lowlevel.checkpoint()
        return self.docket_now if escrow == ESCROW else None

    async def market_now(self) -> int:
        return self.now

    async def sealed_now(self) -> int:
        return self.now

    async def height(self) -> int:
        return 7

    async def wait_block(self, after: int, seconds: float) -> None:
        await trio.sleep(seconds)

    async def node_key(self, account: AccountId) -> NodeKey | None:
        return self.keys.get(account)

    async def account_of(self, key: NodeKey) -> AccountId | None:
        return next((account for account, known in self.keys.items() if known == key), None)

    async def arbiter(self, account: AccountId) -> Any:
        return SimpleNamespace(stake=5, locked=3, units=2, leaving=None)

    async def seated_in(self, first: int, last: int) -> list[tuple[EscrowId, bytes]]:
        return [(ESCROW, CASE)]

    async def respond(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done:
        return await self._committed("respond", docket.payee, head)

    async def plead(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done:
        return await self._committed("plead", docket.payer, head)

    async def _committed(self, call: str, party: bytes, head: bytes) -> Done:
        stored = await self.store.get_doc(court_records.NONCE, CASE)
        assert stored is not None, "a nonce is committed to and its secret is not on disk"
        assert chain_of(GENESIS, CASE, party, bytes.fromhex(stored.strip('"')))[0] == head
        self.calls.append((call, head))
        return Done(8, Amount(1))

    async def commit_vote(self, docket: Docket, commit: bytes) -> Done:
        kept = await CourtRecords(self.store, ScriptedClock("x")).ballot(docket)
        assert kept is not None, "a vote is committed to and its salt is not on disk"
        assert kept.commit(GENESIS, CASE, docket.round, self.account) == commit
        self.calls.append(("commit_vote", commit))
        self.called["commit_vote"].set()
        seat = replace(SEAT, vote="committed", commit=commit)
        self.docket_now = replace(docket, panel=(seat,), phase=d.Voting(self.now, self.now + 9_000))
        return Done(9, Amount(1))

    async def reveal_vote(self, docket: Docket, vote: tuple[bytes, bool, int], salt: bytes) -> Done:
        self.calls.append(("reveal_vote", vote, salt))
        self.called["reveal_vote"].set()
        self.docket_now = replace(docket, phase=d.Closed())
        return Done(10, Amount(0))


@dataclass
class Node:
    """The parts of one node that a court needs."""

    name: str
    account: AccountId
    network: MemoryNetwork

    def __post_init__(self) -> None:
        self.seed = content_hash(self.name.encode())
        self.store, self.blobs, self.clock = MemoryStore(), MemoryBlobs(), ScriptedClock(self.name)
        self.mesh = MemoryMesh(self.network, self.seed, GENESIS, cast(Any, self))
        self.records = CourtRecords(self.store, self.clock)
        self.library = Library(GENESIS, self.store, self.blobs, self.mesh, cast(Any, None))
        self.book = Book(self.account, voting(SEAT), self.store)
        ledger = SimpleNamespace(auction=self.auction)
        self.evidence = Evidence(
            self.store, self.mesh, cast(Any, ledger), self.library, cast(Any, self.book), self.records
        )
        self.payer_key = NodeKey(bytes(32))

    async def auction(self, auction: AuctionId) -> Any:
        return SimpleNamespace(auctioneer_key=self.payer_key, spec=b"s" * 32)

    async def open(self, sha256: bytes, peer: PeerId) -> bytes | None:
        return None

    @property
    def node_key(self) -> NodeKey:
        return NodeKey(bytes(SigningKey(self.seed).verify_key))


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[Node, Node, Node]]:
    """Payer, a seated arbiter and a stranger, connected."""
    network = MemoryNetwork()
    made = (
        Node("payer", PAYER, network),
        Node("judge", JUDGE, network),
        Node("stranger", AccountId(b"s" * 32), network),
    )
    async with trio.open_nursery() as nursery:
        for node in made:
            node.book.keys = {JUDGE: made[1].node_key, made[2].account: made[2].node_key}
            node.payer_key = made[0].node_key
            node.evidence.serve()
            await nursery.start(node.mesh.run)
        yield made
        nursery.cancel_scope.cancel()


async def asked(asker: Node, of: Node, sha256: bytes) -> bytes:
    request = messages.encode(ExhibitRequest(escrow=ESCROW, case=CASE, sha256=sha256))
    return await asker.mesh.request(of.mesh.peer_id, EXHIBIT, request, timeout=5)


async def test_evidence_is_for_seated_arbiters_and_nothing_else_is_shown(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock
) -> None:
    payer, judge_, stranger = nodes
    exhibit = await payer.evidence.add(CASE, b"a log")
    private = await payer.library.keep(b"the input of another task")
    assert await asked(judge_, payer, exhibit) == b"a log"
    with pytest.raises(RemoteRefusal, match="not_seated"):
        await asked(stranger, payer, exhibit)
    with pytest.raises(RemoteRefusal, match="no_exhibit"):
        await asked(judge_, payer, private)
    payer.book.docket_now = voting()  # the panel is another one now
    with pytest.raises(RemoteRefusal, match="not_seated"):
        await asked(judge_, payer, exhibit)


async def test_bytes_that_are_not_what_their_hash_says_are_not_taken(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock
) -> None:
    payer, judge_, _ = nodes
    exhibit = await payer.evidence.add(CASE, b"a log")

    async def other(sha256: bytes) -> bytes:
        return b"another log"

    payer.library.bytes_of = other  # type: ignore[method-assign]
    assert await judge_.evidence.fetch(voting(SEAT), exhibit, [payer.mesh.peer_id]) is None
    assert await judge_.library.bytes_of(exhibit) is None


async def test_a_party_that_answers_too_slowly_does_not_stop_an_arbiter(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock
) -> None:
    payer, judge_, _ = nodes
    exhibits = tuple([await payer.evidence.add(CASE, bytes([n])) for n in range(8)])

    async def never(sha256: bytes) -> bytes | None:
        await trio.sleep_forever()
        return None

    payer.library.bytes_of = never  # type: ignore[method-assign]
    docket = voting(SEAT, exhibits=(exhibits, ()))
    began = trio.current_time()
    assert await judge_.evidence.bundles(docket, {Role.PAYER: payer.mesh.peer_id}) == []
    assert trio.current_time() - began < 10


async def test_packages_that_nobody_hands_over_do_not_stop_an_arbiter(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock
) -> None:
    node, held = nodes[1], [b"held" * 8]
    terms, spec = SimpleNamespace(module=b"m" * 32), SimpleNamespace(output_schema=b"s" * 32)
    bundles = [SimpleNamespace(terms=terms, spec=spec, package=bytes([n]) * 32) for n in range(9)]
    had: list[bytes] = []

    async def fetch(package: bytes, peers: Sequence[PeerId]) -> None:
        if package != bundles[8].package:
            await trio.sleep(40)  # the liar's: manifest, then module
        had.append(package)

    def package_of(module: bytes, output_schema: bytes) -> Any:
        found = held[0] if had else None
        return SimpleNamespace(manifest=SimpleNamespace(package=found)) if found else None

    node.library.fetch = fetch  # type: ignore[method-assign, assignment]
    node.library.package_of = package_of  # type: ignore[method-assign, assignment]
    began = trio.current_time()

    assert await node.evidence.package(cast(Any, bundles), []) == held[0]
    assert trio.current_time() - began < 1
    had.clear()
    with pytest.raises(Transient, match="no package"):
        await node.evidence.package(cast(Any, bundles[:8]), [])
    assert trio.current_time() - began < 12


async def test_without_the_work_nothing_is_voted(nodes: tuple[Node, Node, Node], autojump_clock: MockClock) -> None:
    _, judge_, _ = nodes
    judging = Judging(judge_.evidence, judge_.library, cast(Any, judge_.book), judge_.clock)
    with pytest.raises(Transient, match="no party shows the work"):
        await judging.judge(voting(SEAT))


class Known:
    """An arbiter's judgement that took no sandbox."""

    async def judge(self, docket: Docket) -> Ballot:
        return judge(2, Findings(True, b"o" * 32, difference="output"), b"n" * 32, replay=True)


async def test_a_vote_is_on_disk_before_it_is_committed_and_is_opened_after_a_restart(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock
) -> None:
    node = nodes[1]

    def arbiter() -> Arbitrating:
        return Arbitrating(cast(Any, node.book), node.records, cast(Any, Known()), Counters())

    async def until(what: str) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(arbiter().run)
            with trio.fail_after(120):
                await node.book.called[what].wait()
            nursery.cancel_scope.cancel()

    await until("commit_vote")
    assert [call[0] for call in node.book.calls] == ["commit_vote"], "nothing is opened before a block is past the end"
    node.book.now += 1
    await until("reveal_vote")
    assert node.book.calls[-1] == ("reveal_vote", (b"o" * 32, True, 0), b"n" * 32)


async def test_an_arbiter_whose_chain_is_away_at_first_serves_when_it_is_back(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, asked = nodes[1], 0
    there = node.book.arbiter

    async def away_at_first(account: AccountId) -> Any:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise Transient("the chain is away")
        return await there(account)

    monkeypatch.setattr(node.book, "arbiter", away_at_first)
    async with trio.open_nursery() as nursery:
        await nursery.start(Arbitrating(cast(Any, node.book), node.records, cast(Any, Known()), Counters()).run)
        with trio.fail_after(120):
            await node.book.called["commit_vote"].wait()
        nursery.cancel_scope.cancel()

    assert asked == 3


async def test_a_case_that_cannot_be_judged_leaves_no_lock_behind(nodes: tuple[Node, Node, Node]) -> None:
    node = nodes[1]

    class Unknowing:
        async def judge(self, docket: Docket) -> Ballot:
            raise Transient("no party shows the work")

    arbiter = Arbitrating(cast(Any, node.book), node.records, cast(Any, Unknowing()), Counters())
    with pytest.raises(Transient):
        await arbiter.vote(voting(SEAT), None)
    assert arbiter._voting == {}


async def test_ballots_of_old_cases_are_forgotten(
    nodes: tuple[Node, Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(court_records, "MAX_KEPT", 3)
    records, ballot = nodes[1].records, await Known().judge(voting(SEAT))
    cases = [replace(voting(SEAT), case=bytes([number]) * 32) for number in range(6)]
    for case in cases:
        await records.cast(case, ballot)

    assert [await records.ballot(case) is not None for case in cases] == [False] * 3 + [True] * 3


async def test_who_gives_up_its_identity_still_answers_for_its_receipts() -> None:
    client = SimpleNamespace(
        genesis_hash=GENESIS, did=lambda _account: SimpleNamespace(node_key=b"k" * 32, active=False)
    )
    book = ChainCourt(client, cast(Any, None), cast(Any, None), cast(Any, None), JUDGE)
    assert await book.node_key(PAYEE) == b"k" * 32


@pytest.mark.parametrize(("role", "move"), [(Role.PAYEE, Move.RESPOND), (Role.PAYER, Move.PLEAD)])
async def test_the_secret_of_the_nonces_is_on_disk_before_they_are_committed_to(
    nodes: tuple[Node, Node, Node], autojump_clock: MockClock, role: Role, move: Move
) -> None:
    node = nodes[0]
    parties = Parties(cast(Any, None), cast(Any, node.book), node.records, node.evidence, Counters(), 0)
    await parties.make(voting(), role, move, cast(Any, None))
    first = node.book.calls[-1][1]
    again = Parties(
        cast(Any, None), cast(Any, node.book), CourtRecords(node.store, node.clock), node.evidence, Counters(), 0
    )
    await again.make(voting(), role, move, cast(Any, None))
    assert node.book.calls[-1][1] == first, "another process commits to the same nonces"
    assert node_key_of(node.mesh.peer_id) == node.node_key
