"""Calls about the auctioneer's bond: challenges and demands of bidders, and what a payer does to have it back."""

from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.auction.proofs import CODES, Proof
from ainur_node.domain.auction.standing import Convicted, Standing
from ainur_node.domain.auction.transcript import Transcript, transcript_hash
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ledger.calls import fields_of
from ainur_node.ledger.chain_reads import ChainReads, refusal_of
from ainur_node.ledger.challenge_records import header_of, proof_of, rows_of, standing_of
from ainur_node.ledger.records import award_proof
from pallets_client.errors import UnknownBlock
from pallets_client.pallets import auction_challenges as calls
from pallets_client.pallets.vcg_auction import PALLET
from pallets_client.records import Call, Failed, Included, Refused


class ChallengeCalls(ChainReads):
    """Each call at most once under its natural id; what stands already is success."""

    async def standing(self, auction: AuctionId) -> Standing | None:
        """An auction with its closing, challenge window and bond, all read at one block."""
        return await self._read(self._standing, auction)

    def _standing(self, auction: AuctionId) -> Standing | None:
        at = self._client.head().hash
        found, closing = self._client.auction(auction, at), self._client.closing(auction, at)
        if found is None or closing is None:
            return None
        try:
            beacon = bytes(self._client.block(closing.block).hash)
        except UnknownBlock:
            beacon = b""
        window = self._client.window(auction, at)
        skips = self._client.skips(auction, at)
        now = self._client.market_now(at)
        return standing_of(auction, (found, closing, window), skips, now=now, beacon=beacon)

    async def challenge(self, auction: AuctionId, proof: Proof) -> Convicted | Rejection:
        """Prove a fault of the auctioneer."""
        call = calls.challenge(auction, proof_of(self.genesis, proof))
        outcome = await self._caller.send(call, auction, CODES[type(proof)].encode())
        if not isinstance(outcome, Included):
            return _refused(outcome)
        said = fields_of(outcome, PALLET, "Challenged")
        if said is None:
            raise Transient("the outcome of the challenge is not visible yet")
        parts = (Amount(said["burned"]), Amount(said["compensation"]), Amount(said["reward"]))
        return Convicted(*parts, outcome.block_number)

    async def demand(self, auction: AuctionId) -> Rejection | None:
        """Ask for the transcript on chain."""
        return await self._done(calls.demand(auction), "already_demanded", auction)

    async def publish(self, transcript: Transcript) -> Rejection | None:
        """Answer a demand."""
        header, rows = header_of(self.genesis, transcript), rows_of(self.genesis, transcript)
        call = calls.publish(transcript.auction, header, rows)
        return await self._done(call, "not_demanded", transcript.auction, transcript_hash(self.genesis, transcript))

    async def release_bond(self, auction: AuctionId) -> Rejection | None:
        """Have the bond free after the window."""
        return await self._done(calls.release_bond(auction), "", auction)

    async def skip(self, auction: AuctionId, opening: Opening, proof: MerkleProof, commit: Commit) -> Rejection | None:
        """Put on record that a bidder cannot be awarded."""
        call = calls.skip(auction, award_proof(opening, proof, commit))
        return await self._done(call, "already_failed", auction, opening.provider)

    async def skipped(self, auction: AuctionId) -> tuple[AccountId, ...]:
        """Bidders on record as unable to win, in order."""
        found = await self._read(self._client.skips, auction)
        return tuple(AccountId(who) for who in found)

    async def _done(self, call: Call, already: str, *natural_id: bytes) -> Rejection | None:
        outcome = await self._caller.send(call, *natural_id)
        if isinstance(outcome, Included):
            return None
        refused = _refused(outcome)
        return None if refused.code == already else refused


def _refused(outcome: Failed | Refused) -> Rejection:
    """A call that the chain took no notice of may be sent again; one that a guard refused may not."""
    if isinstance(outcome, Refused):
        raise Transient(refusal_of(outcome)[1])
    return Rejection(*refusal_of(outcome))
