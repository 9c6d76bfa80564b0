"""The blocking client of the local protocol, for the command line: one socket, one thread, a limit on every wait."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ainur_node.errors import Misbehaviour
from ainur_node.rpc import frames
from ainur_node.rpc.messages import (
    NOBODY,
    VERSION,
    Cancel,
    Credit,
    End,
    Failure,
    FromClient,
    FromServer,
    Hello,
    Item,
    Request,
    Result,
    decode_from_server,
    encode,
)

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
CREDIT = 64
READ_SIZE = 256 << 10


class Refused(Exception):  # noqa: N818 — the node's answer, not our error
    """The node said no: stable ``code``, ``hint`` for people, exit code of the command line, ``details``."""

    def __init__(self, code: str, hint: str, exit_code: int = 1, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint
        self.exit_code = exit_code
        self.details = dict(details or {})


class Unreachable(Exception):  # noqa: N818 — named by blame: the node is not there
    """No node answered at all, or not in time; asking again may help."""

    def __init__(self, what: str, *, hint: str = "", code: str = "unreachable") -> None:
        super().__init__(what)
        self.hint = hint
        self.code = code


class Client:
    """Asks the node at ``path``; connects at the first question; ``timeout`` in seconds limits each answer."""

    def __init__(self, path: Path, *, timeout: float = ANSWER_SECONDS) -> None:
        self._path = path
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._reader = frames.FrameReader()
        self._waiting: list[FromServer] = []
        self._last_id = NOBODY

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the node ends what streams are left."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def call(self, method: str, /, *, wait: float | None = None, **params: Any) -> dict[str, Any]:
        """The answer of ``method``, of a stream its last item; Refused or Unreachable.

        ``wait`` replaces the client's timeout, in seconds.
        """
        last: dict[str, Any] = {}
        for last in self.stream(method, wait=wait, **params):  # noqa: B007 # only the last one counts
            pass
        return last

    def stream(self, method: str, /, *, wait: float | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """The items of ``method`` as they come, of a plain method its answer; closing the iterator cancels it.

        ``wait`` limits the whole stream, in seconds.
        """
        until = time.monotonic() + (self._timeout if wait is None else wait)
        ident = self._ask(method, params, until)
        over = False
        unread = 0
        try:
            while True:
                match self._next(ident, until):
                    case End():
                        over = True
                        return
                    case Result(result=result):
                        over = True
                        yield result
                        return
                    case Item(item=item):
                        yield item
                        unread += 1
                        if unread >= CREDIT // 2:
                            self._send(Credit(ident, unread), until)
                            unread = 0
        except Refused:
            over = True
            raise
        finally:
            if not over and self._socket is not None:
                self._forget(ident)

    def _forget(self, ident: int) -> None:
        try:
            self._send(Cancel(ident), time.monotonic() + 1.0)
        except Unreachable:
            self.close()

    def _ask(self, method: str, params: Mapping[str, Any], until: float) -> int:
        self._connect(until)
        self._last_id += 1
        self._send(Request(self._last_id, method, dict(params), CREDIT), until)
        return self._last_id

    def _connect(self, until: float) -> None:
        if self._socket is not None:
            return
        self._reader, self._waiting = frames.FrameReader(), []
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(max(0.01, min(CONNECT_SECONDS, until - time.monotonic())))
        try:
            sock.connect(os.fspath(self._path))
        except (OSError, ValueError) as exc:
            sock.close()
            reason = getattr(exc, "strerror", None) or str(exc)
            raise Unreachable(f"nobody answers at {self._path}: {reason}") from exc
        self._socket = sock
        self._send(Hello(VERSION), until)
        greeting = self._receive(until)
        if not isinstance(greeting, Hello):
            self.close()
            raise Unreachable(f"what answers at {self._path} is no node", hint=_VERSIONS, code="protocol")
        if greeting.version != VERSION:
            self.close()
            what = f"the node speaks version {greeting.version} of the local protocol, this command version {VERSION}"
            raise Unreachable(what, hint=_VERSIONS, code="protocol")

    def _send(self, message: FromClient, until: float) -> None:
        data = frames.frame(encode(message))
        sock = self._open_socket()
        sock.settimeout(self._left(until))
        try:
            sock.sendall(data)
        except TimeoutError as exc:
            self.close()
            raise _too_slow() from exc
        except OSError:
            # It hung up; what it said before tells why, and the next read finds that or the end.
            pass

    def _next(self, ident: int, until: float) -> Result | Item | End:
        """The next message of one request; what is left of cancelled streams is skipped."""
        while True:
            message = self._receive(until)
            if isinstance(message, Hello) or message.id != ident:
                continue
            if isinstance(message, Failure):
                problem = message.problem
                raise Refused(problem.code, problem.hint, problem.exit, problem.details)
            return message

    def _receive(self, until: float) -> FromServer:
        while not self._waiting:
            try:
                self._waiting = [decode_from_server(body) for body in self._reader.feed(self._read(until))]
            except Misbehaviour as exc:
                self.close()
                raise Unreachable(f"the node's answer makes no sense: {exc}", hint=_VERSIONS, code="protocol") from exc
        message = self._waiting.pop(0)
        if isinstance(message, Failure) and message.id == NOBODY:
            self.close()
            raise Refused(message.problem.code, message.problem.hint, message.problem.exit, message.problem.details)
        return message

    def _read(self, until: float) -> bytes:
        sock = self._open_socket()
        sock.settimeout(self._left(until))
        try:
            data = sock.recv(READ_SIZE)
        except TimeoutError as exc:
            self.close()
            raise _too_slow() from exc
        except OSError as exc:
            self.close()
            raise Unreachable(f"the connection to the node broke: {exc.strerror or exc}", hint=_AGAIN) from exc
        if not data:
            self.close()
            raise Unreachable("the node hung up before it answered", hint=_AGAIN)
        return data

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise Unreachable("the connection to the node is closed", hint=_AGAIN)
        return self._socket

    def _left(self, until: float) -> float:
        left = until - time.monotonic()
        if left <= 0:
            self.close()
            raise _too_slow()
        return left


_VERSIONS = "the node and this command are of different versions: restart the node (ainur stop, ainur run)"
_AGAIN = "look whether it still runs (ainur status), then ask again"


def _too_slow() -> Unreachable:
    return Unreachable("no answer in time", hint=_AGAIN, code="timeout")
