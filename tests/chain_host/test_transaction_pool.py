"""The transaction pool: order, tags, bounds and what it tells of each extrinsic."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_host import pool as pool_module
from chain_host.pool import BAN_SECONDS, FUTURE_SECONDS, MAX_ATTEMPTS, Pool, PoolRefusal, Status
from chain_host.runtime_api import Valid


def tag(who: str, nonce: int) -> bytes:
    return f"{who}{nonce}".encode()


def valid(who: str, nonce: int, *, priority: int = 1, account_nonce: int = 0, longevity: int = 64) -> Valid:
    needs = (tag(who, nonce - 1),) if nonce > account_nonce else ()
    return Valid(priority, needs, (tag(who, nonce),), longevity, True)


def add(pool: Pool, who: str, nonce: int, *, name: str = "", now: float = 0.0, block: int = 0, size: int = 1, **facts):
    key = (name or f"{who}{nonce}").encode()
    return pool.submit(key, b"x" * size, valid(who, nonce, **facts), block, now)


def order(pool: Pool) -> list[str]:
    return [entry.hash.decode() for entry in pool.ready()]


def test_nonces_of_an_account_leave_in_order_however_they_arrive():
    pool = Pool()
    assert add(pool, "a", 2) == [Status(b"a2", "future")]
    assert add(pool, "a", 1) == [Status(b"a1", "future")]

    changed = add(pool, "a", 0)

    assert changed == [Status(b"a0", "ready"), Status(b"a1", "ready"), Status(b"a2", "ready")]
    assert order(pool) == ["a0", "a1", "a2"]


def test_a_higher_priority_comes_first_but_never_before_what_it_needs():
    pool = Pool()
    add(pool, "a", 0, priority=1)
    add(pool, "b", 0, priority=5)
    add(pool, "a", 1, priority=9)

    assert order(pool) == ["b0", "a0", "a1"]


def test_a_better_offer_for_the_same_nonce_usurps_and_a_worse_one_is_refused():
    pool = Pool()
    add(pool, "a", 0, priority=5)
    add(pool, "a", 1, priority=5)

    changed = add(pool, "a", 0, name="better", priority=6)
    with pytest.raises(PoolRefusal) as refused:
        add(pool, "a", 0, name="equal", priority=6)

    assert changed == [Status(b"better", "ready"), Status(b"a0", "usurped", b"better")]
    assert refused.value.code == 1014
    assert order(pool) == ["better", "a1"]


def test_the_same_bytes_twice_are_refused_as_already_imported():
    pool = Pool()
    add(pool, "a", 0)
    add(pool, "b", 3)

    for who, nonce in (("a", 0), ("b", 3)):
        with pytest.raises(PoolRefusal) as refused:
            add(pool, who, nonce)
        assert refused.value.code == 1013


def test_what_a_block_includes_unlocks_what_waited_for_it():
    pool = Pool()
    add(pool, "a", 0)
    add(pool, "b", 0)
    add(pool, "a", 1)

    assert pool.included([b"a0"]) == []
    assert order(pool) == ["b0", "a1"]
    assert not pool.provides(tag("a", 0))


def test_dependents_of_an_invalid_extrinsic_wait_for_another_in_its_place():
    pool = Pool()
    for nonce in range(3):
        add(pool, "a", nonce)

    changed = pool.remove(b"a0", "invalid")
    assert changed == [Status(b"a0", "invalid"), Status(b"a1", "future"), Status(b"a2", "future")]
    assert order(pool) == []

    add(pool, "a", 0, name="again")
    assert order(pool) == ["again", "a1", "a2"]


def test_a_ban_ends():
    pool = Pool()
    pool.ban(b"a0", now=10.0)

    with pytest.raises(PoolRefusal) as refused:
        add(pool, "a", 0, now=10.0 + BAN_SECONDS - 1)
    assert refused.value.code == 1012
    assert add(pool, "a", 0, now=10.0 + BAN_SECONDS) == [Status(b"a0", "ready")]


def test_mortal_extrinsics_expire_with_their_era():
    pool = Pool()
    add(pool, "a", 0, block=10, longevity=5)
    add(pool, "b", 7, block=10, longevity=5)

    assert pool.expire(14, 0.0) == []
    assert {status.hash for status in pool.expire(15, 0.0)} == {b"a0", b"b7"}
    assert len(pool) == 0


def test_what_waits_too_long_for_its_tag_is_dropped():
    pool = Pool()
    add(pool, "a", 5, now=100.0)

    assert pool.expire(1, 100.0 + FUTURE_SECONDS) == []
    assert pool.expire(1, 101.0 + FUTURE_SECONDS) == [Status(b"a5", "invalid")]


def test_an_extrinsic_that_never_fits_is_dropped_in_the_end():
    pool = Pool()
    add(pool, "a", 0)

    told = [pool.passed_over([b"a0"]) for _ in range(MAX_ATTEMPTS)]

    assert told[:-1] == [[]] * (MAX_ATTEMPTS - 1)
    assert told[-1] == [Status(b"a0", "dropped")]


def test_a_full_pool_drops_the_worst_and_refuses_what_is_no_better(monkeypatch):
    monkeypatch.setattr(pool_module, "READY_COUNT", 3)
    pool = Pool()
    for who, priority in (("a", 5), ("b", 2), ("c", 3)):
        add(pool, who, 0, priority=priority)

    assert add(pool, "d", 0, priority=4) == [Status(b"d0", "ready"), Status(b"b0", "dropped")]
    with pytest.raises(PoolRefusal) as refused:
        add(pool, "e", 0, priority=3)
    assert refused.value.code == 1016
    assert order(pool) == ["a0", "d0", "c0"]


def test_bytes_are_bounded_too(monkeypatch):
    monkeypatch.setattr(pool_module, "READY_BYTES", 100)
    pool = Pool()
    add(pool, "a", 0, size=60)

    with pytest.raises(PoolRefusal):
        add(pool, "b", 0, size=60)
    assert pool.statistics()["ready_bytes"] == 60


def test_the_future_queue_forgets_its_oldest_when_full(monkeypatch):
    monkeypatch.setattr(pool_module, "FUTURE_COUNT", 2)
    pool = Pool()
    add(pool, "a", 5)
    add(pool, "b", 5)

    assert add(pool, "c", 5) == [Status(b"c5", "future"), Status(b"a5", "dropped")]


def test_a_long_chain_of_future_extrinsics_is_unlocked_at_once():
    pool = Pool()
    for nonce in range(500, 0, -1):
        add(pool, "a", nonce)

    add(pool, "a", 0)

    assert order(pool) == [f"a{nonce}" for nonce in range(501)]


def test_throwing_out_a_long_chain_takes_no_time():
    pool = Pool()
    for who in range(100):
        for nonce in range(40):
            add(pool, f"{who}/", nonce)
    started = time.monotonic()

    for who in range(100):
        pool.remove(f"{who}/0".encode(), "invalid")

    assert len(pool) == 0
    assert time.monotonic() - started < 2


def test_an_extrinsic_that_provides_nothing_is_refused():
    with pytest.raises(PoolRefusal):
        Pool().submit(b"h", b"x", Valid(1, (), (), 64, True), 0, 0.0)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "include", "remove", "expire", "pass"]),
        st.sampled_from("abc"),
        st.integers(0, 4),
        st.integers(1, 3),
    ),
    max_size=60,
)


@given(OPERATIONS)
def test_books_and_order_hold_whatever_happens(operations):
    pool, told, serial = Pool(), {}, 0
    for step, (what, who, nonce, priority) in enumerate(operations):
        changed: list[Status] = []
        ready = list(pool.ready())
        if what == "add":
            serial += 1
            try:
                changed = add(pool, who, nonce, name=f"{who}{nonce}#{serial}", priority=priority, block=step)
            except PoolRefusal:
                continue
        elif what == "include" and ready:
            changed = pool.included([entry.hash for entry in ready[:nonce]])
            told.update({entry.hash: "included" for entry in ready[:nonce]})
        elif what == "remove" and ready:
            changed = pool.remove(ready[nonce % len(ready)].hash, "invalid")
        elif what == "expire":
            changed = pool.expire(step + nonce * 16, 0.0)
        elif what == "pass":
            changed = pool.passed_over([entry.hash for entry in ready])
        told.update({status.hash: status.kind for status in changed})

        after = list(pool.ready())
        places = {entry.hash: place for place, entry in enumerate(after)}
        provided = [each for entry in after for each in entry.valid.provides]
        counts = pool.statistics()
        assert len(provided) == len(set(provided))
        assert len(after) == len(pool) == counts["ready"]
        assert counts["ready_bytes"] == sum(len(entry.raw) for entry in after)
        assert {each for each, kind in told.items() if kind == "ready"} == set(places)
        assert sum(kind == "future" for kind in told.values()) == counts["future"]
        for entry in after:
            for need in entry.valid.requires:
                giver = next((other for other in after if need in other.valid.provides), None)
                assert giver is None or places[giver.hash] < places[entry.hash]
