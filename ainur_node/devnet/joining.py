"""What a newcomer learns from one peer of a world: the genesis by its hello, then where that world's chain answers."""

import json
import logging
import secrets

import structlog
import trio

from ainur_node.devnet.layout import DevnetError
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ports import RemoteRefusal

METHOD = "node.world"
MAX_ANSWER = 2048
MAX_URL = 512
PATIENCE = 20.0


def learn_chain(address: str) -> str:
    """The chain's address that a peer names; DevnetError when the peer cannot be reached or names none."""
    before = structlog.get_config()
    # What the mesh logs is for a daemon's log, not for whoever types a command.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        return trio.run(_learn, address)
    except (Transient, Misbehaviour, RemoteRefusal, trio.TooSlowError) as error:
        raise DevnetError(
            "peer-unreachable",
            f"{address} does not tell where its chain is: {error or 'no answer in time'}",
            hint="check the address (its operator sees it in: ainur status --json), or give --chain ws://HOST:PORT",
        ) from error
    finally:
        structlog.configure(**before)


async def _learn(address: str) -> str:
    from ainur_node.mesh.records import WrongWorld

    with trio.fail_after(PATIENCE):
        try:
            # Nobody's genesis is all zeros: the peer refuses, and its own hello tells of which world it is.
            return await _ask(address, bytes(32))
        except WrongWorld as found:
            return await _ask(address, found.theirs)


async def _ask(address: str, genesis: bytes) -> str:
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
            raw = await mesh.request(await mesh.connect(address), METHOD, b"", timeout=PATIENCE)
        except (Transient, WrongWorld, RemoteRefusal) as error:
            # Out of the nursery it goes as itself, not as a group.
            failed = error
        nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return _chain_of(raw)


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
