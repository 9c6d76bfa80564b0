"""How fast the host is on this machine: `python -m tests.chain_host.speed` prints one JSON object.

Transfers to new accounts; for other calls give their signed extrinsics to `python -m chain_host measure`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chain_host.authoring import Author
from chain_host.measure import measure
from chain_host.world import World, make_world, open_chain, sealing_key
from tests.chain_host.signing import Signing, signer, transfer

ACCOUNTS = 40


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def small_world(directory: Path, cache: Path) -> tuple[World, Signing, float]:
    """(a world with a chain of a few blocks, how to sign for it, seconds of its quickest empty block)."""
    world = make_world(directory, {signer(i).ss58: 10**15 for i in range(ACCOUNTS)}, cache=cache)
    chain = open_chain(directory, world, cache=cache)
    try:
        author = Author(chain, sealing_key(directory))
        now = time.time_ns() // 1_000_000
        empty = min(timed(lambda: author.seal([], now)) for _ in range(10))
        version = chain.api().version()
        return world, Signing(chain.genesis_hash, version.spec_version, version.transaction_version), empty
    finally:
        chain.store.close()


def report(count: int, directory: Path) -> dict[str, Any]:
    """Rates of `count` transfers."""
    cache = directory / "cache"
    compiling = timed(lambda: make_world(directory / "other", cache=cache))
    _world, signing, empty = small_world(directory / "w", cache)
    signed = [
        signing.sign(signer(i % ACCOUNTS), i // ACCOUNTS, transfer(signer(100 + i).public, 10**10))
        for i in range(count)
    ]
    found = measure(directory / "w", signed, cache=cache)
    return {"compile_s": round(compiling, 2), "empty_block_ms": round(empty * 1000, 1), **found}


def main() -> None:
    """An empty block, then pool, blocks and a follower of transfers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=1_200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ainur-speed-") as name:
        sys.stdout.write(json.dumps(report(args.transfers, Path(name))) + "\n")


if __name__ == "__main__":
    main()
