"""Provider records and look-ups: tables, lies, and real nodes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.errors import Misbehaviour
from ainur_node.mesh import wire
from ainur_node.mesh.dht_records import (
    Put,
    check_record,
    place_of_key,
    place_of_node,
    sign_record,
)
from ainur_node.mesh.dht_tables import RecordStore, RoutingTable
from ainur_node.mesh.testing import GENESIS, OTHER_GENESIS, SETTINGS, Node, join, running, seed, until

KEY = hashlib.sha256(b"a package").digest()
NOW = 1_700_000_000.0


def record(number: int = 1, *, seq: int = 1, until: float = NOW + 100, key: bytes = KEY):
    return sign_record(seed(number), GENESIS, key, seq, int(until), ["/ip4/127.0.0.1/tcp/1"])


def altered(original, **changes):
    fields = {f: getattr(original, f) for f in original.__struct_fields__}
    return type(original)(**{**fields, **changes})


def test_a_signed_record_is_accepted() -> None:
    check_record(record(), GENESIS, KEY, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": hashlib.sha256(b"other").digest()},
        {"node": hashlib.sha256(b"other").digest()},
        {"seq": 2},
        {"until": int(NOW) + 101},
        {"addresses": ["/ip4/6.6.6.6/tcp/1"]},
        {"addresses": []},
        {"signature": bytes(64)},
    ],
)
def test_a_record_changed_in_any_field_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Misbehaviour):
        check_record(altered(record(), **changes), GENESIS, None, NOW)


def test_a_record_of_another_world_or_another_key_is_refused() -> None:
    with pytest.raises(Misbehaviour):
        check_record(record(), OTHER_GENESIS, KEY, NOW)
    with pytest.raises(Misbehaviour):
        check_record(record(), GENESIS, hashlib.sha256(b"other").digest(), NOW)


@pytest.mark.parametrize("until", [NOW - 1, NOW, NOW + 48 * 3600])
def test_a_record_that_is_over_or_endless_is_refused(until: float) -> None:
    with pytest.raises(Misbehaviour):
        check_record(record(until=until), GENESIS, KEY, NOW)


def test_an_older_record_does_not_replace_a_newer_one() -> None:
    store = RecordStore(0, lambda: NOW)

    assert store.put(record(seq=5))
    assert not store.put(record(seq=4))

    assert [r.seq for r in store.get(KEY)] == [5]
    assert len(store) == 1


def test_records_end() -> None:
    now = NOW
    store = RecordStore(0, lambda: now)
    store.put(record())

    now = NOW + 101

    assert store.get(KEY) == []
    assert store.drop_expired() == 1
    assert len(store) == 0


def test_a_full_store_keeps_the_keys_near_to_it() -> None:
    keys = sorted((hashlib.sha256(bytes([n])).digest() for n in range(20)), key=place_of_key)
    store = RecordStore(0, lambda: NOW, capacity=5)

    for key in reversed(keys):
        store.put(record(key=key))

    assert len(store) == 5
    assert all(store.get(key) for key in keys[:5])


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=200), st.binary(min_size=32, max_size=32))
def test_the_table_finds_the_nearest_it_knows(nodes: set[bytes], key: bytes) -> None:
    table = RoutingTable(place_of_node(b"\0" * 32))
    for node in nodes:
        table.add(node, lambda _: True)

    near = table.closest(place_of_key(key), 20)

    distances = [place_of_node(n) ^ place_of_key(key) for n in near]
    assert distances == sorted(distances)
    assert len(table) <= len(nodes)


def test_new_identities_do_not_push_out_living_contacts() -> None:
    table = RoutingTable(0)
    nodes = [hashlib.sha256(bytes([n, 1])).digest() for n in range(255)]
    first = [n for n in nodes if place_of_node(n) >> 255][:20]
    for node in first:
        table.add(node, lambda _: True)

    for node in nodes:
        table.add(node, lambda _: True)

    assert set(first) <= set(table.closest(2**255, 400))


async def test_providers_are_found_through_others_and_before_they_knew_them() -> None:
    early, hub, late = (Node(n) for n in range(3))
    async with running(early, hub, late):
        await early.provide(KEY)
        await early.connect(hub.addresses()[0])
        await until(lambda: len(hub._dht.store) == 1)

        await late.connect(hub.addresses()[0])
        assert await late.find_providers(KEY) == [early.peer_id]
        # The look-up has made the two meet; a blob can be fetched at once.
        key = early.shelf.put(b"bytes")
        assert await late.fetch_blob(key, 5, [early.peer_id], timeout=5) == b"bytes"

        assert await early.find_providers(KEY) == []
        assert await late.find_providers(hashlib.sha256(b"nobody has this").digest()) == []


async def test_a_node_that_dies_is_looked_past() -> None:
    settings = replace(SETTINGS, dht_query_timeout=0.5)
    nodes = [Node(n, settings=settings) for n in range(4)]
    async with running(*nodes[:3]):
        async with running(nodes[3]):
            await join(*nodes)
            await nodes[0].provide(KEY)
        assert await nodes[2].find_providers(KEY) == [nodes[0].peer_id]


async def test_a_record_of_somebody_else_is_not_stored() -> None:
    honest, liar = Node(0), Node(1)
    async with running(honest, liar):
        await join(honest, liar)
        frame = wire.encode(Put(record=record(2, until=NOW + 10**9)))

        with pytest.raises(Exception, match="misbehaviour"):
            await liar.request(honest.peer_id, "dht.put", frame, timeout=5)

        assert len(honest._dht.store) == 0
        assert honest.statistics()["strikes"] == 1
