"""Packages of newly offered agents are fetched ahead of the first task, when the chain knows the agent."""

import structlog
import trio

from ainur_node.domain.ids import PackageId
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.library import Library
from ainur_node.market.messages import OfferNotice
from ainur_node.market.offers import TOPIC
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import Gossip, Ledger, Mesh, Observer, Readiness

log = structlog.get_logger(__name__)

# More packages than this are fetched when a task needs them, not before.
MAX_PACKAGES = 256
STALE = 2.5


class Prefetch:
    """Listens to ``agents``; one package after the other, so that a flood of notices costs one fetch at a time."""

    def __init__(self, mesh: Mesh, ledger: Ledger, library: Library, observer: Observer) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._library = library
        self._observer = observer

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled."""
        channel = self._mesh.subscribe(TOPIC)
        task_status.started()
        while True:
            gossip = await channel.receive()
            try:
                await self._heard(gossip)
            except (Transient, Misbehaviour) as exc:
                self._observer.count("prefetch_failed")
                log.info("prefetch_failed", peer=gossip.author, why=str(exc))

    async def _heard(self, gossip: Gossip) -> None:
        notice = messages.decode(OfferNotice, gossip.body)
        package = PackageId(notice.package)
        known = self._library.package(package) is not None or len(self._library.packages()) >= MAX_PACKAGES
        if not notice.active or known or gossip.author == self._mesh.peer_id:
            return
        registered = await self._registered(gossip, package)
        if not registered:
            # Our list of agents may be older than the notice: look once more when it is fresh again.
            await trio.sleep(STALE)
            registered = await self._registered(gossip, package)
        if registered:
            fetched = await self._library.fetch(package, [gossip.author])
            if isinstance(fetched, Rejection):
                log.info("package_refused", package=package.hex()[:16], why=fetched.hint)

    async def _registered(self, gossip: Gossip, package: PackageId) -> bool:
        provider = await self._ledger.provider_of(node_key_of(gossip.author))
        return provider is not None and any(
            a.active and a.package == package and a.provider == provider.account for a in await self._ledger.agents()
        )
