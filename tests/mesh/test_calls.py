"""Requests under strain: lost lines, torn frames, slow readers, too many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
from libp2p.peer.id import ID

from ainur_node.errors import Transient
from ainur_node.mesh import calls, wire
from ainur_node.mesh.streams import FramedStream
from ainur_node.mesh.testing import SETTINGS, Node, join, running, until
from ainur_node.ports import RemoteRefusal

LIMITS = {"max_body": 200_000, "per_peer_per_second": 10_000.0, "concurrent": 100}


async def echo(_peer: str, body: bytes) -> bytes:
    return body


async def raw_line(caller: Node, answerer: Node) -> FramedStream:
    raw = await caller._host.new_stream(ID.from_base58(answerer.peer_id), [calls.PROTOCOL])
    return FramedStream(raw)


async def test_all_calls_of_a_pair_share_one_stream() -> None:
    caller, answerer = Node(0), Node(1)
    async with running(caller, answerer):
        await join(caller, answerer)
        answerer.serve("echo", echo, **LIMITS)

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(_ask, caller, answerer)

        assert answerer._answerer._streams.total() == 1
        await until(lambda: not caller._caller._lines[answerer.peer_id].pending)


async def _ask(caller: Node, answerer: Node, body: bytes = b"x") -> None:
    assert await caller.request(answerer.peer_id, "echo", body, timeout=10) == body


async def test_a_lost_line_fails_its_calls_and_the_next_call_opens_another() -> None:
    caller, answerer = Node(0), Node(1)
    async with running(caller, answerer):
        await join(caller, answerer)
        started = trio.Event()

        async def slow(_peer: str, _body: bytes) -> bytes:
            started.set()
            await trio.sleep_forever()
            raise AssertionError

        answerer.serve("slow", slow, **LIMITS)
        answerer.serve("echo", echo, **LIMITS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_fails, caller, answerer, "slow")
            await started.wait()
            for connection in answerer._host.get_network().get_connections(ID.from_base58(caller.peer_id)):
                for stream in connection.get_streams():
                    if stream.get_protocol() == calls.PROTOCOL:
                        await stream.reset()

        await _ask(caller, answerer)


async def _fails(caller: Node, answerer: Node, method: str) -> None:
    began = trio.current_time()
    with pytest.raises(Transient):
        await caller.request(answerer.peer_id, method, b"", timeout=30)
    assert trio.current_time() - began < 5


async def test_a_call_given_up_while_others_wait_does_not_harm_them() -> None:
    caller, answerer = Node(0), Node(1)
    async with running(caller, answerer):
        await join(caller, answerer)
        answerer.serve("echo", echo, **LIMITS)

        async def give_up() -> None:
            with trio.move_on_after(0.001):
                await caller.request(answerer.peer_id, "echo", bytes(150_000), timeout=10)

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(give_up)
        for _ in range(5):
            await _ask(caller, answerer, bytes(150_000))

        # A line whose frame was torn is closed at the other end too.
        await until(lambda: answerer._answerer._streams.total() <= 1)


async def test_lines_of_one_peer_are_few() -> None:
    caller, answerer = Node(0), Node(1)
    async with running(caller, answerer):
        await join(caller, answerer)
        for _ in range(calls.MAX_LINES_PER_PEER + 3):
            await raw_line(caller, answerer)

        await until(lambda: answerer.statistics().get("lines_refused", 0) >= 3)
        assert answerer._answerer._streams.total() <= calls.MAX_LINES_PER_PEER


async def test_a_peer_with_too_many_open_calls_is_not_read_from() -> None:
    caller, answerer = Node(0), Node(1, settings=replace(SETTINGS, max_calls_per_peer=4))
    running_now = 0

    async def hold(_peer: str, _body: bytes) -> bytes:
        nonlocal running_now
        running_now += 1
        await trio.sleep(0.2)
        running_now -= 1
        return b""

    async with running(caller, answerer):
        await join(caller, answerer)
        answerer.serve("hold", hold, **LIMITS)
        line = await raw_line(caller, answerer)
        for n in range(40):
            await line.write(wire.framed(wire.encode(wire.Call(id=n, method="hold", body=b""))), 5)
        await until(lambda: running_now == 4)
        most = 0
        for _ in range(40):
            await line.read_frame(wire.MAX_RPC_FRAME)
            most = max(most, running_now)
        assert most <= 4


async def test_frames_longer_than_any_body_served_end_the_line() -> None:
    caller, answerer = Node(0), Node(1)
    async with running(caller, answerer):
        await join(caller, answerer)
        answerer.serve("echo", echo, max_body=100, per_peer_per_second=100, concurrent=1)
        with pytest.raises(RemoteRefusal, match="too_large"):
            await caller.request(answerer.peer_id, "echo", bytes(1000), timeout=5)
        with pytest.raises(Transient):
            await caller.request(answerer.peer_id, "echo", bytes(500_000), timeout=5)

        await until(lambda: answerer.statistics().get("strikes", 0) == 1)
        assert await caller.request(answerer.peer_id, "echo", b"", timeout=5) == b""


async def test_answers_to_nobody_are_ignored_and_garbage_ends_the_line() -> None:
    caller, odd = Node(0), Node(1)

    async def answer(raw: Any) -> None:
        stream = FramedStream(raw)
        frame = await stream.read_frame(wire.MAX_RPC_FRAME)
        assert frame is not None
        call = wire.decode_call(frame)
        await stream.write(wire.framed(wire.encode(wire.Answer(id=call.id + 1, body=b"not yours"))), 5)
        if call.method == "good":
            await stream.write(wire.framed(wire.encode(wire.Answer(id=call.id, body=b"yours"))), 5)
        await stream.write(wire.framed(b"\xc1"), 5)

    async with running(caller, odd):
        await join(caller, odd)
        odd._host.set_stream_handler(calls.PROTOCOL, answer)

        assert await caller.request(odd.peer_id, "good", b"", timeout=5) == b"yours"
        await until(lambda: caller.statistics().get("strikes", 0) == 1)
        with pytest.raises(Transient):
            await caller.request(odd.peer_id, "bad", b"", timeout=5)


async def test_asking_strangers_leaves_nothing_behind() -> None:
    node = Node(0)
    async with running(node):
        for number in range(50, 80):
            with pytest.raises(Transient):
                await node.request(Node(number).peer_id, "echo", b"", timeout=1)

        assert not node._caller._in_flight
        assert not node._caller._opening
        assert not node._meetings._dialling
