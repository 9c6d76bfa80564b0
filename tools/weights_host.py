"""The chain host with what benchmarks need besides: a database that counts, a clock, and a store of node keys.

Benchmarks (`chain/pallets/*/src/benchmarking.rs`) run inside the runtime blob, on the same WebAssembly engine that a
node uses. They bring the database into a state, say when they start and end, and ask what was read and written.
"""

import gc
import hashlib
import struct
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import ed25519_zebra
from wasmtime import Module

from chain_host.host_functions import Session, host_functions
from chain_host.overlay import Overlay
from chain_host.scale import Reader, blob, vector
from chain_host.wasm import executor
from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import MASK32, Guest

CALL_SECONDS = 600.0
LEAST = 5  # repeats of a point: their median is what counts
_NO_ROOT = bytes(32)  # the time that a state root takes is no part of a weight


@dataclass(frozen=True, slots=True)
class Sample:
    """One repetition: CPU nanoseconds without storage, and how many keys were read and written first."""

    nanoseconds: int
    reads: int
    writes: int


class Database:
    """State that can be committed and wiped, and counts what is read and written."""

    def __init__(self) -> None:
        self.genesis: dict[bytes, bytes] = {}
        self.free: set[bytes] = set()  # keys that every block touches anyway
        self.whitelist = b"\0"
        self.wipe()

    def wipe(self) -> None:
        """Back to genesis."""
        self.values = dict(self.genesis)
        self.keys = sorted(self.values)
        self.reset()

    def reset(self) -> None:
        """Count from zero."""
        self.reads: dict[bytes, int] = {}
        self.writes: dict[bytes, int] = {}

    def get(self, key: bytes) -> bytes | None:
        """Value of the key; a read."""
        if key not in self.free:
            self.reads[key] = self.reads.get(key, 0) + 1
        return self.values.get(key)

    def next_key(self, key: bytes) -> bytes | None:
        """Smallest key above this one."""
        index = bisect_right(self.keys, key)
        return self.keys[index] if index < len(self.keys) else None

    def keys_from(self, prefix: bytes) -> Iterator[bytes]:
        """Keys that start with the prefix, in order."""
        for key in self.keys[bisect_left(self.keys, prefix) :]:
            if not key.startswith(prefix):
                return
            yield key

    def root_with(self, changes: dict[bytes, bytes | None], version: int) -> bytes:
        """No root."""
        return _NO_ROOT

    def commit(self, changes: dict[bytes, bytes | None]) -> None:
        """Take the writes over; each key counts once."""
        for key, value in changes.items():
            if key not in self.free:
                self.writes[key] = self.writes.get(key, 0) + 1
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
        self.keys = sorted(self.values)

    def touched(self) -> list[bytes]:
        """Keys that were read or written."""
        return sorted(self.reads.keys() | self.writes.keys())


class BenchOverlay(Overlay):
    """An overlay that the runtime may commit or wipe in the middle of a call."""

    __slots__ = ()
    backend: Database

    def commit_all(self) -> None:
        """Everything written so far goes into the database."""
        self.backend.commit(dict(self.changes()))
        self._forget()

    def wipe(self) -> None:
        """Everything written is forgotten, committed or not."""
        self.backend.wipe()
        self._forget()

    def _forget(self) -> None:
        for layer in self._layers:
            layer.clear()
        self._touched.clear()
        self._sorted, self._unsorted = [], []


class BenchExecutor(executor.Executor):
    """One runtime with benchmarks. Storage functions are timed apart: their price is that of the database."""

    def __init__(self, module: Module) -> None:
        self._apart = 0
        self._secrets: dict[bytes, bytes] = {}
        # the executor asks for its host functions while it is made, and no node needs more of them than it has
        usual, executor.host_functions = executor.host_functions, self._with_benchmarks
        try:
            super().__init__(module)
        finally:
            executor.host_functions = usual

    def run(self, database: Database, name: str, data: bytes) -> bytes:
        """Call an export on an overlay of its own."""
        gc.collect()
        gc.disable()
        try:
            return self.call(BenchOverlay(database), name, data, seconds=CALL_SECONDS, keep=False)
        finally:
            gc.enable()

    def _with_benchmarks(self, guest: Guest, session: Session) -> dict[str, HostFunction]:
        offered = host_functions(guest, session)
        for name, function in offered.items():
            if name.startswith("ext_storage_"):
                offered[name] = self._timed(function)
        return offered | self._functions(guest)

    def _timed(self, function: HostFunction) -> HostFunction:
        clock = time.thread_time_ns

        def timed(*arguments: int) -> int | None:
            start = clock()
            result = function(*arguments)
            self._apart += clock() - start
            return result

        return timed

    def _state(self) -> BenchOverlay:
        if not isinstance(self.overlay, BenchOverlay):
            raise TypeError("no benchmark is running")
        return self.overlay

    def _functions(self, guest: Guest) -> dict[str, HostFunction]:
        state = self._state

        def counts() -> int:
            database = state().backend
            four = []
            for counted in (database.reads, database.writes):
                four += [len(counted), sum(counted.values()) - len(counted)]
            return guest.write_fat(struct.pack("<4I", *four))

        def set_whitelist(new: int) -> None:
            database = state().backend
            database.whitelist = guest.read_fat(new)
            database.free = _whitelisted(database.whitelist)

        def touched() -> int:
            keys = (blob(key) + struct.pack("<II?", 0, 0, False) for key in state().backend.touched())
            return guest.write_fat(vector(list(keys)))

        def generate(_kind: int, _seed: int) -> int:
            seed = hashlib.sha256(b"node key %d" % len(self._secrets)).digest()
            secret, public = ed25519_zebra.ed_from_seed(seed)
            self._secrets[public] = secret
            return guest.write(public)

        def sign(_kind: int, public: int, message: int) -> int:
            secret = self._secrets[guest.read(public & MASK32, 32)]
            return guest.write_fat(b"\1" + ed25519_zebra.ed_sign(secret, guest.read_fat(message)))

        def wipe() -> None:
            state().wipe()

        def commit() -> None:
            state().commit_all()

        def reset() -> None:
            state().backend.reset()

        def now() -> int:
            return guest.write((time.thread_time_ns() - self._apart).to_bytes(16, "little"))

        return {
            "ext_benchmarking_current_time_version_1": now,
            "ext_benchmarking_wipe_db_version_1": wipe,
            "ext_benchmarking_commit_db_version_1": commit,
            "ext_benchmarking_read_write_count_version_1": counts,
            "ext_benchmarking_reset_read_write_count_version_1": reset,
            "ext_benchmarking_get_whitelist_version_1": lambda: guest.write_fat(state().backend.whitelist),
            "ext_benchmarking_set_whitelist_version_1": set_whitelist,
            "ext_benchmarking_get_read_and_written_keys_version_1": touched,
            "ext_benchmarking_proof_size_version_1": lambda: guest.write_fat(b"\0"),
            "ext_crypto_ed25519_generate_version_1": generate,
            "ext_crypto_ed25519_sign_version_1": sign,
        }


def _whitelisted(data: bytes) -> set[bytes]:
    """Keys of a `Vec<TrackedStorageKey>`: none of them counts, whatever its flag says, as in Substrate's database."""
    reader, keys = Reader(data), set()
    for _ in range(reader.count()):
        keys.add(reader.blob())
        reader.take(9)
        if reader.uint(1):
            reader.blob()
    return keys


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A call that can be measured; `components` are (letter, least, most)."""

    pallet: str
    instance: str
    name: str
    components: tuple[tuple[str, int, int], ...]


def benchmarks(runtime: BenchExecutor, database: Database) -> list[Benchmark]:
    """Everything that the runtime offers to measure."""
    reader, found = Reader(runtime.run(database, "Benchmark_benchmark_metadata", b"\0")), []
    for _ in range(reader.count()):
        pallet, instance = reader.blob().decode(), reader.blob().decode()
        for _ in range(reader.count()):
            name = reader.blob().decode()
            components = tuple(
                (chr(ord("a") + reader.uint(1)), reader.uint(4), reader.uint(4)) for _ in range(reader.count())
            )
            for _ in range(reader.count()):
                reader.blob(), reader.blob()
            found.append(Benchmark(pallet, instance, name, components))
    return found


def measure(
    runtime: BenchExecutor, database: Database, one: Benchmark, point: tuple[int, ...], repeats: int, seconds: float
) -> list[Sample]:
    """Run a benchmark at one point of its components; its own checks run once before. `repeats` is how often at most:
    what takes long to prepare is repeated for about `seconds`, but `LEAST` times at least.
    """
    chosen = vector(
        [
            bytes((ord(letter) - ord("a"),)) + struct.pack("<I", value)
            for (letter, _least, _most), value in zip(one.components, point, strict=True)
        ]
    )
    names = (one.pallet, one.instance, one.name)
    config = b"".join(blob(name.encode()) for name in names) + chosen
    samples: list[Sample] = []
    for verify in (True, False):
        start = time.monotonic()
        count = 1 if verify else repeats
        out = runtime.run(
            database, "Benchmark_dispatch_benchmark", config + bytes((verify,)) + struct.pack("<I", count)
        )
        reader = Reader(out)
        if reader.uint(1):
            raise RuntimeError(f"{one.pallet}.{one.name}: {reader.blob().decode()}")
        samples = list(_samples(reader))
        repeats = min(repeats, max(LEAST, int(seconds / (time.monotonic() - start))))
    return samples


def _samples(reader: Reader) -> Iterator[Sample]:
    for _ in range(reader.count()):
        for _ in range(3):
            reader.blob()
        for _ in range(reader.count()):
            for _ in range(reader.count()):
                reader.take(5)
            nanoseconds = reader.uint(16)
            reader.take(16)
            reads, _, writes, _, _ = (reader.uint(4) for _ in range(5))
            for _ in range(reader.count()):
                reader.blob(), reader.take(9)
            yield Sample(nanoseconds, reads, writes)
