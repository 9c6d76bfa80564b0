"""What this node offers: agents with their sealed asks, kept in the store, announced without the price."""

import msgspec
import structlog

from ainur_node.domain.agent import Offer
from ainur_node.domain.ids import AgentId, ModuleId
from ainur_node.market import messages
from ainur_node.market.messages import OfferNotice
from ainur_node.ports import Mesh, TaskStore

log = structlog.get_logger(__name__)

OFFER = "offer"
TOPIC = "agents"
MAX_OFFERS = 1024


class Offers:
    """The node's own price list."""

    def __init__(self, store: TaskStore, mesh: Mesh) -> None:
        self._store = store
        self._mesh = mesh
        self._offers: dict[AgentId, Offer] = {}

    async def load(self) -> None:
        """Remember what earlier runs offered."""
        for key, doc in await self._store.docs(OFFER, MAX_OFFERS):
            self._offers[AgentId(key)] = msgspec.json.decode(doc, type=Offer)

    async def put(self, offer: Offer) -> None:
        """Offer an agent, or change its price."""
        await self._store.put_doc(OFFER, offer.agent, msgspec.json.encode(offer).decode())
        self._offers[offer.agent] = offer
        notice = OfferNotice(
            v=messages.VERSION,
            agent=offer.agent,
            package=offer.package,
            capability=offer.capability,
            active=offer.active,
        )
        await self._mesh.publish(TOPIC, messages.encode(notice))

    def all(self) -> list[Offer]:
        """Every offer of this node."""
        return list(self._offers.values())

    def get(self, agent: AgentId) -> Offer | None:
        """One offer."""
        return self._offers.get(agent)

    def best(self, capability: str, modules: tuple[ModuleId, ...]) -> Offer | None:
        """The cheapest active offer for a task, or None when nothing fits."""
        fitting = [o for o in self._offers.values() if o.active and o.capability == capability and o.module in modules]
        return min(fitting, key=lambda o: o.ask, default=None)
