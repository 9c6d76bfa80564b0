"""The server: answers, streams, cancels, and what it does about clients that misbehave."""

import contextlib
import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
from rpc_world import Dial, asked, serving, until

from ainur_node.errors import Bug, ConfigError, Misbehaviour, Transient
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc import connection, frames
from ainur_node.rpc.client import Client, Refused, Unreachable
from ainur_node.rpc.messages import Cancel, Failure, Hello, Refuse, Request, Then, decode_from_server, encode
from ainur_node.rpc.server import Server

HELLO = frames.frame(encode(Hello(1)))


async def echo(params: dict[str, Any]) -> dict[str, Any]:
    return params


async def count(params: dict[str, Any], send: Any) -> None:
    for number in range(params["to"]):
        await send({"number": number})


def ask_frame(ident: int, method: str, **params: Any) -> bytes:
    return frames.frame(encode(Request(ident, method, params)))


async def hear(stream: trio.SocketStream, enough: int = 1) -> list[Any]:
    """Messages until there are ``enough`` or the node hangs up."""
    reader, heard = frames.FrameReader(), []
    with trio.fail_after(10):
        while len(heard) < enough and (data := await stream.receive_some()):
            heard += [decode_from_server(body) for body in reader.feed(bytes(data))]
    return heard


async def test_an_answer_comes_back_with_its_types(rpc_dir: Path) -> None:
    params = {"bytes": b"\x00\xff", "text": "é", "number": 2**53, "none": None, "list": [1, {"a": True}]}

    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        answer = await asked(rpc_dir / "s", lambda client: client.call("echo", **params))

    assert answer == params


async def test_a_stream_longer_than_its_credit_arrives_whole_and_in_order(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "s", {}, {"count": count})):
        items = await asked(rpc_dir / "s", lambda client: [i["number"] for i in client.stream("count", to=1000)])

    assert items == list(range(1000))


async def test_a_stream_can_be_called_and_a_call_streamed(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "s", {"echo": echo}, {"count": count})):
        assert await asked(rpc_dir / "s", lambda client: client.call("count", to=200)) == {"number": 199}
        assert await asked(rpc_dir / "s", lambda client: client.call("count", to=0)) == {}
        assert await asked(rpc_dir / "s", lambda client: list(client.stream("echo", a=1))) == [{"a": 1}]


@pytest.mark.parametrize(
    ("fault", "code", "exit_code"),
    [
        (Refuse("too_poor", "fund it", details={"free": "1"}), "too_poor", 1),
        (Refuse("late", "again", 3), "late", 3),
        (RemoteRefusal("not_offered", "ask another"), "not_offered", 1),
        (Transient("the chain is away"), "unavailable", 3),
        (ConfigError("no keys", hint="ainur init"), "configuration", 4),
        (Bug("impossible"), "bug", 70),
        (Misbehaviour("a peer lied"), "bug", 70),
        (trio.BrokenResourceError(), "bug", 70),
        (ExceptionGroup("", [Refuse("too_poor", "fund it")]), "too_poor", 1),
        (ExceptionGroup("", [Refuse("a", ""), KeyError("b")]), "bug", 70),
    ],
)
async def test_a_handlers_fault_travels_with_code_and_exit_code(
    rpc_dir: Path, fault: Exception, code: str, exit_code: int
) -> None:
    async def fail(params: dict[str, Any]) -> dict[str, Any]:
        raise fault

    server = Server(rpc_dir / "s", {"fail": fail, "echo": echo}, crash_dir=rpc_dir / "crashes")
    async with serving(server):
        with pytest.raises(Refused) as no:
            await asked(rpc_dir / "s", lambda client: client.call("fail"))
        assert await asked(rpc_dir / "s", lambda client: client.call("echo", still="here")) == {"still": "here"}

    assert (no.value.code, no.value.exit_code) == (code, exit_code)
    reports = list((rpc_dir / "crashes").glob("*")) if (rpc_dir / "crashes").exists() else []
    assert bool(reports) == (code == "bug")
    if code == "bug":
        assert str(reports[0]) in no.value.hint
        assert reports[0].stat().st_mode & 0o077 == 0
    if fault.args == ("too_poor: fund it",):
        assert no.value.details == {"free": "1"}


async def test_a_stream_can_end_with_a_refusal(rpc_dir: Path) -> None:
    async def partly(params: dict[str, Any], send: Any) -> None:
        await send({"step": 1})
        raise Refuse("no_more", "that was all")

    def collect(client: Client) -> tuple[list[Any], str]:
        heard = []
        try:
            for item in client.stream("partly"):
                heard.append(item)
        except Refused as no:
            return heard, no.code
        return heard, ""

    async with serving(Server(rpc_dir / "s", {}, {"partly": partly})):
        assert await asked(rpc_dir / "s", collect) == ([{"step": 1}], "no_more")


async def test_unknown_methods_are_refused(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "s", {})):
        with pytest.raises(Refused, match="unknown_method"):
            await asked(rpc_dir / "s", lambda client: client.call("task.frobnicate"))


async def test_answers_that_cannot_travel_are_faults_of_their_own(rpc_dir: Path) -> None:
    async def huge(params: dict[str, Any]) -> dict[str, Any]:
        return {"output": bytes(frames.MAX_FRAME)}

    async def odd(params: dict[str, Any]) -> dict[str, Any]:
        return {"planck": 2**90, "what": object()}

    async with serving(Server(rpc_dir / "s", {"huge": huge, "odd": odd, "echo": echo})):
        with pytest.raises(Refused, match="answer_too_large"):
            await asked(rpc_dir / "s", lambda client: client.call("huge"))
        with pytest.raises(Refused, match="bug"):
            await asked(rpc_dir / "s", lambda client: client.call("odd"))
        assert await asked(rpc_dir / "s", lambda client: client.call("echo")) == {}


async def test_closing_an_iterator_cancels_the_stream_and_keeps_the_connection(rpc_dir: Path) -> None:
    ended = trio.Event()

    async def endless(params: dict[str, Any], send: Any) -> None:
        try:
            while True:
                await send({})
                await trio.lowlevel.checkpoint()
        finally:
            ended.set()

    def taste(client: Client) -> dict[str, Any]:
        stream = client.stream("endless")
        next(stream)
        stream.close()
        return client.call("echo", after="cancel")

    async with serving(Server(rpc_dir / "s", {"echo": echo}, {"endless": endless})):
        assert await asked(rpc_dir / "s", taste) == {"after": "cancel"}
        with trio.fail_after(10):
            await ended.wait()


async def test_a_lost_client_ends_its_streams_while_its_requests_run_on(rpc_dir: Path, dialled: Dial) -> None:
    stream_ended, go, work_done = trio.Event(), trio.Event(), trio.Event()

    async def quiet(params: dict[str, Any], send: Any) -> None:
        try:
            await send({})
            await trio.sleep_forever()
        finally:
            stream_ended.set()

    async def work(params: dict[str, Any]) -> dict[str, Any]:
        await go.wait()
        work_done.set()
        return {}

    async with serving(Server(rpc_dir / "s", {"work": work}, {"quiet": quiet})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + ask_frame(1, "quiet") + ask_frame(2, "work"))
        await hear(stream, 2)
        await stream.aclose()
        with trio.fail_after(10):
            await stream_ended.wait()
            go.set()
            await work_done.wait()


async def test_a_half_closed_client_still_hears_its_answer(rpc_dir: Path, dialled: Dial) -> None:
    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + ask_frame(7, "echo", a=1))
        await stream.send_eof()
        heard = await hear(stream, 2)

    assert heard[1].id == 7
    assert heard[1].result == {"a": 1}


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


async def test_the_socket_is_ours_alone_and_gone_afterwards(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "run" / "s", {})):
        assert (rpc_dir / "run" / "s").stat().st_mode & 0o777 == 0o600
        assert (rpc_dir / "run").stat().st_mode & 0o777 == 0o700

    assert list((rpc_dir / "run").iterdir()) == []


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


async def test_what_comes_after_an_answer_happens_once_it_is_out(rpc_dir: Path) -> None:
    stop = trio.Event()

    async def stop_node(params: dict[str, Any]) -> Then:
        return Then({"stopping": True}, stop.set)

    async with serving(Server(rpc_dir / "s", {"node.stop": stop_node})):
        assert await asked(rpc_dir / "s", lambda client: client.call("node.stop")) == {"stopping": True}
        with trio.fail_after(10):
            await stop.wait()


async def test_stopping_the_server_ends_everything_under_way(rpc_dir: Path, dialled: Dial) -> None:
    async def wait(params: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError

    async with serving(Server(rpc_dir / "s", {"wait": wait})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(HELLO + ask_frame(1, "wait"))
        await hear(stream)

    assert not (rpc_dir / "s").exists()
    assert await stream.receive_some() == b""


async def test_nobody_there_is_unreachable(rpc_dir: Path) -> None:
    with pytest.raises(Unreachable, match="nobody answers"):
        await asked(rpc_dir / "none", lambda client: client.call("echo"))


async def test_an_answer_that_does_not_come_in_time_is_a_timeout(rpc_dir: Path) -> None:
    async def wait(params: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError

    async with serving(Server(rpc_dir / "s", {"wait": wait})):
        with pytest.raises(Unreachable) as late:
            await asked(rpc_dir / "s", lambda client: client.call("wait", wait=0.1))

    assert late.value.code == "timeout"


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


async def test_an_explicit_cancel_ends_a_request_with_a_word(rpc_dir: Path, dialled: Dial) -> None:
    async def wait(params: dict[str, Any]) -> dict[str, Any]:
        await trio.sleep_forever()
        raise AssertionError

    async with serving(Server(rpc_dir / "s", {"wait": wait})):
        stream = await dialled(rpc_dir / "s")
        await stream.send_all(
            HELLO + ask_frame(4, "wait") + frames.frame(encode(Cancel(4))) + frames.frame(encode(Cancel(9)))
        )
        heard = await hear(stream, 2)

    assert heard[1].id == 4
    assert heard[1].problem.code == "cancelled"


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


async def test_fifty_clients_at_once_are_all_answered(rpc_dir: Path) -> None:
    answers = []

    async def one(number: int) -> None:
        answers.append(await asked(rpc_dir / "s", lambda client: client.call("echo", number=number)))

    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)

    assert sorted(answer["number"] for answer in answers) == list(range(50))
