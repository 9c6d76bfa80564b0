"""What the pool and its children say to each other: one length, one msgpack record."""

import os
from typing import Any, Protocol

import msgspec

HEAD = 4
MAX_FRAME = 300 << 20
"""A compiled module is the largest thing that is sent; a run's frames are bounded far lower by the pool."""


class Hello(msgspec.Struct, tag="hello", frozen=True):
    """A child's first word: it is up, in this jail, with this engine."""

    engine_id: bytes
    layers: dict[str, str]


class Load(msgspec.Struct, tag="load", frozen=True):
    """Make a compiled module ready; `native` is trusted because the pool has checked its MAC."""

    sha256: bytes
    native: memoryview


class Loaded(msgspec.Struct, tag="loaded", frozen=True):
    """The answer to Load: an empty error, or why the engine refused."""

    error: str


class Run(msgspec.Struct, tag="run", frozen=True):
    """One job; the fields are those of result.Job, with the bound on the log added."""

    sha256: bytes
    input: bytes
    seed: bytes
    clock_ms: int
    fuel: int
    memory_bytes: int
    output_limit: int
    log_limit: int
    deadline_ms: int


class Ran(msgspec.Struct, tag="ran", frozen=True):
    """The answer to Run; the fields are those of result.Execution."""

    exit: int
    code: int
    output: bytes
    log: bytes
    fuel_used: int
    cpu_ns: int
    peak_memory: int
    host_transcript: bytes
    detail: str


class Compile(msgspec.Struct, tag="compile", frozen=True):
    """Turn an inspected module into native code."""

    wasm: bytes


class Compiled(msgspec.Struct, tag="compiled", frozen=True):
    """The answer to Compile: native code, or the validator's words."""

    native: memoryview
    """Of the frame it came in: megabytes are not copied."""
    error: str


Message = Hello | Load | Loaded | Run | Ran | Compile | Compiled

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


class FrameBroken(ValueError):  # noqa: N818 - named by what happened
    """The other side sent something that is no frame."""


class Reads(Protocol):
    """The half of a binary file that reading a frame needs."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        ...


def pack(message: Message) -> bytearray:
    """One message with its length in front."""
    frame = bytearray(HEAD)
    _encoder.encode_into(message, frame, HEAD)
    frame[:HEAD] = (len(frame) - HEAD).to_bytes(HEAD, "little")
    return frame


def unpack(body: bytes | bytearray) -> Message:
    """One message without its length; raises FrameBroken on anything else."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameBroken(str(error)) from error


def body_size(head: bytes | bytearray, most: int) -> int:
    """The announced size; raises FrameBroken above `most`."""
    size = int.from_bytes(head, "little")
    if size > most:
        raise FrameBroken(f"frame of {size} bytes, at most {most}")
    return size


def read_frame(source: Reads, most: int = MAX_FRAME) -> Message | None:
    """The next message of a blocking file; None at its end."""
    head = source.read(HEAD)
    if len(head) < HEAD:
        return None
    size = body_size(head, most)
    body = source.read(size)
    if len(body) < size:
        return None
    return unpack(body)


def write_frame(descriptor: int, message: Message) -> None:
    """Writes a message whole; raises OSError when nobody reads any more."""
    left: Any = memoryview(pack(message))
    while left:
        left = left[os.write(descriptor, left) :]
