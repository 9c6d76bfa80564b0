"""Signed escrow calls per second on one chain: sign, pool, blocks, follower, batches, each a number of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainur_node.devnet.bench_chains import BenchChain
from pallets_client.bench.deals import Deal, SetupFailed, dealers
from pallets_client.bench.load import Taken, presign, run
from pallets_client.client import ChainClient
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.pallets import escrow
from pallets_client.pallets.utility import force_batch
from pallets_client.records import Call

DELIVERY = sha256(b"a delivery of the bench")
MEASURE_SECONDS = 900.0
GOALS = {"rpc_per_second": 600, "built_per_second": 900, "followed_per_second": 1_300}
Tell = Callable[[str], None]
Signed = tuple[Sr25519, Call]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done: escrow calls one by one, escrow calls in batches of ``items``, accounts, seconds at most."""

    calls: int
    batched: int
    items: int
    pairs: int
    seconds: float


def measure(chain: BenchChain, plan: Plan, directory: Path, tell: Tell) -> dict[str, Any]:
    """All numbers of one chain. Raises SetupFailed when it does not take what leads up to them."""
    singles, batched = plan.calls // 2, plan.batched // 2
    with dealers(chain.url, chain.bank, plan.pairs, chain.kind) as people:
        made = people.deals(singles + batched, tell)
        alone, together = made[:singles], made[singles:]
        delivered, signing = presign(people.client, _deliveries(alone))
        apart = _inside(chain, delivered, directory, tell)
        before = chain.cpu_seconds()
        phases = [_load(chain.url, delivered, plan, tell)]
        accepted, more = presign(people.client, _acceptances(alone))
        phases.append(_load(chain.url, accepted, plan, tell))
        signing += more
        cpu = chain.cpu_seconds() - before
        batches = _batches(chain.url, people.client, together, plan, tell) if together else {}
    done = sum(phase.included for phase in phases)
    seconds = sum(phase.included_at for phase in phases)
    blocks = [count for phase in phases for count in phase.blocks]
    found: dict[str, Any] = {
        "chain": chain.kind,
        "version": chain.version,
        "calls": done,
        "refused": sum(len(phase.refused) for phase in phases),
        "why_refused": sorted({why for phase in phases for why in phase.refused})[:3],
        "seconds": round(seconds, 3),
        "rpc_per_second": round(done / seconds, 1) if seconds else 0.0,
        "cpu_ms_per_call": round(1000 * cpu / done, 3) if done else None,
        "signed_per_second": round(done / signing, 1) if signing else None,
        "pool_per_second": _mean(phase.pool_per_second for phase in phases),
        "blocks": len(blocks),
        "per_block": round(sum(blocks) / len(blocks), 1) if blocks else 0.0,
        "largest_block": max(blocks, default=0),
        "batches": batches,
    }
    return found | ({"inside": apart} if apart else {}) | {"bound_by": bounds({**found, "inside": apart})}


def _deliveries(deals: Sequence[Deal]) -> list[Signed]:
    return [(deal.payee, escrow.deliver(deal.escrow, 0, DELIVERY)) for deal in deals]


def _acceptances(deals: Sequence[Deal]) -> list[Signed]:
    return [(deal.payer, escrow.accept(deal.escrow, 0, verified=True)) for deal in deals]


def _load(url: str, raws: Sequence[bytes], plan: Plan, tell: Tell) -> Taken:
    taken = run(url, raws, deadline=plan.seconds)
    tell(f"{taken.included} of {len(raws)} calls in {taken.included_at:.2f} s")
    return taken


def _batches(url: str, client: ChainClient, deals: Sequence[Deal], plan: Plan, tell: Tell) -> dict[str, Any]:
    """The same calls in ``force_batch``: one signature, one nonce and one fee for many."""
    done, seconds, extrinsics = 0, 0.0, 0
    for calls in (_deliveries(deals), _acceptances(deals)):
        packed, counts = _packed(calls, plan.items)
        raws, _ = presign(client, packed)
        taken = run(url, raws, deadline=plan.seconds)
        seconds += taken.included_at
        extrinsics += taken.included
        done += sum(counts) if taken.included == len(raws) else 0
        tell(f"{taken.included} of {len(raws)} batches in {taken.included_at:.2f} s")
    return {
        "calls": done,
        "items": plan.items,
        "extrinsics": extrinsics,
        "seconds": round(seconds, 3),
        "per_second": round(done / seconds, 1) if seconds else 0.0,
    }


def _packed(calls: Sequence[Signed], items: int) -> tuple[list[Signed], list[int]]:
    by_key: dict[bytes, tuple[Sr25519, list[Call]]] = {}
    for key, call in calls:
        by_key.setdefault(key.account, (key, []))[1].append(call)
    packed = [
        (key, force_batch(own[at : at + items])) for key, own in by_key.values() for at in range(0, len(own), items)
    ]
    return packed, [min(items, len(own) - at) for _, own in by_key.values() for at in range(0, len(own), items)]


def _inside(chain: BenchChain, raws: Sequence[bytes], directory: Path, tell: Tell) -> dict[str, Any]:
    """What the embedded host's pool, author and follower do apart, on a copy of the chain as it stands."""
    if chain.data is None:
        return {}
    file = directory / "extrinsics"
    file.write_text("".join(f"0x{raw.hex()}\n" for raw in raws))
    command = [sys.executable, "-m", "chain_host", "measure", "--data", str(chain.data), "--extrinsics", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MEASURE_SECONDS, check=False)
    if done.returncode:
        raise SetupFailed(f"the host could not be measured by itself: {done.stderr[-300:]}")
    found = json.loads(done.stdout)
    tell(f"by itself: pool {found['pool']['per_second']}, blocks {found['block']['per_second']} a second")
    return {
        "calls": found["block"]["extrinsics"],
        "validated_per_second": found["pool"]["per_second"],
        "built_per_second": found["block"]["per_second"],
        "followed_per_second": found["follower"]["per_second"],
        "per_cpu_second": {part: found[part]["per_cpu_second"] for part in ("pool", "block", "follower")},
        "largest_block": found["largest_block"],
        "agree": found["agree"],
    }


def bounds(found: dict[str, Any]) -> str:
    """What keeps one chain from being faster, read off its own numbers."""
    kind = found["chain"]
    if kind == "chopsticks":
        return "a new instance of the interpreted runtime for each extrinsic, and no pool that checks ahead"
    if kind == "native":
        return f"its slot: a block each 2 s, of {found['largest_block']} calls at most here"
    apart = found.get("inside") or {}
    parts = {
        "checking for the pool": apart.get("validated_per_second"),
        "executing for the block": apart.get("built_per_second"),
    }
    costs = {name: 1000 / rate for name, rate in parts.items() if rate}
    if not costs or not found["rpc_per_second"]:
        return "not measured"
    costs["RPC, blocks' roots and disk"] = max(0.0, 1000 / found["rpc_per_second"] - sum(costs.values()))
    told = ", ".join(f"{name} {cost:.2f} ms" for name, cost in costs.items())
    return f"one thread does everything for a call: {told}"


def goals(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each goal with what was reached; for the embedded host."""
    numbers = {**found, **(found.get("inside") or {})}
    return {
        name: {"goal": goal, "reached": numbers.get(name), "met": (numbers.get(name) or 0) >= goal}
        for name, goal in GOALS.items()
    }


def _mean(numbers: Iterable[float]) -> float:
    kept = [number for number in numbers if number]
    return round(sum(kept) / len(kept), 1) if kept else 0.0
