"""Measures every call that has a benchmark and writes its pallet's `weights.rs`: ``make weights``.

Time is that of the CPU in the runtime and in hashes and signatures, on the embedded host and its WebAssembly engine.
Reading and writing keys is counted, and priced as ParityDB does; the time this host's own storage takes is left out.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

from weights_fit import fit, points
from weights_host import BenchExecutor, Benchmark, Database, benchmarks, measure
from weights_rust import Measured, functions, is_model, rewritten

from chain_host.errors import RuntimeTrap
from chain_host.genesis import genesis_state, preset_config
from chain_host.runtimes import Runtimes
from chain_host.wasm.engine import Modules

ROOT = Path(__file__).parents[1]
PALLETS = ROOT / "chain" / "pallets"


def processor() -> str:
    """Model of this machine's processor, as it calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def facts(steps: int, repeats: int) -> list[str]:
    """What the figures were measured on and how; no path, no name of a machine."""
    return [
        f"Processor: {processor()}. Engine: wasmtime {version('wasmtime')}, embedded host.",
        f"{steps} steps, at most {repeats} repeats.",
        "CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.",
    ]


def file_of(pallet: str) -> Path:
    """weights.rs of a pallet by its crate's name."""
    return PALLETS / pallet.removeprefix("pallet_").replace("_", "-") / "src" / "weights.rs"


def measured(
    executor: BenchExecutor, database: Database, one: Benchmark, steps: int, repeats: int, seconds: float
) -> Measured:
    """All points of a benchmark, and what they come to. `seconds` is about how long at most."""
    spots = points(one.components, steps)
    each = seconds / len(spots)
    samples = {point: measure(executor, database, one, point, repeats, each) for point in spots}
    times = {point: [sample.nanoseconds * 1_000 for sample in found] for point, found in samples.items()}
    every = [sample.nanoseconds for found in samples.values() for sample in found]
    return Measured(
        time=fit(times),
        reads=fit({point: [max(sample.reads for sample in found)] for point, found in samples.items()}),
        writes=fit({point: [max(sample.writes for sample in found)] for point, found in samples.items()}),
        components=one.components,
        least_ns=min(every),
        most_ns=max(every),
    )


def prepared(blob: Path) -> tuple[BenchExecutor, Database]:
    """The blob on its own development genesis."""
    code = blob.read_bytes()
    executor, database = BenchExecutor(Modules(None).load(code)), Database()
    runtimes = Runtimes(None)
    runtimes.of = lambda _code: executor  # type: ignore[method-assign]  # reason: the plain one lacks the functions
    database.genesis = genesis_state(runtimes, code, preset_config(runtimes, code, "development"))
    database.wipe()
    return executor, database


def build(directory: str) -> Path:
    """The blob with benchmarks, built from the sources as they are."""
    blob = Path(directory) / "benchmarks.wasm"
    subprocess.run([str(ROOT / "chain" / "build-wasm.sh"), "--benchmarks", str(blob)], check=True)
    return blob


def arguments() -> argparse.Namespace:
    """What the caller asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blob", type=Path, help="a blob with benchmarks; without it one is built")
    parser.add_argument("--steps", type=int, default=6, help="points of a component")
    parser.add_argument("--repeats", type=int, default=20, help="of a point, at most")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="of a call, about; 5 repeats of a point are the least"
    )
    parser.add_argument("--pallet", action="append", default=[], help="only this one, like vcg-auction; repeatable")
    parser.add_argument("--only", default="", help="pallet or pallet.call, like pallet_did.create")
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    return parser.parse_args()


def chosen(every: list[Benchmark], pallets: list[str], only: str) -> list[Benchmark]:
    """Those that were asked for; an unknown pallet is refused."""
    wanted = {"pallet_" + name.removeprefix("pallet_").replace("-", "_") for name in pallets}
    unknown = wanted - {one.pallet for one in every}
    if unknown:
        raise SystemExit(f"no benchmarks of {', '.join(sorted(unknown))}; see chain/runtime/src/benchmarks.rs")
    return [
        one for one in every if (not wanted or one.pallet in wanted) and f"{one.pallet}.{one.name}".startswith(only)
    ]


def write(results: dict[str, dict[str, Measured]], about: list[str], dry_run: bool) -> bool:
    """Each pallet's weights.rs; whether every benchmark has its line there."""
    complete = True
    for pallet, calls in results.items():
        path = file_of(pallet)
        text = path.read_text()
        new = rewritten(text, calls, about)
        found = functions(new)
        for function in found:
            if is_model(function):
                print(f"{pallet}.{function.name} has no benchmark: it keeps its model figure")
        missing = sorted(calls.keys() - {function.name for function in found})
        for name in missing:
            print(f"{pallet}.{name} has a benchmark but no line in {path.name}: add it to the trait")
        if missing:
            complete = False
        elif not dry_run:
            path.write_text(new)
    return complete


def main() -> int:
    """0: written; 1: a benchmark failed, and its pallet's file is as it was."""
    args = arguments()
    with tempfile.TemporaryDirectory() as directory:
        executor, database = prepared(args.blob or build(directory))
    results: dict[str, dict[str, Measured]] = defaultdict(dict)
    todo = chosen(benchmarks(executor, database), args.pallet, args.only)
    failed: set[str] = set()
    began = time.monotonic()
    for number, one in enumerate(todo, 1):
        label = f"[{number:>{len(str(len(todo)))}}/{len(todo)}] {one.pallet}.{one.name}"
        start = time.monotonic()
        try:
            result = measured(executor, database, one, args.steps, args.repeats, args.seconds)
        except (RuntimeError, RuntimeTrap) as error:
            print(f"{label} FAILED: {error}", flush=True)
            failed.add(one.pallet)
            continue
        results[one.pallet][one.name] = result
        top = tuple(most for _, _, most in one.components)
        keys = f"{result.reads.at(top):>4} reads {result.writes.at(top):>4} writes"
        took = time.monotonic() - start
        print(f"{label:<52}{result.time.at(top) / 1e6:>10.1f} µs  {keys}  ({took:.1f} s)", flush=True)
    print(f"measured {len(todo)} calls in {time.monotonic() - began:.0f} s", flush=True)
    for pallet in failed:
        results.pop(pallet, None)
    complete = write(results, facts(args.steps, args.repeats), args.dry_run)
    return 0 if complete and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
