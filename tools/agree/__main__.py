"""`python -m tools.agree`: both hosts execute the same random blocks and agree, or it says where they do not."""

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from chain_host.errors import ChainHostError

from . import chopsticks
from .directions import Agreed, Disagreement, embedded_to_native, native_to_embedded
from .embedded import Record, Start, author_blocks, new_chain, start_of
from .native import NativeTrouble, build

ROOT = Path(__file__).parent.parent.parent
SKIPPED = 3
PARTS = ("embedded", "native", "chopsticks")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.agree", description=__doc__)
    parser.add_argument("--blocks", type=int, default=510, help="blocks of each direction (510)")
    parser.add_argument("--seed", type=int, help="of the dice (printed; another one each time)")
    parser.add_argument("--chains", type=int, default=6, help="native chains that share the other direction (6)")
    parser.add_argument("--only", choices=PARTS, action="append", help="leave the other parts out; may be repeated")
    parser.add_argument("--runtime", type=Path, help="another runtime blob than the committed one")
    parser.add_argument("--without-native", action="store_true", help="embedded author and follower only")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _author(start: Start, cache: Path, count: int, seed: int) -> tuple[Record, object]:
    chain, follower = new_chain(start, cache), new_chain(start, cache)
    record, began, said = Record(), time.monotonic(), time.monotonic()
    for record in author_blocks(chain, follower, count, seed, start.code):
        if time.monotonic() - said > 10:
            said = time.monotonic()
            _say(f"{len(record.blocks)} blocks authored and followed")
    if follower.state.values != chain.state.values:
        raise Disagreement("author and follower of the embedded host hold different storage")
    _say(
        f"{count} blocks with {record.included} of {record.offered} extrinsics authored here and executed again by a"
        f" second instance, all equal, in {time.monotonic() - began:.0f} s"
    )
    return record, chain


def _tell(record: Record) -> None:
    missed = sorted(record.known - record.made)
    _say(f"{len(record.made)} of {len(record.known)} calls of the metadata tried; not: {', '.join(missed) or 'none'}")
    _say("ends: " + ", ".join(f"{name} {count}" for name, count in record.ends.most_common(12)))
    _say("kinds: " + ", ".join(f"{name} {count}" for name, count in sorted(record.counts.items()) if count))


def _agreed(direction: str, found: list[Agreed]) -> None:
    blocks, extrinsics = sum(each.blocks for each in found), sum(each.extrinsics for each in found)
    events, seconds = sum(each.events for each in found), max(each.seconds for each in found)
    ends: Counter[str] = sum((each.ends for each in found), Counter())
    _say(f"AGREED {direction}: {blocks} blocks, {extrinsics} extrinsics, {events} bytes of events in {seconds:.0f} s")
    if ends:
        _say("ends: " + ", ".join(f"{name} {count}" for name, count in ends.most_common(12)))


def _run(args: argparse.Namespace, scratch: Path) -> int:
    parts = args.only or list(PARTS)
    seed = args.seed if args.seed is not None else secrets.randbits(32)
    _say(f"seed {seed}")
    cache = scratch / "compiled"
    cache.mkdir(mode=0o700)
    binary = None if args.without_native else build(ROOT)
    skipped = []
    start = start_of(cache, "development", runtime=args.runtime)
    if "embedded" in parts:
        record, chain = _author(start, cache, args.blocks, seed)
        _tell(record)
        if binary is not None:
            found = embedded_to_native(binary, start, record, chain, scratch, _say)  # type: ignore[arg-type]
            _agreed("embedded → native", [found])
        else:
            skipped.append("embedded → native")
    if "native" in parts:
        if binary is not None:
            share = -(-args.blocks // args.chains)
            starts = [
                start_of(
                    cache,
                    "development",
                    {"market": {"networkId": f"0x{number:064x}"}} if number else None,
                    args.runtime,
                )
                for number in range(args.chains)
            ]
            _say(f"{args.chains} native chains of {share} blocks each, a block every 2 s")
            _agreed(
                "native → embedded",
                native_to_embedded(binary, starts, share, seed, cache, scratch / "native-chains", _say),
            )
        else:
            skipped.append("native → embedded")
    if "chopsticks" in parts:
        where = chopsticks.installed(ROOT)
        if where is not None:
            _say(chopsticks.replay(where, start, cache, seed, scratch / "chopsticks", _say))
        else:
            skipped.append("chopsticks")
    if skipped:
        _say(f"skipped: {', '.join(skipped)} (run make chain-node, and make chopsticks)")
        return SKIPPED
    return 0


def main() -> int:
    """Exit 0 agreed, 1 not agreed or a part failed, 3 something was skipped for want of a program."""
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="ainur-agree-") as scratch:
        try:
            return _run(args, Path(scratch))
        except (Disagreement, NativeTrouble, ChainHostError, chopsticks.ChopsticksTrouble) as exc:
            _say(f"NOT AGREED: {type(exc).__name__}: {exc}")
            return 1


if __name__ == "__main__":
    sys.exit(main())
