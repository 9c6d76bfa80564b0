"""What an auctioneer signed about this node's bid beside the receipt for its commit: kept, because it can convict."""

from dataclasses import dataclass, replace

import msgspec

from ainur_node.domain.auction.commitments import MerkleProof, reveal_ack_message, root_of, tree_of
from ainur_node.domain.auction.proofs import TwoRoots
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.provider import ProviderJob
from ainur_node.market.messages import RevealRequest
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import Ledger, TaskStore
from ainur_node.signing import signed_by

AFFIDAVIT = "affidavit"


@dataclass(frozen=True, slots=True)
class Affidavit:
    """Of one auction: a signed root that is not the one on chain, the place under that one, the reveal's receipt."""

    other: TwoRoots | None = None
    place: MerkleProof | None = None
    ack: bytes = b""


class Affidavits:
    """One document for each auction in which this node bid; a statement is kept only when it is signed."""

    def __init__(self, ledger: Ledger, store: TaskStore) -> None:
        self._ledger = ledger
        self._store = store

    async def of(self, auction: AuctionId) -> Affidavit:
        """What is kept of an auction."""
        doc = await self._store.get_doc(AFFIDAVIT, auction)
        return msgspec.json.decode(doc, type=Affidavit) if doc is not None else Affidavit()

    async def note_root(self, job: ProviderJob, request: RevealRequest) -> None:
        """A root that the chain does not have: evidence when it is signed and shown with a tree behind it."""
        tree = tree_of(request.count, job.opening.provider, job.commit.commit, request.proof())
        genesis = self._ledger.genesis
        if tree is None or root_of(genesis, job.auction, request.count, tree) != request.root:
            return
        if signed_by(node_key_of(job.auctioneer), request.root, request.signature):
            kept = await self.of(job.auction)
            await self._keep(job.auction, replace(kept, other=TwoRoots(request.count, tree, request.signature)))

    async def note_place(self, auction: AuctionId, place: MerkleProof) -> None:
        """Where this node's commit is under the root on chain."""
        kept = await self.of(auction)
        if kept.place != place:
            await self._keep(auction, replace(kept, place=place))

    async def note_ack(self, job: ProviderJob, signature: bytes) -> bool:
        """The receipt for the reveal; False when the auctioneer did not sign it."""
        message = reveal_ack_message(self._ledger.genesis, job.auction, job.opening.provider, job.commit.commit)
        if not signed_by(node_key_of(job.auctioneer), message, signature):
            return False
        kept = await self.of(job.auction)
        if kept.ack != signature:
            await self._keep(job.auction, replace(kept, ack=signature))
        return True

    async def _keep(self, auction: AuctionId, kept: Affidavit) -> None:
        await self._store.put_doc(AFFIDAVIT, auction, msgspec.json.encode(kept).decode())
