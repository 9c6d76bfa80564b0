"""Stage CollectBids: announce the auction, take sealed bids in until the window ends."""

from collections import Counter
from dataclasses import dataclass, field

import structlog
import trio

from ainur_node.domain.auction.commitments import (
    MAX_COMMITS,
    Commit,
    bid_set_root,
    commit_message,
    inclusion_message,
)
from ainur_node.domain.events import BidsCollected, NoSale, Pass
from ainur_node.domain.ids import AccountId, AuctionId, PeerId
from ainur_node.domain.orders import CollectBids
from ainur_node.domain.requester import NOBODY_ANSWERED
from ainur_node.market import messages
from ainur_node.market.messages import Announce, CommitReceipt, CommitRequest, PassNotice
from ainur_node.market.taken import Taken
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import ChainProvider, Ledger, Mesh, RemoteRefusal, TaskStore
from ainur_node.signing import NodeSigner, signed_by

log = structlog.get_logger(__name__)

TOPIC = "auctions"
# The chain's clock moves with its blocks: this much later a new block is surely past the window.
MARGIN = 0.03
MAX_PASSES = 256
# A late start (a restart, a slow block) may take this much of the reveals' time, and must leave them that much, in ms.
LEAST_WINDOW = 1_000
LEFT_FOR_REVEALS = 1_500
# A commit must stand at least this long (market ms) past the reveals, or the award could not use it.
LEAST_STANDING = 5_000


@dataclass(slots=True)
class _Collection:
    """Commits of one open auction, one per provider, and the first of the others that it signed."""

    order: CollectBids
    taken: Taken
    doubles: dict[AccountId, Commit] = field(default_factory=dict)
    passes: dict[PeerId, str] = field(default_factory=dict)

    @property
    def commits(self) -> dict[AccountId, Commit]:
        """Commits by provider."""
        return self.taken.commits


class Bids:
    """The auctioneer's desk: one commit per provider, each answered by a signed inclusion receipt."""

    def __init__(self, mesh: Mesh, ledger: Ledger, signer: NodeSigner, store: TaskStore) -> None:
        self._mesh = mesh
        self._store = store
        self._ledger = ledger
        self._signer = signer
        self._open: dict[AuctionId, _Collection] = {}

    def serve(self) -> None:
        """Answer ``auction.commit`` and ``auction.pass``."""
        self._mesh.serve("auction.commit", self._commit, max_body=1024, per_peer_per_second=200, concurrent=64)
        self._mesh.serve("auction.pass", self._pass, max_body=256, per_peer_per_second=200, concurrent=64)

    async def run(self, order: CollectBids) -> BidsCollected | NoSale:
        """Collect until the commit window is over on chain."""
        taken = Taken(self._store, order.auction)
        await taken.load()  # before anybody may commit: a provider that did has committed
        collection = self._open.setdefault(order.auction, _Collection(order, taken))
        try:
            left = _window(order, await self._ledger.market_now())
            await self._mesh.publish(TOPIC, messages.encode(_announcement(order, left)))
            await trio.sleep(left / 1000 + MARGIN)
        finally:
            self._open.pop(order.auction, None)
        passes = tuple(Pass(peer, code) for peer, code in sorted(collection.passes.items()))
        if not collection.commits:
            counted = Counter(p.code for p in passes) or Counter({NOBODY_ANSWERED: 1})
            return NoSale(order.auction, tuple(sorted(counted.items())))
        commits = tuple(collection.commits[provider] for provider in sorted(collection.commits))
        root = bid_set_root(self._ledger.genesis, order.auction, {c.provider: c.commit for c in commits})
        doubles = tuple(collection.doubles[provider] for provider in sorted(collection.doubles))
        return BidsCollected(order.auction, commits, root, passes, doubles)

    async def _commit(self, peer: PeerId, body: bytes) -> bytes:
        request = messages.decode(CommitRequest, body)
        commit = request.commitment()
        auction = AuctionId(request.auction)
        collection = self._open.get(auction)
        if collection is None:
            raise RemoteRefusal("not_open", "this auction takes no commits now")
        provider = await self._ledger.provider_of(node_key_of(peer))
        self._check(collection.order, commit, provider, peer)
        known = collection.commits.get(commit.provider)
        if known is not None and known.commit != commit.commit:
            log.warning("double_commit", auction=auction.hex()[:16], peer=peer)
            collection.doubles.setdefault(commit.provider, commit)
            raise RemoteRefusal("already_committed", "one commit per provider")
        if known is None and len(collection.commits) >= MAX_COMMITS:
            raise RemoteRefusal("full", f"the auction has its {MAX_COMMITS} commits")
        if auction not in self._open:
            raise RemoteRefusal("not_open", "the window ended meanwhile")
        await collection.taken.keep(commit)
        seen = await self._ledger.height()
        message = inclusion_message(self._ledger.genesis, auction, commit.provider, commit.commit, seen)
        return messages.encode(CommitReceipt(seen_block=seen, signature=self._signer.sign(message)))

    def _check(self, order: CollectBids, commit: Commit, provider: ChainProvider | None, peer: PeerId) -> None:
        if provider is None or not provider.active or provider.account != commit.provider:
            raise RemoteRefusal("not_a_provider", "this node key is bound to no active provider of that account")
        if commit.provider == order.spec.payer:
            raise RemoteRefusal("own_task", "a payer cannot bid on its own task")
        if commit.provider in order.excluded:
            raise RemoteRefusal("excluded", "this provider failed an earlier attempt")
        if provider.free_stake < order.reserve:
            raise RemoteRefusal("stake_too_low", "the free stake must be at least the reserve")
        if commit.standing_until < order.reveal_end + LEAST_STANDING:
            raise RemoteRefusal("standing_too_short", "the commit must stand past the reveals")
        message = commit_message(self._ledger.genesis, order.auction, commit)
        if not signed_by(node_key_of(peer), message, commit.signature):
            raise RemoteRefusal("bad_signature", "the commit is not signed by the sender's node key")

    async def _pass(self, peer: PeerId, body: bytes) -> bytes:
        notice = messages.decode(PassNotice, body)
        collection = self._open.get(AuctionId(notice.auction))
        if collection is not None and len(collection.passes) < MAX_PASSES:
            collection.passes[peer] = notice.code
        return b""


def _window(order: CollectBids, now: int) -> int:
    """Ms to collect: what is left of the window, or a little of the reveals' time when we come late."""
    spare = order.reveal_end - now - LEFT_FOR_REVEALS
    return max(order.commit_end - now, min(LEAST_WINDOW, spare), 0)


def _announcement(order: CollectBids, left: int) -> Announce:
    return Announce(
        v=messages.VERSION,
        auction=order.auction,
        task=order.task,
        attempt=order.attempt,
        spec=order.spec.encode(),
        capability=order.capability,
        package=order.package,
        commit_ms=left,
        excluded=list(order.excluded),
    )
