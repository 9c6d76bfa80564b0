"""Attacks that are no floods of frames: on sockets, handshakes, yamux, the hello and blobs."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio
from stranger_link import (
    DATA,
    GO_AWAY,
    MULTISTREAM,
    PING,
    RST,
    SYN,
    WINDOW,
    Refused,
    chunks,
    delimited,
    head,
    link_to,
    tcp_of,
)
from stranger_sieges import Tally, Target, newcomer

from ainur_node.mesh import wire

Case = Callable[[Target, random.Random, int], Awaitable[Tally]]
SLOW = 0.05


async def _plain(target: Target) -> trio.SocketStream:
    return await trio.open_tcp_stream(*tcp_of(target.address))


async def tcp_garbage(target: Target, dice: random.Random, scale: int) -> Tally:
    """Sockets on which everything but a handshake comes, among it lengths without end."""
    tally = Tally()
    shouts = [
        b"GET / HTTP/1.1\r\n\r\n",
        delimited(MULTISTREAM) * 50,
        b"\x00" * 999,
        b"\xff" * 5000,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + b"x" * 60_000,
        b"\xff\xff\xff\xff\x0f" + b"x" * 60_000,
        delimited(MULTISTREAM) + delimited("ls") * 500,
        delimited(MULTISTREAM) + b"\x05\xff\xfe\xfd\xfc\n",
        delimited(MULTISTREAM) + delimited("/noise") + b"\xff\xff" + dice.randbytes(65_535),
        delimited(MULTISTREAM) + delimited("/noise") + b"\x00\x20" + dice.randbytes(32) + b"\x00\x01x",
        delimited(MULTISTREAM) + delimited("/noise") + b"\x00\x00" * 1000,
    ]
    for number in range(25 * scale):
        shout = dice.randbytes(dice.randrange(1, 3000)) if number % 3 == 0 else dice.choice(shouts)
        with trio.move_on_after(2), suppress(OSError, trio.BrokenResourceError):
            async with await _plain(target) as stream:
                await stream.send_all(shout)
                with trio.move_on_after(SLOW):
                    while await stream.receive_some(4096):
                        pass
        tally += Tally(1, len(shout), 1, 0)
    return tally


async def idle_sockets(target: Target, _dice: random.Random, _scale: int) -> Tally:
    """Two hundred sockets that say nothing, while a stranger with manners still gets in."""
    crowd = []
    try:
        for _ in range(200):
            crowd.append(await _plain(target))
        tally = Tally(200, 0, 0, 0)
        async with newcomer(target, tally, own_ip="127.0.0.2"):
            await trio.sleep(1)
        for stream in crowd:
            with trio.move_on_after(0.001), suppress(trio.BrokenResourceError):
                tally.refused += await stream.receive_some(1) == b""
        return tally
    finally:
        for stream in crowd:
            await trio.aclose_forcefully(stream)


async def connect_and_close(target: Target, _dice: random.Random, scale: int) -> Tally:
    """Connections that end as soon as they stand."""
    for _ in range(25 * scale):
        await trio.aclose_forcefully(await _plain(target))
    return Tally(25 * scale)


async def slow_handshakes(target: Target, dice: random.Random, _scale: int) -> Tally:
    """Handshakes of which a byte comes now and then, and half ones that never go on."""
    hello = delimited(MULTISTREAM) + delimited("/noise")
    noise = b"\x00\x20" + dice.randbytes(32)
    starts = [b"", hello[:1], hello[:20], hello, hello + noise[:1], hello + noise[:20], hello + noise]
    streams = [await _plain(target) for _ in range(40)]
    try:
        for number, stream in enumerate(streams):
            await stream.send_all(starts[number % len(starts)])
        for turn in range(20):
            for number, stream in enumerate(streams):
                rest = (hello + noise)[len(starts[number % len(starts)]) :]
                with suppress(trio.BrokenResourceError):
                    await stream.send_all(rest[turn : turn + 1])
            await trio.sleep(SLOW)
        tally = Tally(40, 40 * 60, 0, 0)
        async with newcomer(target, tally, own_ip="127.0.0.2"):
            pass
        return tally
    finally:
        for stream in streams:
            await trio.aclose_forcefully(stream)


async def plaintext(target: Target, _dice: random.Random, scale: int) -> Tally:
    """Proposals to go without encryption, or with one that nobody should use."""
    tally = Tally()
    for name in ("/plaintext/2.0.0", "/secio/1.0.0", "/tls/1.0.0", "/ipfs/id/1.0.0", "/plaintext/1.0.0") * scale:
        async with await _plain(target) as stream:
            await stream.send_all(delimited(MULTISTREAM) + delimited(name))
            said = b""
            with trio.move_on_after(3):
                while b"na\n" not in said and (data := await stream.receive_some(1000)):
                    said += data
            tally += Tally(1, len(name), said.endswith(delimited("na")), 0)
            assert name.encode() not in said, f"{target.name} agrees to {name}"
    return tally


async def wrong_genesis(target: Target, dice: random.Random, scale: int) -> Tally:
    """Hellos of another world, and hellos that are none."""
    tally = Tally()
    for number in range(5 * scale):
        name = f"{target.name} other world {dice.random()}"
        try:
            async with link_to(target.address, name) as link:
                hello = wire.Hello(genesis=dice.randbytes(32), network="", versions=[], node="stranger")
                right, wrong = wire.encode(hello), b"\x80" * dice.randrange(5000)
                ident = await link.say("/ainur/hello/1", wire.framed(right if number % 2 else wrong), fin=False)
                gone = await link.wait(lambda link=link, i=ident: link.ended.is_set() or i in link.reset, 3)
                tally += Tally(1, link.bytes, gone, 1)
        except* Refused:
            tally += Tally(1, 0, 1, 1)
    return tally


async def yamux_garbage(target: Target, dice: random.Random, scale: int) -> Tally:
    """Frames below the streams: unknown kinds, 4 GiB of data, windows that overflow, pings and farewells."""
    tally = Tally()
    kinds = [
        lambda: dice.randbytes(12),
        lambda: b"\xff" * 12,
        lambda: head(DATA, 0, 1, 2**32 - 1),
        lambda: head(DATA, SYN, 2**32 - 1, 2**24) + b"x",
        lambda: head(DATA, SYN, dice.getrandbits(32), 1000) + dice.randbytes(1000),
        lambda: head(WINDOW, 0, dice.getrandbits(8), 2**32 - 1) * 50,
        lambda: head(WINDOW, SYN, dice.getrandbits(32) | 1, 2**32 - 1) * 3,
        lambda: head(WINDOW, SYN | RST, dice.getrandbits(32) | 1, 0),
        lambda: head(9, 0xFFFF, 7, 7) * 100,
        lambda: head(PING, SYN, 0, 7) * 200,
        lambda: head(PING, 2, 0, 7) * 200,
        lambda: head(DATA, 2, 3, 5) + b"12345",
        lambda: head(GO_AWAY, 0, 0, 99),
        lambda: b"\x00\x00",
    ]
    for _ in range(10 * scale):
        async with newcomer(target, tally, met=dice.random() < 0.5) as link:
            for _ in range(20):
                if not await link.write(dice.choice(kinds)()):
                    break
                tally.frames += 1
            tally.refused += await link.wait(link.ended.is_set, 0.1)
    return tally


async def ignored_windows(target: Target, dice: random.Random, scale: int) -> Tally:
    """Bytes without end on streams that are never granted them, and frames that never end."""
    tally = Tally()
    for number in range(2 * scale):
        async with newcomer(target, tally) as link:
            ident = await link.say("/ainur/rpc/1", b"", fin=False)
            if number % 2:
                await link.write(head(DATA, 0, ident, 250_000) + dice.randbytes(100_000))
            else:
                block = head(DATA, 0, ident, 60_000) + wire.framed(bytes(59_996))
                while tally.frames < 200 * (number + 1) and await link.write(block):
                    tally.frames += 1
            tally.refused += await link.wait(link.ended.is_set, 0.5)
    return tally


async def silent_streams(target: Target, _dice: random.Random, scale: int) -> Tally:
    """Streams that never say what they want: three hundred, then more than a connection may have."""
    tally = Tally()
    for size in (300, 2000):
        async with newcomer(target, tally) as link:
            opened = b"".join(head(WINDOW, SYN, 10_001 + 2 * n, 0) for n in range(size * scale))
            await link.write(opened)
            tally.frames += size * scale
            await link.wait(link.ended.is_set, 1.0)
            tally.refused += len(link.reset)
    return tally


async def abrupt_ends(target: Target, dice: random.Random, scale: int) -> Tally:
    """Connections reset in the middle of a frame, of a call, of a blob."""
    tally = Tally()
    for number in range(6 * scale):
        async with newcomer(target, tally) as link:
            match number % 3:
                case 0:
                    await link.write(head(DATA, SYN, 7, 1000) + b"half")
                case 1:
                    call = wire.Call(id=1, method="dht.find", body=b"x")
                    await link.say("/ainur/rpc/1", wire.framed(wire.encode(call)) * 20, fin=False)
                case _:
                    request = wire.BlobRequest(sha256=dice.choice(target.ids))
                    await link.say("/ainur/blob/1", wire.framed(wire.encode(request)), fin=False)
            link.cut()
            tally.frames += 1
    return tally


async def greedy_blobs(target: Target, dice: random.Random, scale: int) -> Tally:
    """Blobs asked for again and again and never read, with offsets that lie."""
    tally = Tally()
    for _ in range(2 * scale):
        async with newcomer(target, tally) as link:
            sent = []
            for _ in range(60):
                offset = dice.choice([0, 0, 1, 5000, wire.MAX_BLOB - 1, wire.MAX_BLOB])
                request = wire.BlobRequest(sha256=dice.choice(target.ids), offset=offset)
                sent.append(await link.say("/ainur/blob/1", wire.framed(wire.encode(request)), fin=False))
            tally.frames += len(sent)
            await link.wait(lambda link=link, sent=sent: all(link.answer(i) or i in link.reset for i in sent), 2)
            tally.refused += sum(1 for i in sent if i in link.reset or b"busy" in link.answer(i) or not link.answer(i))
    return tally


async def lying_answers(target: Target, dice: random.Random, scale: int) -> Tally:
    """A peer that answers what the node asks of it with garbage: hellos are right, everything after is not."""
    tally = Tally()
    for _ in range(2 * scale):
        async with newcomer(target, tally) as link:
            with trio.move_on_after(1.0):
                while not link.ended.is_set():
                    await link.news.wait()
                    for ident in [i for i in link.heard if i % 2 == 0 and i not in link.reset]:
                        names = [n for n in bytes(link.heard[ident]).split(b"\n") if b"/" in n]
                        agreed = b"".join(delimited(n[n.index(b"/") :].decode("utf-8", "replace")) for n in names[:2])
                        await link.write(_data(ident, agreed + wire.framed(dice.randbytes(300))))
                        link.reset.add(ident)
                        tally.frames += 1
            tally.refused += link.ended.is_set()
    return tally


def _data(ident: int, data: bytes) -> bytes:
    return chunks(ident, data)


CASES: dict[str, Case] = {
    "tcp garbage": tcp_garbage,
    "200 idle sockets": idle_sockets,
    "connect and close": connect_and_close,
    "slow handshakes": slow_handshakes,
    "plaintext": plaintext,
    "wrong genesis": wrong_genesis,
    "yamux garbage": yamux_garbage,
    "ignored windows": ignored_windows,
    "silent streams": silent_streams,
    "abrupt resets": abrupt_ends,
    "greedy blobs": greedy_blobs,
    "lying answers": lying_answers,
}
