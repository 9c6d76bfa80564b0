"""A stranger's end of one connection: a real handshake, then yamux frames made by hand, so that any of them may lie."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519_key_pair
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.security.noise.transport import Transport as NoiseTransport

from ainur_node.mesh import wire
from ainur_node.mesh.peers import split_address

DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
MULTISTREAM = "/multistream/1.0.0"
PATIENCE = 6.0
# What is kept of an answer; the rest is read and forgotten.
KEPT = 1 << 16
CHUNK = 60_000


class Refused(Exception):  # noqa: N818 # named by what the node did
    """The node did not let the stranger in."""


def delimited(name: str) -> bytes:
    """A protocol name as multistream says it."""
    raw = name.encode() + b"\n"
    return bytes([len(raw)]) + raw


def head(kind: int, flags: int, stream: int, length: int) -> bytes:
    """The twelve bytes before everything in yamux."""
    return struct.pack("!BBHII", 0, kind, flags, stream, length)


def chunks(stream: int, data: bytes) -> bytes:
    """Bytes of a stream in frames as long as an honest peer makes them."""
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return b"".join(head(DATA, 0, stream, len(part)) + part for part in parts)


def tcp_of(address: str) -> tuple[str, int]:
    """Host and port of a multiaddr with ip4 and tcp."""
    parts = address.split("/")
    return parts[2], int(parts[4])


class Link:
    """One connection to one node under one identity, gone when the node ends it."""

    def __init__(self, secured: Any, raw: RawConnection, key_pair: Any) -> None:
        self.secured = secured
        self.raw = raw
        self.key_pair = key_pair
        self.ended = trio.Event()
        self.reset: set[int] = set()
        self.heard: dict[int, bytearray] = {}
        self.news = trio.Event()
        self.bytes = 0
        self._next = 1

    async def write(self, data: bytes) -> bool:
        """Send bytes as they are; False when the node is gone or does not read."""
        self.bytes += len(data)
        with trio.move_on_after(PATIENCE) as scope:
            try:
                await self.secured.write(data)
            except Exception:  # noqa: BLE001 # reason: a closed connection has many faces
                self.ended.set()
        return not (scope.cancelled_caught or self.ended.is_set())

    def stream(self, protocol: str, payload: bytes, *, fin: bool = True) -> tuple[int, bytes]:
        """Id and bytes of a stream that is opened, negotiated, filled and closed in one breath."""
        ident, self._next = self._next, self._next + 2
        said = delimited(MULTISTREAM) + delimited(protocol) + payload
        return ident, head(WINDOW, SYN, ident, 0) + chunks(ident, said) + (head(DATA, FIN, ident, 0) if fin else b"")

    async def say(self, protocol: str, payload: bytes, *, fin: bool = True) -> int:
        """Open a stream and send this on it; its id."""
        ident, data = self.stream(protocol, payload, fin=fin)
        await self.write(data)
        return ident

    def answer(self, ident: int) -> bytes:
        """What the node said on a stream after the names of protocols."""
        said = bytes(self.heard.get(ident, b""))
        for _ in range(2):
            said = said[1 + said[0] :] if said else b""
        return said

    async def wait(self, condition: Any, seconds: float) -> bool:
        """Until something is true of what was heard, or the node has gone, or time is over."""
        with trio.move_on_after(seconds):
            while not condition() and not self.ended.is_set():
                await self.news.wait()
        return bool(condition())

    async def listen(self) -> None:
        """Read for ever what the node says."""
        try:
            while True:
                kind, flags, ident, length = struct.unpack("!xBHII", await self._exactly(12))
                data = await self._exactly(length) if kind == DATA and length else b""
                if kind == PING and flags & SYN:
                    await self.write(head(PING, ACK, 0, length))
                if flags & RST:
                    self.reset.add(ident)
                if kind == DATA:
                    kept = self.heard.setdefault(ident, bytearray())
                    kept += data[: KEPT - len(kept)]
                    if length:
                        await self.write(head(WINDOW, 0, ident, length))
                if kind == GO_AWAY:
                    break
                self._tell()
        except Exception:  # noqa: BLE001 # reason: see write
            pass
        self.ended.set()
        self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = trio.Event()

    async def _exactly(self, size: int) -> bytes:
        got = bytearray()
        while len(got) < size:
            data = await self.secured.read(size - len(got))
            if not data:
                raise EOFError
            got += data
        return bytes(got)

    async def meet(self, genesis: bytes) -> None:
        """Exchange hellos like an honest node; Refused when that is not answered."""
        hello = wire.Hello(genesis=genesis, network="", versions=["/ainur/rpc/1"], node="stranger")
        ident = await self.say("/ainur/hello/1", wire.framed(wire.encode(hello)), fin=False)
        if not await self.wait(lambda: len(self.answer(ident)) > 4, PATIENCE):
            raise Refused("no hello")

    def cut(self) -> None:
        """End the connection with a reset of TCP, in the middle of whatever is going on."""
        stream = self.raw.stream.stream  # type: ignore[attr-defined]
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.socket.close()


async def knock(address: str, name: str, own_ip: str | None = None) -> Link:
    """Connect, shake hands under an identity made of a name, agree on yamux; Refused when the node does not."""
    transport, peer = split_address(address)
    pair = create_new_key_pair(hashlib.sha256(name.encode()).digest())
    noise = NoiseTransport(pair, noise_privkey=create_x25519_key_pair().private_key)
    tcp = None
    try:
        with trio.fail_after(PATIENCE):
            tcp = await trio.open_tcp_stream(*tcp_of(transport), local_address=own_ip)
            raw = RawConnection(TrioTCPStream(tcp), True)
            await raw.write(delimited(MULTISTREAM) + delimited("/noise"))
            await _agreed(raw)
            secured = await noise.secure_outbound(raw, ID.from_base58(peer))
            await secured.write(delimited(MULTISTREAM) + delimited("/yamux/1.0.0"))
            await _agreed(secured)
    except Exception as error:
        if tcp is not None:
            await trio.aclose_forcefully(tcp)
        raise Refused(repr(error)) from error
    return Link(secured, raw, pair)


async def _agreed(stream: Any) -> None:
    for _ in range(2):
        size = (await stream.read(1))[0]
        while size:
            size -= len(await stream.read(size)) or size
    # The answers are the names again or "na"; the next step fails when they are not ours.


@asynccontextmanager
async def link_to(
    address: str, name: str, genesis: bytes | None = None, own_ip: str | None = None
) -> AsyncIterator[Link]:
    """A connection for the length of the block, met when a genesis is given."""
    link = await knock(address, name, own_ip)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.listen)
            if genesis is not None:
                await link.meet(genesis)
            yield link
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(1.0) as scope:
            scope.shield = True
            try:
                await link.raw.close()
            except Exception:  # noqa: BLE001 # reason: see write
                link.ended.set()
