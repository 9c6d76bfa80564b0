"""JSON-RPC over one websocket: many threads ask at once, every wait ends, a broken connection stays broken."""

from __future__ import annotations

import socket as sockets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any

import msgspec
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from pallets_client.errors import ChainMisbehaviour, ChainRefused, ChainUnreachable

MAX_MESSAGE = 32 * 1024 * 1024  # bytes; a full block as hex is 10 MiB
MAX_IN_FLIGHT = 256  # requests; more threads than that wait on nothing useful
MAX_SUBSCRIPTIONS = 16
PING_EVERY = 20.0  # seconds
OPEN_WITHIN = 10.0  # seconds, also where answers may take longer: a handshake is little work
CLOSE_WITHIN = 1.0  # seconds

Handler = Callable[[Any], None]


class Connection:
    """A connected websocket; ``close`` or any fault ends it for good."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        self._ids = count(1)
        self._waiting: dict[int, tuple[Future[Any], Handler | None]] = {}
        self._handlers: dict[str, Handler] = {}
        self._last_heard = monotonic()
        self._fault: Exception | None = None
        self._on_end: list[Callable[[], None]] = []
        self._reader = threading.Thread(target=self._read, name="chain-reader", daemon=True)

    @classmethod
    def open(cls, url: str, timeout: float) -> Connection:
        """Connect; raises ChainUnreachable."""
        try:
            socket = connect(
                url,
                open_timeout=min(timeout, OPEN_WITHIN),
                close_timeout=CLOSE_WITHIN,
                ping_interval=PING_EVERY,
                ping_timeout=max(timeout, PING_EVERY),
                max_size=MAX_MESSAGE,
                compression=None,
                proxy=None,
                legacy=True,
            )
        except (OSError, WebSocketException, TimeoutError, ValueError) as exc:
            raise ChainUnreachable(f"no chain node answers at {url}: {exc}") from exc
        connection = cls(socket)
        connection._reader.start()
        return connection

    @property
    def alive(self) -> bool:
        """Whether requests can still be made."""
        return self._fault is None

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call back, in the reader's thread, when the connection has ended; at once if it has."""
        with self._lock:
            if self._fault is None:
                self._on_end.append(callback)
                return
        callback()

    def request(self, method: str, params: Sequence[Any], timeout: float, handler: Handler | None = None) -> Any:
        """The node's result; ``handler`` receives the notifications of a subscription made by this request.

        Raises ChainRefused for the node's error, ChainUnreachable when no answer comes in ``timeout``
        seconds, ChainMisbehaviour when the connection ended because of what the node sent.
        """
        future: Future[Any] = Future()
        with self._lock:
            self._raise_fault()
            if len(self._waiting) >= MAX_IN_FLIGHT:
                raise ChainUnreachable(f"{MAX_IN_FLIGHT} requests are waiting for the node")
            number = next(self._ids)
            self._waiting[number] = (future, handler)
        asked = monotonic()
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
        try:
            self._socket.send(msgspec.json.encode(body), text=True)
        except (OSError, WebSocketException) as exc:
            self._end(ChainUnreachable(f"the connection to the node broke: {exc}"))
        try:
            return future.result(timeout)
        except FutureTimeout as exc:
            with self._lock:
                self._waiting.pop(number, None)
            if self._last_heard < asked:  # not slow but dead: let the next caller reconnect
                self._end(ChainUnreachable("the node fell silent"))
            raise ChainUnreachable(f"no answer to {method} in {timeout:g} s") from exc

    def close(self) -> None:
        """End the connection; requests that wait raise ChainUnreachable."""
        self._end(ChainUnreachable("the connection was closed"))
        if threading.current_thread() is not self._reader:
            self._reader.join(CLOSE_WITHIN * 2)

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise type(self._fault)(*self._fault.args) from self._fault

    def _end(self, fault: Exception) -> None:
        with self._lock:
            if self._fault is not None:
                return
            self._fault = fault
            waiting, self._waiting = self._waiting, {}
            callbacks, self._on_end = self._on_end, []
            self._handlers.clear()
        for future, _ in waiting.values():
            future.set_exception(fault)
        for callback in callbacks:
            callback()
        # A sender whose peer does not read holds the mutex that closing waits for; this ends its sending.
        with suppress(OSError):
            self._socket.socket.shutdown(sockets.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        try:
            for message in self._socket:
                self._last_heard = monotonic()
                self._take(message)
            self._end(ChainUnreachable("the node closed the connection"))
        except ChainMisbehaviour as exc:
            self._end(exc)
        except (OSError, WebSocketException) as exc:
            self._end(ChainUnreachable(f"the connection to the node broke: {exc}"))

    def _take(self, message: str | bytes) -> None:
        try:
            body = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise ChainMisbehaviour("the node sent something that is not JSON") from exc
        if not isinstance(body, dict):
            raise ChainMisbehaviour("the node sent JSON that is no object")
        if "method" in body:
            self._notify(body.get("params"))
            return
        number = body.get("id")
        with self._lock:
            future, handler = self._waiting.pop(number, (None, None)) if type(number) is int else (None, None)
        if future is None:
            return  # the answer to a request that was given up
        error = body.get("error")
        if error is not None:
            future.set_exception(_refusal(error))
        elif "result" not in body:
            raise ChainMisbehaviour("the node sent an answer without a result")
        else:
            if handler is not None:
                self._register(body["result"], handler)
            future.set_result(body["result"])

    def _register(self, subscription: object, handler: Handler) -> None:
        if not isinstance(subscription, str | int) or len(self._handlers) >= MAX_SUBSCRIPTIONS:
            raise ChainMisbehaviour("the node named a subscription in no known way")
        self._handlers[str(subscription)] = handler

    def _notify(self, params: object) -> None:
        if not isinstance(params, dict) or "result" not in params:
            raise ChainMisbehaviour("the node sent a notification without a result")
        handler = self._handlers.get(str(params.get("subscription")))
        if handler is not None:
            handler(params["result"])


def _refusal(error: object) -> Exception:
    if not isinstance(error, dict):
        return ChainMisbehaviour("the node sent an error that is no object")
    code = error.get("code")
    reason = f"{error.get('message', '')}"
    if error.get("data") is not None:
        reason += f": {error['data']}"
    return ChainRefused(code if type(code) is int else 0, reason[:300])
