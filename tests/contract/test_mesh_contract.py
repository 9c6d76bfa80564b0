"""What ports.Mesh promises, asked of the mesh in memory and of real libp2p hosts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable

import pytest
import trio

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import MemoryMesh, MemoryNetwork, WrongWorld
from ainur_node.mesh.testing import GENESIS, OTHER_GENESIS, Node, Shelf, join, running, seed, until
from ainur_node.ports import Gossip, RemoteRefusal

LIMITS = {"max_body": 1000, "per_peer_per_second": 10_000.0, "concurrent": 100}


class MemoryNode(MemoryMesh):
    def __init__(self, network: MemoryNetwork, number: int, genesis: bytes = GENESIS) -> None:
        self.shelf = Shelf()
        super().__init__(network, seed(number), genesis, self.shelf)


class World:
    """Three joined nodes and the means to make more."""

    def __init__(self, make: Callable[..., Node], nursery: trio.Nursery) -> None:
        self.make = make
        self.nursery = nursery
        self.nodes: list[Node] = []

    async def start(self, node: Node) -> Node:
        await self.nursery.start(node.run)
        return node


@pytest.fixture(params=["memory", pytest.param("libp2p", marks=pytest.mark.real)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    network = MemoryNetwork()
    make = Node if request.param == "libp2p" else lambda n, genesis=GENESIS: MemoryNode(network, n, genesis)
    async with trio.open_nursery() as nursery:
        world = World(make, nursery)
        world.nodes = [await world.start(make(n)) for n in range(3)]
        if request.param == "libp2p":
            await join(*world.nodes)
        yield world
        nursery.cancel_scope.cancel()


async def echo(peer: str, body: bytes) -> bytes:
    return peer.encode() + b"/" + body


async def test_gossip_is_heard_by_everybody_else_with_its_author(world: World) -> None:
    channels = [node.subscribe("tasks") for node in world.nodes]

    await world.nodes[0].publish("tasks", b"work")

    for channel in channels[1:]:
        with trio.fail_after(5):
            assert await channel.receive() == Gossip(world.nodes[0].peer_id, b"work")


async def test_a_node_does_not_hear_itself(world: World) -> None:
    own, other = world.nodes[0].subscribe("tasks"), world.nodes[1].subscribe("tasks")

    await world.nodes[0].publish("tasks", b"one")
    await world.nodes[1].publish("tasks", b"two")

    with trio.fail_after(5):
        assert (await own.receive()).body == b"two"
        assert (await other.receive()).body == b"one"


async def test_topics_do_not_mix(world: World) -> None:
    tasks, agents = world.nodes[1].subscribe("tasks"), world.nodes[1].subscribe("agents")

    await world.nodes[0].publish("tasks", b"a task")
    await world.nodes[0].publish("agents", b"an agent")

    with trio.fail_after(5):
        assert (await agents.receive()).body == b"an agent"
        assert (await tasks.receive()).body == b"a task"


async def test_an_unknown_topic_is_an_error_at_once(world: World) -> None:
    with pytest.raises(ValueError):
        world.nodes[0].subscribe("weather")
    with pytest.raises(ValueError):
        await world.nodes[0].publish("weather", b"")


async def test_gossip_of_64_kib_passes_and_one_byte_more_is_refused(world: World) -> None:
    channel = world.nodes[1].subscribe("announcements")

    with pytest.raises(ValueError):
        await world.nodes[0].publish("announcements", bytes(64 * 1024 + 1))
    await world.nodes[0].publish("announcements", bytes(64 * 1024))

    with trio.fail_after(5):
        assert (await channel.receive()).body == bytes(64 * 1024)


async def test_a_full_channel_drops_the_oldest_and_counts(world: World) -> None:
    channel = world.nodes[1].subscribe("tasks", capacity=2)

    for n in range(4):
        await world.nodes[0].publish("tasks", bytes([n]))
        await until(lambda n=n: world.nodes[1].statistics().get("gossip_received", 0) == n + 1)

    assert [(await channel.receive()).body for _ in range(2)] == [b"\2", b"\3"]
    assert world.nodes[1].statistics()["gossip_dropped"] == 2


async def test_a_closed_channel_ends(world: World) -> None:
    channel = world.nodes[1].subscribe("tasks")

    channel.close()

    with pytest.raises(trio.EndOfChannel):
        await channel.receive()


async def test_a_request_is_answered_and_the_asker_is_known(world: World) -> None:
    world.nodes[1].serve("echo", echo, **LIMITS)

    answer = await world.nodes[0].request(world.nodes[1].peer_id, "echo", b"hi", timeout=5)

    assert answer == world.nodes[0].peer_id.encode() + b"/hi"


async def test_many_requests_at_once_get_their_own_answers(world: World) -> None:
    async def slow_for_even(_peer: str, body: bytes) -> bytes:
        await trio.sleep(0.01 * (body[0] % 2 == 0))
        return body

    world.nodes[1].serve("mirror", slow_for_even, **LIMITS)
    answers: dict[int, bytes] = {}

    async def ask(n: int) -> None:
        answers[n] = await world.nodes[0].request(world.nodes[1].peer_id, "mirror", bytes([n]), timeout=10)

    async with trio.open_nursery() as nursery:
        for n in range(200):
            nursery.start_soon(ask, n)

    assert answers == {n: bytes([n]) for n in range(200)}


async def test_a_refusal_travels_with_code_and_hint(world: World) -> None:
    async def refuse(_peer: str, _body: bytes) -> bytes:
        raise RemoteRefusal("no_such_auction", "it was closed")

    world.nodes[1].serve("commit", refuse, **LIMITS)

    with pytest.raises(RemoteRefusal) as caught:
        await world.nodes[0].request(world.nodes[1].peer_id, "commit", b"", timeout=5)
    assert (caught.value.code, caught.value.hint) == ("no_such_auction", "it was closed")


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Misbehaviour("bad bid"), "misbehaviour"), (KeyError("a bug"), "internal")],
)
async def test_a_fault_of_a_handler_becomes_a_refusal(world: World, fault: Exception, code: str) -> None:
    async def fail(_peer: str, _body: bytes) -> bytes:
        raise fault

    world.nodes[1].serve("fail", fail, **LIMITS)
    world.nodes[1].serve("echo", echo, **LIMITS)

    with pytest.raises(RemoteRefusal) as caught:
        await world.nodes[0].request(world.nodes[1].peer_id, "fail", b"", timeout=5)

    assert caught.value.code == code
    assert await world.nodes[0].request(world.nodes[1].peer_id, "echo", b"", timeout=5)


async def test_a_handler_that_cannot_answer_now_is_transient(world: World) -> None:
    async def fail(_peer: str, _body: bytes) -> bytes:
        raise Transient("the store is down", hint="try later")

    world.nodes[1].serve("fail", fail, **LIMITS)

    with pytest.raises(Transient):
        await world.nodes[0].request(world.nodes[1].peer_id, "fail", b"", timeout=5)


async def test_unknown_methods_and_long_bodies_are_refused(world: World) -> None:
    world.nodes[1].serve("echo", echo, **LIMITS)

    for method, body, code in [("nothing", b"", "unknown_method"), ("echo", bytes(1001), "too_large")]:
        with pytest.raises(RemoteRefusal) as caught:
            await world.nodes[0].request(world.nodes[1].peer_id, method, body, timeout=5)
        assert caught.value.code == code


async def test_a_silent_handler_is_transient_in_time(world: World) -> None:
    async def sleep(_peer: str, _body: bytes) -> bytes:
        await trio.sleep_forever()
        raise AssertionError

    world.nodes[1].serve("sleep", sleep, **LIMITS)
    began = trio.current_time()

    with pytest.raises(Transient):
        await world.nodes[0].request(world.nodes[1].peer_id, "sleep", b"", timeout=0.2)

    assert trio.current_time() - began < 2


async def test_a_peer_that_is_not_there_is_transient(world: World) -> None:
    absent = world.make(9)

    with pytest.raises(Transient):
        await world.nodes[0].request(absent.peer_id, "echo", b"", timeout=2)


async def test_too_many_requests_of_one_peer_are_put_off(world: World) -> None:
    world.nodes[1].serve("echo", echo, max_body=10, per_peer_per_second=1.0, concurrent=5)
    refused = 0

    for _ in range(12):
        try:
            await world.nodes[0].request(world.nodes[1].peer_id, "echo", b"", timeout=5)
        except Transient:
            refused += 1

    assert refused >= 2
    # The limit is for each peer: another one is not affected.
    assert await world.nodes[2].request(world.nodes[1].peer_id, "echo", b"", timeout=5)


async def test_no_more_handlers_run_at_once_than_allowed(world: World) -> None:
    running_now = most = 0

    async def work(_peer: str, body: bytes) -> bytes:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await trio.sleep(0.01)
        running_now -= 1
        return body

    world.nodes[1].serve("work", work, max_body=10, per_peer_per_second=1000, concurrent=3)

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(_ask, world, b"", "work")

    assert most == 3


async def _ask(world: World, body: bytes, method: str) -> bytes:
    return await world.nodes[0].request(world.nodes[1].peer_id, method, body, timeout=10)


async def test_a_method_is_served_once(world: World) -> None:
    world.nodes[1].serve("echo", echo, **LIMITS)

    with pytest.raises(ValueError):
        world.nodes[1].serve("echo", echo, **LIMITS)


async def test_a_blob_comes_from_whoever_has_it(world: World) -> None:
    data = bytes(range(256)) * 1024
    key = world.nodes[2].shelf.put(data)
    peers = [world.nodes[1].peer_id, world.nodes[2].peer_id]

    assert await world.nodes[0].fetch_blob(key, len(data), peers, timeout=10) == data


async def test_an_empty_blob_is_a_blob(world: World) -> None:
    key = world.nodes[1].shelf.put(b"")

    assert await world.nodes[0].fetch_blob(key, 0, [world.nodes[1].peer_id], timeout=5) == b""


async def test_a_blob_with_other_bytes_is_refused_and_the_next_peer_asked(world: World) -> None:
    key = world.nodes[2].shelf.put(b"the truth")
    world.nodes[1].shelf.blobs[key] = b"a lie...."
    peers = [world.nodes[1].peer_id, world.nodes[2].peer_id]

    with pytest.raises(Transient):
        await world.nodes[0].fetch_blob(key, 9, peers[:1], timeout=5)
    assert await world.nodes[0].fetch_blob(key, 9, peers, timeout=5) == b"the truth"


async def test_a_blob_nobody_gives_is_transient(world: World) -> None:
    long = world.nodes[1].shelf.put(bytes(1000))
    hidden = world.nodes[1].shelf.put(b"secret")
    world.nodes[1].shelf.hidden.add(hidden)

    for key, size in [(hashlib.sha256(b"?").digest(), 10), (long, 999), (hidden, 6)]:
        with pytest.raises(Transient):
            await world.nodes[0].fetch_blob(key, size, [world.nodes[1].peer_id], timeout=5)
    with pytest.raises(Transient):
        await world.nodes[0].fetch_blob(long, 1000, [], timeout=5)


async def test_providers_are_found(world: World) -> None:
    key = hashlib.sha256(b"package").digest()

    await world.nodes[0].provide(key)
    await world.nodes[1].provide(key)

    assert set(await world.nodes[2].find_providers(key)) == {n.peer_id for n in world.nodes[:2]}
    assert await world.nodes[1].find_providers(key) == [world.nodes[0].peer_id]
    assert len(await world.nodes[2].find_providers(key, limit=1)) == 1


async def test_another_world_is_refused_with_both_hashes(world: World) -> None:
    stranger = await world.start(world.make(7, genesis=OTHER_GENESIS))

    with pytest.raises(WrongWorld) as caught:
        await stranger.connect(world.nodes[0].addresses()[0])

    assert (caught.value.ours, caught.value.theirs) == (OTHER_GENESIS, GENESIS)
    assert OTHER_GENESIS.hex() in str(caught.value)
    assert GENESIS.hex() in str(caught.value)
    assert stranger.peers() == []


async def test_peers_and_statistics_are_for_people(world: World) -> None:
    assert {p.peer_id for p in world.nodes[0].peers()} == {n.peer_id for n in world.nodes[1:]}
    assert all(isinstance(v, int | float) for v in world.nodes[0].statistics().values())
    assert world.nodes[0].statistics()["peers"] == 2


async def test_before_it_runs_nothing_can_be_asked(world: World) -> None:
    idle = world.make(8)

    with pytest.raises(Transient):
        await idle.publish("tasks", b"")
    with pytest.raises(Transient):
        await idle.request(world.nodes[0].peer_id, "echo", b"", timeout=1)


async def test_a_node_that_stopped_is_transient(world: World) -> None:
    leaving = world.make(5)
    async with running(leaving):
        address = leaving.addresses()[0]
        assert await world.nodes[0].connect(address) == leaving.peer_id

    with pytest.raises(Transient):
        await world.nodes[0].request(leaving.peer_id, "echo", b"", timeout=3)
    assert await world.nodes[1].find_providers(bytes(32)) == []
