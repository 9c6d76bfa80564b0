"""Strangers at the door: what they send before and right after they are known, and what is left when they are gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import trio
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.peer.id import ID
from libp2p.utils.varint import encode_uvarint

from ainur_node.mesh import admission, flow
from ainur_node.mesh.testing import SETTINGS, Node, join, running, until

FEW = replace(SETTINGS, max_connections=8)


def port_of(node: Node) -> int:
    return int(node.addresses()[0].split("/")[4])


def network(node: Node) -> Any:
    return node._host.get_network()


def descriptor_count() -> int:
    from pathlib import Path

    return len(list(Path("/proc/self/fd").iterdir()))


async def test_slots_and_sockets_come_back_when_connections_end() -> None:
    victim = Node(0, settings=FEW)
    async with running(victim):
        before = descriptor_count()
        for number in range(3 * FEW.max_connections):
            guest = Node(100 + number)
            async with running(guest):
                await guest.connect(victim.addresses()[0])
            await until(lambda: not victim.peers())
        await until(lambda: network(victim)._inbound_limiter.borrowed_tokens == 0)
        await until(lambda: descriptor_count() <= before)


async def test_a_full_house_takes_the_next_one_when_somebody_leaves() -> None:
    victim = Node(0, settings=replace(SETTINGS, max_connections=3))
    first, second, third = Node(1), Node(2), Node(3)
    async with running(victim, second, third):
        async with running(first):
            await first.connect(victim.addresses()[0])
            await second.connect(victim.addresses()[0])
            with pytest.raises(Exception, match=r"cannot be reached|no hello"):
                await third.connect(victim.addresses()[0])
        await until(lambda: len(victim.peers()) == 1)
        await until(lambda: network(victim)._inbound_limiter.borrowed_tokens == 1)
        await third.connect(victim.addresses()[0])


async def test_idle_sockets_of_one_address_leave_room_for_a_guest() -> None:
    victim, guest = Node(0), Node(1)
    async with running(victim, guest):
        crowd = [await trio.open_tcp_stream("127.0.0.1", port_of(victim)) for _ in range(200)]
        await until(lambda: network(victim)._inbound_limiter.borrowed_tokens == admission.MAX_HANDSHAKES_PER_IP)
        for stream in crowd[:10]:
            await stream.aclose()
        await until(lambda: network(victim)._inbound_limiter.borrowed_tokens < admission.MAX_HANDSHAKES_PER_IP)
        await guest.connect(victim.addresses()[0])
        for stream in crowd[10:]:
            await trio.aclose_forcefully(stream)


@pytest.mark.parametrize("size", [admission.MAX_NEGOTIATION + 1, 1 << 20, 1 << 40, (1 << 64) - 1])
async def test_a_name_without_end_is_not_waited_for(size: int) -> None:
    victim = Node(0)
    async with running(victim):
        stream = await trio.open_tcp_stream("127.0.0.1", port_of(victim))
        with trio.fail_after(5), suppress(trio.BrokenResourceError):
            await stream.send_all(encode_uvarint(size) + b"/" * 100)
            while await stream.receive_some(1000):
                pass
        await trio.aclose_forcefully(stream)


async def test_what_a_peer_says_of_itself_is_neither_asked_for_nor_kept() -> None:
    victim, boaster = Node(0), Node(1)
    asked: list[int] = []

    async def boast(stream: Any) -> None:
        asked.append(1)
        await stream.write(encode_uvarint(1 << 20) + bytes(1 << 20))

    async with running(victim, boaster):
        boaster._host.set_stream_handler("/ipfs/id/1.0.0", boast)
        await join(victim, boaster)
        with pytest.raises(Exception, match=r".+"):
            await boaster._host.new_stream(ID.from_base58(victim.peer_id), [ID_PUSH])
        assert str(ID_PUSH) not in victim.serves()["protocols"]
        assert asked == []


def test_a_peer_may_fill_its_streams_but_not_the_process() -> None:
    connections = [flow.Buffers() for _ in range(40)]
    for number, buffers in enumerate(connections):
        flow._connections[-number - 1] = buffers
    with pytest.raises(flow.BufferOverrun):
        for buffers in connections:
            buffers[1] = bytearray()
            for _ in range(31):
                buffers[1].extend(bytes(1 << 16))
    assert flow.held_by_all() <= flow.MAX_ALL_BUFFERS + len(connections) * flow.FAIR_SHARE
    # Whoever holds little goes on.
    connections[-1][2] = bytearray()
    connections[-1][2].extend(bytes(1000))


def test_streams_of_a_connection_have_an_end() -> None:
    buffers = flow.Buffers()
    with pytest.raises(flow.BufferOverrun):
        for number in range(flow.MAX_STREAMS + 1):
            buffers[number] = bytearray()
    assert len(buffers) == flow.MAX_STREAMS
