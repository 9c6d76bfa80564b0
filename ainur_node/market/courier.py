"""Hints to peers: sent once, in the background, never waited for; whatever gets lost is found on chain anyway."""

import structlog
import trio

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.ports import Mesh, Observer, Readiness, RemoteRefusal

log = structlog.get_logger(__name__)

# Hints beyond this many are dropped: each is only a shortcut past a poll of the chain.
MAX_HINTS = 1024
AT_ONCE = 32
TIMEOUT = 5.0


class Courier:
    """A bounded queue of hints and a few hands that carry them."""

    def __init__(self, mesh: Mesh, observer: Observer) -> None:
        self._mesh = mesh
        self._observer = observer
        self._send, self._receive = trio.open_memory_channel[tuple[PeerId, str, bytes]](MAX_HINTS)

    def hint(self, peer: PeerId, method: str, body: bytes) -> None:
        """Queue a hint; a full queue drops it and counts it."""
        try:
            self._send.send_nowait((peer, method, body))
        except trio.WouldBlock:
            self._observer.count("hints_dropped")

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Carry hints until cancelled."""
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._carry)
            task_status.started()

    async def _carry(self) -> None:
        async for peer, method, body in self._receive.clone():
            try:
                await self._mesh.request(peer, method, body, timeout=TIMEOUT)
            except (Transient, Misbehaviour, RemoteRefusal) as exc:
                self._observer.count("hints_failed")
                log.debug("hint_failed", peer=peer, method=method, why=str(exc))
