"""Requesters that lie: as auctioneers about the bids and the price, as buyers about the input and the money."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from ainur_node.devnet.faults.fault import Altered, Answering, Fault
from ainur_node.devnet.layout import SUBMITTER
from ainur_node.domain import events
from ainur_node.domain.auction.commitments import Commit, bid_set_root, inclusion_message
from ainur_node.domain.ids import AuctionId, EscrowId, PeerId
from ainur_node.domain.money import Amount
from ainur_node.market import messages
from ainur_node.market.messages import CommitReceipt, CommitRequest, RevealRequest
from ainur_node.ports import Handler, RemoteRefusal
from ainur_node.signing import NodeSigner

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

COMMIT, REVEAL, INPUT = "auction.commit", "auction.reveal", "task.input"
MAX_AUCTIONS = 1024
# Market time that never comes.
NEVER = 2**53
# In worlds whose auctioneer can be convicted, awards may be challenged for so long (ms).
CHALLENGED = {"market": {"challenge_window_ms": 20_000}}
# In worlds whose buyer lets a deadline pass, the deadline is near (market ms).
AWARD_WITHIN, REVIEW_WITHIN, START_WITHIN = 6_000, 5_000, 5_000
# The claimed reserve, as a part of the true one: with a budget of 1.5 AIN it lies between the first and the second ask.
CLAIMED_PART = 6


class _OneOfEach:
    """Chooses one peer in each auction: the first that is asked about."""

    def __init__(self) -> None:
        self._chosen: dict[bytes, PeerId] = {}

    def __call__(self, auction: bytes, peer: PeerId) -> bool:
        """Whether it is this one."""
        if auction not in self._chosen and len(self._chosen) >= MAX_AUCTIONS:
            self._chosen.pop(next(iter(self._chosen)))
        return self._chosen.setdefault(auction, peer) == peer


class NeverAwards(Altered):
    """A ledger on which no award is made while it could be."""

    async def award(self, auction: AuctionId, *words: Any, **more: Any) -> events.Escrowed | events.AwardRefused:
        """Wait until somebody else has ended the auction."""
        seen = await self._honest.auction(auction)
        while seen is not None and seen.state == "closed":
            seen = await self._honest.watch_auction(auction, seen, until=NEVER)
        answer: events.Escrowed | events.AwardRefused = await self._honest.award(auction, *words, **more)
        return answer


class NeverAccepts(Altered):
    """A ledger on which no delivery is paid for."""

    async def accept(self, escrow: EscrowId, *, verified: bool) -> events.Settled:
        """Wait until somebody else has ended the escrow."""
        seen = await self._honest.escrow(escrow)
        while seen is not None and seen.state != "settled":
            seen = await self._honest.watch_escrow(escrow, seen, until=NEVER)
        settled: events.Settled = await self._honest.accept(escrow, verified=verified)
        return settled


class ClaimsLessReserve(Altered):
    """A ledger that tells its own node of a lower reserve than the one that the chain holds."""

    def __init__(self, honest: Any, part: int) -> None:
        super().__init__(honest)
        self._part = part

    async def open_auction(self, *words: Any, **more: Any) -> events.Funded | events.FundingRefused:
        """Open as the honest node does, then claim a part of the reserve."""
        answer: events.Funded | events.FundingRefused = await self._honest.open_auction(*words, **more)
        if isinstance(answer, events.Funded):
            return replace(answer, reserve=Amount(answer.reserve // self._part))
        return answer


class PaysTheAsk(Altered):
    """A ledger on which winners are awarded what they asked for, not what the rule gives."""

    async def award(
        self, auction: AuctionId, opening: Any, proof: Any, commit: Any, price: Amount, *words: Any, **more: Any
    ) -> events.Escrowed | events.AwardRefused:
        """Award at the ask; the chain takes any price from there up to the reserve."""
        lowered = min(price, opening.ask)
        answer: events.Escrowed | events.AwardRefused = await self._honest.award(
            auction, opening, proof, commit, lowered, *words, **more
        )
        return answer


class TwoRoots(Altered):
    """A mesh on which one provider of each auction is asked to reveal under a root of its commit alone, signed."""

    def __init__(self, honest: Any, genesis: bytes, signer: NodeSigner) -> None:
        super().__init__(honest)
        self._genesis = genesis
        self._signer = signer
        self._victim = _OneOfEach()
        self._commits: dict[tuple[bytes, PeerId], Commit] = {}

    def serve(self, method: str, handler: Handler, **limits: Any) -> None:
        """Serve as the honest node does, and remember the commits."""

        async def remember(peer: PeerId, body: bytes) -> bytes:
            answer = await handler(peer, body)
            request = messages.decode(CommitRequest, body)
            if len(self._commits) < MAX_AUCTIONS:
                self._commits[request.auction, peer] = request.commitment()
            return answer

        self._honest.serve(method, remember if method == COMMIT else handler, **limits)

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask as the honest node does, but for one root."""
        if method == REVEAL:
            asked = messages.decode(RevealRequest, body)
            commit = self._commits.get((asked.auction, peer))
            if commit is not None and self._victim(asked.auction, peer):
                alone = {commit.provider: commit.commit}
                root = bid_set_root(self._genesis, AuctionId(asked.auction), alone)
                signature = self._signer.sign(root)
                body = messages.encode(
                    msgspec.structs.replace(asked, root=root, count=1, index=0, path=[], signature=signature)
                )
        answer: bytes = await self._honest.request(peer, method, body, timeout=timeout)
        return answer


def _drop(outside: "Outside") -> Callable[..., Any]:
    """Answers the first commit of each auction with a receipt, and forgets it."""
    victim, genesis = _OneOfEach(), outside.ledger.genesis
    signer: NodeSigner = outside.signer

    async def answer(honest: Handler, peer: PeerId, body: bytes) -> bytes:
        request = messages.decode(CommitRequest, body)
        if not victim(request.auction, peer):
            return await honest(peer, body)
        commit, seen = request.commitment(), await outside.ledger.height()
        message = inclusion_message(genesis, AuctionId(request.auction), commit.provider, commit.commit, seen)
        return messages.encode(CommitReceipt(seen_block=seen, signature=signer.sign(message)))

    return answer


async def _withhold(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    del honest, peer, body
    raise RemoteRefusal("not_today", "this node does not hand its inputs over")


def never_awards(outside: "Outside") -> "Outside":
    """Close the bids, and award nobody."""
    return replace(outside, ledger=NeverAwards(outside.ledger))


def never_accepts(outside: "Outside") -> "Outside":
    """Verify the result, and pay nobody."""
    return replace(outside, ledger=NeverAccepts(outside.ledger))


def drops_a_commit(outside: "Outside") -> "Outside":
    """Sign for one commit, and leave it out of the bids."""
    return replace(outside, mesh=Answering(outside.mesh, COMMIT, _drop(outside)))


def two_roots(outside: "Outside") -> "Outside":
    """Tell one provider of another root."""
    return replace(outside, mesh=TwoRoots(outside.mesh, outside.ledger.genesis, outside.signer))


def changes_the_budget(outside: "Outside", part: int = CLAIMED_PART) -> "Outside":
    """Clear with a part of the reserve, and pay by it."""
    return replace(outside, ledger=ClaimsLessReserve(outside.ledger, part))


def pays_the_ask(outside: "Outside") -> "Outside":
    """Award at the ask."""
    return replace(outside, ledger=PaysTheAsk(outside.ledger))


def input_withheld(outside: "Outside") -> "Outside":
    """Award, and keep the input."""
    return replace(outside, mesh=Answering(outside.mesh, INPUT, _withhold))


FAULTS = (
    Fault(
        name="never-awards",
        sentence="the submitter closes the bids and then awards nobody",
        ends="after 6 s a bidder ends the auction on chain: the submitter's bond is burned, nobody else loses anything",
        nodes=(SUBMITTER,),
        alter=never_awards,
        params={"awardWithin": AWARD_WITHIN},
    ),
    Fault(
        name="never-accepts",
        sentence="the submitter verifies the result and never pays for it",
        ends="after a review of 5 s n1 has the chain pay; n1's `auction why` names the submitter",
        nodes=(SUBMITTER,),
        alter=never_accepts,
        settings={"market": {"review_within_ms": REVIEW_WITHIN}},
    ),
    Fault(
        name="drops-a-commit",
        sentence="the submitter signs for the first bid of each auction and leaves it out of the bids on chain",
        ends="the others settle; the dropped one proves it on chain: half of the bond is burned, half is its own",
        nodes=(SUBMITTER,),
        alter=drops_a_commit,
        settings=CHALLENGED,
    ),
    Fault(
        name="two-roots",
        sentence="the submitter asks one provider to open its bid under another root than the one on chain",
        ends="that provider refuses and proves both roots on chain: it earns half of the bond, the rest is burned",
        nodes=(SUBMITTER,),
        alter=two_roots,
        settings=CHALLENGED,
    ),
    Fault(
        name="changes-the-budget",
        sentence="the submitter clears with a sixth of the reserve that it holds on chain (try a budget of 1.5)",
        ends="n1 is paid less than the rule gives and proves it on chain: half of the bond is n1's, half is burned",
        nodes=(SUBMITTER,),
        settings=CHALLENGED,
        alter=changes_the_budget,
    ),
    Fault(
        name="pays-the-ask",
        sentence="the submitter awards n1 at its ask instead of the second price",
        ends="n1 is paid less than the rule gives and proves it on chain: half of the bond is n1's, half is burned",
        nodes=(SUBMITTER,),
        settings=CHALLENGED,
        alter=pays_the_ask,
    ),
    Fault(
        name="input-withheld",
        sentence="the submitter awards and hands its input to nobody",
        ends="each winner declines in time and loses nothing; the budget comes back",
        nodes=(SUBMITTER,),
        alter=input_withheld,
        settings={"market": {"start_within_ms": START_WITHIN}},
    ),
)
