"""What every store promises, checked on the one in memory and on PostgreSQL."""

import json

import pytest
import trio

from ainur_node.errors import Bug
from ainur_node.ports import AlreadyDone, Conflict, StoredState
from ainur_node.storage.limits import MAX_ORDERS
from ainur_node.storage.memory import MemoryStore
from ainur_node.storage.postgres import PostgresStore

Store = MemoryStore | PostgresStore
TASK = b"\x01" * 32
OTHER = b"\x02" * 32


async def begin(
    store: Store, key: bytes = TASK, *orders: str, phase: str = "new", life: str = "requester"
) -> list[int]:
    made = await store.commit(life, key, 0, "Submitted", '{"n":0}', '{"s":0}', phase, [(o, "{}") for o in orders], None)
    assert isinstance(made, list)
    return made


async def test_a_committed_life_is_read_back(store: Store) -> None:
    await begin(store)

    stored = await store.load("requester", TASK)

    assert stored == StoredState("requester", TASK, 1, "new", '{"s":0}', stored.at if stored else 0)
    assert stored.at > 1_700_000_000_000


async def test_an_unknown_life_is_none(store: Store) -> None:
    assert await store.load("requester", TASK) is None
    assert await store.facts("requester", TASK) == []


async def test_json_is_read_back_character_by_character(store: Store) -> None:
    text = '{"b": 1,   "a":[1.10, 1e3, -0],"a":"\\u0000\\ud800é漢","big":' + "9" * 60 + "}"

    ids = await store.commit("requester", TASK, 0, "F", text, text, "p", [("O", text)], None)

    assert isinstance(ids, list)
    stored = await store.load("requester", TASK)
    assert stored is not None
    assert stored.state == text
    assert [fact.fact for fact in await store.facts("requester", TASK)] == [text]
    assert [order.body for order in await store.pending_orders()] == [text]


async def test_facts_are_numbered_in_the_order_of_their_commits(store: Store) -> None:
    await begin(store)
    for version in (1, 2, 3):
        await store.commit("requester", TASK, version, "Next", f'{{"n":{version}}}', "{}", "p", [], None)

    facts = await store.facts("requester", TASK)

    assert [(fact.seq, fact.kind, json.loads(fact.fact)["n"]) for fact in facts] == [
        (1, "Submitted", 0),
        (2, "Next", 1),
        (3, "Next", 2),
        (4, "Next", 3),
    ]
    assert sorted(fact.at for fact in facts) == [fact.at for fact in facts]


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_commit_from_another_version_writes_nothing(store: Store, expected: int) -> None:
    await begin(store)

    answer = await store.commit("requester", TASK, expected, "F", "{}", '{"s":9}', "late", [("O", "{}")], None)

    assert answer == Conflict(stored=1)
    stored = await store.load("requester", TASK)
    assert stored is not None
    assert (stored.version, stored.state) == (1, '{"s":0}')
    assert len(await store.facts("requester", TASK)) == 1
    assert await store.pending_orders() == []


async def test_a_life_that_never_began_conflicts_with_version_zero(store: Store) -> None:
    assert await store.commit("requester", TASK, 3, "F", "{}", "{}", "p", [], None) == Conflict(stored=0)


async def test_of_many_commits_from_one_version_exactly_one_is_written(store: Store) -> None:
    await begin(store)
    answers: list[object] = []

    async def race(number: int) -> None:
        fact = f'{{"racer":{number}}}'
        answers.append(await store.commit("requester", TASK, 1, "F", fact, fact, "p", [("O", fact)], None))

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(race, number)

    assert sum(isinstance(answer, list) for answer in answers) == 1
    assert sum(answer == Conflict(stored=2) for answer in answers) == 19
    assert len(await store.facts("requester", TASK)) == 2
    assert len(await store.pending_orders()) == 1


async def test_the_same_key_in_two_lives_is_two_lives(store: Store) -> None:
    await begin(store, life="requester", phase="a")
    await begin(store, life="provider", phase="b")

    requester, provider = await store.load("requester", TASK), await store.load("provider", TASK)

    assert requester is not None
    assert provider is not None
    assert (requester.phase, provider.phase) == ("a", "b")


async def test_orders_keep_their_order_and_come_back_until_answered(store: Store) -> None:
    ids = await begin(store, TASK, "A", "B", "C")

    pending = await store.pending_orders()

    assert ids == sorted(set(ids))
    assert [(order.id, order.kind, order.body) for order in pending] == list(zip(ids, "ABC", ["{}"] * 3, strict=True))
    assert {(order.life, order.key, order.attempts) for order in pending} == {("requester", TASK, 0)}


async def test_an_answered_order_is_pending_no_more(store: Store) -> None:
    first, second = await begin(store, TASK, "A", "B")

    answer = await store.commit("requester", TASK, 1, "Answered", "{}", "{}", "p", [("C", "{}")], first)

    assert isinstance(answer, list)
    assert [order.id for order in await store.pending_orders()] == [second, *answer]


async def test_the_first_answer_to_an_order_wins(store: Store) -> None:
    (order,) = await begin(store, TASK, "A")
    await store.commit("requester", TASK, 1, "Answered", '{"n":1}', '{"s":1}', "p", [], order)

    again = await store.commit("requester", TASK, 2, "Answered", '{"n":2}', '{"s":2}', "q", [("B", "{}")], order)
    stale = await store.commit("requester", TASK, 1, "Answered", '{"n":1}', '{"s":1}', "p", [], order)

    assert again == stale == AlreadyDone(order)
    assert [fact.fact for fact in await store.facts("requester", TASK)] == ['{"n":0}', '{"n":1}']
    assert await store.pending_orders() == []


async def test_an_answer_from_another_version_leaves_its_order_pending(store: Store) -> None:
    (order,) = await begin(store, TASK, "A")

    assert await store.commit("requester", TASK, 0, "F", "{}", "{}", "p", [], order) == Conflict(stored=1)
    assert [pending.id for pending in await store.pending_orders()] == [order]


async def test_of_many_answers_to_one_order_exactly_one_is_written(store: Store) -> None:
    (order,) = await begin(store, TASK, "A")
    answers: list[object] = []

    async def answer() -> None:
        answers.append(await store.commit("requester", TASK, 1, "F", "{}", "{}", "p", [], order))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(answer)

    assert answers.count([]) == 1
    assert answers.count(AlreadyDone(order)) == 9


async def test_an_order_of_another_life_cannot_be_answered(store: Store) -> None:
    (order,) = await begin(store, TASK, "A")
    await begin(store, OTHER)

    with pytest.raises(Bug):
        await store.commit("requester", OTHER, 1, "F", "{}", "{}", "p", [], order)
    with pytest.raises(Bug):
        await store.commit("requester", TASK, 1, "F", "{}", "{}", "p", [], order + 1000)

    assert len(await store.facts("requester", OTHER)) == 1


async def test_a_finished_order_is_over_without_a_fact(store: Store) -> None:
    (order,) = await begin(store, TASK, "A")

    await store.finish(order, "the life is over")
    await store.finish(order, "again")

    assert await store.pending_orders() == []
    assert await store.commit("requester", TASK, 1, "F", "{}", "{}", "p", [], order) == AlreadyDone(order)


async def test_a_postponed_order_counts_its_attempts(store: Store) -> None:
    first, second = await begin(store, TASK, "A", "B")

    await store.postpone(first, "no chain \0 \ud800 " + "x" * 5000)
    await store.postpone(first, "no chain")

    assert [(order.id, order.attempts) for order in await store.pending_orders()] == [(first, 2), (second, 0)]
    await store.finish(first, "")
    await store.postpone(first, "too late")
    assert [order.id for order in await store.pending_orders()] == [second]


async def test_an_unknown_order_is_a_bug(store: Store) -> None:
    for change in (store.finish, store.postpone):
        with pytest.raises(Bug):
            await change(77, "")


async def test_final_phases_are_not_open(store: Store) -> None:
    await begin(store, b"a", phase="running")
    await begin(store, b"b", phase="=settled")
    await begin(store, b"c")
    await begin(store, b"d", life="provider")
    await store.commit("requester", b"c", 1, "F", "{}", "{}", "=failed", [], None)

    assert [life.key for life in await store.open_lives("requester")] == [b"a"]
    assert [life.key for life in await store.open_lives("provider")] == [b"d"]


async def test_recent_lives_come_newest_first_in_pages(store: Store) -> None:
    for name in b"abcde":
        await begin(store, bytes([name]), phase="even" if name % 2 == 0 else "odd")
    await store.commit("requester", b"a", 1, "F", "{}", "{}", "odd", [], None)
    await begin(store, b"z", life="provider")

    first = await store.recent("requester", 2)
    second = await store.recent("requester", 2, before=first[-1].key)

    assert [life.key for life in first + second] == [b"e", b"d", b"c", b"b"]
    assert [life.key for life in await store.recent("requester", 9, "odd")] == [b"e", b"c", b"a"]
    assert await store.recent("requester", 9, before=b"unknown") == []


@pytest.mark.parametrize(
    "bad",
    ["", "{", "nul\0", "NaN", '{"a":Infinity}', "'x'", '{"a":1}x', '"\ud800"', "[" * 100_000],
)
async def test_what_is_not_json_is_a_bug_and_writes_nothing(store: Store, bad: str) -> None:
    for fact, state, body in ((bad, "{}", "{}"), ("{}", bad, "{}"), ("{}", "{}", bad)):
        with pytest.raises(Bug):
            await store.commit("requester", TASK, 0, "F", fact, state, "p", [("O", body)], None)

    assert await store.load("requester", TASK) is None
    assert await store.pending_orders() == []


async def test_names_keys_and_numbers_are_bounded(store: Store) -> None:
    async def commit(life: str = "l", key: bytes = b"k", expected: int = 0, kind: str = "F", orders: int = 0) -> None:
        await store.commit(life, key, expected, kind, "{}", "{}", "p", [("O", "{}")] * orders, None)

    for attempt in (
        {"life": ""},
        {"life": "x" * 65},
        {"life": "é"},
        {"key": b""},
        {"key": b"k" * 257},
        {"expected": -1},
        {"expected": 1 << 63},
        {"kind": "a\0"},
        {"orders": MAX_ORDERS + 1},
    ):
        with pytest.raises(Bug):
            await commit(**attempt)  # type: ignore[arg-type]
    with pytest.raises(Bug):
        await store.recent("l", 0)
    await commit(orders=MAX_ORDERS)
    assert len(await store.pending_orders()) == MAX_ORDERS
