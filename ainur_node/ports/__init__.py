"""What the market needs from the outside, in domain words; adapters fit these shapes without inheriting."""

from ainur_node.ports.clock import Clock, Observer, Readiness
from ainur_node.ports.ledger import Balance, ChainAgent, ChainAuction, ChainEscrow, ChainProvider, Ledger, OpenTerms
from ainur_node.ports.mesh import Gossip, GossipChannel, Handler, Mesh, RemoteRefusal
from ainur_node.ports.sandbox import Finding, Job, Run, Sandbox
from ainur_node.ports.storage import (
    AlreadyDone,
    BlobRow,
    Blobs,
    Conflict,
    Fate,
    Outbox,
    OutboxRow,
    StoredFact,
    StoredOrder,
    StoredState,
    TaskStore,
)

__all__ = [
    "AlreadyDone",
    "Balance",
    "BlobRow",
    "Blobs",
    "ChainAgent",
    "ChainAuction",
    "ChainEscrow",
    "ChainProvider",
    "Clock",
    "Conflict",
    "Fate",
    "Finding",
    "Gossip",
    "GossipChannel",
    "Handler",
    "Job",
    "Ledger",
    "Mesh",
    "Observer",
    "OpenTerms",
    "Outbox",
    "OutboxRow",
    "Readiness",
    "RemoteRefusal",
    "Run",
    "Sandbox",
    "StoredFact",
    "StoredOrder",
    "StoredState",
    "TaskStore",
]
