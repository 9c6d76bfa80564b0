"""The server: answers, streams, cancels, faults of handlers."""

from pathlib import Path
from typing import Any

import pytest
import trio
from rpc_world import HELLO, Dial, ask_frame, asked, count, echo, hear, serving

from ainur_node.errors import Bug, ConfigError, Misbehaviour, Transient
from ainur_node.ledger.calls import StaleChain
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc import frames
from ainur_node.rpc.client import Client, Refused, Unreachable
from ainur_node.rpc.messages import Cancel, Refuse, Then, encode
from ainur_node.rpc.server import Server


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
        (StaleChain("no new block for 60 s"), "stale_head", 3),
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


async def test_the_socket_is_ours_alone_and_gone_afterwards(rpc_dir: Path) -> None:
    async with serving(Server(rpc_dir / "run" / "s", {})):
        assert (rpc_dir / "run" / "s").stat().st_mode & 0o777 == 0o600
        assert (rpc_dir / "run").stat().st_mode & 0o777 == 0o700

    assert list((rpc_dir / "run").iterdir()) == []


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


async def test_fifty_clients_at_once_are_all_answered(rpc_dir: Path) -> None:
    answers = []

    async def one(number: int) -> None:
        answers.append(await asked(rpc_dir / "s", lambda client: client.call("echo", number=number)))

    async with serving(Server(rpc_dir / "s", {"echo": echo})):
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)

    assert sorted(answer["number"] for answer in answers) == list(range(50))
