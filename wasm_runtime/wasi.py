"""WASI preview 1 for one run: standard streams in memory, seeded random numbers, a virtual clock, and no files."""

import hashlib
import struct
from collections.abc import Callable
from typing import Protocol

from wasm_runtime.abi import agent1, preview1

_OK, _BADF, _FAULT, _INVAL, _NOSYS, _SPIPE = 0, 8, 21, 28, 52, 70
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_READ_RIGHT, _WRITE_RIGHT = 1 << 1, 1 << 6
_CLOCKS = 4
_CLOCK_STEP_NS = 1_000
_MASK32 = 0xFFFFFFFF

MAX_VECTORS = 1024
MAX_RANDOM = 1 << 20


class MemoryFault(Exception):  # noqa: N818 - named by what happened
    """The guest named an address outside its memory."""


class GuestExit(Exception):  # noqa: N818 - named by what happened
    """The guest called proc_exit; the code is signed, as receipts have it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class OutputLimitHit(Exception):  # noqa: N818 - named by what happened
    """The guest wrote more on stdout than its job allows."""


class GuestMemory(Protocol):
    """The guest's linear memory and purse during one host call."""

    def charge(self, size: int) -> None:
        """Pays for this host call and for `size` bytes; raises when the fuel does not suffice."""
        ...

    def read(self, address: int, size: int) -> bytes:
        """A copy; raises MemoryFault outside the memory."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """Stores `data`; raises MemoryFault outside the memory."""
        ...


class System:
    """What one run sees of the world. The same job gives the same answers, call by call."""

    def __init__(self, stdin: bytes, seed: bytes, clock_ms: int, *, output_limit: int, log_limit: int) -> None:
        self.output = bytearray()
        self.log = bytearray()
        self._stdin = stdin
        self._read = 0
        self._seed = seed
        self._draws = 0
        self._now_ns = clock_ms * 1_000_000
        self._output_limit = output_limit
        self._log_limit = log_limit

    def call(self, name: str, memory: GuestMemory, arguments: tuple[int, ...]) -> int:
        """Answers preview 1 function `name` with an errno; i32 arguments may come signed.

        Raises GuestExit, OutputLimitHit or what `memory.charge` raises; those end the run.
        """
        handler = _HANDLERS.get(name)
        if handler is None:
            memory.charge(0)
            # Everything else is about files: ours cannot do it, others are not open.
            return _NOSYS if name.startswith("fd_") and arguments[0] & _MASK32 <= _STDERR else _BADF
        try:
            return handler(self, memory, *(value & _MASK32 for value in arguments))
        except MemoryFault:
            return _FAULT

    def _fd_write(self, memory: GuestMemory, fd: int, vectors: int, count: int, written: int) -> int:
        if fd not in (_STDOUT, _STDERR) or count > MAX_VECTORS:
            memory.charge(0)
            return _INVAL if count > MAX_VECTORS else _BADF
        parts = _vectors(memory, vectors, count)
        total = sum(parts[1::2])
        memory.charge(8 * count + total)
        if fd == _STDOUT and len(self.output) + total > self._output_limit:
            raise OutputLimitHit
        for address, size in zip(parts[::2], parts[1::2], strict=True):
            data = memory.read(address, size)
            if fd == _STDOUT:
                self.output += data
            else:
                # A log is cut, not refused: what an agent prints to it must not change its result.
                self.log += data[: self._log_limit - len(self.log)]
        memory.write(written, struct.pack("<I", total))
        return _OK

    def _fd_read(self, memory: GuestMemory, fd: int, vectors: int, count: int, taken: int) -> int:
        if fd != _STDIN or count > MAX_VECTORS:
            memory.charge(0)
            return _INVAL if count > MAX_VECTORS else _BADF
        parts = _vectors(memory, vectors, count)
        total = min(sum(parts[1::2]), len(self._stdin) - self._read)
        memory.charge(8 * count + total)
        begin = self._read
        for address, size in zip(parts[::2], parts[1::2], strict=True):
            data = self._stdin[self._read : self._read + size]
            memory.write(address, data)
            self._read += len(data)
        memory.write(taken, struct.pack("<I", self._read - begin))
        return _OK

    def _fd_close(self, memory: GuestMemory, fd: int) -> int:
        memory.charge(0)
        return _OK if fd <= _STDERR else _BADF

    def _fd_seek(self, memory: GuestMemory, fd: int, *_: int) -> int:
        memory.charge(0)
        return _SPIPE if fd <= _STDERR else _BADF

    def _fd_fdstat_get(self, memory: GuestMemory, fd: int, out: int) -> int:
        memory.charge(24)
        if fd > _STDERR:
            return _BADF
        # File type 0 is "unknown": a terminal would make libraries write line by line.
        rights = _READ_RIGHT if fd == _STDIN else _WRITE_RIGHT
        memory.write(out, struct.pack("<BxHxxxxQQ", 0, 0, rights, 0))
        return _OK

    def _fd_filestat_get(self, memory: GuestMemory, fd: int, out: int) -> int:
        memory.charge(64)
        if fd > _STDERR:
            return _BADF
        memory.write(out, bytes(64))
        return _OK

    def _args_sizes_get(self, memory: GuestMemory, count: int, size: int) -> int:
        memory.charge(8)
        memory.write(count, struct.pack("<I", len(agent1.ARGV)))
        memory.write(size, struct.pack("<I", sum(map(len, agent1.ARGV))))
        return _OK

    def _args_get(self, memory: GuestMemory, pointers: int, buffer: int) -> int:
        memory.charge(sum(map(len, agent1.ARGV)))
        for number, argument in enumerate(agent1.ARGV):
            memory.write(pointers + 4 * number, struct.pack("<I", buffer))
            memory.write(buffer, argument)
            buffer += len(argument)
        return _OK

    def _environ_sizes_get(self, memory: GuestMemory, count: int, size: int) -> int:
        memory.charge(8)
        memory.write(count, bytes(4))
        memory.write(size, bytes(4))
        return _OK

    def _environ_get(self, memory: GuestMemory, *_: int) -> int:
        memory.charge(0)
        return _OK

    def _clock_time_get(self, memory: GuestMemory, clock: int, _precision: int, out: int) -> int:
        memory.charge(8)
        if clock >= _CLOCKS:
            return _INVAL
        self._now_ns += _CLOCK_STEP_NS
        memory.write(out, struct.pack("<Q", self._now_ns))
        return _OK

    def _clock_res_get(self, memory: GuestMemory, clock: int, out: int) -> int:
        memory.charge(8)
        if clock >= _CLOCKS:
            return _INVAL
        memory.write(out, struct.pack("<Q", _CLOCK_STEP_NS))
        return _OK

    def _random_get(self, memory: GuestMemory, buffer: int, size: int) -> int:
        if size > MAX_RANDOM:
            memory.charge(0)
            return _INVAL
        memory.charge(size)
        stream = hashlib.shake_256(self._seed + struct.pack("<Q", self._draws))
        self._draws += 1
        memory.write(buffer, stream.digest(size))
        return _OK

    def _sched_yield(self, memory: GuestMemory) -> int:
        memory.charge(0)
        return _OK

    def _poll_oneoff(self, memory: GuestMemory, *_: int) -> int:
        # Sleeping would hold a worker without burning fuel.
        memory.charge(0)
        return _NOSYS

    def _proc_exit(self, memory: GuestMemory, code: int) -> int:
        memory.charge(0)
        raise GuestExit(code - (1 << 32) if code >> 31 else code)


def _vectors(memory: GuestMemory, address: int, count: int) -> tuple[int, ...]:
    """Addresses and sizes of `count` vectors; a list outside the memory costs a call too: no host call is free."""
    try:
        return struct.unpack(f"<{2 * count}I", memory.read(address, 8 * count))
    except MemoryFault:
        memory.charge(0)
        raise


_HANDLERS: dict[str, Callable[..., int]] = {
    "args_get": System._args_get,
    "args_sizes_get": System._args_sizes_get,
    "clock_res_get": System._clock_res_get,
    "clock_time_get": System._clock_time_get,
    "environ_get": System._environ_get,
    "environ_sizes_get": System._environ_sizes_get,
    "fd_close": System._fd_close,
    "fd_fdstat_get": System._fd_fdstat_get,
    "fd_filestat_get": System._fd_filestat_get,
    "fd_read": System._fd_read,
    "fd_seek": System._fd_seek,
    "fd_tell": System._fd_seek,
    "fd_write": System._fd_write,
    "poll_oneoff": System._poll_oneoff,
    "proc_exit": System._proc_exit,
    "random_get": System._random_get,
    "sched_yield": System._sched_yield,
}
if not _HANDLERS.keys() <= preview1.FUNCTIONS.keys():
    raise AssertionError("a handler for a function that nobody may import")
