"""Providers that do their work and lie when they hand it over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ainur_node.devnet.faults.fault import WINNER, Altered, Answering, Fault
from ainur_node.devnet.faults.working import DELIVER_WITHIN, DISPUTE_LIMIT
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.events import DeliveredOnChain, DeliveryRefused
from ainur_node.domain.ids import AccountId, EscrowId, PeerId
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.receipt import Receipt, delivery_hash, hash_of
from ainur_node.market import codec, messages
from ainur_node.market.codec import JOB
from ainur_node.market.messages import EscrowHint, Output
from ainur_node.ports import Handler, RemoteRefusal
from ainur_node.signing import NodeSigner

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

OUTPUT = "task.output"
# A payer looks for the bytes of a delivery until 10 s before the end of its review.
REVIEW_WITHIN = 15_000

DeliverAnswer = DeliveredOnChain | DeliveryRefused


class NeverDelivers(Altered):
    """A ledger on which no delivery is ever made, though the node believes so."""

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> DeliverAnswer:
        """Nothing."""
        del escrow
        return DeliveredOnChain(delivery)


class DeliversLate(Altered):
    """A ledger on which every delivery waits until its deadline is over."""

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> DeliverAnswer:
        """Wait, then deliver as the honest node does."""
        seen = await self._honest.escrow(escrow)
        if seen is not None:
            await self._honest.watch_escrow(escrow, seen, until=seen.deliver_by)
        answer: DeliverAnswer = await self._honest.deliver(escrow, delivery)
        return answer


@dataclass(frozen=True, slots=True)
class Forger:
    """Makes another receipt of a true one, and signs it."""

    genesis: bytes
    signer: NodeSigner
    forge: Callable[[Receipt], Receipt]

    def __call__(self, receipt: Receipt) -> Receipt:
        """The same work under other words."""
        forged = self.forge(receipt)
        return replace(forged, signature=self.signer.sign(hash_of(self.genesis, forged)))


class DeliversForged(Altered):
    """A ledger on which the delivery of a forged receipt is put in place of the true one's."""

    def __init__(self, honest: Any, store: Any, forger: Forger) -> None:
        super().__init__(honest)
        self._store = store
        self._forger = forger

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> DeliverAnswer:
        """Deliver the hash of the forged receipt."""
        seen = await self._honest.escrow(escrow)
        stored = await self._store.load(JOB, seen.auction)
        job = codec.decode_state(JOB, stored.state)
        if not isinstance(job, ProviderJob) or job.receipt is None:
            raise TypeError(f"escrow {escrow.hex()[:16]} is delivered without a receipt")
        forged, genesis = self._forger(job.receipt), self._honest.genesis
        output, hashed = forged.execution.output_sha256, hash_of(genesis, forged)
        instead = delivery_hash(genesis, escrow, 0, job.opening.provider, output, hashed, job.delivery_salt)
        answer: DeliverAnswer = await self._honest.deliver(escrow, instead)
        return answer


async def _serve_forged(forger: Forger, honest: Handler, peer: PeerId, body: bytes) -> bytes:
    escrow = EscrowId(messages.decode(EscrowHint, body).escrow)
    output = messages.decode(Output, await honest(peer, body))
    forged = forger(output.receipt(escrow))
    return messages.encode(messages.output_message(output.body, output.salt, forged))


async def _withhold(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    del honest, peer, body
    raise RemoteRefusal("not_today", "this node does not hand its results over")


def _forging(outside: "Outside", forger: Forger) -> "Outside":
    mesh = Answering(outside.mesh, OUTPUT, partial(_serve_forged, forger))
    return replace(outside, ledger=DeliversForged(outside.ledger, outside.store, forger), mesh=mesh)


def another_nodes_result(outside: "Outside") -> "Outside":
    """Hand in a receipt that another node made out and signed."""
    genesis, other = outside.ledger.genesis, NodeSigner(outside.clock.random(32))
    account = AccountId(content_hash(other.node_key))
    forger = Forger(genesis, other, lambda r: replace(r, execution=replace(r.execution, provider=account)))
    return _forging(outside, forger)


def receipt_for_other_input(outside: "Outside") -> "Outside":
    """Sign a receipt over an input that the task never had."""
    other = content_hash(b"another input")
    forger = Forger(
        outside.ledger.genesis,
        outside.signer,
        lambda r: replace(r, execution=replace(r.execution, input_sha256=other)),
    )
    return _forging(outside, forger)


def delivers_nothing(outside: "Outside") -> "Outside":
    """Work, and never deliver."""
    return replace(outside, ledger=NeverDelivers(outside.ledger))


def delivers_too_late(outside: "Outside") -> "Outside":
    """Work, and deliver once the deadline is over."""
    return replace(outside, ledger=DeliversLate(outside.ledger))


def result_withheld(outside: "Outside") -> "Outside":
    """Deliver the hash on chain and keep the bytes."""
    return replace(outside, mesh=Answering(outside.mesh, OUTPUT, _withhold))


_STALE = "a dispute opens; nobody rules, so after 10 s half is paid, half comes back, n1's lock and the bond are burned"
_REFUND = "after 8 s the escrow is refunded and n1's lock burned; n2 is next and is paid"

FAULTS = (
    Fault(
        name="another-nodes-result",
        sentence="n1 wins and hands in a result with the receipt of another node, signed by that one",
        ends=f"the receipt names another provider: {_STALE}",
        nodes=(WINNER,),
        alter=another_nodes_result,
        params={"disputeLimit": DISPUTE_LIMIT},
    ),
    Fault(
        name="delivers-nothing",
        sentence="n1 wins, works, and never delivers",
        ends=_REFUND,
        nodes=(WINNER,),
        alter=delivers_nothing,
        settings={"market": {"deliver_within_ms": DELIVER_WITHIN}},
    ),
    Fault(
        name="delivers-too-late",
        sentence="n1 wins, works, and delivers when its deadline is over",
        ends=_REFUND,
        nodes=(WINNER,),
        alter=delivers_too_late,
        settings={"market": {"deliver_within_ms": DELIVER_WITHIN}},
    ),
    Fault(
        name="receipt-for-other-input",
        sentence="n1 wins and signs a receipt that says it worked on another input",
        ends=f"the receipt names another input: {_STALE}",
        nodes=(WINNER,),
        alter=receipt_for_other_input,
        params={"disputeLimit": DISPUTE_LIMIT},
    ),
    Fault(
        name="result-withheld",
        sentence="n1 wins, delivers the hash of its result on chain, and hands the bytes to nobody",
        ends=f"10 s before the review is over the payer gives up: {_STALE}",
        nodes=(WINNER,),
        alter=result_withheld,
        params={"disputeLimit": DISPUTE_LIMIT},
        settings={"market": {"review_within_ms": REVIEW_WITHIN}},
    ),
)
