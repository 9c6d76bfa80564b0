"""Garbage on the local socket of a node: another program of the same user gone mad."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from pathlib import Path

import msgspec
import trio
from garbage_bytes import BOMBS
from stranger_sieges import Tally

from ainur_node.rpc import frames
from ainur_node.rpc.messages import VERSION, Hello, encode
from ainur_node.rpc.whereabouts import read_whereabouts

METHODS = ("node.status", "task.submit", "task.watch", "task.show", "agent.publish", "wallet.transfer", "no.such")


async def flood_socket(home: Path, count: int, dice: random.Random) -> Tally:
    """So many frames, each on a connection that may have said hello before, and a crowd that says nothing."""
    here = read_whereabouts(home)
    assert here is not None
    tally = Tally()
    crowd = [await trio.open_unix_socket(here.rpc) for _ in range(20)]
    while tally.frames < count:
        with suppress(OSError, trio.BrokenResourceError), trio.move_on_after(2):
            async with await trio.open_unix_socket(here.rpc) as stream:
                tally.identities += 1
                if dice.random() < 0.8:
                    await stream.send_all(frames.frame(encode(Hello(VERSION))))
                for _ in range(dice.randrange(1, 12)):
                    data = _garbage(dice)
                    tally.frames += 1
                    tally.bytes += len(data)
                    await stream.send_all(data)
                with trio.move_on_after(0.02):
                    while await stream.receive_some(1 << 16):
                        pass
    for stream in crowd:
        await trio.aclose_forcefully(stream)
    # Nothing of it asks for anything that may be answered with more than a problem.
    tally.refused = tally.frames
    return tally


def _garbage(dice: random.Random) -> bytes:
    match dice.randrange(6):
        case 0:
            return dice.randbytes(dice.randrange(1, 100))
        case 1:
            return struct.pack(">I", dice.choice([2**32 - 1, frames.MAX_FRAME + 1, frames.MAX_FRAME, 50])) + b"half"
        case 2:
            return frames.frame(dice.choice(BOMBS))
        case 3:
            return frames.frame(dice.randbytes(dice.randrange(200)))
        case _:
            values = [None, -1, 2**64 - 1, "x" * 5000, b"\xff" * 40, [[]], {"a": 1}, 1.5, True, "é"]
            names = ["task", "capability", "input", "budget", "to", "amount", "media", "recent_ms", "path"]
            params = {dice.choice(names): dice.choice(values) for _ in range(dice.randrange(6))}
            request = {"id": dice.choice([0, 1, 7, -1, 2**63]), "method": dice.choice(METHODS)}
            odd = {**request, "params": params, "credit": dice.choice([0, 5, 2**40])}
            return frames.frame(msgspec.msgpack.encode(odd))
