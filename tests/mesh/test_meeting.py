"""Meeting and losing peers: hellos, redials, frozen and stopped nodes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
import trio
from libp2p.peer.id import ID

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import WrongWorld, wire
from ainur_node.mesh.peers import AddressBook, Standing, dialable, node_key_of, peer_id_of, split_address
from ainur_node.mesh.testing import GENESIS, OTHER_GENESIS, SETTINGS, Node, join, running, seed, until

DEAD = f"/ip4/127.0.0.1/tcp/1/p2p/{peer_id_of(Node(99).node_key)}"


def bootstrapped(*addresses: str, number: int = 1, **changes: object) -> Node:
    return Node(number, settings=replace(SETTINGS, bootstrap=addresses, **changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_both_worlds_learn_that_they_differ() -> None:
    here, there = Node(0), Node(1, genesis=OTHER_GENESIS)
    async with running(here, there):
        with pytest.raises(WrongWorld) as caught:
            await here.connect(there.addresses()[0])

        assert (caught.value.ours, caught.value.theirs) == (GENESIS, OTHER_GENESIS)
        await until(there.wrong_worlds)
        assert there.wrong_worlds()[0].theirs == GENESIS
        await until(lambda: not here._host.get_connected_peers() and not there._host.get_connected_peers())
        assert here.peers() == there.peers() == []


async def test_a_bootstrap_of_another_world_is_shown_and_not_dialled_again_soon() -> None:
    stranger = Node(0, genesis=OTHER_GENESIS)
    async with running(stranger):
        node = bootstrapped(stranger.addresses()[0])
        async with running(node):
            await until(node.wrong_worlds)
            dials = node.statistics()["dials"]
            with pytest.raises(WrongWorld):
                await node.connect(stranger.addresses()[0])
            assert node.statistics()["dials"] == dials


async def test_a_peer_that_says_no_hello_is_dropped() -> None:
    settings = replace(SETTINGS, hello_timeout=0.3)
    node, silent = Node(0, settings=settings), Node(1)

    async def say_nothing(_peer_id: str, _meeting: object) -> None:
        await trio.sleep_forever()

    silent._meetings._say_hello = say_nothing  # type: ignore[method-assign]
    async with running(node, silent):
        with suppress(Transient):
            await silent.connect(node.addresses()[0])
        await until(lambda: node.statistics().get("hellos_missing", 0) == 1)
        await until(lambda: not node._host.get_connected_peers())


async def test_dead_and_live_bootstraps_do_not_hold_up_the_start() -> None:
    hub = Node(0)
    async with running(hub):
        node = bootstrapped(DEAD, hub.addresses()[0])
        with trio.fail_after(3):
            async with running(node):
                await until(lambda: [p.peer_id for p in node.peers()] == [hub.peer_id])


async def test_a_bootstrap_that_comes_late_is_met() -> None:
    port = free_port()
    listen = (f"/ip4/127.0.0.1/tcp/{port}",)
    hub = Node(0, settings=replace(SETTINGS, listen=listen))
    node = bootstrapped(f"{listen[0]}/p2p/{hub.peer_id}")
    async with running(node):
        await until(lambda: node.statistics().get("redials_failed", 0) >= 2)
        async with running(hub):
            await until(node.peers)


async def test_a_lost_bootstrap_is_redialled_when_it_is_back() -> None:
    listen = (f"/ip4/127.0.0.1/tcp/{free_port()}",)
    settings = replace(SETTINGS, listen=listen)
    node = bootstrapped(f"{listen[0]}/p2p/{Node(0).peer_id}")
    async with running(node):
        for _ in range(2):
            hub = Node(0, settings=settings)
            async with running(hub):
                await until(lambda: node.peers() and node.gossip_peers("tasks"))
                heard = node.subscribe("tasks")
                await hub.publish("tasks", b"back")
                with trio.fail_after(5):
                    assert (await heard.receive()).body == b"back"
                heard.close()
            await until(lambda: not node.peers())


async def test_stopping_is_quick_and_the_others_notice() -> None:
    nodes = [Node(n) for n in range(4)]
    async with running(*nodes[1:]):
        async with running(nodes[0]):
            await join(*nodes)
            began = trio.current_time()
        assert trio.current_time() - began < 1.5
        await until(lambda: all(nodes[0].peer_id not in {p.peer_id for p in n.peers()} for n in nodes[1:]), 2)


async def test_the_port_is_free_again_after_a_stop() -> None:
    listen = (f"/ip4/127.0.0.1/tcp/{free_port()}",)
    for _ in range(2):
        async with running(Node(0, settings=replace(SETTINGS, listen=listen))):
            pass


async def test_a_port_in_use_is_said_so() -> None:
    first = Node(0)
    async with running(first):
        taken = first.addresses()[0].partition("/p2p/")[0]
        with pytest.raises(Transient, match="listen"):
            await Node(1, settings=replace(SETTINGS, listen=(taken,))).run()


CHILD = """
import sys, trio
from ainur_node.mesh.testing import Node, running
async def main():
    node = Node(7)
    async def echo(_peer, body):
        return body
    node.serve("echo", echo, max_body=1000000, per_peer_per_second=1e6, concurrent=10)
    async with running(node):
        print("ADDRESS", node.addresses()[0], flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


@asynccontextmanager
async def child_node() -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    process = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)  # noqa: ASYNC220 # a fork is quick
    try:
        assert process.stdout is not None
        while not (line := await trio.to_thread.run_sync(process.stdout.readline)).startswith(b"ADDRESS"):
            assert line, "the child died"
        yield process, line.split()[1].decode()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.real
@pytest.mark.parametrize("pending", [0, 30], ids=["idle", "with its buffers full"])
async def test_a_frozen_peer_is_dropped(pending: int) -> None:
    settings = replace(SETTINGS, health_interval=0.5, health_timeout=0.5)
    node = Node(0, settings=settings)
    async with running(node), child_node() as (process, address), trio.open_nursery() as nursery:
        peer = await node.connect(address)
        await node.request(peer, "echo", b"", timeout=5)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            for _ in range(pending):
                nursery.start_soon(_ask_in_vain, node, peer)
            await until(lambda: not node.peers(), 10)
        finally:
            os.kill(process.pid, signal.SIGCONT)
        nursery.cancel_scope.cancel()


async def _ask_in_vain(node: Node, peer: str) -> None:
    with pytest.raises(Transient):
        await node.request(peer, "echo", bytes(900_000), timeout=8)


@pytest.mark.real
async def test_a_killed_peer_is_lost_and_its_open_calls_end_at_once() -> None:
    node = Node(0)
    async with running(node), child_node() as (process, address):
        peer = await node.connect(address)
        await node.request(peer, "echo", b"", timeout=5)
        os.kill(process.pid, signal.SIGSTOP)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ask_in_vain, node, peer)
            await until(lambda: node._caller._lines[peer].pending)
            process.kill()
            await until(lambda: not node.peers(), 5)


async def test_a_garbled_hello_counts_against_the_peer() -> None:
    node, liar = Node(0), Node(1)
    async with running(node, liar):
        await join(node, liar)
        stream = await liar._host.new_stream(ID.from_base58(node.peer_id), ["/ainur/hello/1"])
        await stream.write(wire.framed(b"\xc1"))
        await until(lambda: node.statistics().get("strikes", 0) == 1)


def test_addresses_are_kept_for_few_peers_and_few_each() -> None:
    book = AddressBook(2)

    book.learn("a", [f"/ip4/1.1.1.{n}/tcp/1" for n in range(9)])
    book.learn("a", ["/ip4/2.2.2.2/tcp/1"])
    book.learn("b", ["/x", "y" * 1000, ""])
    book.learn("c", ["/z"])

    assert book.addresses("a") == ()
    assert book.addresses("b") == ("/x",)
    assert len(book) == 2


async def test_a_node_on_all_interfaces_is_dialled_where_it_was_seen() -> None:
    everywhere = Node(0, settings=replace(SETTINGS, listen=("/ip4/0.0.0.0/tcp/0",)))
    other = Node(1)
    async with running(everywhere, other):
        await everywhere.connect(other.addresses()[0])
        await until(other.peers)
        port = everywhere.addresses()[0].split("/")[4]
        assert other.peers()[0].addresses == (f"/ip4/127.0.0.1/tcp/{port}",)


async def test_announced_addresses_are_told_instead() -> None:
    announced = "/ip4/198.51.100.7/tcp/4001"
    node, other = Node(0, settings=replace(SETTINGS, announce=(announced,))), Node(1)
    async with running(node, other):
        assert node.addresses() == [f"{announced}/p2p/{node.peer_id}"]
        await node.connect(other.addresses()[0])
        await until(other.peers)
        assert other.peers()[0].addresses == (announced,)


def test_addresses_of_any_interface_need_a_seen_ip_of_the_same_kind() -> None:
    told = ["/ip4/0.0.0.0/tcp/1/p2p/x", "/ip6/::/tcp/2", "/ip4/1.2.3.4/tcp/3"]

    assert dialable(told) == ["/ip4/1.2.3.4/tcp/3"]
    assert dialable(told, "9.9.9.9") == ["/ip4/9.9.9.9/tcp/1", "/ip4/1.2.3.4/tcp/3"]
    assert dialable(told, "fe80::1") == ["/ip6/fe80::1/tcp/2", "/ip4/1.2.3.4/tcp/3"]


def test_strikes_fade_and_bans_end() -> None:
    now = 0.0
    standing = Standing(limit=3, fade_per_second=1, ban_seconds=10, capacity=10, clock=lambda: now)

    assert not standing.strike("p")
    assert not standing.strike("p")
    now = 5.0
    assert not standing.strike("p")
    assert not standing.strike("p")
    assert standing.strike("p")
    assert standing.is_banned("p")
    now = 15.0
    assert not standing.is_banned("p")


def test_memory_of_strikes_is_bounded() -> None:
    standing = Standing(limit=9, fade_per_second=1, ban_seconds=10, capacity=5, clock=lambda: 0.0)

    for n in range(100):
        standing.strike(str(n))
        standing.ban(str(n), 1)

    assert len(standing._strikes) <= 5
    assert len(standing._banned_until) <= 5


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/p2p/",
        "/ip4/1.2.3.4/tcp/1",
        "/ip4/1.2.3.4/tcp/1/p2p/garbage",
        "x/p2p/" + peer_id_of(seed(1)),
        "/p2p/" + "1" * 99,
    ],
)
def test_odd_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError):
        split_address(address)


def test_a_peer_id_of_another_kind_of_key_is_refused() -> None:
    for peer_id in ["", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "0OIl", "1" * 52]:
        with pytest.raises(Misbehaviour):
            node_key_of(peer_id)
