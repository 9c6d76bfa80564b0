"""One market out of its parts: stages, services, desks; the only place that knows them all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ainur_node.domain import orders
from ainur_node.domain.manifest import MAX_FUEL, MAX_MEMORY, MAX_OUTPUT
from ainur_node.domain.task import Limits
from ainur_node.market.affidavits import Affidavits
from ainur_node.market.answering import Answering
from ainur_node.market.awarding import Awarding
from ainur_node.market.bidder import Bidder
from ainur_node.market.bids import Bids
from ainur_node.market.bonds import Bonds
from ainur_node.market.challenging import Challenging
from ainur_node.market.clearing import Clearing
from ainur_node.market.closing import Closing, Releasing
from ainur_node.market.committing import Committing
from ainur_node.market.courier import Courier
from ainur_node.market.desk_agents import AgentDesk, Registrar
from ainur_node.market.desk_auctions import AuctionDesk
from ainur_node.market.desk_receipts import ReceiptDesk
from ainur_node.market.desk_tasks import TaskDesk
from ainur_node.market.engine import Engine
from ainur_node.market.funding import Funding
from ainur_node.market.grievances import Grievances
from ainur_node.market.handover import Handover
from ainur_node.market.hints import Hints
from ainur_node.market.inputs import ServingInputs
from ainur_node.market.library import Library
from ainur_node.market.offers import Offers
from ainur_node.market.prefetch import Prefetch
from ainur_node.market.settings import MarketSettings
from ainur_node.market.settling import Settling
from ainur_node.market.slots import AuctionSlots
from ainur_node.market.verification import Verification
from ainur_node.market.watching import Watching
from ainur_node.market.working import ServingOutputs, Working
from ainur_node.ports import Clock, Ledger, Mesh, Observer, Sandbox, TaskStore
from ainur_node.signing import NodeSigner


@dataclass(frozen=True, slots=True)
class Outside:
    """What a node is built on, before anything of the market sees it; a devnet's liars wrap one of these."""

    store: TaskStore
    mesh: Mesh
    ledger: Ledger
    sandbox: Sandbox
    signer: NodeSigner
    clock: Clock


Alter = Callable[[Outside], Outside]


@dataclass(frozen=True, slots=True)
class Parts:
    """The outside as ports; fakes fit as well as the real ones."""

    store: TaskStore
    mesh: Mesh
    ledger: Ledger
    sandbox: Sandbox
    library: Library
    registrar: Registrar
    signer: NodeSigner
    observer: Observer
    clock: Clock
    settings: MarketSettings
    ceiling: Limits = field(default_factory=lambda: Limits(MAX_FUEL, MAX_MEMORY >> 10, MAX_OUTPUT))


def _build() -> str:
    """The version that is installed; a source tree that was never installed has none."""
    try:
        return version("ainur-node")
    except PackageNotFoundError:
        return ""


class Market:
    """A whole market node without its processes: run its services, ask its desks."""

    def __init__(self, parts: Parts) -> None:
        p = parts
        self.library = p.library
        self.courier = Courier(p.mesh, p.observer)
        self.offers = Offers(p.store, p.mesh)
        bids = Bids(p.mesh, p.ledger, p.signer, p.store)
        closing, releasing = Closing(p.ledger), Releasing(p.ledger)
        clearing = Clearing(p.mesh, p.ledger, p.library, p.signer, self.courier)
        watching, settling = Watching(p.ledger), Settling(p.ledger)
        committing, handover = Committing(p.mesh, p.ledger), Handover(p.ledger, self.courier)
        answering = Answering(p.ledger, p.library)
        self.slots = AuctionSlots(p.settings.max_auctions)
        grievances = Grievances(p.ledger, p.library, p.store, p.observer)
        affidavits = Affidavits(p.ledger, p.store)
        self.bonds = Bonds(p.ledger, p.library, p.store, p.observer)
        self.challenging = Challenging(p.ledger, p.library, p.store, grievances, affidavits, p.observer)
        stages: dict[type, Any] = {
            orders.HoldBudget: Funding(p.ledger, p.settings, self.slots).run,
            orders.CollectBids: bids.run,
            orders.CloseAuction: self.bonds.before(closing.run),
            orders.CollectReveals: clearing.run,
            orders.ClearAgain: clearing.run_again,
            orders.AwardOnChain: self.bonds.before(Awarding(p.ledger, p.library, self.courier).run),
            orders.ReleaseHold: self.bonds.before(releasing.run),
            orders.AwaitDelivery: watching.delivery,
            orders.Verify: Verification(p.mesh, p.ledger, p.library, p.sandbox).run,
            orders.Accept: settling.accept,
            orders.OpenDispute: settling.dispute,
            orders.AwaitRuling: watching.ruling,
            orders.SendCommit: self.challenging.after_commit(committing.send),
            orders.AwaitAward: grievances.after_bid(committing.award),
            orders.StartWork: Working(p.mesh, p.ledger, p.library, p.sandbox, p.signer, p.clock).run,
            orders.Deliver: handover.deliver,
            orders.Decline: grievances.after_decline(handover.decline),
            orders.AwaitSettlement: grievances.after_work(handover.settle),
            orders.Answer: answering.run,
            orders.GiveBack: answering.give_back,
        }
        self.engine = Engine(p.store, p.ledger.genesis, stages, p.observer, p.clock, build=_build())
        self.engine.listeners.append(self.slots.heard)
        self.engine.on_resume.append(self.slots.resume)
        engine_id = p.sandbox.engine
        self.prefetch = Prefetch(p.mesh, p.ledger, p.library, p.observer)
        self.bidder = Bidder(
            p.mesh,
            p.ledger,
            self.engine,
            self.offers,
            self.courier,
            p.signer,
            p.clock,
            p.observer,
            p.settings,
            engine_id,
            grievances,
            affidavits,
        )
        self._servers = (
            bids,
            self.bidder,
            p.library,
            ServingInputs(p.mesh, p.ledger, self.engine, p.library),
            ServingOutputs(p.mesh, self.engine, p.library, p.store),
            Hints(p.mesh, p.store, affidavits),
        )
        self.tasks = TaskDesk(self.engine, p.store, p.ledger, p.library, engine_id, p.clock, p.settings)
        self.agents = AgentDesk(p.ledger, p.library, self.offers, p.registrar, p.ceiling, p.sandbox)
        self.auctions = AuctionDesk(p.ledger, p.library, p.mesh, p.store)
        self.receipts = ReceiptDesk(p.ledger, p.library, p.sandbox, p.store)

    def serve(self) -> None:
        """Answer peers from now on."""
        for server in self._servers:
            server.serve()

    async def load(self) -> None:
        """Remember offers and packages of earlier runs."""
        await self.library.load()
        await self.offers.load()
