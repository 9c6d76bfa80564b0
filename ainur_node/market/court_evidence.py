"""Evidence: a party makes its bundle, serves it and its blobs to the arbiters of the case; an arbiter fetches both."""

from collections.abc import Sequence

import structlog
import trio

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court.docket import Docket, Role
from ainur_node.domain.court.evidence import Bundle, decode_bundle, opens_delivery, work_fault
from ainur_node.domain.events import Mismatch
from ainur_node.domain.ids import EscrowId, PackageId, PeerId
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import codec, messages
from ainur_node.market.codec import TASK
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.library import Library
from ainur_node.market.messages import EscrowHint, ExhibitRequest, Output
from ainur_node.mesh.peers import node_key_of, peer_id_of
from ainur_node.ports import Ledger, Mesh, RemoteRefusal, TaskStore
from ainur_node.ports.court import CourtBook

log = structlog.get_logger(__name__)

EXHIBIT = "court.exhibit"
MAX_EXHIBIT = 1 << 20
FETCH_TIMEOUT, FETCH_WITHIN = 4.0, 6.0
"""Seconds for one exhibit, and for all of a side: an arbiter has little time to vote, and asks again."""
PACKAGE_WITHIN = 10.0
"""Seconds for a package of the work, among all that both sides name."""


class Evidence:
    """Bundles of this node's disputes, and those of others."""

    def __init__(
        self, store: TaskStore, mesh: Mesh, ledger: Ledger, library: Library, book: CourtBook, records: CourtRecords
    ) -> None:
        self._store = store
        self._mesh = mesh
        self._ledger = ledger
        self._library = library
        self._book = book
        self._records = records

    def serve(self) -> None:
        """Answer arbiters from now on."""
        self._mesh.serve("court.exhibit", self._exhibit, max_body=256, per_peer_per_second=20, concurrent=16)

    # --- making -----------------------------------------------------------------------------------------------------

    async def of_task(self, case: bytes, task: RequesterTask) -> list[bytes]:
        """The exhibits of a payer: its bundle, when it ever had the result; kept and served from now on."""
        for stored in reversed(await self._store.facts(TASK, task.task)):
            happened = codec.decode_fact(stored.kind, stored.fact)
            raw = await self._library.bytes_of(happened.evidence) if isinstance(happened, Mismatch) else None
            try:
                output = messages.decode(Output, raw) if raw is not None else None
            except Misbehaviour:  # ground 0 has no result, only a sentence
                continue
            if output is not None:
                return await self._shown(case, task, output)
        output = await self._asked(task)  # a person disputed it before the node had found anything
        return await self._shown(case, task, output) if output is not None else []

    async def _shown(self, case: bytes, task: RequesterTask, output: Output) -> list[bytes]:
        if task.opening is None or task.escrow is None:
            return []
        held = self._library.package_of(task.opening.terms.module, task.spec.output_schema)
        package = held.manifest.package if held is not None else task.package
        receipt = output.receipt(task.escrow)
        bundle = Bundle(task.escrow, task.spec, task.opening.terms, package, task.salt, receipt, output.salt)
        await self._library.keep(output.body)
        return await self._keep(case, bundle)

    async def _asked(self, task: RequesterTask) -> Output | None:
        """The result from its provider; None when that one does not hand it over any more."""
        provider = await self._ledger.provider(task.opening.provider) if task.opening is not None else None
        if provider is None or task.escrow is None:
            return None
        request = messages.encode(EscrowHint(auction=task.auction, escrow=task.escrow))
        try:
            raw = await self._mesh.request(peer_id_of(provider.node_key), "task.output", request, timeout=FETCH_TIMEOUT)
            return messages.decode(Output, raw)
        except (Transient, RemoteRefusal, Misbehaviour) as exc:
            log.info("result_not_had", escrow=task.escrow.hex()[:16], why=str(exc))
            return None

    async def of_job(self, case: bytes, job: ProviderJob) -> list[bytes]:
        """The exhibits of a payee: its bundle; kept and served from now on."""
        salt = await self._library.salt_of(job.escrow) if job.escrow is not None else None
        if salt is None or job.escrow is None or job.receipt is None:
            return []
        terms = job.opening.terms
        bundle = Bundle(job.escrow, job.spec, terms, job.package, salt, job.receipt, job.delivery_salt)
        return await self._keep(case, bundle)

    async def _keep(self, case: bytes, bundle: Bundle) -> list[bytes]:
        exhibit, e = await self._library.keep(bundle.encode()), bundle.receipt.execution
        await self._records.show(case, [exhibit, e.input_sha256, e.output_sha256])
        return [exhibit]

    async def add(self, case: bytes, data: bytes) -> bytes:
        """Keep one more exhibit and show it to the arbiters; its hash."""
        exhibit = await self._library.keep(data)
        await self._records.show(case, [exhibit])
        return exhibit

    # --- serving ----------------------------------------------------------------------------------------------------

    async def _exhibit(self, peer: PeerId, body: bytes) -> bytes:
        asked = messages.decode(ExhibitRequest, body)
        if asked.sha256 not in await self._records.shown(asked.case):
            raise RemoteRefusal("no_exhibit", "this node shows nothing of that name in that case")
        docket = await self._book.docket(EscrowId(asked.escrow))
        account = await self._book.account_of(node_key_of(peer))
        seated = docket is not None and docket.case == asked.case and account is not None
        if not seated or docket is None or docket.seat_of(account or b"") is None:
            raise RemoteRefusal("not_seated", "evidence is for the arbiters who sit on the case")
        data = await self._library.bytes_of(asked.sha256)
        if data is None:
            raise RemoteRefusal("gone", "it is no longer stored here")
        return data

    # --- fetching ---------------------------------------------------------------------------------------------------

    async def parties(self, docket: Docket) -> dict[Role, PeerId]:
        """The nodes of both sides, as far as the chain names them."""
        auction = await self._ledger.auction(docket.auction)
        payee = await self._book.node_key(docket.payee)
        found = {Role.PAYER: auction.auctioneer_key} if auction is not None else {}
        if payee is not None:
            found[Role.PAYEE] = payee
        return {role: peer_id_of(key) for role, key in found.items()}

    async def bundles(self, docket: Docket, peers: dict[Role, PeerId]) -> list[Bundle]:
        """The bundles among both sides' exhibits that are about the work of this escrow.

        Transient when this node's own store failed and nothing had opens the delivery: what could not be kept or read
        here must not be held against the party that showed it.
        """
        auction = await self._ledger.auction(docket.auction)
        found: list[Bundle] = []
        faults: list[Transient] = []
        if auction is not None:
            async with trio.open_nursery() as nursery:
                for role, peer in peers.items():
                    nursery.start_soon(self._bundles_of, docket, role, peer, auction.spec, found, faults)
        if faults and not any(opens_delivery(self._book.genesis, each, docket) for each in found):
            raise faults[0]
        return found

    async def _bundles_of(
        self, docket: Docket, role: Role, peer: PeerId, spec: bytes, found: list[Bundle], faults: list[Transient]
    ) -> None:
        """One side's; a party that hands over slowly cannot keep an arbiter from hearing the other."""
        with trio.move_on_after(FETCH_WITHIN):
            for exhibit in docket.exhibits[role]:
                try:
                    raw = await self.fetch(docket, exhibit, [peer])
                    bundle = decode_bundle(raw) if raw is not None else None
                except (ValueError, OverflowError):
                    continue  # any file may be an exhibit
                except Transient as exc:  # told once, after the nursery: inside it would be a group, and end the node
                    log.warning("exhibit_not_kept", case=docket.case.hex()[:16], by=role.name, why=str(exc))
                    faults.append(exc)
                    continue
                fault = work_fault(self._book.genesis, bundle, docket, spec) if bundle is not None else None
                if bundle is not None and fault is None:
                    found.append(bundle)
                elif fault is not None:
                    log.warning("evidence_of_other_work", case=docket.case.hex()[:16], by=role.name, fault=fault)

    async def fetch(self, docket: Docket, sha256: bytes, peers: Sequence[PeerId]) -> bytes | None:
        """Bytes by their hash from the first party that hands them over; None when nobody does."""
        held = await self._library.bytes_of(sha256)
        if held is not None:
            return held
        request = messages.encode(ExhibitRequest(escrow=docket.escrow, case=docket.case, sha256=sha256))
        for peer in peers:
            try:
                data = await self._mesh.request(peer, EXHIBIT, request, timeout=FETCH_TIMEOUT)
            except (Transient, RemoteRefusal, Misbehaviour) as exc:
                log.info("exhibit_not_had", peer=peer, sha256=sha256.hex()[:16], why=str(exc))
                continue
            if len(data) <= MAX_EXHIBIT and content_hash(data) == sha256:
                await self._library.keep(data)
                return data
            log.warning("wrong_exhibit", peer=peer, sha256=sha256.hex()[:16])
        return None

    async def package(self, bundles: Sequence[Bundle], peers: Sequence[PeerId]) -> PackageId:
        """A package here with module and output schema of the work, else the first of those that the bundles name.

        All of them are asked for at once: nothing binds what a bundle names, and each name of a liar takes its time.
        """
        found = self._held(bundles)
        if found is None:
            with trio.move_on_after(PACKAGE_WITHIN):
                async with trio.open_nursery() as nursery:
                    for named in dict.fromkeys(bundle.package for bundle in bundles):
                        nursery.start_soon(self._fetch_package, named, bundles, peers, nursery.cancel_scope)
            found = self._held(bundles)
        if found is None:
            raise Transient("no package with the module and the output schema of the work can be had")
        return found

    def _held(self, bundles: Sequence[Bundle]) -> PackageId | None:
        terms, spec = bundles[0].terms, bundles[0].spec  # the same in all: they are those of the escrow
        held = self._library.package_of(terms.module, spec.output_schema)
        return held.manifest.package if held is not None else None

    async def _fetch_package(
        self, named: PackageId, bundles: Sequence[Bundle], peers: Sequence[PeerId], others: trio.CancelScope
    ) -> None:
        try:
            await self._library.fetch(named, peers)
        except (Transient, RemoteRefusal, Misbehaviour) as exc:
            log.info("package_not_had", package=named.hex()[:16], why=str(exc))
        if self._held(bundles) is not None:
            others.cancel()
