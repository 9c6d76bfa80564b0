"""Requests and answers: one long-lived stream per direction of a pair of peers, many calls on it at once.

Opening a libp2p stream costs two negotiations of protocol names; a call on an open stream costs one frame each
way. Answers come in any order, matched by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Bug, Misbehaviour, Transient
from ainur_node.mesh import wire
from ainur_node.mesh.limits import RateLimit
from ainur_node.mesh.lines import Line
from ainur_node.mesh.settings import Counters, MeshSettings
from ainur_node.mesh.streams import FramedStream
from ainur_node.ports import Handler, RemoteRefusal

PROTOCOL = "/ainur/rpc/1"

# Refusals that mean "later": the caller sees Transient.
BUSY = "rate_limited"
UNAVAILABLE = "unavailable"
# One in use, one that is just ending, and some slack for peers that reconnect.
MAX_LINES_PER_PEER = 4
# Longer than the longest body served here is refused by ending the stream; up to this, politely.
_SHORT_BODY = 64 * 1024
_LATER = frozenset({BUSY, UNAVAILABLE})

OpenStream = Callable[[str], Awaitable[FramedStream]]


@dataclass(slots=True)
class _Method:
    handler: Handler
    max_body: int
    rate: RateLimit
    running: trio.CapacityLimiter


def body_of(answer: wire.Answer, peer_id: str, method: str) -> bytes:
    """The body of an answer, or its refusal as an exception."""
    if answer.error is None:
        return answer.body or b""
    if answer.error.code in _LATER:
        raise Transient(f"{peer_id} cannot answer {method} now", hint=answer.error.hint)
    raise RemoteRefusal(answer.error.code, answer.error.hint)


class Caller:
    """The asking side."""

    def __init__(
        self, settings: MeshSettings, counters: Counters, strike: Callable[[str, str], None], open_stream: OpenStream
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._strike = strike
        self._open_stream = open_stream
        self._lines: dict[str, Line] = {}
        self._opening: dict[str, trio.Lock] = {}
        self._in_flight: dict[str, trio.CapacityLimiter] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks of all lines; ends only by cancellation."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def request(self, peer_id: str, method: str, body: bytes, timeout: float) -> bytes:
        """Ask and wait; Transient, Misbehaviour or RemoteRefusal as in ports.Mesh."""
        if len(body) > wire.MAX_BODY:
            raise ValueError(f"request of {len(body)} bytes, at most {wire.MAX_BODY} are allowed")
        limiter = self._in_flight.setdefault(peer_id, trio.CapacityLimiter(self._settings.max_calls_per_peer))
        self._counters.count("requests_sent")
        try:
            with trio.fail_after(timeout):
                async with limiter:
                    return await self._ask(peer_id, method, body)
        except trio.TooSlowError as exc:
            self._counters.count("requests_timed_out")
            raise Transient(f"{peer_id} did not answer {method} within {timeout:g} s") from exc
        finally:
            if peer_id not in self._lines:
                self._forget_idle(peer_id)

    async def _ask(self, peer_id: str, method: str, body: bytes) -> bytes:
        line = await self._line(peer_id)
        try:
            answer = await line.call(method, body)
        except trio.Cancelled:
            # The last one to give up hangs up: should the stream be dead, the next call gets a fresh one.
            if not line.pending:
                line.break_off()
            raise
        if answer is None:
            raise Transient(f"connection to {peer_id} was lost during {method}")
        return body_of(answer, peer_id, method)

    async def _line(self, peer_id: str) -> Line:
        async with self._opening.setdefault(peer_id, trio.Lock()):
            line = self._lines.get(peer_id)
            if line is not None and not line.broken:
                return line
            if self._nursery is None:
                raise Transient("the mesh is not running")
            stream = await self._open_stream(peer_id)
            line = Line(stream, self._settings.max_calls_per_peer, self._settings.write_timeout)
            self._lines[peer_id] = line
            self._nursery.start_soon(self._run_line, line)
            return line

    async def _run_line(self, line: Line) -> None:
        try:
            await line.run()
        except* Misbehaviour as group:
            self._strike(line.stream.peer_id, str(group.exceptions[0]))
        except* Transient:
            self._counters.count("lines_lost")

    def forget(self, peer_id: str) -> None:
        """The peer is gone: fail its open calls and drop what is kept for it."""
        line = self._lines.pop(peer_id, None)
        if line is not None:
            line.break_off()
        self._forget_idle(peer_id)

    def _forget_idle(self, peer_id: str) -> None:
        limiter = self._in_flight.get(peer_id)
        if limiter is not None and not limiter.borrowed_tokens:
            del self._in_flight[peer_id]
        lock = self._opening.get(peer_id)
        if lock is not None and not lock.locked():
            del self._opening[peer_id]


class Answerer:
    """The answering side: limits first, then the handler."""

    def __init__(
        self, settings: MeshSettings, counters: Counters, strike: Callable[[str, str], None], clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._strike = strike
        self._clock = clock
        self._methods: dict[str, _Method] = {}
        self._streams: Counter[str] = Counter()

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        """Answer `method` from now on; a burst of four seconds' worth is let through."""
        if max_body > wire.MAX_BODY or not 0 < len(method) <= wire.MAX_METHOD:
            raise ValueError(f"method {method!r} with bodies of {max_body} bytes does not fit a frame")
        if method in self._methods:
            raise ValueError(f"method {method!r} is served already")
        rate = RateLimit(per_peer_per_second, max(8.0, 4 * per_peer_per_second), 1024, self._clock)
        self._methods[method] = _Method(handler, max_body, rate, trio.CapacityLimiter(concurrent))

    def methods(self) -> list[str]:
        """Names of everything that is answered now."""
        return sorted(self._methods)

    async def answer_stream(self, stream: Any) -> None:
        """Serve one inbound stream until the peer closes it; Misbehaviour ends it."""
        framed = FramedStream(stream)
        if self._streams[framed.peer_id] >= MAX_LINES_PER_PEER:
            self._counters.count("lines_refused")
            await framed.reset()
            return
        self._streams[framed.peer_id] += 1
        try:
            await self._answer_calls(framed)
        finally:
            self._streams[framed.peer_id] -= 1
            self._streams += Counter()  # drops the zeros

    async def _answer_calls(self, framed: FramedStream) -> None:
        in_flight = trio.CapacityLimiter(self._settings.max_calls_per_peer)
        longest = max((m.max_body for m in self._methods.values()), default=0)
        async with trio.open_nursery() as nursery:
            while True:
                frame = await framed.read_frame(max(longest, _SHORT_BODY) + wire.MAX_CALL_OVERHEAD)
                if frame is None:
                    return
                call = wire.decode_call(frame)
                # Not reading on is what holds back a peer with too many open calls.
                ticket = object()
                await in_flight.acquire_on_behalf_of(ticket)
                nursery.start_soon(self._answer, framed, call, in_flight, ticket)

    async def _answer(
        self, framed: FramedStream, call: wire.Call, in_flight: trio.CapacityLimiter, ticket: object
    ) -> None:
        try:
            answer = await self.handle(PeerId(framed.peer_id), call)
            await framed.write(wire.framed(wire.encode(answer)), self._settings.write_timeout)
        except Transient:
            self._counters.count("answers_lost")
            await framed.reset()
        finally:
            in_flight.release_on_behalf_of(ticket)

    async def handle(self, peer_id: PeerId, call: wire.Call) -> wire.Answer:
        """The answer to one call, whatever its handler does."""
        method = self._methods.get(call.method)
        if method is None:
            return _refusal(call, "unknown_method", f"{call.method} is not served here")
        if len(call.body) > method.max_body:
            return _refusal(call, "too_large", f"at most {method.max_body} bytes")
        if not method.rate.allows(peer_id):
            self._counters.count("requests_rate_limited")
            return _refusal(call, BUSY, "too many requests")
        self._counters.count("requests_served")
        try:
            with trio.fail_after(self._settings.handler_timeout):
                async with method.running:
                    body = await method.handler(peer_id, call.body)
        except RemoteRefusal as exc:
            self._counters.count("requests_refused")
            return _refusal(call, exc.code, exc.hint)
        except Transient as exc:
            return _refusal(call, UNAVAILABLE, exc.hint)
        except trio.TooSlowError:
            return _refusal(call, UNAVAILABLE, "took too long")
        except Misbehaviour as exc:
            self._strike(peer_id, str(exc))
            return _refusal(call, "misbehaviour", str(exc))
        except Exception as exc:  # noqa: BLE001 # reason: a bug in a handler must not let a peer end the process
            self._counters.count("handler_bugs")
            self.on_bug(call.method, exc)
            return _refusal(call, "internal", "")
        if len(body) > wire.MAX_BODY:
            self._counters.count("handler_bugs")
            self.on_bug(call.method, Bug(f"an answer of {len(body)} bytes, at most {wire.MAX_BODY} fit a frame"))
            return _refusal(call, "internal", "answer too large")
        return wire.Answer(id=call.id, body=body)

    def on_bug(self, method: str, exc: Exception) -> None:
        """Told of exceptions that handlers should not raise; the mesh logs them."""


def _refusal(call: wire.Call, code: str, hint: str) -> wire.Answer:
    return wire.Answer(
        id=call.id, error=wire.Refusal(code=code[: wire.MAX_CODE] or "refused", hint=hint[: wire.MAX_HINT])
    )
