"""Stages CollectReveals and ClearAgain: open the sealed bids, name winner and price, store the transcript."""

from collections import Counter
from dataclasses import replace

import msgspec
import structlog
import trio

from ainur_node.domain.auction.commitments import Commit, Opening, commit_hash, prove, reveal_ack_message
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Row, Skipped, Transcript, outcome, transcript_hash
from ainur_node.domain.canonical import capability_id
from ainur_node.domain.events import Cleared, NoSale
from ainur_node.domain.ids import NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.orders import ClearAgain, CollectReveals
from ainur_node.domain.reputation import penalty
from ainur_node.domain.requester import AWARD_REFUSED
from ainur_node.errors import Bug, Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.courier import Courier
from ainur_node.market.library import Library
from ainur_node.market.messages import Reveal, RevealAck, RevealRequest
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import Ledger, Mesh, RemoteRefusal
from ainur_node.signing import NodeSigner

log = structlog.get_logger(__name__)

REVEAL_TIMEOUT = 2.0
RETRY_PAUSE = 0.05


class Clearing:
    """Asks every committer for its opening; whoever is silent until the reveal end does not compete."""

    def __init__(self, mesh: Mesh, ledger: Ledger, library: Library, signer: NodeSigner, courier: Courier) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._library = library
        self._signer = signer
        self._courier = courier

    async def run(self, order: CollectReveals) -> Cleared | NoSale:
        """Collect the reveals and clear."""
        auction = await self._ledger.auction(order.auction)
        if auction is None:
            raise Bug(f"auction {order.auction.hex()[:16]} is not on chain")
        rows: dict[bytes, Row] = {}
        seconds = max(0.2, (order.reveal_end - await self._ledger.market_now()) / 1000)
        async with trio.open_nursery() as nursery:
            for commit in order.commits:
                nursery.start_soon(self._row, order, commit, rows, seconds)
        transcript = Transcript(
            auction=order.auction,
            root=order.root,
            reserve=order.reserve,
            quality_bps=order.spec.quality_bps,
            score_epoch=order.score_epoch,
            beacon=order.beacon,
            rows=tuple(rows[c.provider] for c in order.commits),
            failed=auction.failed,
        )
        decided = await self._decide(transcript)
        if auction.challenge_within:
            # Not before it is stored: whoever is silent when we ask again would hold a proof that we left it out.
            for row in transcript.rows:
                if row.status in (RowStatus.REVEALED, RowStatus.INELIGIBLE):
                    self._acknowledge(order, row.commit, row.node_key)
        return decided

    async def run_again(self, order: ClearAgain) -> Cleared | NoSale:
        """Recompute without those who failed or could not be awarded."""
        stored = await self._library.transcript(order.transcript_blob)
        skipped = order.skipped
        chain = await self._ledger.auction(order.auction)
        if chain is not None and chain.challenge_within:
            skipped = await self._on_record(order, stored)
        return await self._decide(replace(stored, failed=order.failed, skipped=skipped))

    async def _on_record(self, order: ClearAgain, stored: Transcript) -> tuple[Skipped, ...]:
        """Whom the chain has on record as unable to win: an award past anybody else would cost our bond.

        Who could be awarded again meanwhile competes again.
        """
        blocks = {each.provider: each.block for each in order.skipped}
        commits = {row.commit.provider: row.commit.commit for row in stored.rows}
        known = await self._ledger.skipped(order.auction)
        for row in stored.rows:
            who = row.commit.provider
            if who in blocks and who not in known and row.opening is not None:
                refused = await self._ledger.skip(order.auction, row.opening, prove(commits, who), row.commit)
                if refused is not None:
                    log.warning("not_skipped", auction=order.auction.hex()[:16], who=who.hex()[:16], code=refused.code)
        return tuple(Skipped(who, blocks.get(who, 0)) for who in await self._ledger.skipped(order.auction))

    async def _decide(self, transcript: Transcript) -> Cleared | NoSale:
        genesis = self._ledger.genesis
        sale = outcome(genesis, transcript)
        digest = transcript_hash(genesis, transcript)
        blob = await self._library.keep_transcript(digest, transcript)
        silent = sum(row.status is RowStatus.NOT_REVEALED for row in transcript.rows)
        revealed = sum(row.status is RowStatus.REVEALED for row in transcript.rows)
        if sale is None:
            return NoSale(transcript.auction, _reasons(transcript), digest, all_revealed=silent == 0)
        opening = next(r.opening for r in transcript.rows if r.commit.provider == sale.winner.provider)
        if opening is None:
            raise Bug("the winner never revealed")
        return Cleared(
            auction=transcript.auction,
            transcript=digest,
            transcript_blob=blob,
            opening=opening,
            price=sale.price,
            penalty=sale.winner.penalty,
            second=sale.second,
            revealed=revealed,
            all_revealed=silent == 0,
        )

    async def _row(self, order: CollectReveals, commit: Commit, rows: dict[bytes, Row], seconds: float) -> None:
        provider = await self._ledger.provider(commit.provider)
        node_key = provider.node_key if provider else NodeKey(bytes(32))
        quality = await self._ledger.quality(commit.provider, capability_id(order.capability), order.score_epoch)
        owed = penalty(order.reserve, order.spec.quality_bps, quality)
        opening: Opening | None = None
        status = RowStatus.NOT_REVEALED
        with trio.move_on_after(seconds):
            opening = await self._ask(order, commit, node_key)
        if opening is not None:
            status = self._judge(order, commit, opening, quality, await self._ledger.min_price())
        if status is not RowStatus.REVEALED:
            opening = None
        rows[commit.provider] = Row(commit, node_key, status, opening, quality, owed)

    def _acknowledge(self, order: CollectReveals, commit: Commit, node_key: NodeKey) -> None:
        """Sign for the reveal: with this its bidder can prove that it was left out."""
        message = reveal_ack_message(self._ledger.genesis, order.auction, commit.provider, commit.commit)
        ack = RevealAck(auction=order.auction, signature=self._signer.sign(message))
        self._courier.hint(peer_id_of(node_key), "auction.ack", messages.encode(ack))

    async def _ask(self, order: CollectReveals, commit: Commit, node_key: NodeKey) -> Opening:
        proof = prove({c.provider: c.commit for c in order.commits}, commit.provider)
        request = RevealRequest(
            auction=order.auction,
            root=order.root,
            count=len(order.commits),
            index=proof.index,
            path=list(proof.path),
            signature=self._signer.sign(order.root),
        )
        body, peer = messages.encode(request), peer_id_of(node_key)
        while True:
            try:
                answer = await self._mesh.request(peer, "auction.reveal", body, timeout=REVEAL_TIMEOUT)
                return messages.decode(Reveal, answer).opening(commit.provider)
            except (Transient, RemoteRefusal, Misbehaviour) as exc:
                # Until the reveal end a provider may still come back; what it said is worth a line.
                log.info("no_reveal_yet", auction=order.auction.hex()[:16], peer=peer, why=str(exc))
                await trio.sleep(RETRY_PAUSE)

    def _judge(self, order: CollectReveals, commit: Commit, opening: Opening, quality: int, least: Amount) -> RowStatus:
        if commit_hash(self._ledger.genesis, order.auction, opening) != commit.commit:
            return RowStatus.BAD_OPENING
        terms, spec = opening.terms, order.spec
        fits = (
            terms.module in spec.modules
            and terms.engine == spec.engine
            and terms.verification_class == spec.verification_class
            and terms.fuel_limit == spec.limits.fuel
            and terms.mem_limit == spec.limits.memory_kib
            and terms.abi == 1
            and quality >= spec.min_score
            # Below the least price no award is possible: two such bids would cost an honest auctioneer its bond.
            and opening.ask >= least
        )
        return RowStatus.REVEALED if fits else RowStatus.INELIGIBLE


_REASONS = {
    RowStatus.REVEALED: "ask_above_reserve",
    RowStatus.NOT_REVEALED: "not_revealed",
    RowStatus.BAD_OPENING: "bad_opening",
    RowStatus.INELIGIBLE: "ineligible",
}


def _reasons(transcript: Transcript) -> tuple[tuple[str, int], ...]:
    skipped = {each.provider for each in transcript.skipped}

    def reason(row: Row) -> str:
        if row.commit.provider in transcript.failed:
            return "failed_before"
        return AWARD_REFUSED if row.commit.provider in skipped else _REASONS[row.status]

    counted = Counter(reason(row) for row in transcript.rows)
    return tuple(sorted(counted.items()))


def encode_transcript(transcript: Transcript) -> bytes:
    """The blob that anyone can fetch and recompute."""
    return msgspec.json.encode(transcript)
