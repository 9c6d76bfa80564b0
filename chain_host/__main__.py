"""`python -m chain_host`: run or follow a chain, make a world, verify a running chain, export a state."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from .errors import BadBlock, ChainHostError, WorldError
from .store import KEEP_BLOCKS, Keeping

EXIT_FAILED, EXIT_USAGE, EXIT_BAD_BLOCK = 1, 2, 5


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chain_host", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve the chain of a data directory")
    run.add_argument("--data", type=Path, required=True, help="directory of database, world and compiled runtime")
    run.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    run.add_argument("--world", type=Path, help="world file; default: the one in the data directory, made if missing")
    run.add_argument("--genesis", type=Path, help="JSON patch of the genesis when a world must be made")
    run.add_argument("--keep-blocks", type=int, default=KEEP_BLOCKS, help="old states that stay readable")
    run.add_argument("--keep-bodies", type=int, help="block bodies that stay readable (default: all)")
    run.add_argument("--follow", action="store_true", help="make no blocks: they come by ainur_importBlock")
    run.add_argument("--spec", type=Path, help="with --follow: raw chain specification of a new chain (data/spec.json)")
    genesis = commands.add_parser("genesis", help="make a world: genesis, network id and sealing key")
    genesis.add_argument("--dir", type=Path, required=True)
    genesis.add_argument("--balances", type=Path, help="JSON object: account (SS58 or hex) to planck")
    genesis.add_argument("--sudo", help="account that may change parameters")
    genesis.add_argument("--params", type=Path, help="JSON patch of the market's parameters")
    genesis.add_argument("--patch", type=Path, help="JSON patch of the whole genesis")
    genesis.add_argument("--preset", default="development")
    genesis.add_argument("--name", default="Ainur Development")
    verify = commands.add_parser("verify", help="re-execute every block of a running chain")
    verify.add_argument("--url", required=True)
    verify.add_argument("--world", type=Path, help="world file the genesis must match")
    verify.add_argument("--follow", action="store_true", help="keep following new blocks until interrupted")
    export = commands.add_parser("export", help="raw chain specification of the state after a block")
    export.add_argument("--data", type=Path, required=True, help="data directory; its chain may be running")
    export.add_argument("--at", type=int, metavar="NUMBER", help="block number; default: the head")
    export.add_argument("--out", type=Path, help="file to write; default: standard output")
    measure = commands.add_parser("measure", help="rates of pool, block and follower for given extrinsics")
    measure.add_argument(
        "--data", type=Path, required=True, help="data directory with a world and its chain; only read"
    )
    measure.add_argument("--extrinsics", type=Path, required=True, help="signed extrinsics, one 0x… a line")
    measure.add_argument("--cache", type=Path, help="directory of compiled runtimes, writable by this user only")
    spec = commands.add_parser("spec", help="what a raw chain specification describes")
    spec.add_argument("--file", type=Path, required=True)
    for each in (run, genesis, verify):
        each.add_argument("--runtime", type=Path, help="runtime blob instead of the packaged one")
        each.add_argument("--cache", type=Path, help="directory of compiled runtimes, writable by this user only")
    return parser


def _json_object(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise WorldError(f"{path}: {exc}") from exc
    if not isinstance(value, dict):
        raise WorldError(f"{path} must hold a JSON object")
    return value


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _run(args: argparse.Namespace) -> int:
    from .authoring import Author
    from .service import serve
    from .world import WORLD_FILE, make_world, open_chain, open_follower, read_world, sealing_key

    bodies = None if args.keep_bodies is None else max(1, args.keep_bodies)
    keeping = Keeping(max(1, args.keep_blocks), bodies)
    if args.follow:
        chain, name = open_follower(args.data, spec=args.spec, cache=args.cache, keeping=keeping)
        asyncio.run(serve(chain, None, name=name, port=args.port, ready=_say))
        return 0
    where = args.world or args.data
    if args.world is None and not (args.data / WORLD_FILE).exists():
        world = make_world(args.data, patch=_json_object(args.genesis), runtime=args.runtime, cache=args.cache)
    elif args.genesis is not None:
        raise WorldError("--genesis makes a new world, but there is one already")
    else:
        world = read_world(where)
    chain = open_chain(args.data, world, runtime=args.runtime, cache=args.cache, keeping=keeping)
    try:
        author = Author(chain, sealing_key(world.directory))
    except BaseException:
        chain.store.close()
        raise
    asyncio.run(serve(chain, author, name=world.name, port=args.port, ready=_say))
    return 0


def _export(args: argparse.Namespace) -> int:
    from .spec import exported_spec, spec_bytes

    spec = exported_spec(args.data, args.at)
    if args.out is None:
        sys.stdout.buffer.write(spec_bytes(spec) + b"\n")
        return 0
    part = args.out.with_name(args.out.name + ".part")
    part.write_bytes(spec_bytes(spec) + b"\n")
    part.replace(args.out)
    _say({"file": str(args.out), **spec["properties"]["exportedFrom"]})
    return 0


def _measure(args: argparse.Namespace) -> int:
    from .measure import measure, read_extrinsics

    _say(measure(args.data, read_extrinsics(args.extrinsics), cache=args.cache))
    return 0


def _spec(args: argparse.Namespace) -> int:
    from .hashing import storage_prefix
    from .spec import read_spec

    name, genesis = read_spec(args.file)
    network = genesis.state.get(storage_prefix("Market", "NetworkId"))
    _say(
        {
            "name": name,
            "genesis": "0x" + genesis.header.hash.hex(),
            "network_id": None if network is None else "0x" + network.hex(),
            "keys": len(genesis.state),
        }
    )
    return 0


def _genesis(args: argparse.Namespace) -> int:
    from .world import make_world

    world = make_world(
        args.dir,
        _json_object(args.balances),
        args.sudo,
        preset=args.preset,
        params=_json_object(args.params),
        patch=_json_object(args.patch),
        name=args.name,
        runtime=args.runtime,
        cache=args.cache,
    )
    _say(world.summary())
    return 0


def _verify(args: argparse.Namespace) -> int:
    from .verify import verify_chain

    report = verify_chain(args.url, world=args.world, runtime=args.runtime, cache=args.cache, follow=args.follow)
    _say(report)
    return 0


_COMMANDS = {
    "run": _run,
    "genesis": _genesis,
    "verify": _verify,
    "export": _export,
    "spec": _spec,
    "measure": _measure,
}


def main() -> int:
    """Exit 0 when done, 1 with a reason on stderr when refused, 5 when a verified chain has a bad block."""
    args = _arguments().parse_args()
    try:
        return _COMMANDS[args.command](args)
    except BadBlock as exc:
        _say({"verified": False, "reason": str(exc)})
        return EXIT_BAD_BLOCK
    except ChainHostError as exc:
        sys.stderr.write(f"chain_host: {exc}\n")
        return EXIT_FAILED
    except OSError as exc:
        sys.stderr.write(f"chain_host: {exc}\n")
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
