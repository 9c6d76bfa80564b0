"""Providers that lie while they bid: sealed bids kept back, not opened, opened as others, or sent twice."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from ainur_node.devnet.faults.fault import WINNER, Altered, Answering, Fault
from ainur_node.domain.auction.commitments import commit_message
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import AuctionId, PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.messages import CommitRequest, Reveal
from ainur_node.ports import Handler, RemoteRefusal
from ainur_node.signing import NodeSigner

if TYPE_CHECKING:
    from ainur_node.wiring import Outside

COMMIT = "auction.commit"
REVEAL = "auction.reveal"


class KeepsCommits(Altered):
    """A mesh on which no commit ever leaves."""

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask as the honest node does, but for commits."""
        if method == COMMIT:
            raise Transient("this node keeps its commits to itself")
        answer: bytes = await self._honest.request(peer, method, body, timeout=timeout)
        return answer


class CommitsTwice(Altered):
    """A mesh on which every commit that was taken in is followed by another one, signed as well."""

    def __init__(self, honest: Any, genesis: bytes, signer: NodeSigner) -> None:
        super().__init__(honest)
        self._genesis = genesis
        self._signer = signer

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask as the honest node does, then hand a second commit in."""
        answer: bytes = await self._honest.request(peer, method, body, timeout=timeout)
        if method == COMMIT:
            with suppress(Transient, Misbehaviour, RemoteRefusal):
                await self._honest.request(peer, method, self._another(body), timeout=timeout)
        return answer

    def _another(self, body: bytes) -> bytes:
        first = messages.decode(CommitRequest, body)
        sealed = replace(first.commitment(), commit=content_hash(first.commit), seq=first.seq + 1)
        signature = self._signer.sign(commit_message(self._genesis, AuctionId(first.auction), sealed))
        another = msgspec.structs.replace(first, commit=sealed.commit, seq=sealed.seq, signature=signature)
        return messages.encode(another)


async def _refuse(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    del honest, peer, body
    raise RemoteRefusal("not_today", "this node does not open its bids")


async def _lower(honest: Handler, peer: PeerId, body: bytes) -> bytes:
    opened = messages.decode(Reveal, await honest(peer, body))
    half = messages.money_of(opened.ask) // 2
    return messages.encode(msgspec.structs.replace(opened, ask=messages.money(half)))


def never_commits(outside: "Outside") -> "Outside":
    """Fix a bid and keep it."""
    return replace(outside, mesh=KeepsCommits(outside.mesh))


def never_reveals(outside: "Outside") -> "Outside":
    """Commit and refuse to open the bid."""
    return replace(outside, mesh=Answering(outside.mesh, REVEAL, _refuse))


def reveals_another_ask(outside: "Outside") -> "Outside":
    """Open the bid with half of the ask that was sealed."""
    return replace(outside, mesh=Answering(outside.mesh, REVEAL, _lower))


def commits_twice(outside: "Outside") -> "Outside":
    """Commit to two bids in one auction."""
    return replace(outside, mesh=CommitsTwice(outside.mesh, outside.ledger.genesis, outside.signer))


FAULTS = (
    Fault(
        name="never-commits",
        sentence="n1 offers its agent and is invited, but never hands its sealed bid in",
        ends="n2 wins and is paid; n1 loses nothing and is named as one that was not heard",
        nodes=(WINNER,),
        alter=never_commits,
    ),
    Fault(
        name="never-reveals",
        sentence="n1 commits to a bid and refuses to open it",
        ends="the award waits for the end of the reveals, n2 wins and is paid; n1's row in the transcript is unopened",
        nodes=(WINNER,),
        alter=never_reveals,
    ),
    Fault(
        name="reveals-another-ask",
        sentence="n1 opens its bid with half of the ask that it had sealed",
        ends="the opening does not hash to the commit, so n1 does not compete; n2 wins and is paid",
        nodes=(WINNER,),
        alter=reveals_another_ask,
    ),
    Fault(
        name="commits-twice",
        sentence="n1 signs a second commit for the same auction",
        ends="the first one counts and n1 is paid for its work; both signed commits are kept",
        nodes=(WINNER,),
        alter=commits_twice,
    ),
)
