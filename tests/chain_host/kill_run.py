"""kill -9 of the chain host while transactions run, again and again: `python -m tests.chain_host.kill_run`.

Without more the moment of death is random. With `--mid-block` the process dies inside the making of a block: round
by round at each of the steps of `dying.POINTS`, with every sixth round at a random moment from outside.

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
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from chain_host.hashing import blake2_256
from chain_host.store import Store
from chain_host.trie import Trie
from chain_host.verify import verify_chain
from chain_host.world import make_world
from tests.chain_host.dying import POINTS
from tests.chain_host.processes import Client, Host, in_threads
from tests.chain_host.signing import Signing, signer, transfer

SENDERS = 3
IN_FLIGHT = 12
AIN = 10**12
DEATH_SECONDS = 60.0


@dataclass
class Round:
    """What one round showed; `missing` acknowledged extrinsics must be none."""

    number: int
    moment: str
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
        except (ConnectionClosed, InvalidHandshake, ConnectionError, TimeoutError, OSError):
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


AT_RANDOM = "at random"


def moments(mid_block: bool, number: int, chance: random.Random) -> tuple[str, int]:
    """(where the process of a round dies, at which passage)."""
    if not mid_block or number % 6 == 0:
        return AT_RANDOM, 0
    steps = POINTS[(number - 1 - number // 6) % len(POINTS)]
    return steps, chance.randint(1, 40 if steps in MANY_A_BLOCK else 6)


MANY_A_BLOCK = ("inside a runtime call", "extrinsic applied", "state partly written")


def await_death(host: Host, moment: str, senders: list[Sender], chance: random.Random) -> None:
    """Wait until the host has killed itself, or kill it at a random moment."""
    deadline = time.monotonic() + DEATH_SECONDS
    if moment != AT_RANDOM:
        host.process.wait(timeout=DEATH_SECONDS)
        return
    while not any(sender.acknowledged for sender in senders) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 0.5))  # the moment of death is the point of this run


def kill_rounds(directory: Path, rounds: int, *, cache: Path, seed: int, mid_block: bool = False) -> list[Round]:
    """Run, kill, check, `rounds` times on one chain; raises BadBlock when the end does not verify."""
    chance = random.Random(seed)  # repeatable moments of death
    data = directory / "chain"
    world = make_world(data, {signer(i).ss58: 1_000 * AIN for i in range(SENDERS)}, signer(0).ss58, cache=cache)
    done: list[Round] = []
    acknowledged: dict[bytes, bytes] = {}
    for number in range(1, rounds + 1):
        moment, passage = moments(mid_block, number, chance)
        dying = ("tests.chain_host.dying", moment, str(passage), "--")
        host = Host(data, cache=cache, module=("chain_host",) if moment == AT_RANDOM else dying)
        with Client(host.url) as client:
            version = client.call("state_getRuntimeVersion")
        signing = Signing(world.genesis_hash, version["specVersion"], version["transactionVersion"])
        senders = [Sender(i, signing) for i in range(SENDERS)]
        threads = in_threads(*(partial(sender.run, host.url) for sender in senders))
        await_death(host, moment, senders, chance)
        host.kill()
        for thread in threads:
            thread.join(timeout=30)
        host.errors.close()
        told = {key: value for sender in senders for key, value in sender.acknowledged.items()}
        acknowledged |= told
        missing, head, root_ok = check_store(data, acknowledged)
        sent = sum(sender.sent for sender in senders)
        done.append(Round(number, moment, len(told), sent, missing, head, root_ok, host.start_seconds))
    host = Host(data, cache=cache)
    try:
        verify_chain(host.url, world=data, cache=cache)
    finally:
        host.kill()
        host.errors.close()
    return done


def table(rounds: list[Round]) -> str:
    """The rounds as text."""
    lines = ["round  sent  acknowledged  missing  head  root recomputes  start s  died"]
    lines += [
        f"{r.number:5}  {r.sent:4}  {r.acknowledged:12}  {r.missing:7}  {r.head:4}  "
        f"{'yes' if r.root_ok else 'NO':>15}  {r.start_seconds:7.2f}  {r.moment}"
        for r in rounds
    ]
    return "\n".join(lines)


def counts(rounds: list[Round]) -> dict[str, int]:
    """How often the process died at each moment."""
    return dict(Counter(each.moment for each in rounds))


def main() -> int:
    """Exit 0 when nothing acknowledged was lost and every root recomputes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--mid-block", action="store_true", help="die inside the making of blocks")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ainur-kill-") as name:
        cache = Path(name) / "cache"
        rounds = kill_rounds(Path(name), args.rounds, cache=cache, seed=args.seed, mid_block=args.mid_block)
    sys.stdout.write(table(rounds) + "\n")
    good = all(each.missing == 0 and each.root_ok for each in rounds)
    report = {
        "rounds": len(rounds),
        "seed": args.seed,
        "acknowledged": sum(each.acknowledged for each in rounds),
        "missing": rounds[-1].missing if rounds else 0,
        "roots_recomputed": sum(each.root_ok for each in rounds),
        "died": counts(rounds),
        "good": good,
    }
    sys.stdout.write(json.dumps(report) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
