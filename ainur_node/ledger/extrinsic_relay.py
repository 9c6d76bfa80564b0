"""Extrinsics of a node that follows find their way to the author: each is passed on to a few peers."""

import random

import structlog
import trio

from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ledger import block_messages as messages
from ainur_node.ledger.chain_follower import Neighbours
from ainur_node.ledger.host_link import HostLink
from ainur_node.ports import Observer, Readiness, RemoteRefusal

log = structlog.get_logger(__name__)

WAIT_MS = 5000
FANOUT = 3
TIMEOUT = 10.0
PAUSE = 0.5
AGAIN = 15.0
"""Seconds after which everything that still waits is passed on once more: whoever had it may be gone."""


class ExtrinsicRelay:
    """Carries what comes to this node's pool to peers. Runs beside a follower only: an author needs nobody."""

    def __init__(self, mesh: Neighbours, host: HostLink, observer: Observer) -> None:
        self._mesh = mesh
        self._host = host
        self._observer = observer

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Pass on until cancelled."""
        task_status.started()
        place, again, connection = 0, trio.current_time() + AGAIN, self._host.connections
        while True:
            if trio.current_time() >= again or self._host.connections != connection:
                place, again, connection = 0, trio.current_time() + AGAIN, self._host.connections
            try:
                place, extrinsics = await self._host.extrinsics(place, WAIT_MS)
            except Transient as exc:
                log.info("pool_not_read", why=str(exc))
                await trio.sleep(PAUSE)
                continue
            for raw in extrinsics:
                await self._pass_on(raw)

    async def _pass_on(self, raw: bytes) -> None:
        if len(raw) > messages.MAX_EXTRINSIC:
            log.warning("extrinsic_too_large_to_relay", bytes=len(raw))
            return
        peers = self._mesh.peers()
        async with trio.open_nursery() as nursery:
            for peer in random.sample(peers, min(FANOUT, len(peers))):
                nursery.start_soon(self._tell, peer.peer_id, raw)

    async def _tell(self, peer: str, raw: bytes) -> None:
        try:
            await self._mesh.request(peer, messages.EXTRINSIC, raw, timeout=TIMEOUT)  # type: ignore[arg-type]
            self._observer.count("follow.relayed")
        except (Transient, RemoteRefusal, Misbehaviour) as exc:
            log.debug("not_relayed", peer=peer, why=str(exc))
