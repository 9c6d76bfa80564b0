"""Hints from peers: a loser's numbers and signed receipts are kept; nothing else is believed."""

import msgspec

from ainur_node.domain.ids import PeerId
from ainur_node.domain.provider import ProviderJob
from ainur_node.market import codec, messages
from ainur_node.market.affidavits import Affidavits
from ainur_node.market.codec import JOB
from ainur_node.market.messages import EscrowHint, ResultNotice, RevealAck
from ainur_node.ports import Mesh, RemoteRefusal, TaskStore

LOST = "lost"


class Hints:
    """Answers ``auction.ack``, ``auction.result``, ``task.awarded`` and ``task.delivered``."""

    def __init__(self, mesh: Mesh, store: TaskStore, affidavits: Affidavits) -> None:
        self._mesh = mesh
        self._store = store
        self._affidavits = affidavits

    def serve(self) -> None:
        """Start answering."""
        self._mesh.serve("auction.result", self._result, max_body=512, per_peer_per_second=100, concurrent=32)
        self._mesh.serve("auction.ack", self._ack, max_body=256, per_peer_per_second=100, concurrent=32)
        for method in ("task.awarded", "task.delivered"):
            self._mesh.serve(method, self._look, max_body=256, per_peer_per_second=100, concurrent=32)

    async def _ack(self, peer: PeerId, body: bytes) -> bytes:
        ack = messages.decode(RevealAck, body)
        stored = await self._store.load(JOB, ack.auction)
        job = codec.decode_state(JOB, stored.state) if stored is not None else None
        if not isinstance(job, ProviderJob) or job.auctioneer != peer:
            raise RemoteRefusal("no_such_bid", "this node has no bid of that auctioneer")
        if not await self._affidavits.note_ack(job, ack.signature):
            raise RemoteRefusal("bad_signature", "the receipt is not signed by the auctioneer's node key")
        return b""

    async def _result(self, peer: PeerId, body: bytes) -> bytes:
        notice = messages.decode(ResultNotice, body)
        stored = await self._store.load(JOB, notice.auction)
        job = codec.decode_state(JOB, stored.state) if stored is not None else None
        if not isinstance(job, ProviderJob) or job.auctioneer != peer:
            raise RemoteRefusal("no_such_bid", "this node has no bid of that auctioneer")
        numbers = {
            "outcome": notice.outcome,
            "price": str(messages.money_of(notice.price)),
            "own_adjusted": str(messages.money_of(notice.own_adjusted)),
            "transcript": notice.transcript.hex(),
        }
        await self._store.put_doc(LOST, notice.auction, msgspec.json.encode(numbers).decode())
        return b""

    async def _look(self, peer: PeerId, body: bytes) -> bytes:
        """The chain is watched block by block: a hint only has to be well-formed."""
        del peer
        messages.decode(EscrowHint, body)
        return b""
