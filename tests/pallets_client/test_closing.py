"""Closing returns soon, whatever the node at the other end does or leaves undone."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from hashlib import sha1
from typing import Any

import pytest

from pallets_client.connection import Connection
from pallets_client.errors import ChainUnreachable
from pallets_client.link import Link

SOON = 8.0  # seconds; far below the timeouts of those who wait
PATIENT = 300.0  # seconds


class RawNode:
    """A listening socket that does by itself nothing but listen."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # little is sent unless it is read
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self._listening.settimeout(SOON)
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}"

    def accept(self) -> tuple[socket.socket, bytes]:
        """The next client, and its whole request to speak websocket."""
        client, _ = self._listening.accept()
        client.settimeout(SOON)
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += client.recv(1)
        return client, asked

    def greet(self) -> socket.socket:
        """The next client, told that a websocket is open."""
        client, asked = self.accept()
        key = next(
            line.split(b": ")[1] for line in asked.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        proof = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # of RFC 6455
        client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
        )
        return client

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def node() -> Iterator[RawNode]:
    made = RawNode()
    yield made
    made.close()


def elsewhere(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """What a thread of its own makes of it."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work(*args))
        except Exception as exc:  # noqa: BLE001 # reason: whoever waits for the future is told
            future.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return future


def test_a_link_is_closed_while_a_node_leaves_its_handshake_unanswered(node: RawNode) -> None:
    link = Link(node.url, PATIENT)
    asking = elsewhere(link.call, "system_chain")
    client, _ = node.accept()

    elsewhere(link.close).result(SOON)

    client.close()
    with pytest.raises(ChainUnreachable):
        asking.result(SOON)


def test_a_link_is_closed_while_a_node_does_not_say_which_chain_it_has(node: RawNode) -> None:
    link = Link(node.url, PATIENT)
    asking = elsewhere(link.call, "system_chain")
    client = node.greet()
    assert client.recv(1)  # the question for block 0

    elsewhere(link.close).result(SOON)

    with pytest.raises(ChainUnreachable):
        asking.result(SOON)
    client.close()


def test_a_connection_is_closed_while_its_node_does_not_read(node: RawNode) -> None:
    opening = elsewhere(Connection.open, node.url, PATIENT)
    client = node.greet()
    connection = opening.result(SOON)
    asking = elsewhere(connection.request, "system_chain", ["0x" + "00" * (12 << 20)], PATIENT)
    assert client.recv(1)  # the rest is more than all buffers on the way hold

    elsewhere(connection.close).result(SOON)

    with pytest.raises(ChainUnreachable, match="closed"):
        asking.result(SOON)
    client.close()


def test_the_longest_patience_is_for_answers_not_for_handshakes(node: RawNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pallets_client.connection.OPEN_WITHIN", 0.1)

    with pytest.raises(ChainUnreachable):
        elsewhere(Connection.open, node.url, PATIENT).result(SOON)
