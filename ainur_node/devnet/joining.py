"""What a newcomer learns from one peer of a world: the genesis by its hello, then where that world's chain answers."""

import json
import logging
import secrets
import zlib
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import structlog
import trio

from ainur_node.devnet.layout import DevnetError
from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger.block_messages import GENESIS, MAX_GENESIS
from ainur_node.ledger.chain_follower import fetch_parts
from ainur_node.ports import RemoteRefusal

METHOD = "node.world"
MAX_ANSWER = 2048
MAX_URL = 512
PATIENCE = 20.0
WHERE = "check the address (its operator sees it in: ainur status --json), or give --chain ws://HOST:PORT"


T = TypeVar("T")


class Asked(Protocol):
    """A mesh that one peer is asked over."""

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer."""
        ...


Question = Callable[[Asked, PeerId], Awaitable[bytes]]


def learn_chain(address: str) -> str:
    """The chain's address that a peer names; DevnetError when the peer cannot be reached or names none."""
    return _quietly(address, _learn)


def learn_genesis(address: str) -> bytes:
    """The genesis of a peer's world as a raw chain specification in JSON, not yet checked; DevnetError."""
    packed = _quietly(address, _learn_genesis)
    try:
        unpacker = zlib.decompressobj()
        spec = unpacker.decompress(packed, MAX_GENESIS)
    except zlib.error as error:
        raise DevnetError("bad-genesis", f"{address} gave no genesis: {error}", hint="join by another peer") from error
    if not unpacker.eof:
        raise DevnetError("bad-genesis", f"{address} gave a genesis above {MAX_GENESIS} bytes", hint="join by another")
    return spec


def _quietly(address: str, learn: Callable[[str], Awaitable[T]]) -> T:
    before = structlog.get_config()
    # What the mesh logs is for a daemon's log, not for whoever types a command.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        return trio.run(learn, address)
    except (Transient, Misbehaviour, RemoteRefusal, trio.TooSlowError) as error:
        raise DevnetError(
            "peer-unreachable",
            f"{address} does not tell of its chain: {error or 'no answer in time'}",
            hint=WHERE,
        ) from error
    finally:
        structlog.configure(**before)


async def _ask_where(mesh: Asked, peer: PeerId) -> bytes:
    return await mesh.request(peer, METHOD, b"", timeout=PATIENCE)


async def _ask_genesis(mesh: Asked, peer: PeerId) -> bytes:
    return await fetch_parts(mesh, peer, GENESIS, 0, MAX_GENESIS)


async def _learn(address: str) -> str:
    return _chain_of(await _visit(address, _ask_where))


async def _learn_genesis(address: str) -> bytes:
    return await _visit(address, _ask_genesis)


async def _visit(address: str, question: Question) -> bytes:
    from ainur_node.mesh.records import WrongWorld

    with trio.fail_after(PATIENCE):
        try:
            # Nobody's genesis is all zeros: the peer refuses, and its own hello tells of which world it is.
            return await _ask(address, bytes(32), question)
        except WrongWorld as found:
            return await _ask(address, found.theirs, question)


async def _ask(address: str, genesis: bytes, question: Question) -> bytes:
    """Ask as a passer-by with a fresh key: who was refused once is left alone for a while."""
    from ainur_node.mesh.libp2p_mesh import Libp2pMesh
    from ainur_node.mesh.records import WrongWorld
    from ainur_node.mesh.settings import MeshSettings

    mesh = Libp2pMesh(MeshSettings(), secrets.token_bytes(32), genesis, _NoBlobs())
    failed: Exception | None = None
    raw = b""
    async with trio.open_nursery() as nursery:
        await nursery.start(mesh.run)
        try:
            raw = await question(mesh, await mesh.connect(address))
        except (Transient, WrongWorld, RemoteRefusal, Misbehaviour) as error:
            # Out of the nursery it goes as itself, not as a group.
            failed = error
        nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return raw


def _chain_of(raw: bytes) -> str:
    try:
        url = json.loads(raw[:MAX_ANSWER])["chain"]
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise Misbehaviour("its answer makes no sense") from exc
    if not isinstance(url, str) or not url.startswith(("ws://", "wss://")) or len(url) > MAX_URL or not url.isascii():
        raise Misbehaviour("it names no chain")
    return url


class _NoBlobs:
    async def open(self, sha256: bytes, peer: str) -> bytes | None:
        """A passer-by has nothing to give."""
        del sha256, peer
        return None
