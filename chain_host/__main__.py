"""`python -m chain_host`: run a chain, make a world, verify a running chain."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from .errors import BadBlock, ChainHostError, WorldError

EXIT_FAILED, EXIT_USAGE, EXIT_BAD_BLOCK = 1, 2, 5


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chain_host", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve the chain of a data directory")
    run.add_argument("--data", type=Path, required=True, help="directory of database, world and compiled runtime")
    run.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    run.add_argument("--world", type=Path, help="world file; default: the one in the data directory, made if missing")
    run.add_argument("--genesis", type=Path, help="JSON patch of the genesis when a world must be made")
    run.add_argument("--keep-blocks", type=int, help="old states that stay readable")
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
    from .service import serve_world
    from .store import KEEP_BLOCKS
    from .world import WORLD_FILE, make_world, read_world

    where = args.world or args.data
    if args.world is None and not (args.data / WORLD_FILE).exists():
        world = make_world(args.data, patch=_json_object(args.genesis), runtime=args.runtime, cache=args.cache)
    elif args.genesis is not None:
        raise WorldError("--genesis makes a new world, but there is one already")
    else:
        world = read_world(where)
    keep = KEEP_BLOCKS if args.keep_blocks is None else max(1, args.keep_blocks)
    asyncio.run(
        serve_world(
            args.data, world, port=args.port, keep_blocks=keep, ready=_say, runtime=args.runtime, cache=args.cache
        )
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


def main() -> int:
    """Exit 0 when done, 1 with a reason on stderr when refused, 5 when a verified chain has a bad block."""
    args = _arguments().parse_args()
    try:
        return {"run": _run, "genesis": _genesis, "verify": _verify}[args.command](args)
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
