"""What a node is made of: every part opened and wired, then loaded, served and started in the order they need."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from ainur_node import keystore, sandbox
from ainur_node.chain_side import ChainSide, host_link, open_chain
from ainur_node.config import Config
from ainur_node.keystore import Keys
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.chain_follower import ChainFollower
from ainur_node.ledger.channels import ChainChannels
from ainur_node.ledger.court import ChainCourt
from ainur_node.ledger.extrinsic_relay import ExtrinsicRelay
from ainur_node.ledger.quotes import Quotes
from ainur_node.ledger.registration import Registration
from ainur_node.ledger.wallet import Wallet
from ainur_node.market.channels import Channels
from ainur_node.market.court import Court
from ainur_node.market.library import Library
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.node_settings import (
    ceiling,
    court_stake,
    fee_budget,
    market_settings,
    mesh_settings,
    sandbox_settings,
)
from ainur_node.pulse import Pulse
from ainur_node.questions import Questions
from ainur_node.rpc.server import Server
from ainur_node.signing import NodeSigner, SessionKeys
from ainur_node.storage.blobs_local import LocalBlobs
from ainur_node.storage.postgres import open_store
from ainur_node.storage.rundir import run_directory
from ainur_node.telemetry import Counters, SystemClock
from ainur_node.wiring import Alter, Market, Outside, Parts
from pallets_client.nonce import Writer


class _Blobs:
    """The mesh's source of blobs, filled in once the library exists."""

    library: Library | None = None

    async def open(self, sha256: bytes, peer: Any) -> bytes | None:
        return await self.library.open(sha256, peer) if self.library is not None else None


@dataclass(frozen=True, slots=True)
class Node:
    """The parts that run or answer. Whatever has to be closed is on the stack that it was composed on."""

    keys: Keys
    clock: SystemClock
    pulse: Pulse
    chain: ChainSide
    mesh: Libp2pMesh
    outside: Outside
    following: tuple[ChainFollower, ExtrinsicRelay] | tuple[()]
    """What a node does whose chain host does not author: take blocks from peers, pass extrinsics on."""
    market: Market
    channels: Channels
    court: Court
    questions: Questions
    rpc: Server
    socket: Path

    async def load(self) -> None:
        """Remember what earlier runs stored."""
        await self.market.load()
        await self.channels.load()

    async def serve(self) -> None:
        """Register what peers may ask, before any of them is met."""
        for part in (self.market, self.channels, self.court, self.questions):
            part.serve()
        if await self.chain.host.offers_blocks():
            BlockServing(self.outside.mesh, self.chain.host, self.chain.watch).serve()

    async def start(self, core: trio.Nursery) -> None:
        """Start one part after the other, each when those that it rests on are ready."""
        # Who follows has to meet peers first: what is read from then on is of the world's present, not of the last run.
        first, later = ((self.mesh, *self.following), ()) if self.following else ((), (self.mesh,))
        for early in (self.pulse, self.chain.watch, *first):
            await core.start(early.run)
        await self.chain.caller.resume()
        for books in (self.chain.caller.keep_books, self.chain.caller.settle_resumed, self.chain.intents.run):
            core.start_soon(books)
        for part in (
            *later,
            self.market.courier,
            self.market.engine,
            self.market.bonds,
            self.market.challenging,
            self.market.bidder,
            self.market.prefetch,
            self.channels.earning,
            self.channels.paying,
            self.court,
            self.rpc,
        ):
            await core.start(part.run)


async def compose(config: Config, alter: Alter | None, stop: trio.Event, stack: AsyncExitStack) -> Node:
    """Open and wire everything; ``alter`` wraps the ports of a devnet's liars and is None everywhere else."""
    keys = keystore.load(config.home)
    clock, counters, pulse = SystemClock(), Counters(), Pulse()
    signer = NodeSigner(keys.node_seed)
    # outside: what could be any other store, mesh, chain or sandbox
    store = await stack.enter_async_context(open_store(config.database.url, pool=config.database.pool))
    await stack.enter_async_context(store.lock())
    chain = await open_chain(config, keys, signer, store, clock, fee_budget(config), stack)
    jail = await stack.enter_async_context(sandbox.open_sandbox(sandbox_settings(config)))
    source = _Blobs()
    mesh = Libp2pMesh(mesh_settings(config), keys.node_seed, chain.genesis, source, counters)
    outside = Outside(store, mesh, chain.ledger, jail, signer, clock)
    if alter is not None:
        outside = alter(outside)
    following: tuple[ChainFollower, ExtrinsicRelay] | tuple[()] = ()
    if config.chain.mode == "follow":
        relay = ExtrinsicRelay(mesh, host_link(config, stack), counters)
        following = ChainFollower(mesh, chain.host, counters), relay
    # market, channels, court
    blobs = LocalBlobs(config.home / "blobs", max_bytes=config.node.max_blob_mib << 20)
    library = source.library = Library(chain.genesis, outside.store, blobs, outside.mesh, outside.sandbox)
    identity = Registration(chain.client, chain.caller, signer, keys.account)
    market = _market(config, outside, library, identity, counters)
    account = (chain.client, chain.caller, chain.watch, keys.account)
    session = SessionKeys(keys.node_seed, chain.genesis)
    channels = Channels(outside.store, outside.mesh, ChainChannels(*account), signer, session, clock, counters)
    book = ChainCourt(chain.client, chain.caller, chain.intents, chain.watch, keys.account)
    court = _court(config, outside, market, identity, book, counters)
    # answers
    questions = Questions(
        config, keys.account, mesh, chain.ledger, chain.watch, chain.client, market, jail, counters, pulse, stop
    )
    wallet = Wallet(chain.client, chain.intents, lambda faucet: Writer(config.chain.url, faucet))
    handlers, streams = questions.tables(wallet, store, clock, Quotes(chain.client, chain.key))
    handlers |= channels.handlers() | court.handlers()
    streams |= channels.streams()
    usual = run_directory(config.home) / "rpc.sock"
    socket = config.path(config.rpc.socket) or usual
    rpc = Server(socket, handlers, streams, crash_dir=config.home / "crashes")
    return Node(keys, clock, pulse, chain, mesh, outside, following, market, channels, court, questions, rpc, socket)


def _market(config: Config, outside: Outside, library: Library, identity: Registration, counters: Counters) -> Market:
    return Market(
        Parts(
            outside.store,
            outside.mesh,
            outside.ledger,
            outside.sandbox,
            library,
            identity,
            outside.signer,
            counters,
            outside.clock,
            market_settings(config),
            ceiling(config),
        )
    )


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
        stake=court_stake(config),
        appeals=config.court.appeals,
    )
