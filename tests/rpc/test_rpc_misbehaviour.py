"""What the server does about clients that misbehave, and about places it must not listen at."""

import contextlib
import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
from rpc_world import HELLO, Dial, ask_frame, asked, count, echo, hear, serving, until

from ainur_node.errors import ConfigError
from ainur_node.rpc import connection, frames
from ainur_node.rpc.client import Refused
from ainur_node.rpc.messages import Cancel, Failure, Hello, Request, encode
from ainur_node.rpc.server import Server


async def test_an_oversized_frame_ends_the_connection_with_a_word(rpc_dir: Path, dialled: Dial) -> None:
    server = Server(rpc_dir / "s", {"echo": echo})
    async with serving(server):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + b"\xff\xff\xff\xff" + b"x" * 100)
        heard = await hear(stream, 9)
        await until(lambda: server.statistics()["connections"] == 0)

    assert isinstance(heard[-1], Failure)
    assert heard[-1].problem.code == "protocol"
    assert server.statistics()["broken"] == 1


@pytest.mark.parametrize(
    "first",
    [
        frames.frame(b"garbage"),
        frames.frame(b""),
        ask_frame(1, "echo"),
        HELLO + HELLO,
        HELLO + ask_frame(0, "echo"),
        HELLO + frames.frame(b"\x81\xa1x\x01"),
    ],
)
async def test_whoever_breaks_the_protocol_is_hung_up_on(rpc_dir: Path, dialled: Dial, first: bytes) -> None:
    server = Server(rpc_dir / "s", {"echo": echo})
    async with serving(server):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(first)
        heard = await hear(stream, 9)
        await until(lambda: server.statistics()["connections"] == 0)

    assert heard[-1].problem.code == "protocol"


async def test_another_version_is_told_ours_and_hung_up_on(rpc_dir: Path, dialled: Dial) -> None:
    async with serving(Server(rpc_dir / "s", {})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(frames.frame(encode(Hello(2))))

        assert await hear(stream, 9) == [Hello(1)]


async def test_a_client_that_stops_inside_a_frame_is_dropped(
    rpc_dir: Path, dialled: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FRAME_SECONDS", 0.05)
    server = Server(rpc_dir / "s", {})
    async with serving(server):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + b"\x00\x00\x00\x10half")
        assert await hear(stream, 9) == [Hello(1)]
        await until(lambda: server.statistics()["broken"] == 1)


async def test_a_client_that_says_nothing_is_dropped(
    rpc_dir: Path, dialled: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HANDSHAKE_SECONDS", 0.05)
    server = Server(rpc_dir / "s", {})
    async with serving(server):
        stream = await dialled(rpc_dir / "s")
        assert await hear(stream) == []
        await until(lambda: server.statistics()["connections"] == 0)


async def test_a_client_that_never_reads_is_dropped_and_others_are_served(
    rpc_dir: Path, dialled: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FRAME_SECONDS", 0.1)

    async def big(params: dict[str, Any]) -> dict[str, Any]:
        return {"output": bytes(1 << 20)}

    server = Server(rpc_dir / "s", {"big": big, "echo": echo})
    async with serving(server):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + b"".join(ask_frame(i, "big") for i in range(1, 9)))
        assert await asked(rpc_dir / "s", lambda client: client.call("echo")) == {}
        await until(lambda: server.statistics()["connections"] == 0)
        await stream.aclose()


async def test_a_sleeping_reader_of_a_stream_is_given_up(
    rpc_dir: Path, dialled: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALLED_SECONDS", 0.05)
    async with serving(Server(rpc_dir / "s", {}, {"count": count})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + frames.frame(encode(Request(1, "count", {"to": 10}, credit=3))))
        heard = await hear(stream, 5)

    assert [m.item for m in heard[1:4]] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert heard[4].problem.code == "slow_reader"


async def test_a_connection_has_a_bounded_number_of_requests_under_way(rpc_dir: Path, dialled: Dial) -> None:
    async def wait(params: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError

    async with serving(Server(rpc_dir / "s", {"wait": wait})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + b"".join(ask_frame(i, "wait") for i in range(1, connection.MAX_IN_FLIGHT + 2)))
        heard = await hear(stream, 2)

    assert heard[1].id == connection.MAX_IN_FLIGHT + 1
    assert heard[1].problem.code == "busy"


async def test_too_many_connections_are_told_so(rpc_dir: Path, dialled: Dial) -> None:
    server = Server(rpc_dir / "s", {"echo": echo}, max_connections=2)
    async with serving(server):
        kept = [await dialled(rpc_dir / "s") for _ in range(2)]
        for stream in kept:
            await stream.send_all(HELLO)
            await hear(stream)
        with pytest.raises(Refused) as no:
            await asked(rpc_dir / "s", lambda client: client.call("echo"))
        await kept[0].aclose()
        await until(lambda: server.statistics()["connections"] == 1)
        assert await asked(rpc_dir / "s", lambda client: client.call("echo")) == {}
        await kept[1].aclose()

    assert (no.value.code, no.value.exit_code) == ("busy", 3)


async def test_another_user_is_refused(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "s", {"echo": echo}, uid_of=lambda _: os.getuid() + 4242)):
        with pytest.raises(Refused, match="forbidden"):
            await asked(rpc_dir / "s", lambda client: client.call("echo"))


async def test_a_directory_open_to_others_is_refused(rpc_dir: Path) -> None:
    (rpc_dir / "open").mkdir()
    (rpc_dir / "open").chmod(0o755)

    with pytest.raises(ConfigError, match="others may enter"):
        await Server(rpc_dir / "open" / "s", {}).run()


async def test_a_second_server_on_the_same_path_is_refused_and_the_first_lives(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        with pytest.raises(ConfigError, match="another node"):
            await Server(rpc_dir / "s", {}).run()
        assert await asked(rpc_dir / "s", lambda client: client.call("echo")) == {}


async def test_a_socket_left_by_a_killed_node_is_replaced(rpc_dir: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(os.fspath(rpc_dir / "s"))
    left.close()

    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        assert await asked(rpc_dir / "s", lambda client: client.call("echo")) == {}


async def test_a_path_the_kernel_cannot_hold_is_a_configuration_error(rpc_dir: Path) -> None:
    with pytest.raises(ConfigError, match="too long"):
        await Server(rpc_dir / ("d" * 90) / "s", {}).run()


async def test_garbage_of_every_kind_leaves_the_server_serving(rpc_dir: Path, dialled: Dial) -> None:
    chance = random.Random(7)
    server = Server(rpc_dir / "s", {"echo": echo}, {"count": count})
    parts = [
        HELLO,
        ask_frame(1, "echo"),
        ask_frame(2, "count", to=3),
        frames.frame(encode(Cancel(2))),
        b"\x00\x00\x00\x00",
    ]
    async with serving(server):
        for _ in range(150):
            wire = bytearray(b"".join(chance.choices(parts, k=chance.randrange(1, 6))))
            for _ in range(chance.randrange(4)):
                wire[chance.randrange(len(wire))] = chance.randrange(256)
            stream = await dialled(rpc_dir / "s")
            await stream.send_all(bytes(wire[: chance.randrange(1, len(wire) + 1)]))
            if chance.random() < 0.5:
                await stream.send_eof()
                with contextlib.suppress(trio.BrokenResourceError):
                    while await stream.receive_some():
                        pass
            await stream.aclose()
        assert await asked(rpc_dir / "s", lambda client: client.call("echo", a=1)) == {"a": 1}
        await until(lambda: server.statistics()["connections"] == 0)


async def test_a_request_that_takes_too_long_is_ended(
    rpc_dir: Path, dialled: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.05)

    async def wait(params: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError

    async with serving(Server(rpc_dir / "s", {"wait": wait})):
        with pytest.raises(Refused, match="timeout") as late:
            await asked(rpc_dir / "s", lambda client: client.call("wait"))

    assert late.value.exit_code == 3
