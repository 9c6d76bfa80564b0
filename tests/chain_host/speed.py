"""How fast the host is on this machine: `python -m tests.chain_host.speed` prints one JSON object."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from chain_host import authoring
from chain_host.authoring import Author
from chain_host.chain import Chain
from chain_host.following import import_block
from chain_host.hashing import blake2_256
from chain_host.runtimes import Runtimes
from chain_host.store import Store
from chain_host.world import make_world, open_chain, sealing_key, world_genesis
from tests.chain_host.signing import Signing, signer, transfer

TRANSFERS = 600
ACCOUNTS = 40


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Empty blocks, validation, a full block, and a follower."""
    authoring.BUILD_SECONDS = 60.0
    with tempfile.TemporaryDirectory(prefix="ainur-speed-") as name:
        data = Path(name)
        compile_seconds = timed(lambda: make_world(data / "other"))
        cache = data / "other" / "cache"
        world = make_world(data / "w", {signer(i).ss58: 10**15 for i in range(ACCOUNTS)}, cache=cache)
        chain = open_chain(data / "w", world, cache=cache)
        store = Store(None)
        store.create(world_genesis(world, Runtimes(cache)))
        follower = Chain(store, cache)
        author = Author(chain, sealing_key(data / "w"))
        version = chain.api().version()
        signing = Signing(chain.genesis_hash, version.spec_version, version.transaction_version)
        now = time.time_ns() // 1_000_000
        empty = min(timed(lambda: author.seal([], now)) for _ in range(10))
        pairs = []
        for i in range(TRANSFERS):
            raw = signing.sign(signer(i % ACCOUNTS), i // ACCOUNTS, transfer(signer(100 + i).public, 10**10))
            pairs.append((blake2_256(raw), raw))
        validate = timed(lambda: [chain.api().validate(raw, chain.head_hash) for _, raw in pairs[:200]]) / 200
        full = timed(lambda: author.seal(pairs, now))
        last = 0.0
        for number in range(1, chain.head.number + 1):
            block = chain.store.block(number)
            assert block is not None
            last = timed(lambda block=block: import_block(follower, block))
        report = {
            "compile_s": round(compile_seconds, 2),
            "empty_block_ms": round(empty * 1000, 1),
            "validate_ms": round(validate * 1000, 2),
            "transfers_per_s": round(TRANSFERS / full),
            "follower_transfers_per_s": round(TRANSFERS / last),
            "agree": follower.head_hash == chain.head_hash,
        }
        chain.store.close()
        store.close()
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
