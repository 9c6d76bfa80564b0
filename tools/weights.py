"""Measures every call that has a benchmark and writes its pallet's `weights.rs`: ``make weights``.

Time is that of the CPU in the runtime and in hashes and signatures, on the embedded host and its WebAssembly engine.
Reading and writing keys is counted, and priced as ParityDB does; the time this host's own storage takes is left out.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

from weights_fit import fit, points
from weights_host import BenchExecutor, Benchmark, Database, benchmarks, measure
from weights_rust import Measured, functions, is_model, rewritten

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
        f"{steps} steps, {repeats} repeats.",
        "CPU time in the runtime, in hashes and in signatures; keys that are read and written cost `ParityDbWeight`.",
    ]


def file_of(pallet: str) -> Path:
    """weights.rs of a pallet by its crate's name."""
    return PALLETS / pallet.removeprefix("pallet_").replace("_", "-") / "src" / "weights.rs"


def measured(executor: BenchExecutor, database: Database, one: Benchmark, steps: int, repeats: int) -> Measured:
    """All points of a benchmark, and what they come to."""
    samples = {point: measure(executor, database, one, point, repeats) for point in points(one.components, steps)}
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


def main() -> int:
    """0: written; 1: a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blob", type=Path, help="a blob with benchmarks; without it one is built")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--only", default="", help="pallet or pallet.call")
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        executor, database = prepared(args.blob or build(directory))
    results: dict[str, dict[str, Measured]] = defaultdict(dict)
    for one in benchmarks(executor, database):
        name = f"{one.pallet}.{one.name}"
        if not name.startswith(args.only):
            continue
        result = results[one.pallet][one.name] = measured(executor, database, one, args.steps, args.repeats)
        top = tuple(most for _, _, most in one.components)
        keys = f"{result.reads.at(top):>3} reads {result.writes.at(top):>3} writes"
        print(f"{name:<44}{result.time.at(top) / 1e6:>9.1f} µs  {keys}", flush=True)
    for pallet, calls in results.items():
        path = file_of(pallet)
        text = path.read_text()
        new = rewritten(text, calls, facts(args.steps, args.repeats))
        for function in functions(new):
            if is_model(function):
                print(f"{pallet}.{function.name} has no benchmark: it keeps its model figure")
        for name in calls.keys() - {function.name for function in functions(new)}:
            print(f"{pallet}.{name} has a benchmark but no line in {path.name}: add it to the trait")
            return 1
        if not args.dry_run:
            path.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
