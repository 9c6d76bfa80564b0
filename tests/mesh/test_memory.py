"""The faults of the mesh in memory, on the mock clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from ainur_node.errors import Transient
from ainur_node.mesh import Faults, MemoryMesh, MemoryNetwork
from ainur_node.mesh.testing import GENESIS, OTHER_GENESIS, Shelf, seed


@pytest.fixture
def clock() -> MockClock:
    return MockClock(autojump_threshold=0)


@asynccontextmanager
async def network(count: int = 2, **faults: float) -> AsyncIterator[tuple[MemoryNetwork, list[MemoryMesh]]]:
    net = MemoryNetwork()
    nodes = [MemoryMesh(net, seed(n), GENESIS, Shelf()) for n in range(count)]
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.run)
        net.faults = Faults(**faults)
        yield net, nodes
        nursery.cancel_scope.cancel()


def serve_counter(node: MemoryMesh) -> list[bytes]:
    handled: list[bytes] = []

    async def count(_peer: str, body: bytes) -> bytes:
        handled.append(body)
        return body

    node.serve("count", count, max_body=10, per_peer_per_second=1000, concurrent=10)
    return handled


async def test_a_delay_passes_on_the_mock_clock(clock: MockClock) -> None:
    async with network(least_delay=5, most_delay=5) as (_, (one, other)):
        serve_counter(other)
        began = trio.current_time()

        await one.request(other.peer_id, "count", b"", timeout=30)

        assert trio.current_time() - began == 10
        with pytest.raises(Transient):
            await one.request(other.peer_id, "count", b"", timeout=9)


async def test_a_dropped_request_is_not_handled_and_a_dropped_answer_is(clock: MockClock) -> None:
    async with network() as (net, (one, other)):
        handled = serve_counter(other)
        for fault, expected in [("drop_requests", []), ("drop_answers", [b"x"])]:
            net.faults = Faults(**{fault: 1.0})
            with pytest.raises(Transient):
                await one.request(other.peer_id, "count", b"x", timeout=100)
            assert handled == expected


async def test_a_duplicate_is_handled_twice_and_heard_twice(clock: MockClock) -> None:
    async with network(duplicate=1.0) as (_, (one, other)):
        handled = serve_counter(other)
        heard = other.subscribe("tasks")

        assert await one.request(other.peer_id, "count", b"x", timeout=1) == b"x"
        await one.publish("tasks", b"y")

        assert handled == [b"x", b"x"]
        assert [(await heard.receive()).body for _ in range(2)] == [b"y", b"y"]


async def test_dropped_gossip_is_not_heard(clock: MockClock) -> None:
    async with network(drop_gossip=1.0) as (_, (one, other)):
        heard = other.subscribe("tasks")

        await one.publish("tasks", b"y")

        with trio.move_on_after(100) as scope:
            await heard.receive()
        assert scope.cancelled_caught


async def test_a_cut_parts_two_nodes_until_it_heals(clock: MockClock) -> None:
    async with network(3) as (net, (one, other, third)):
        for node in (other, third):
            serve_counter(node)
        net.cut(one.peer_id, other.peer_id)

        with pytest.raises(Transient):
            await one.request(other.peer_id, "count", b"", timeout=1)
        await one.request(third.peer_id, "count", b"", timeout=1)
        assert [p.peer_id for p in one.peers()] == [third.peer_id]

        net.heal()
        await one.request(other.peer_id, "count", b"", timeout=1)


async def test_faults_are_the_same_in_every_run(clock: MockClock) -> None:
    async def pattern() -> list[bool]:
        net = MemoryNetwork(seed=5)
        return [net.happens(0.5) for _ in range(50)]

    assert await pattern() == await pattern()


async def test_worlds_in_one_network_do_not_hear_each_other(clock: MockClock) -> None:
    async with network() as (net, (one, _)):
        stranger = MemoryMesh(net, seed(9), OTHER_GENESIS, Shelf())
        async with trio.open_nursery() as nursery:
            await nursery.start(stranger.run)
            heard = stranger.subscribe("tasks")
            await one.publish("tasks", b"x")
            with trio.move_on_after(10) as scope:
                await heard.receive()
            assert scope.cancelled_caught
            with pytest.raises(Transient):
                await one.request(stranger.peer_id, "count", b"", timeout=1)
            nursery.cancel_scope.cancel()


async def test_bugs_of_handlers_are_kept_for_the_test_to_see(clock: MockClock) -> None:
    async with network() as (_, (one, other)):

        async def fail(_peer: str, _body: bytes) -> bytes:
            raise KeyError("oops")

        other.serve("fail", fail, max_body=1, per_peer_per_second=9, concurrent=1)
        with pytest.raises(Exception, match="internal"):
            await one.request(other.peer_id, "fail", b"", timeout=1)
        assert [method for method, _ in other.bugs] == ["fail"]
