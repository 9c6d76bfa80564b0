"""How fast this host validates, builds and follows, by itself: `python -m chain_host.rates --help`.

Given the directory of a stopped chain and extrinsics that its blocks hold, it brings a copy in memory to the state
before the first of them, and does the work of pool, author and follower there, each apart and in one thread.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import authoring
from .authoring import Author
from .chain import Chain
from .errors import ChainHostError
from .following import import_block
from .hashing import blake2_256
from .runtime_api import Valid
from .runtimes import Runtimes
from .store import Store
from .world import read_world, sealing_key, world_genesis

VALIDATED = 400  # extrinsics of the sample for the pool's share
WHOLE_BLOCK_SECONDS = 60.0  # no limit of time: only weight and length end a block here


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the wall's clock and on the processor; they differ on a machine that others use too."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def rate(self, count: int) -> float | None:
        """Calls per second of the wall's clock."""
        return round(count / self.wall, 1) if count and self.wall else None

    def cpu_ms(self, count: int) -> float | None:
        """Milliseconds of processor for a call."""
        return round(1000 * self.cpu / count, 3) if count else None


class Clock:
    """Measures one piece of work of this process."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def stop(self) -> Spent:
        """What it took."""
        return Spent(time.perf_counter() - self._wall, time.process_time() - self._cpu)


def _copy_before(directory: Path, cache: Path, stored: Store, first: int) -> tuple[Chain, Store]:
    """A chain in memory whose head is the block before ``first``."""
    world = read_world(directory)
    memory = Store(None)
    memory.create(world_genesis(world, Runtimes(cache)))
    chain = Chain(memory, cache)
    for number in range(1, first):
        block = stored.block(number)
        if block is None:
            raise ChainHostError(f"block {number} is not stored any more")
        import_block(chain, block)
    return chain, memory


def measure(directory: Path, cache: Path, first: int, raws: list[bytes]) -> dict[str, Any]:
    """Rates of pool, author and follower for these extrinsics."""
    authoring.BUILD_SECONDS = WHOLE_BLOCK_SECONDS
    stored = Store(directory)
    try:
        chain, memory = _copy_before(directory, cache, stored, first)
        follower, other = _copy_before(directory, cache, stored, first)
    finally:
        stored.close()
    pairs = [(blake2_256(raw), raw) for raw in raws]
    sample = raws[:VALIDATED]
    api = chain.api()
    valid = 0
    clock = Clock()
    for raw in sample:
        valid += isinstance(api.validate(raw, chain.head_hash), Valid)
    validating = clock.stop()
    author = Author(chain, sealing_key(directory))
    left, blocks, building, following = pairs, [], Spent(), Spent()
    timestamp = time.time_ns() // 1_000_000
    while left:
        timestamp += 1
        clock = Clock()
        sealed = author.seal(left, timestamp)
        building += clock.stop()
        if not sealed.included:
            break
        blocks.append(len(sealed.included))
        clock = Clock()
        import_block(follower, sealed.block)
        following += clock.stop()
        gone = set(sealed.included)
        left = [pair for pair in left if pair[0] not in gone]
    same = follower.head_hash == chain.head_hash and follower.head.state_root == chain.head.state_root
    memory.close()
    other.close()
    count = sum(blocks)
    return {
        "calls": count,
        "left": len(left),
        "valid_of_sample": f"{valid}/{len(sample)}",
        "validated_per_second": validating.rate(len(sample)),
        "built_per_second": building.rate(count),
        "followed_per_second": following.rate(count),
        "cpu_ms": {
            "validate": validating.cpu_ms(len(sample)),
            "build": building.cpu_ms(count),
            "follow": following.cpu_ms(count),
        },
        "largest_block": max(blocks, default=0),
        "agree": same,
    }


def main() -> int:
    """Exit 0 and one JSON object; 1 with a reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m chain_host.rates", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of a chain that is stopped")
    parser.add_argument("--cache", type=Path, help="directory of compiled runtimes; default: that of the chain")
    parser.add_argument("--from", dest="first", type=int, required=True, help="first block that holds any of the calls")
    parser.add_argument("--calls", type=Path, required=True, help="JSON list of signed extrinsics, hexadecimal")
    args = parser.parse_args()
    try:
        raws = [bytes.fromhex(raw) for raw in json.loads(args.calls.read_text("ascii"))]
        found = measure(args.data, args.cache or args.data / "cache", args.first, raws)
    except (ChainHostError, OSError, ValueError) as exc:
        sys.stderr.write(f"chain_host.rates: {exc}\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
