"""The node process: composes a node, serves until told to stop, closes every part in reverse."""

import argparse
import gc
import json
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
import trio

from ainur_node import config as configuration
from ainur_node.composition import Node, compose
from ainur_node.config import Config
from ainur_node.errors import ConfigError, Transient
from ainur_node.rpc.whereabouts import Whereabouts, remove_whereabouts, write_whereabouts
from ainur_node.wiring import Alter

log = structlog.get_logger(__name__)

# What is under way gets this long (seconds) to end when the node is told to stop.
GRACE = 1.0
OLDEST_GENERATION = 50


async def run(config: Config, alter: Alter | None = None) -> None:
    """Serve until SIGTERM or SIGINT; ``alter`` wraps the ports of a devnet's liars and is None everywhere else."""
    stop = trio.Event()
    async with AsyncExitStack() as stack:
        node = await compose(config, alter, stop, stack)
        await node.load()
        await node.serve()
        async with trio.open_nursery() as core:
            core.start_soon(_stop_on_signal, stop)
            await node.start(core)
            _freeze()
            write_whereabouts(config.home, _whereabouts(config, node))
            stack.callback(remove_whereabouts, config.home)
            ready = {"name": config.node.name, "peer_id": node.mesh.peer_id, "addresses": node.mesh.addresses()}
            _say({"ready": True, **ready})
            await stop.wait()
            log.info("stopping")
            with trio.move_on_after(GRACE):
                await node.market.engine.wait_quiet()
            core.cancel_scope.cancel()


def _whereabouts(config: Config, node: Node) -> Whereabouts:
    return Whereabouts(
        pid=os.getpid(),
        rpc=str(node.socket),
        peer_id=node.mesh.peer_id,
        addresses=node.mesh.addresses(),
        account=node.keys.account.hex(),
        genesis=node.chain.genesis.hex(),
        chain_url=config.chain.url,
        name=config.node.name,
        started=node.clock.now_ms(),
    )


async def _stop_on_signal(stop: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.set()


def _freeze() -> None:
    """Imports and wiring never become garbage: without them a full collection takes 1 ms instead of 70."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, OLDEST_GENERATION)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main(alter: Alter | None = None) -> int:
    """``python -m ainur_node.node --home HOME``: what the supervisor starts."""
    parser = argparse.ArgumentParser(description="One Ainur node process; `ainur run` starts it with its database.")
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--config", type=Path)
    arguments = parser.parse_args()
    code = 0
    try:
        config = configuration.load(arguments.config, options={"node.home": str(arguments.home)}).config
        _log_to_stderr(config.log.level)
        trio.run(run, config, alter)
    except (ConfigError, Transient, BaseExceptionGroup) as error:
        expected = _expected(error)
        if expected is None:
            raise
        code = 4 if isinstance(expected, ConfigError) else 3
        reason = getattr(expected, "code", "")
        _say({"ready": False, "error": str(expected), "hint": expected.hint, "code": reason, "exit": code})
        return code
    return 0


def _expected(error: BaseException) -> ConfigError | Transient | None:
    """What the operator can do something about, when that is all there is; nurseries wrap it in groups."""
    if isinstance(error, BaseExceptionGroup):
        found = [_expected(each) for each in error.exceptions]
        return None if None in found else found[0]
    return error if isinstance(error, ConfigError | Transient) else None


if __name__ == "__main__":
    sys.exit(main())
