"""Stage AwardOnChain: the hold becomes the winner's escrow; winner and losers are told."""

from ainur_node.domain.auction.commitments import prove
from ainur_node.domain.auction.transcript import outcome
from ainur_node.domain.events import AwardRefused, Escrowed
from ainur_node.domain.orders import AwardOnChain
from ainur_node.errors import Bug
from ainur_node.market import messages
from ainur_node.market.courier import Courier
from ainur_node.market.library import Library
from ainur_node.market.messages import EscrowHint, ResultNotice
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import Ledger


class Awarding:
    """Awards with the winner's opening and the proof that it committed before the close."""

    def __init__(self, ledger: Ledger, library: Library, courier: Courier) -> None:
        self._ledger = ledger
        self._library = library
        self._courier = courier

    async def run(self, order: AwardOnChain) -> Escrowed | AwardRefused:
        """Award; refused means this winner cannot be awarded any more."""
        winner = order.opening.provider
        commit = next((c for c in order.commits if c.provider == winner), None)
        if commit is None:
            raise Bug("the winner is not in the bid set")
        answer = await self._ledger.award(
            order.auction,
            order.opening,
            prove({c.provider: c.commit for c in order.commits}, winner),
            commit,
            order.price,
            order.transcript,
            all_revealed=order.all_revealed,
        )
        if isinstance(answer, Escrowed):
            await self._tell(order, answer)
        return answer

    async def _tell(self, order: AwardOnChain, escrowed: Escrowed) -> None:
        transcript = await self._library.transcript(order.transcript_blob)
        sale = outcome(self._ledger.genesis, transcript)
        for row in transcript.rows:
            peer = peer_id_of(row.node_key)
            if sale is not None and row.commit.provider == sale.winner.provider:
                hint = EscrowHint(auction=order.auction, escrow=escrowed.escrow)
                self._courier.hint(peer, "task.awarded", messages.encode(hint))
            else:
                bidder = row.bidder()
                notice = ResultNotice(
                    auction=order.auction,
                    outcome="outbid" if bidder else row.status.name.lower(),
                    price=messages.money(order.price),
                    own_adjusted=messages.money(bidder.adjusted if bidder else 0),
                    transcript=order.transcript,
                )
                self._courier.hint(peer, "auction.result", messages.encode(notice))
