"""A devnet on a chain that somebody else runs: its nodes get their money from an account there, by transfers."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from ainur_node.devnet.layout import DevnetError
from ainur_node.domain.money import PLANCK_PER_AIN, format_ain
from ainur_node.errors import Transient
from pallets_client.client import ChainClient
from pallets_client.errors import ChainError
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import Included, Outcome

FUNDING_SECONDS = 120.0
FEES = PLANCK_PER_AIN
"""What the paying account must have beside the money for the nodes."""

SLOW_BLOCKS: Mapping[str, Mapping[str, Any]] = {"market": {"commit_window_ms": 4_000, "reveal_window_ms": 20_000}}
"""Configuration of every node: where a block takes seconds, and sometimes one is missing, bids need wider windows."""


@dataclass(frozen=True, slots=True)
class ExternalChain:
    """A chain at a WebSocket address, and the seed of an account there that funds the nodes."""

    url: str
    seed: bytes = field(repr=False)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SLOW_BLOCKS)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a world file says of its chain, in hex without 0x."""

    genesis: str
    network_id: str


def identity(url: str) -> Identity:
    """Ask the chain who it is; raises DevnetError when nothing usable answers."""
    client = ChainClient(url)
    try:
        return Identity(client.genesis_hash.hex(), client.network_id().hex())
    except ChainError as error:
        raise DevnetError(
            "no-chain", f"no chain of ours at {url}: {error}", hint="start it, or correct --chain"
        ) from error
    finally:
        client.close()


def fund(url: str, seed: bytes, amounts: Mapping[bytes, int]) -> None:
    """Bring every account up to its planck; raises DevnetError when the paying account cannot, Transient in doubt."""
    payer, client = Sr25519(seed), ChainClient(url)
    try:
        missing = {account: amount - client.account(account).free for account, amount in amounts.items()}
        free = client.account(payer.account).free
    except ChainError as error:
        raise Transient(f"the chain at {url} does not answer: {error}", hint="does it still run?") from error
    finally:
        client.close()
    wanted = {account: amount for account, amount in missing.items() if amount > 0}
    total = sum(wanted.values())
    if wanted and free < total + FEES:
        raise DevnetError(
            "faucet-empty",
            f"{payer.ss58} has {format_ain(free)} AIN, the nodes of this world need {format_ain(total)} AIN",
            hint="send money to that account, or name the key of another with --faucet",
        )
    writer = Writer(url, payer)
    try:
        sent = [writer.submit(balances.transfer(account, amount), b"") for account, amount in wanted.items()]
        for future in sent:
            _landed(future)
    finally:
        writer.close()


def _landed(future: Future[Outcome]) -> None:
    try:
        outcome = future.result(FUNDING_SECONDS)
    except (ChainError, TimeoutError) as error:
        raise Transient(
            f"a transfer to a node did not reach a block: {error}", hint="does the chain make blocks?"
        ) from error
    if not isinstance(outcome, Included):
        raise Transient(f"a transfer to a node was not taken: {outcome}", hint="look at the chain's log")
