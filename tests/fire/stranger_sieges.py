"""Floods of one node with one kind of garbage, under as many identities as it takes: a node is right to ban each."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from garbage_bytes import PubsubGarbage, body_garbage, stream_garbage, topic_frame
from stranger_link import RST, WINDOW, Link, Refused, chunks, head, link_to

from ainur_node.errors import Misbehaviour
from ainur_node.mesh import wire

# Streams or calls that a stranger sends before it looks whether it is still welcome.
AT_ONCE = 40
# A stranger with frames left gives up after so many closed doors.
MAX_DOORS = 400
_numbers = itertools.count()


@dataclass(slots=True)
class Tally:
    """What became of one flood; a frame is refused when it is answered with no, with a reset, or not any more."""

    frames: int = 0
    bytes: int = 0
    refused: int = 0
    identities: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        self.frames += other.frames
        self.bytes += other.bytes
        self.refused += other.refused
        self.identities += other.identities
        return self


@dataclass(frozen=True, slots=True)
class Target:
    """One node, as strangers see it; ``ids`` are hashes that mean something there."""

    name: str
    address: str
    genesis: bytes
    ids: tuple[bytes, ...] = (bytes(32),)


@asynccontextmanager
async def newcomer(target: Target, tally: Tally, met: bool = True, own_ip: str | None = None) -> AsyncIterator[Link]:
    """A connection under an identity never used before."""
    for _ in range(MAX_DOORS):
        tally.identities += 1
        came_in = False
        try:
            name, genesis = f"stranger {next(_numbers)}", target.genesis if met else None
            async with link_to(target.address, name, genesis, own_ip) as link:
                came_in = True
                yield link
                tally.bytes += link.bytes
                return
        except* Refused:
            if came_in:
                raise
        await trio.sleep(0.05)
    raise AssertionError(f"{target.name} lets nobody in any more")


async def flood_protocol(target: Target, protocol: str, count: int, dice: random.Random, topic: str) -> Tally:
    """So many streams of one protocol, each with one piece of garbage."""
    tally = Tally()
    garbage: Callable[[], bytes] = lambda: stream_garbage(dice)  # noqa: E731
    if "meshsub" in protocol:
        garbage = PubsubGarbage(dice, topic)
    while tally.frames < count:
        async with newcomer(target, tally, met=dice.random() < 0.9) as link:
            while tally.frames < count and not link.ended.is_set():
                sent = []
                for _ in range(AT_ONCE):
                    ident, data = link.stream(protocol, garbage(), fin=dice.random() < 0.8)
                    if not await link.write(data):
                        break
                    sent.append(ident)
                await link.wait(lambda sent=sent: all(i in link.reset or link.answer(i) for i in sent), 0.15)
                tally.frames += len(sent)
                tally.refused += sum(1 for i in sent if i in link.reset or not link.answer(i))
                # What stays open without an end would only fill the stranger's allowance.
                await link.write(b"".join(head(WINDOW, RST, i, 0) for i in sent if i not in link.reset))
    return tally


async def flood_method(target: Target, method: str, count: int, dice: random.Random) -> Tally:
    """So many calls of one method with bodies that mean nothing, or less."""
    tally = Tally()
    ids = list(target.ids)
    while tally.frames < count:
        async with newcomer(target, tally) as link:
            calls = [wire.Call(id=n, method=method, body=body_garbage(dice, ids)) for n in range(2 * AT_ONCE)]
            frames = [wire.framed(wire.encode(call)) for call in calls]
            # Within the first window of a stream, so that nothing waits for the node.
            while sum(map(len, frames)) > 200_000:
                frames.pop(max(range(len(frames)), key=lambda n: len(frames[n])))
            ident = await link.say("/ainur/rpc/1", b"".join(frames), fin=False)
            wanted = len(frames)
            await link.wait(lambda link=link, i=ident, n=wanted: len(answers(link.answer(i))) >= n, 1.5)
            told = answers(link.answer(ident))
            tally.frames += len(frames)
            tally.refused += len(frames) - sum(1 for answer in told if answer.error is None)
    return tally


def answers(said: bytes) -> list[wire.Answer]:
    """The whole answers at the start of what was said."""
    found = []
    while len(said) >= 4 and len(said) >= (end := 4 + int.from_bytes(said[:4], "big")):
        try:
            found.append(wire.decode_answer(said[4:end]))
        except Misbehaviour as error:
            raise AssertionError(f"a node answers garbage with garbage: {said[:end]!r}") from error
        said = said[end:]
    return found


async def flood_topic(target: Target, topic: str, count: int, dice: random.Random) -> Tally:
    """So many gossip messages on one topic, most of them signed as they should be."""
    tally = Tally()
    while tally.frames < count:
        async with newcomer(target, tally) as link:
            seed, sent = dice.randbytes(32), 0
            ident = await link.say("/meshsub/1.2.0", b"", fin=False)
            while sent < 100 and not link.ended.is_set():
                data = topic_frame(dice, topic, seed, 25, list(target.ids))
                if not await link.write(chunks(ident, data)):
                    break
                sent += 25
            await link.wait(lambda link=link, i=ident: i in link.reset, 0.3)
            tally.frames += sent
            tally.refused += sent if link.ended.is_set() or ident in link.reset else 0
    return tally
