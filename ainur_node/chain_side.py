"""The chain as one account uses it: reader, writer, follower and what was ordered, opened on the chain of this home."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from ainur_node.config import Config
from ainur_node.errors import ConfigError, Transient
from ainur_node.keystore import Keys
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.chain_ledger import ChainLedger
from ainur_node.ledger.host_link import HostLink
from ainur_node.ledger.intents import Intents
from ainur_node.ledger.looking import looking
from ainur_node.ledger.watch import ChainWatch
from ainur_node.signing import NodeSigner
from ainur_node.storage.postgres import PostgresStore
from ainur_node.telemetry import SystemClock
from pallets_client.client import ChainClient
from pallets_client.fees import FeeBudget
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer


class NoChain(Transient):
    """The chain that the configuration names does not answer."""

    code = "no-chain"


class WrongGenesis(ConfigError):  # noqa: N818 — named after what it found
    """The chain is another one than that of this home."""

    code = "wrong-genesis"


@dataclass(frozen=True, slots=True)
class ChainSide:
    """Reader, signer, exactly-once calls, orders, the loop behind the head, the ledger, and the host's own methods."""

    genesis: bytes
    client: ChainClient
    key: Sr25519
    caller: Caller
    intents: Intents
    watch: ChainWatch
    ledger: ChainLedger
    host: HostLink


async def open_chain(
    config: Config,
    keys: Keys,
    signer: NodeSigner,
    store: PostgresStore,
    clock: SystemClock,
    budget: FeeBudget,
    stack: AsyncExitStack,
) -> ChainSide:
    """Connect; raises NoChain, WrongGenesis."""
    client = ChainClient(config.chain.url)
    stack.push_async_callback(beside, client.close)
    genesis = await _genesis(client)
    _check_world(config.home / "world.json", genesis)
    key = Sr25519(keys.account_seed)
    caller = Caller(store, final=True)
    caller.writer = writer = Writer(
        config.chain.url, key, on_signed=caller.on_signed, on_final=caller.on_final, budget=budget
    )
    # Closing waits for the writer's thread, which may just be storing a row through this very loop.
    stack.push_async_callback(partial(trio.to_thread.run_sync, writer.close))
    watch = ChainWatch(client, looking(client))
    return ChainSide(
        genesis=genesis,
        client=client,
        key=key,
        caller=caller,
        intents=Intents(store, caller, clock.now_ms),
        watch=watch,
        ledger=ChainLedger(client, caller, watch, keys.account, signer.node_key),
        host=host_link(config, stack),
    )


def host_link(config: Config, stack: AsyncExitStack) -> HostLink:
    """A connection to the chain that answers whole blocks, when it is a host of ours."""
    link = HostLink(config.chain.url)
    stack.push_async_callback(beside, link.close)
    return link


async def beside(close: Callable[[], None]) -> None:
    """Close what may take seconds without holding up the loop; done also when whoever stops is cancelled."""
    with trio.CancelScope(shield=True):
        await trio.to_thread.run_sync(close)


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
