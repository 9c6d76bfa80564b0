"""How fast this machine takes, builds and follows given extrinsics: each part on its own, on a copy of a chain."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .authoring import Author
from .chain import Chain
from .errors import MalformedScale, RuntimeTrap, WorldError
from .following import import_block
from .hashing import blake2_256
from .node import wall_clock
from .pool import Pool, PoolRefusal
from .runtime_api import Valid
from .store import DATABASE, Store
from .world import CACHE, World, read_world, sealing_key

MAX_FILE = 256 << 20
MAX_EMPTY = 3  # blocks in a row without an extrinsic before what is left counts as refused


@dataclass(frozen=True, slots=True)
class Rate:
    """Extrinsics in seconds of wall clock and of processor time of this process."""

    extrinsics: int
    seconds: float
    cpu_seconds: float

    def json(self) -> dict[str, Any]:
        """Numbers for people and programs."""
        per_second = round(self.extrinsics / self.seconds, 1) if self.seconds else 0.0
        per_cpu_second = round(self.extrinsics / self.cpu_seconds, 1) if self.cpu_seconds else 0.0
        rounded = {key: round(value, 4) for key, value in asdict(self).items()}
        return {**rounded, "per_second": per_second, "per_cpu_second": per_cpu_second}


def _timed(work: Callable[[], int]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    return Rate(count, time.perf_counter() - wall, time.process_time() - cpu)


def read_extrinsics(path: Path) -> list[bytes]:
    """Extrinsics of a file with one `0x…` a line. Raises WorldError."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise WorldError(f"{path} is larger than {MAX_FILE} bytes")
        lines = path.read_text("ascii").split()
        return [bytes.fromhex(line.removeprefix("0x")) for line in lines]
    except (OSError, ValueError) as exc:
        raise WorldError(f"no extrinsics in {path}: {exc}") from exc


def measure(directory: Path, extrinsics: Sequence[bytes], *, cache: Path | None = None) -> dict[str, Any]:
    """Rates of pool, block and follower for these extrinsics after the head of a chain, which is only read.

    The pool validates each and puts it in its place; blocks are built within the usual time, sealed and committed to
    disk until nothing is left; a follower executes those blocks and commits them. Raises WorldError, StoreError.
    """
    world = read_world(directory)
    cache = cache or directory / CACHE
    with TemporaryDirectory(prefix="ainur-measure-") as name:
        authors, follows = Path(name) / "author", Path(name) / "follower"
        for each in (authors, follows):
            _copy(directory, each)
        author_store, follower_store = Store(authors), Store(follows)
        try:
            return _measured(world, Chain(author_store, cache), Chain(follower_store, cache), extrinsics)
        finally:
            author_store.close()
            follower_store.close()


def _copy(directory: Path, to: Path) -> None:
    source = directory / DATABASE
    if not source.is_file():
        raise WorldError(f"there is no chain in {directory}: run it once")
    to.mkdir(mode=0o700)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as db,
        closing(sqlite3.connect(to / DATABASE)) as out,
    ):
        db.backup(out)
    shutil.copymode(source, to / DATABASE)


def _measured(world: World, chain: Chain, follower: Chain, extrinsics: Sequence[bytes]) -> dict[str, Any]:
    first = chain.head.number
    pool, author = Pool(), Author(chain, sealing_key(world.directory))
    _warm_up(chain, follower, author)
    into_pool = _timed(lambda: sum(_admit(chain, pool, raw) for raw in extrinsics))
    included: list[int] = []

    def build() -> int:
        empty = 0
        while len(pool) and empty < MAX_EMPTY:
            sealed = author.seal(((entry.hash, entry.raw) for entry in pool.ready()), wall_clock())
            pool.included(sealed.included)
            for extrinsic_hash, _why in (*sealed.refused, *sealed.trapped):
                pool.remove(extrinsic_hash, "invalid")
            included.append(len(sealed.included))
            empty = 0 if sealed.included else empty + 1
        return sum(included)

    built = _timed(build)

    def follow() -> int:
        for number in range(follower.head.number + 1, chain.head.number + 1):
            block = chain.store.block(number)
            if block is not None:
                import_block(follower, block)
        return sum(included)

    followed = _timed(follow)
    return {
        "offered": len(extrinsics),
        "pool": into_pool.json(),
        "block": built.json(),
        "follower": followed.json(),
        "blocks": len(included),
        "largest_block": max(included, default=0),
        "first": first + 1,
        "agree": follower.head_hash == chain.head_hash and follower.state.root == chain.state.root,
    }


def _warm_up(chain: Chain, follower: Chain, author: Author) -> None:
    """One empty block on both sides: engines compile and caches fill before the clock starts."""
    import_block(follower, author.seal((), wall_clock()).block)


def _admit(chain: Chain, pool: Pool, raw: bytes) -> int:
    try:
        valid = chain.api().validate(raw, chain.head_hash)
        if not isinstance(valid, Valid):
            return 0
        pool.submit(blake2_256(raw), raw, valid, chain.head.number, time.monotonic())
    except (RuntimeTrap, MalformedScale, PoolRefusal):
        return 0
    return 1
