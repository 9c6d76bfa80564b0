"""A node without a chain of its own authoring: blocks come from peers and go to its own host, which executes them.

The host believes nobody: the seal, every extrinsic and the state root are checked before a block is its head. A peer
that hands over a block that does not hold is struck. What was taken stays: after a kill the next request names the
block that the host has.
"""

import random
from collections.abc import Sequence
from typing import Protocol

import structlog
import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.block_messages import MAX_WAIT_MS, VERSION, Blocks, BlocksWanted, Part, PartWanted
from ainur_node.ledger.host_link import HostLink, Tip
from ainur_node.ports import Observer, Readiness, RemoteRefusal

log = structlog.get_logger(__name__)

REQUEST_TIMEOUT = MAX_WAIT_MS / 1000 + 15.0
PAUSE = 0.5
NO_PEERS = 10.0
"""Seconds without any peer after which a node starts with the chain it has."""
NOT_THE_SENDERS_FAULT = frozenset({"unknown-parent", "wrong-number", "slot-in-the-future"})


class Source(Protocol):
    """A connected peer."""

    @property
    def peer_id(self) -> PeerId:
        """Who it is."""
        ...


class Neighbours(Protocol):
    """What following needs of the mesh."""

    def peers(self) -> Sequence[Source]:
        """Peers that are connected."""
        ...

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer."""
        ...

    def strike(self, peer: PeerId, reason: str) -> None:
        """Lower the standing of a peer."""
        ...


class ChainFollower:
    """One request at a time, to one peer after the other."""

    def __init__(self, mesh: Neighbours, host: HostLink, observer: Observer) -> None:
        self._mesh = mesh
        self._host = host
        self._observer = observer
        self.tip = Tip(0, b"")
        self.behind: int | None = None
        """Blocks that the last peer asked was ahead; None before any has answered."""

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Follow until cancelled; ready when caught up with a peer, or when there has been none for a while."""
        started, began = False, trio.current_time()
        self.tip = await self._host.tip()
        while True:
            took = await self._round()
            lonely = not self._mesh.peers() and trio.current_time() - began > NO_PEERS
            if not started and (self.behind == 0 or lonely):
                started = True
                task_status.started()
            if not took:
                await trio.sleep(PAUSE)

    async def _round(self) -> bool:
        """Ask one peer; whether it was worth it."""
        peers = self._mesh.peers()
        if not peers:
            return False
        peer = random.choice(peers).peer_id  # noqa: S311 # which peer is asked is no secret
        try:
            return await self._ask(peer)
        except Misbehaviour as exc:
            self._blame(peer, str(exc))
        except (Transient, RemoteRefusal) as exc:
            self._observer.count("follow.unanswered")
            log.info("blocks_not_given", peer=peer, why=str(exc))
            await self._look()
        return False

    async def _look(self) -> None:
        try:
            self.tip = await self._host.tip()
        except Transient as exc:
            log.warning("chain_host_away", why=str(exc))

    async def _ask(self, peer: PeerId) -> bool:
        wait, asked = MAX_WAIT_MS if self.behind == 0 else 0, trio.current_time()
        wanted = BlocksWanted(VERSION, self.tip.number, self.tip.hash, wait)
        raw = await self._mesh.request(peer, messages.BLOCKS, messages.encode(wanted), timeout=REQUEST_TIMEOUT)
        answer = messages.decode(Blocks, raw)
        blocks = answer.blocks
        if answer.large:
            whole = await fetch_parts(self._mesh, peer, messages.PART, self.tip.number + 1, messages.MAX_BLOCK)
            blocks = [whole]
        if blocks:
            await self._take(peer, blocks)
        self.behind = max(answer.head - self.tip.number, 0)
        # A peer that holds nothing back, and has nothing, would be asked again and again without a pause.
        return bool(blocks) or trio.current_time() - asked > PAUSE

    async def _take(self, peer: PeerId, blocks: list[bytes]) -> None:
        imported = await self._host.take(blocks)
        self.tip = imported.tip
        self._observer.count("follow.blocks", imported.count)
        if imported.error is not None:
            name, words = imported.error
            if name not in NOT_THE_SENDERS_FAULT:
                raise Misbehaviour(f"bad block after {self.tip.number}: {name}: {words}")
            raise Transient(f"block after {self.tip.number} not taken: {name}")

    def _blame(self, peer: PeerId, reason: str) -> None:
        self._observer.count("follow.bad_blocks")
        log.warning("bad_block", peer=peer, why=reason)
        self._mesh.strike(peer, reason)


class _Asks(Protocol):
    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes: ...


async def fetch_parts(mesh: _Asks, peer: PeerId, method: str, number: int, most: int) -> bytes:
    """All bytes of a block or of the genesis from one peer; Misbehaviour when the parts do not fit together.

    Every part but the last is full, so that there are no more of them than ``most`` needs.
    """
    whole, size = b"", None
    while size is None or len(whole) < size:
        wanted = messages.encode(PartWanted(VERSION, number, len(whole)))
        part = messages.decode(Part, await mesh.request(peer, method, wanted, timeout=REQUEST_TIMEOUT))
        size = part.size if size is None else size
        if part.size != size or size > most or len(part.data) != min(messages.MAX_ANSWER, size - len(whole)):
            raise Misbehaviour(f"{method} came in parts that do not fit together")
        whole += part.data
    return whole
