"""The node process: opens every part, wires them, serves until told to stop, closes them in reverse."""

import argparse
import gc
import json
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import trio

from ainur_node import config as configuration
from ainur_node import keystore, sandbox
from ainur_node.config import Config
from ainur_node.domain.money import parse_ain
from ainur_node.domain.task import Limits
from ainur_node.errors import ConfigError, Transient
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.chain_follower import ChainFollower
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ledger.channels import ChainChannels
from ainur_node.ledger.court import ChainCourt
from ainur_node.ledger.extrinsic_relay import ExtrinsicRelay
from ainur_node.ledger.host_link import HostLink
from ainur_node.ledger.intents import Intents
from ainur_node.ledger.looking import looking
from ainur_node.ledger.quotes import Quotes
from ainur_node.ledger.registration import Registration
from ainur_node.ledger.wallet import Wallet
from ainur_node.ledger.watch import ChainWatch
from ainur_node.market.channels import Channels
from ainur_node.market.court import Court
from ainur_node.market.library import Library
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.settings import MeshSettings
from ainur_node.pulse import Pulse
from ainur_node.questions import Questions
from ainur_node.rpc.server import Server
from ainur_node.rpc.whereabouts import Whereabouts, remove_whereabouts, write_whereabouts
from ainur_node.signing import NodeSigner, SessionKeys
from ainur_node.storage.blobs_local import LocalBlobs
from ainur_node.storage.postgres import open_store
from ainur_node.storage.rundir import run_directory
from ainur_node.telemetry import Counters, SystemClock
from ainur_node.wiring import Alter, Market, Outside, Parts
from pallets_client.client import ChainClient
from pallets_client.fees import FeeBudget
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from wasm_runtime.limits import RunLimits

log = structlog.get_logger(__name__)

# What is under way gets this long (seconds) to end when the node is told to stop.
GRACE = 1.0
OLDEST_GENERATION = 50


class NoChain(Transient):
    """The chain that the configuration names does not answer."""

    code = "no-chain"


class WrongGenesis(ConfigError):  # noqa: N818 — named after what it found
    """The chain is another one than that of this home."""

    code = "wrong-genesis"


class _Blobs:
    """The mesh's source of blobs, filled in once the library exists."""

    library: Library | None = None

    async def open(self, sha256: bytes, peer: Any) -> bytes | None:
        return await self.library.open(sha256, peer) if self.library is not None else None


async def run(config: Config, alter: Alter | None = None) -> None:
    """Serve until SIGTERM or SIGINT; ``alter`` wraps the ports of a devnet's liars and is None everywhere else."""
    keys = keystore.load(config.home)
    clock, counters, pulse = SystemClock(), Counters(), Pulse()
    signer = NodeSigner(keys.node_seed)
    stop = trio.Event()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(config.database.url, pool=config.database.pool))
        await stack.enter_async_context(store.lock())
        client = ChainClient(config.chain.url)
        stack.callback(client.close)
        genesis = await _genesis(client)
        _check_world(config.home / "world.json", genesis)
        caller = Caller(store, final=True)
        key = Sr25519(keys.account_seed)
        caller.writer = writer = Writer(
            config.chain.url, key, on_signed=caller.on_signed, on_final=caller.on_final, budget=_budget(config)
        )
        intents = Intents(store, caller, clock.now_ms)
        # Closing waits for the writer's thread, which may just be storing a row through this very loop.
        stack.push_async_callback(partial(trio.to_thread.run_sync, writer.close))
        watch = ChainWatch(client, looking(client))
        ledger = ChainLedger(client, caller, watch, keys.account, signer.node_key)
        jail = await stack.enter_async_context(sandbox.open_sandbox(_sandbox_settings(config)))
        source = _Blobs()
        mesh = Libp2pMesh(_mesh_settings(config), keys.node_seed, genesis, source, counters)
        outside = Outside(store, mesh, ledger, jail, signer, clock)
        if alter is not None:
            outside = alter(outside)
        blobs = LocalBlobs(config.home / "blobs", max_bytes=config.node.max_blob_mib << 20)
        library = source.library = Library(genesis, outside.store, blobs, outside.mesh, outside.sandbox)
        host, follower = _host_link(config, stack), None
        if config.chain.mode == "follow":
            follower = ChainFollower(mesh, host, counters)
        registration = Registration(client, caller, signer, keys.account)
        market = Market(
            Parts(
                outside.store,
                outside.mesh,
                outside.ledger,
                outside.sandbox,
                library,
                registration,
                outside.signer,
                counters,
                outside.clock,
                _market_settings(config),
                _ceiling(config),
            )
        )
        wallet = Wallet(client, intents, lambda faucet: Writer(config.chain.url, faucet))
        socket = run_directory(config.home) / "rpc.sock"
        questions = Questions(config, keys.account, mesh, ledger, watch, client, market, jail, counters, pulse, stop)
        handlers, streams = questions.tables(wallet, store, clock, Quotes(client, key))
        book = ChainChannels(client, caller, watch, keys.account)
        session = SessionKeys(keys.node_seed, genesis)
        channels = Channels(outside.store, outside.mesh, book, signer, session, clock, counters)
        handlers, streams = handlers | channels.handlers(), streams | channels.streams()
        bench = ChainCourt(client, caller, intents, watch, keys.account)
        court = _court(config, outside, market, registration, bench, counters)
        handlers = handlers | court.handlers()
        rpc = Server(config.path(config.rpc.socket) or socket, handlers, streams, crash_dir=config.home / "crashes")
        await market.load()
        await channels.load()
        market.serve()
        channels.serve()
        court.serve()
        questions.serve()
        if await host.offers_blocks():
            BlockServing(outside.mesh, host, watch).serve()
        async with trio.open_nursery() as core:
            core.start_soon(_stop_on_signal, stop)
            await core.start(pulse.run)
            await core.start(watch.run)
            if follower is not None:
                # What is read from here on is of the world's present, not of the last run.
                await core.start(mesh.run)
                await core.start(follower.run)
                await core.start(ExtrinsicRelay(mesh, _host_link(config, stack), counters).run)
            await caller.resume()
            core.start_soon(caller.keep_books)
            core.start_soon(caller.settle_resumed)
            core.start_soon(intents.run)
            if follower is None:
                await core.start(mesh.run)
            await core.start(market.courier.run)
            await core.start(market.engine.run)
            await core.start(market.bonds.run)
            await core.start(market.challenging.run)
            await core.start(market.bidder.run)
            await core.start(market.prefetch.run)
            await core.start(channels.earning.run)
            await core.start(channels.paying.run)
            await core.start(court.run)
            await core.start(rpc.run)
            _freeze()
            here = Whereabouts(
                pid=os.getpid(),
                rpc=str(config.path(config.rpc.socket) or socket),
                peer_id=mesh.peer_id,
                addresses=mesh.addresses(),
                account=keys.account.hex(),
                genesis=genesis.hex(),
                chain_url=config.chain.url,
                name=config.node.name,
                started=clock.now_ms(),
            )
            write_whereabouts(config.home, here)
            stack.callback(remove_whereabouts, config.home)
            _say({"ready": True, "name": config.node.name, "peer_id": mesh.peer_id, "addresses": mesh.addresses()})
            await stop.wait()
            log.info("stopping")
            with trio.move_on_after(GRACE):
                await market.engine.wait_quiet()
            core.cancel_scope.cancel()


def _court(
    config: Config, outside: Outside, market: Market, identity: Registration, book: ChainCourt, counters: Counters
) -> Court:
    return Court(
        outside.store,
        outside.mesh,
        outside.ledger,
        market.library,
        market.engine,
        book,
        identity,
        outside.clock,
        counters,
        stake=parse_ain(config.court.stake) if config.court.arbitrate else None,
        appeals=config.court.appeals,
    )


def _host_link(config: Config, stack: AsyncExitStack) -> HostLink:
    """A connection to the chain that answers whole blocks, when it is a host of ours."""
    link = HostLink(config.chain.url)
    stack.callback(link.close)
    return link


async def _genesis(client: ChainClient) -> bytes:
    try:
        return await trio.to_thread.run_sync(lambda: client.genesis_hash)
    except Exception as exc:  # reason: whatever the socket says, the operator needs one sentence
        raise NoChain(
            f"the chain at {client.link.url} cannot be reached: {exc}", hint="start it, or correct chain.url"
        ) from exc


def _check_world(world: Path, genesis: bytes) -> None:
    """A home belongs to one world: what it signed and stored means nothing under another genesis."""
    try:
        ours = str(json.loads(world.read_text("utf-8"))["genesis"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise ConfigError(
            f"{world} cannot be read: {exc}", hint="restore it, or make another home: ainur init"
        ) from exc
    if ours != genesis.hex():
        raise WrongGenesis(
            f"wrong genesis: this home belongs to {ours[:16]}…, the chain is {genesis.hex()[:16]}…",
            hint="correct chain.url, or make a home for that world: ainur init --chain URL",
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


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _sandbox_settings(config: Config) -> sandbox.Settings:
    s = config.sandbox
    run = RunLimits(fuel=s.fuel, memory_bytes=s.memory_mib << 20, output=s.output_kib << 10, deadline_ms=s.deadline_ms)
    return sandbox.Settings(config.home / "sandbox", s.workers or _cores(), run=run)


def _ceiling(config: Config) -> Limits:
    s = config.sandbox
    return Limits(fuel=s.fuel, memory_kib=s.memory_mib << 10, output=s.output_kib << 10)


def _budget(config: Config) -> FeeBudget:
    return FeeBudget(parse_ain(config.chain.max_fee), parse_ain(config.chain.daily_fees))


def _mesh_settings(config: Config) -> MeshSettings:
    return replace(
        MeshSettings(),
        listen=config.mesh.listen,
        bootstrap=config.mesh.bootstrap,
        max_connections=config.mesh.max_peers,
    )


def _market_settings(config: Config) -> MarketSettings:
    m = config.market
    return MarketSettings(
        commit_within=m.commit_window_ms,
        reveal_within=m.reveal_window_ms,
        start_within=m.start_within_ms,
        deliver_within=m.deliver_within_ms,
        review_within=m.review_within_ms,
        challenge_within=m.challenge_window_ms,
        quality_bps=m.quality_bps,
        max_open_tasks=m.max_open_tasks,
        max_open_jobs=m.capacity,
    )


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
