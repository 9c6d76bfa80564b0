"""Extrinsics of a node that follows find their way to the author: each is passed on to a few peers."""

import random
from collections import Counter
from collections.abc import Sequence

import structlog
import trio

from ainur_node.domain.ids import PeerId
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
AT_ONCE = 8
"""Extrinsics under way to one peer: one that does not answer holds up no more than that, and no other peer's."""
AGAIN = 15.0
"""Seconds after which everything that still waits is passed on once more: whoever had it may be gone."""


class ExtrinsicRelay:
    """Carries what comes to this node's pool to peers. Runs beside a follower only: an author needs nobody."""

    def __init__(self, mesh: Neighbours, host: HostLink, observer: Observer) -> None:
        self._mesh = mesh
        self._host = host
        self._observer = observer
        self._under_way: Counter[PeerId] = Counter()
        self._answered = trio.Event()

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Pass on until cancelled."""
        task_status.started()
        place, again, connection = 0, trio.current_time() + AGAIN, self._host.connections
        async with trio.open_nursery() as nursery:
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
                    await self._pass_on(raw, nursery)

    async def _pass_on(self, raw: bytes, nursery: trio.Nursery) -> None:
        """Begin to tell a few peers; waits only while every one of them has enough to answer."""
        if len(raw) > messages.MAX_EXTRINSIC:
            log.warning("extrinsic_too_large_to_relay", bytes=len(raw))
            return
        free = self._free()
        while not free and self._mesh.peers():
            await self._answered.wait()  # each request ends within TIMEOUT
            free = self._free()
        for peer in random.sample(free, min(FANOUT, len(free))):
            self._under_way[peer] += 1
            nursery.start_soon(self._tell, peer, raw)

    def _free(self) -> Sequence[PeerId]:
        return [each.peer_id for each in self._mesh.peers() if self._under_way[each.peer_id] < AT_ONCE]

    async def _tell(self, peer: PeerId, raw: bytes) -> None:
        try:
            await self._mesh.request(peer, messages.EXTRINSIC, raw, timeout=TIMEOUT)
            self._observer.count("follow.relayed")
        except (Transient, RemoteRefusal, Misbehaviour) as exc:
            log.debug("not_relayed", peer=peer, why=str(exc))
        finally:
            self._under_way[peer] -= 1
            if not self._under_way[peer]:
                del self._under_way[peer]
            self._answered.set()
            self._answered = trio.Event()
