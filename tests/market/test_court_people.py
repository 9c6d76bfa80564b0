"""Arbiters that come and go: every step once, whatever dies; the stake comes back by itself; leaked votes are shown."""

from dataclasses import replace
from typing import Any, cast

import pytest
import trio
from court_people import UNBONDING, UNIT, PeoplesCourt
from market_fakes import ScriptedClock
from trio.testing import MockClock

from ainur_node.domain.court import docket as d
from ainur_node.domain.court.arbiter import Ballot
from ainur_node.domain.court.docket import Docket, Seat
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.market.court_joining import Joining
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.desk_arbiters import ArbiterDesk
from ainur_node.market.desk_dockets import Dockets
from ainur_node.ports.court import Done
from ainur_node.rpc.messages import Refuse
from ainur_node.storage.memory import MemoryStore

ME, OTHER = AccountId(b"m" * 32), AccountId(b"o" * 32)
STAKE = Amount(5 * UNIT)
CASE, ESCROW = b"c" * 32, EscrowId(b"e" * 32)
LEAKED = Ballot(b"w" * 32, holds=True, payee_bps=0, salt=b"s" * 32)


class Bound:
    async def bind_node_key(self) -> Rejection | None:
        return None


class Node:
    """One account over what survives its processes: the chain and the store."""

    def __init__(self) -> None:
        self.book = PeoplesCourt(ME)
        self.store = MemoryStore()
        self.lives = 0

    def start(self) -> Joining:
        """Another process: nothing but the store remembers."""
        self.lives += 1
        self.records = CourtRecords(self.store, ScriptedClock(f"life {self.lives}"))
        return Joining(cast(Any, self.book), Bound(), self.records)

    def desk(self) -> ArbiterDesk:
        joining = self.start()
        book, clock = cast(Any, self.book), ScriptedClock(f"desk {self.lives}")
        return ArbiterDesk(
            book, self.records, cast(Any, None), cast(Any, None), joining, Dockets(book, self.store), clock
        )


@pytest.fixture
def node() -> Node:
    return Node()


async def test_a_process_that_dies_while_it_joins_joins_once(node: Node) -> None:
    node.book.answers = False
    with pytest.raises(Transient):
        await node.start().join_up_to(STAKE)

    node.book.answers = True
    for _ in range(3):
        await node.start().join_up_to(STAKE)

    assert node.book.calls == [("join", STAKE)]


async def test_a_higher_stake_in_the_configuration_adds_what_is_missing(node: Node) -> None:
    await node.start().join_up_to(STAKE)
    await node.start().join_up_to(Amount(STAKE + UNIT))
    assert node.book.calls == [("join", STAKE), ("join", UNIT)]


async def test_the_same_key_joins_once_and_no_key_each_time(node: Node) -> None:
    for _ in range(2):
        shown = await node.desk().join({"stake": str(STAKE), "key": "monday"})
        assert shown["stake"] == str(STAKE)
    await node.desk().join({"stake": str(UNIT)})
    assert node.book.calls == [("join", STAKE), ("join", UNIT)]


async def test_a_stake_that_cannot_be_had_is_refused_unsent_but_not_one_that_is_had_already(node: Node) -> None:
    spendable = (await node.book.price(["join_arbiters"])).spendable
    with pytest.raises(Refuse) as caught:
        await node.desk().join({"stake": str(spendable)})
    assert caught.value.code == "not_enough_free"
    assert node.book.calls == []

    for _ in range(2):
        await node.desk().join({"stake": str(spendable - 10), "key": "all I have"})
        node.book.spendable = Amount(0)
    assert node.book.calls == [("join", spendable - 10)]


async def test_the_stake_of_an_arbiter_that_left_comes_back_by_itself_and_it_stays_away(
    node: Node, autojump_clock: MockClock
) -> None:
    await node.start().join_up_to(STAKE)
    how, done = await node.start().leave()
    assert (how, isinstance(done, Done)) == ("leaving", True)
    node.book.record = replace(node.book.record, locked=UNIT)  # type: ignore[type-var] # it is an arbiter

    async def passes(seconds: float) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.start().run)
            await trio.sleep(seconds)
            nursery.cancel_scope.cancel()

    await passes(100)
    node.book.now += UNBONDING
    await passes(100)
    assert node.book.calls[-1] == ("leave",), "a case still locks the stake"
    refused = (await node.start().leave())[1]
    assert isinstance(refused, Rejection)
    assert refused.code == "stake_locked"
    assert node.book.record is not None
    node.book.record = replace(node.book.record, locked=Amount(0))
    await passes(100)
    assert node.book.calls[-1] == ("withdraw",)
    assert node.book.record is None

    assert await node.start().join_up_to(STAKE) is None, "the configuration alone brings nobody back"
    await node.desk().join({"stake": str(STAKE)})
    assert node.book.record is not None


async def test_leaving_twice_says_when_the_stake_can_be_had(node: Node) -> None:
    await node.start().join_up_to(STAKE)
    await node.start().leave()
    how, refused = await node.start().leave()
    assert isinstance(refused, Rejection)
    assert (how, refused.code) == ("waiting", "unbonding")
    assert "60 s" in refused.hint


async def test_an_account_may_leave_join_and_leave_again(node: Node) -> None:
    for _ in range(2):
        await node.desk().join({"stake": str(STAKE)})
        await node.desk().leave({})
        node.book.now += UNBONDING
        assert (await node.desk().leave({}))["how"] == "withdrawn"
    assert [call[0] for call in node.book.calls] == ["join", "leave", "withdraw"] * 2


# --- leaked votes -------------------------------------------------------------------------------------------------


def voting(seat: Seat, phase: d.Phase | None = None) -> Docket:
    """A case in which one other arbiter sits."""
    return Docket(
        escrow=ESCROW,
        auction=AuctionId(b"a" * 32),
        case=CASE,
        payer=AccountId(b"p" * 32),
        payee=AccountId(b"q" * 32),
        milestone=0,
        ground=2,
        delivery=b"d" * 32,
        module=b"m" * 32,
        terms=b"t" * 32,
        awarded_at=5,
        price=Amount(10**12),
        until=600_000,
        phase=phase or d.Voting(20_000, 30_000),
        panel=(seat,),
        unit=UNIT,
    )


def committed(node: Node) -> Seat:
    return Seat(OTHER, 3, "committed", LEAKED.commit(node.book.genesis, CASE, 0, OTHER))


def shown(**other: Any) -> dict[str, Any]:
    opening = {"output": LEAKED.output.hex(), "holds": True, "payee_bps": 0, "salt": LEAKED.salt.hex()}
    return {"case": CASE.hex(), "arbiter": OTHER.hex(), **opening, **other}


async def test_a_vote_that_leaked_is_shown_to_the_chain_and_pays(node: Node) -> None:
    node.book.docket_now = voting(committed(node))
    quoted = await node.desk().quote_denounce(shown())
    assert (quoted["receives"], quoted["total"]) == (str(3 * UNIT // 4), "10")
    assert node.book.calls == []
    done = await node.desk().denounce(shown())
    assert node.book.calls == [("denounce", OTHER, (LEAKED.output, True, 0), LEAKED.salt)]
    assert (done["reward"], done["burned"]) == (str(3 * UNIT // 4), str(3 * UNIT - 3 * UNIT // 4))


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"salt": "00" * 32}, "wrong_opening"),
        ({"holds": False}, "wrong_opening"),
        ({"payee_bps": 1}, "wrong_opening"),
        ({"output": "00" * 32}, "wrong_opening"),
        ({"arbiter": ME.hex()}, "not_seated"),
        ({"holds": "yes"}, "bad_parameter"),
        ({"payee_bps": 10_001}, "bad_parameter"),
    ],
)
async def test_an_opening_that_opens_nothing_is_refused_unsent(node: Node, other: dict[str, Any], code: str) -> None:
    node.book.docket_now = voting(committed(node))
    with pytest.raises(Refuse) as refused:
        await node.desk().denounce(shown(**other))
    assert refused.value.code == code
    assert node.book.calls == []


async def test_a_vote_is_denounced_only_while_it_is_secret(node: Node) -> None:
    async def code() -> str:
        with pytest.raises(Refuse) as refused:
            await node.desk().denounce(shown())
        return refused.value.code

    node.book.docket_now = voting(Seat(OTHER, 3))
    assert await code() == "nothing_leaked"
    node.book.docket_now = voting(committed(node), d.Ruled(40_000, True))
    assert await code() == "not_voting"
    node.book.docket_now, node.book.now = voting(committed(node)), 20_001
    assert await code() == "too_late"
