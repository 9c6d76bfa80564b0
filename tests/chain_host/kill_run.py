"""kill -9 of the chain host while transactions run, again and again: `python -m tests.chain_host.kill_run`.

Acknowledged is what a client was told is in a block. After each kill every acknowledged extrinsic must be in
the block that was named, the stored state must have the head's root, and at the end a second instance must
accept every block.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from chain_host.hashing import blake2_256
from chain_host.store import Store
from chain_host.trie import Trie
from chain_host.verify import verify_chain
from chain_host.world import make_world
from tests.chain_host.processes import Client, Host, in_threads
from tests.chain_host.signing import Signing, signer, transfer

SENDERS = 3
IN_FLIGHT = 12
AIN = 10**12


@dataclass
class Round:
    """What one round showed; `missing` acknowledged extrinsics must be none."""

    number: int
    acknowledged: int
    sent: int
    missing: int
    head: int
    root_ok: bool
    start_seconds: float


@dataclass
class Sender:
    """One account that sends transfers and remembers what it was told is in a block."""

    account: int
    signing: Signing
    acknowledged: dict[bytes, bytes] = field(default_factory=dict)  # extrinsic hash → block hash
    sent: int = 0

    def run(self, url: str) -> None:
        try:
            with Client(url) as client:
                self._send(client)
        except (ConnectionClosed, ConnectionError, TimeoutError, OSError):
            return

    def _send(self, client: Client) -> None:
        who = signer(self.account)
        nonce = client.call("system_accountNextIndex", who.ss58)
        watched: dict[str, bytes] = {}
        while True:
            while len(watched) < IN_FLIGHT:
                raw = self.signing.sign(who, nonce, transfer(signer(200 + self.account).public, AIN // 1000))
                watched[client.call("author_submitAndWatchExtrinsic", "0x" + raw.hex())] = blake2_256(raw)
                nonce, self.sent = nonce + 1, self.sent + 1
            note = client.note()["params"]
            result = note["result"]
            if isinstance(result, dict) and "inBlock" in result and note["subscription"] in watched:
                self.acknowledged[watched.pop(note["subscription"])] = bytes.fromhex(result["inBlock"][2:])


def check_store(data: Path, acknowledged: dict[bytes, bytes]) -> tuple[int, int, bool]:
    """(missing extrinsics, head number, root recomputes) of a store that nobody has opened since the kill."""
    store = Store(data)
    try:
        found: dict[bytes, set[bytes]] = {}
        head = store.head_number()
        parent = store.hash_of(0)
        for number in range(1, head + 1):
            block = store.block(number)
            if block is None or block.header.parent != parent:
                raise RuntimeError(f"the chain is broken at {number}")
            parent = block.header.hash
            found[parent] = {blake2_256(each) for each in block.extrinsics}
        missing = sum(extrinsic not in found.get(block, ()) for extrinsic, block in acknowledged.items())
        header = store.header(head)
        root = Trie().updated(store.load_state()).root
        return missing, head, header is not None and header.state_root == root
    finally:
        store.close()


def kill_rounds(directory: Path, rounds: int, *, cache: Path, seed: int) -> list[Round]:
    """Run, kill, check, `rounds` times on one chain; raises BadBlock when the end does not verify."""
    chance = random.Random(seed)  # repeatable moments of death
    data = directory / "chain"
    world = make_world(data, {signer(i).ss58: 1_000 * AIN for i in range(SENDERS)}, signer(0).ss58, cache=cache)
    done: list[Round] = []
    acknowledged: dict[bytes, bytes] = {}
    for number in range(1, rounds + 1):
        host = Host(data, cache=cache)
        with Client(host.url) as client:
            version = client.call("state_getRuntimeVersion")
        signing = Signing(world.genesis_hash, version["specVersion"], version["transactionVersion"])
        senders = [Sender(i, signing) for i in range(SENDERS)]
        threads = in_threads(*(partial(sender.run, host.url) for sender in senders))
        wait = chance.uniform(0.25, 1.0)
        deadline = time.monotonic() + 20
        while not any(sender.acknowledged for sender in senders) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(wait)  # the moment of death is the point of this run
        host.kill()
        for thread in threads:
            thread.join(timeout=30)
        host.errors.close()
        told = {key: value for sender in senders for key, value in sender.acknowledged.items()}
        acknowledged |= told
        missing, head, root_ok = check_store(data, acknowledged)
        sent = sum(sender.sent for sender in senders)
        done.append(Round(number, len(told), sent, missing, head, root_ok, host.start_seconds))
    host = Host(data, cache=cache)
    try:
        verify_chain(host.url, world=data, cache=cache)
    finally:
        host.kill()
        host.errors.close()
    return done


def table(rounds: list[Round]) -> str:
    """The rounds as text."""
    lines = ["round  sent  acknowledged  missing  head  root recomputes  start s"]
    lines += [
        f"{r.number:5}  {r.sent:4}  {r.acknowledged:12}  {r.missing:7}  {r.head:4}  "
        f"{'yes' if r.root_ok else 'NO':>15}  {r.start_seconds:7.2f}"
        for r in rounds
    ]
    return "\n".join(lines)


def main() -> int:
    """Exit 0 when nothing acknowledged was lost and every root recomputes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ainur-kill-") as name:
        cache = Path(name) / "cache"
        rounds = kill_rounds(Path(name), args.rounds, cache=cache, seed=args.seed)
    sys.stdout.write(table(rounds) + "\n")
    good = all(each.missing == 0 and each.root_ok for each in rounds)
    acknowledged = sum(each.acknowledged for each in rounds)
    sys.stdout.write(json.dumps({"rounds": len(rounds), "seed": args.seed, "acknowledged": acknowledged, "good": good}))
    sys.stdout.write("\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
