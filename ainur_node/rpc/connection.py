"""One local client at the node: reads requests, runs their handlers, writes answers, never waits for ever."""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import trio

from ainur_node.errors import ConfigError, Misbehaviour, Transient
from ainur_node.ports import RemoteRefusal
from ainur_node.rpc import frames
from ainur_node.rpc.crash import write_crash_report
from ainur_node.rpc.messages import (
    MAX_CREDIT,
    NOBODY,
    VERSION,
    Cancel,
    Credit,
    End,
    ExitCode,
    Failure,
    FromServer,
    Handler,
    Hello,
    Item,
    Problem,
    Refuse,
    Request,
    Result,
    StreamHandler,
    Then,
    decode_from_client,
    encode,
)

MAX_IN_FLIGHT = 64
HANDSHAKE_SECONDS = 5.0
FRAME_SECONDS = 10.0
"""For the rest of a frame once its first byte is here, and for handing over one frame."""
IDLE_SECONDS = 900.0
REQUEST_SECONDS = 300.0
"""Longer than any answer may take; what takes longer is a stream."""
STALLED_SECONDS = 60.0
"""A reader of a stream that gives no credit for so long is gone."""
READ_SIZE = 64 << 10


@dataclass(slots=True)
class Desk:
    """What a node answers, shared by its connections."""

    handlers: Mapping[str, Handler]
    streams: Mapping[str, StreamHandler]
    crash_dir: Path
    requests: int = 0
    bugs: int = 0

    def problem(self, error: BaseException, method: str) -> Problem:
        """How an exception of a handler travels; whatever nobody expected is a bug with a report."""
        match _one_of(error):
            case Refuse() as no:
                return Problem(no.code, no.hint, no.exit_code, no.details)
            case RemoteRefusal() as no:
                return Problem(no.code, no.hint or "a peer refused")
            case Transient() as soon:
                hint = f"{soon}; {soon.hint}" if soon.hint else f"{soon}; try again in a moment"
                code = str(getattr(soon, "code", "unavailable")).replace("-", "_")
                return Problem(code, hint, ExitCode.UNREACHABLE)
            case ConfigError() as wrong:
                hint = f"{wrong}; {wrong.hint}" if wrong.hint else str(wrong)
                return Problem("configuration", hint, ExitCode.CONFIGURATION)
            case _:
                self.bugs += 1
                report = write_crash_report(self.crash_dir, error, f"answering {method}")
                return Problem("bug", f"a bug in the node; the crash report is at {report}", ExitCode.BUG)


def _one_of(error: BaseException) -> BaseException:
    # Handlers with nurseries raise groups; a group of one, or of one kind only, means its first member.
    if not isinstance(error, BaseExceptionGroup):
        return error
    members = [_one_of(member) for member in error.exceptions]
    return members[0] if len({type(member) for member in members}) == 1 else error


@dataclass(slots=True)
class _Running:
    scope: trio.CancelScope
    streaming: bool
    credit: int
    cancelled: bool = False
    more: trio.Event = field(default_factory=trio.Event)


class Connection:
    """Requests of one client; a lost client ends its streams at once while its requests run to their end."""

    def __init__(self, stream: trio.SocketStream, desk: Desk) -> None:
        self._stream = stream
        self._desk = desk
        self._sending = trio.Lock()
        self._running: dict[int, _Running] = {}
        self._gone = False

    async def run(self) -> bool:
        """Serve until the client leaves; False when it broke the protocol or was too slow."""
        proper = False
        async with trio.open_nursery() as nursery:
            try:
                proper = await self._read(nursery)
            except Misbehaviour as exc:
                await self._send(Failure(NOBODY, Problem("protocol", str(exc), ExitCode.BUG)))
                await self._hang_up()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            # Nobody can cancel or feed a stream any more; requests still run, and a half-closed client may hear them.
            self._end_streams()
        return proper

    def _end_streams(self) -> None:
        for running in self._running.values():
            if running.streaming:
                running.scope.cancel()

    async def _hang_up(self) -> None:
        self._gone = True
        self._end_streams()
        await trio.aclose_forcefully(self._stream)

    async def _read(self, nursery: trio.Nursery) -> bool:
        reader = frames.FrameReader()
        greeted = False
        while True:
            patience = FRAME_SECONDS if reader.inside else IDLE_SECONDS if greeted else HANDSHAKE_SECONDS
            data: bytes | None = None
            with trio.move_on_after(patience):
                data = bytes(await self._stream.receive_some(READ_SIZE))
            if data is None:
                if self._running and greeted and not reader.inside:
                    continue
                return False
            if not data:
                return not reader.inside
            for body in reader.feed(data):
                if greeted:
                    await self._take(body, nursery)
                else:
                    greeted = await self._greet(body)
                    if not greeted:
                        return False

    async def _greet(self, body: bytes) -> bool:
        match decode_from_client(body):
            case Hello(version):
                await self._send(Hello(VERSION))
                return version == VERSION
            case _:
                raise Misbehaviour("the first frame says which version is spoken")

    async def _take(self, body: bytes, nursery: trio.Nursery) -> None:
        match decode_from_client(body):
            case Request() as request:
                await self._begin(request, nursery)
            case Cancel(ident):
                if (running := self._running.get(ident)) is not None:
                    running.cancelled = True
                    running.scope.cancel()
            case Credit(ident, more):
                if (running := self._running.get(ident)) is not None:
                    running.credit = min(running.credit + more, MAX_CREDIT)
                    running.more.set()
            case Hello():
                raise Misbehaviour("hello comes once")

    async def _begin(self, request: Request, nursery: trio.Nursery) -> None:
        if request.id in self._running or request.id == NOBODY:
            raise Misbehaviour(f"the id {request.id} is in use")
        if len(self._running) >= MAX_IN_FLIGHT:
            hint = f"{MAX_IN_FLIGHT} requests of this connection are under way"
            await self._send(Failure(request.id, Problem("busy", hint, ExitCode.UNREACHABLE)))
            return
        self._desk.requests += 1
        streaming = request.method in self._desk.streams
        running = _Running(trio.CancelScope(), streaming, request.credit)
        if not streaming:
            running.scope.deadline = trio.current_time() + REQUEST_SECONDS
        self._running[request.id] = running
        nursery.start_soon(self._answer, request, running)

    async def _answer(self, request: Request, running: _Running) -> None:
        last: FromServer | None = None
        action: Callable[[], None] | None = None
        try:
            with running.scope:
                if running.streaming:
                    send = partial(self._send_item, request.id, running)
                    await self._desk.streams[request.method](request.params, send)
                    last = End(request.id)
                elif request.method in self._desk.handlers:
                    answer = await self._desk.handlers[request.method](request.params)
                    if isinstance(answer, Then):
                        last, action = Result(request.id, answer.result), answer.action
                    else:
                        last = Result(request.id, answer)
                else:
                    hint = f"this node does not know {request.method!r}: are it and the command line of one version?"
                    last = Failure(request.id, Problem("unknown_method", hint))
            if last is None:
                last = Failure(request.id, _stopped(running))
        except Exception as exc:  # noqa: BLE001 # reason: a handler's fault must not take the node down
            last = Failure(request.id, self._desk.problem(exc, request.method))
        except BaseExceptionGroup as group:
            # The node is stopping while the handler failed: note the fault, obey the stop.
            stopping, faults = group.split(trio.Cancelled)
            if stopping is None:
                raise
            if faults is not None:
                self._desk.problem(faults, request.method)
            raise stopping from None
        finally:
            del self._running[request.id]
        if last is not None:
            await self._send(last)
        if action is not None:
            action()

    async def _send_item(self, ident: int, running: _Running, item: dict[str, Any]) -> None:
        while running.credit <= 0:
            running.more = trio.Event()
            with trio.move_on_after(STALLED_SECONDS) as stalled:
                await running.more.wait()
            if stalled.cancelled_caught:
                raise Refuse("slow_reader", "the reader of this stream fell asleep", ExitCode.UNREACHABLE)
        running.credit -= 1
        await self._send(Item(ident, item))

    async def _send(self, message: FromServer) -> None:
        """Hand one message over; a reader that is gone or too slow ends the connection, quietly."""
        data = self._framed(message)
        async with self._sending:
            if self._gone:
                return
            # Shielded: a cancelled stream that left half a frame behind would garble all the others.
            with (
                trio.CancelScope(shield=True, deadline=trio.current_time() + FRAME_SECONDS),
                contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
            ):
                await self._stream.send_all(data)
                return
            await self._hang_up()

    def _framed(self, message: FromServer) -> bytes:
        ident = getattr(message, "id", NOBODY)
        try:
            return frames.frame(encode(message))
        except ValueError:
            hint = f"the answer is above {frames.MAX_FRAME} bytes"
            return frames.frame(encode(Failure(ident, Problem("answer_too_large", hint))))
        except (TypeError, OverflowError, RecursionError) as exc:
            return frames.frame(encode(Failure(ident, self._desk.problem(exc, "an answer that cannot be encoded"))))


def _stopped(running: _Running) -> Problem:
    if running.cancelled:
        return Problem("cancelled", "cancelled by its asker", ExitCode.UNREACHABLE)
    if running.scope.deadline < math.inf:
        return Problem("timeout", f"no answer within {REQUEST_SECONDS:.0f} s: try again", ExitCode.UNREACHABLE)
    return Problem("cancelled", "the client left", ExitCode.UNREACHABLE)
