"""The provider's ear: hears announcements, decides by policies, fixes and later opens sealed bids."""

from collections import Counter

import structlog
import trio

from ainur_node.domain.agent import AgentTerms, Offer
from ainur_node.domain.auction.commitments import Commit, Opening, commit_hash, commit_message, proves
from ainur_node.domain.bidding import Invitation, decide
from ainur_node.domain.canonical import capability_id
from ainur_node.domain.events import Invited, Revealed
from ainur_node.domain.ids import AuctionId, PackageId, PeerId, TaskId
from ainur_node.domain.money import ZERO
from ainur_node.domain.provider import Phase, ProviderJob
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.reputation import penalty
from ainur_node.domain.task import TaskSpec, decode_spec, spec_hash
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.affidavits import Affidavits
from ainur_node.market.bids import TOPIC
from ainur_node.market.codec import JOB, Fact, State
from ainur_node.market.courier import Courier
from ainur_node.market.engine import Engine
from ainur_node.market.grievances import Grievances
from ainur_node.market.messages import Announce, PassNotice, Reveal, RevealRequest
from ainur_node.market.offers import Offers
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh.peers import node_key_of
from ainur_node.ports import ChainAuction, Clock, Gossip, Ledger, Mesh, Observer, Readiness, RemoteRefusal
from ainur_node.signing import NodeSigner, signed_by

log = structlog.get_logger(__name__)

# Announcements looked at side by side. An auction that the chain does not show costs a second of waiting, so whoever
# never announced a real one shares a few places, and no author takes all: what finds no place is dropped.
AT_ONCE = 32
AT_ONCE_BY_ONE = 16
AT_ONCE_BY_STRANGERS = 8
MAX_KNOWN = 1024
STRANGERS = ""
# A bid is opened only once it is known how its commit ended: one that was refused is not watched any more.
STANDING = frozenset({Phase.COMMITTED, Phase.REVEALED})
# The announcement can be faster than our view of the chain: look again for this long.
CHAIN_PATIENCE = 1.0
CHAIN_PAUSE = 0.05


class Bidder:
    """Bids when every policy says yes; says why not otherwise."""

    def __init__(
        self,
        mesh: Mesh,
        ledger: Ledger,
        engine: Engine,
        offers: Offers,
        courier: Courier,
        signer: NodeSigner,
        clock: Clock,
        observer: Observer,
        settings: MarketSettings,
        engine_id: bytes,
        grievances: Grievances,
        affidavits: Affidavits,
    ) -> None:
        self._mesh = mesh
        self._ledger = ledger
        self._engine = engine
        self._offers = offers
        self._courier = courier
        self._signer = signer
        self._clock = clock
        self._observer = observer
        self._settings = settings
        self._engine_id = engine_id
        self._grievances = grievances
        self._affidavits = affidavits
        self._known: dict[PeerId, None] = {}
        self._under_way: Counter[str] = Counter()

    def serve(self) -> None:
        """Answer ``auction.reveal``."""
        self._mesh.serve("auction.reveal", self._reveal, max_body=1024, per_peer_per_second=200, concurrent=64)

    async def run(self, *, task_status: Readiness = trio.TASK_STATUS_IGNORED) -> None:
        """Listen to ``auctions`` until cancelled."""
        channel = self._mesh.subscribe(TOPIC)
        async with trio.open_nursery() as nursery:
            limiter = trio.CapacityLimiter(AT_ONCE)
            task_status.started()
            while True:
                gossip = await channel.receive()
                if gossip.author == self._mesh.peer_id or not self._offers.all():
                    continue
                queue = self._queue(gossip.author)
                if queue is None:
                    self._observer.count("announcements_dropped")
                    continue
                self._under_way[queue] += 1
                if queue != STRANGERS:
                    # Not the gossip itself: the same words may well be heard twice.
                    ticket = object()
                    await limiter.acquire_on_behalf_of(ticket)
                    nursery.start_soon(self._heard, gossip, queue, limiter, ticket)
                else:
                    nursery.start_soon(self._heard, gossip, queue, None, None)

    def _queue(self, author: PeerId) -> str | None:
        """Whose places an announcement may take, None when they are all taken."""
        queue, places = (author, AT_ONCE_BY_ONE) if author in self._known else (STRANGERS, AT_ONCE_BY_STRANGERS)
        return queue if self._under_way[queue] < places else None

    def _remember(self, author: PeerId) -> None:
        """The chain showed an auction of this author; the one that was silent longest makes room."""
        self._known.pop(author, None)
        while len(self._known) >= MAX_KNOWN:
            self._known.pop(next(iter(self._known)))
        self._known[author] = None

    async def _heard(self, gossip: Gossip, queue: str, limiter: trio.CapacityLimiter | None, ticket: object) -> None:
        try:
            await self._consider(gossip)
        except Misbehaviour as exc:
            self._observer.count("announcements_malformed")
            log.info("bad_announcement", peer=gossip.author, why=str(exc))
        except Transient as exc:
            self._observer.count("announcements_missed")
            log.info("announcement_missed", why=str(exc))
        finally:
            self._under_way[queue] -= 1
            if not self._under_way[queue]:
                del self._under_way[queue]
            if limiter is not None:
                limiter.release_on_behalf_of(ticket)

    async def _consider(self, gossip: Gossip) -> None:
        announce = messages.decode(Announce, gossip.body)
        if announce.v != messages.VERSION:
            raise Misbehaviour(f"announcement of version {announce.v}")
        try:
            spec = decode_spec(announce.spec)
        except ValueError as exc:
            raise Misbehaviour(f"the announced task does not decode: {exc}") from exc
        offer = self._offers.best(announce.capability, spec.modules)
        auction = AuctionId(announce.auction)
        if offer is None or self._engine.state(JOB, auction) is not None:
            return
        chain = await self._on_chain(auction)
        if chain is not None and chain.auctioneer_key == node_key_of(gossip.author):
            self._remember(gossip.author)
        code = await self._judge(announce, spec, offer, chain, gossip.author)
        if code is not None or chain is None:
            self._observer.count(f"pass.{code}")
            notice = PassNotice(auction=auction, code=code or "no_hold")
            self._courier.hint(gossip.author, "auction.pass", messages.encode(notice))
            return
        await self._engine.begin(JOB, auction, self._bid(announce, spec, offer, chain, gossip.author))

    async def _on_chain(self, auction: AuctionId) -> ChainAuction | None:
        with trio.move_on_after(CHAIN_PATIENCE):
            while (found := await self._ledger.auction(auction)) is None:  # noqa: ASYNC110 — the chain sends no event
                await trio.sleep(CHAIN_PAUSE)
            return found
        return None

    async def _judge(
        self, announce: Announce, spec: TaskSpec, offer: Offer, chain: ChainAuction | None, author: PeerId
    ) -> str | None:
        held = (
            chain is not None
            and chain.state == "open"
            and chain.payer == spec.payer
            and chain.spec == spec_hash(self._ledger.genesis, spec)
            and chain.capability == capability_id(announce.capability)
            and chain.auctioneer_key == node_key_of(author)
        )
        me = await self._ledger.provider(self._ledger.account)
        owed = 0
        if chain is not None:
            quality = await self._ledger.quality(self._ledger.account, chain.capability, chain.score_epoch)
            owed = penalty(chain.reserve, chain.quality_bps, quality)
        invitation = Invitation(
            spec=spec,
            payer=spec.payer,
            own_account=self._ledger.account,
            own_engine=self._engine_id,
            offer=offer,
            reserve=chain.reserve if chain else ZERO,
            penalty=owed,
            hold_seen=held,
            free_stake=me.free_stake if me and me.active else ZERO,
            open_jobs=len(self._engine.states(JOB)),
            capacity=self._settings.max_open_jobs,
            excluded=self._ledger.account in announce.excluded,
        )
        return decide(invitation)

    def _bid(self, announce: Announce, spec: TaskSpec, offer: Offer, chain: ChainAuction, author: PeerId) -> Invited:
        genesis = self._ledger.genesis
        auction = AuctionId(announce.auction)
        terms = AgentTerms(
            agent=offer.agent,
            version=offer.version,
            module=offer.module,
            abi=1,
            engine=self._engine_id,
            verification_class=offer.verification_class,
            fuel_limit=spec.limits.fuel,
            mem_limit=spec.limits.memory_kib,
            royalty_bps=offer.royalty_bps,
            eta_ms=offer.eta_ms,
        )
        opening = Opening(self._ledger.account, offer.ask, self._clock.random(32), terms)
        unsigned = Commit(
            provider=self._ledger.account,
            commit=commit_hash(genesis, auction, opening),
            seq=self._clock.now_ms(),
            standing_until=chain.award_by + self._settings.standing_extra,
            signature=b"",
        )
        signature = self._signer.sign(commit_message(genesis, auction, unsigned))
        commit = Commit(unsigned.provider, unsigned.commit, unsigned.seq, unsigned.standing_until, signature)
        return Invited(
            auction=auction,
            task=TaskId(announce.task),
            auctioneer=author,
            payer=spec.payer,
            spec=spec,
            capability=announce.capability,
            package=PackageId(offer.package),
            reserve=chain.reserve,
            opening=opening,
            commit=commit,
            at=self._clock.now_ms(),
        )

    # --- reveals --------------------------------------------------------------------------------------------------

    async def _reveal(self, peer: PeerId, body: bytes) -> bytes:
        request = messages.decode(RevealRequest, body)
        auction = AuctionId(request.auction)
        job = self._engine.state(JOB, auction)
        if not isinstance(job, ProviderJob) or job.auctioneer != peer or job.phase not in STANDING:
            raise RemoteRefusal("no_such_bid", "this node has no standing bid in that auction")
        chain = await self._root_on_chain(auction, request, job)
        if not signed_by(node_key_of(peer), request.root, request.signature):
            raise RemoteRefusal("unsigned_root", "the root is not signed by the auctioneer's node key")
        if not proves(
            self._ledger.genesis,
            auction,
            request.root,
            request.count,
            job.opening.provider,
            job.commit.commit,
            request.proof(),
        ):
            await self._grievances.note(auction, "not_my_leaf", "root", request.root)
            raise RemoteRefusal("not_my_leaf", "the proof does not show this node's commit under the root")

        def reveal(state: State) -> Fact | Rejection:
            if state.phase == Phase.COMMITTED:
                return Revealed(request.root)
            code = "revealed_already" if state.phase == Phase.REVEALED else "no_such_bid"
            return Rejection(code, "nothing to write down")

        # A job that ended meanwhile must not be opened: nobody here would see that it was awarded.
        rejection = await self._engine.tell(JOB, auction, reveal)
        if rejection is not None and rejection.code != "revealed_already":
            raise RemoteRefusal("no_such_bid", "this node has no standing bid in that auction")
        if chain.challenge_within:
            await self._affidavits.note_place(auction, request.proof())
        answer = Reveal(ask=messages.money(job.opening.ask), nonce=job.opening.nonce, terms=job.opening.terms.encode())
        return messages.encode(answer)

    async def _root_on_chain(self, auction: AuctionId, request: RevealRequest, job: ProviderJob) -> ChainAuction:
        """The auction once the root is in a block on our own endpoint; refuse otherwise."""
        with trio.move_on_after(CHAIN_PATIENCE):
            while True:
                chain = await self._ledger.auction(auction)
                if chain is not None and chain.root:
                    if chain.root != request.root or chain.count != request.count:
                        on_chain = chain.root.hex()
                        await self._affidavits.note_root(job, request)
                        await self._grievances.note(auction, "other_root", "root", request.root, on_chain=on_chain)
                        raise RemoteRefusal("other_root", "the chain has another root for this auction")
                    return chain
                await trio.sleep(CHAIN_PAUSE)
        raise RemoteRefusal("not_closed", "the root is not on chain yet")
