"""What the market needs from the outside, in domain words; adapters fit these shapes without inheriting."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ainur_node.domain import events
from ainur_node.domain.auction.commitments import Commit, MerkleProof, Opening
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey, PeerId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.receipt import Exit
from ainur_node.domain.rejection import Rejection

# --- clock and counters -----------------------------------------------------------------------------------------


class Clock(Protocol):
    """Wall time in ms for display, and randomness; fakes make both repeatable."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def random(self, size: int) -> bytes:
        """``size`` unpredictable bytes."""
        ...


class Observer(Protocol):
    """Counts what happens; never fails, never blocks."""

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        ...

    def time(self, name: str, seconds: float) -> None:
        """Record how long one thing took."""
        ...


class Readiness(Protocol):
    """What a service calls once when it is ready; trio's task status fits."""

    def started(self) -> None:
        """Ready."""
        ...


# --- storage ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredState:
    """A life as stored: JSON state, its version (facts so far) and phase."""

    life: str
    key: bytes
    version: int
    phase: str
    state: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class StoredFact:
    """One fact of a life: ``seq`` from 1, JSON body, wall-clock ms."""

    seq: int
    kind: str
    fact: str
    at: int


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order not yet carried out."""

    id: int
    life: str
    key: bytes
    kind: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed the life first: load again."""

    stored: int


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The order had its answer before; nothing was written."""

    order: int


class TaskStore(Protocol):
    """Lives of tasks and jobs: fact, state and orders go down together or not at all."""

    async def commit(
        self,
        life: str,
        key: bytes,
        expected: int,
        fact_kind: str,
        fact: str,
        state: str,
        phase: str,
        orders: Sequence[tuple[str, str]],
        done: int | None,
    ) -> list[int] | Conflict | AlreadyDone:
        """Append one fact at version ``expected + 1``; new order ids in order. A final phase starts with ``=``."""
        ...

    async def finish(self, order: int, note: str) -> None:
        """The order needs no answer any more."""
        ...

    async def postpone(self, order: int, why: str) -> None:
        """The order failed for now; its attempts go up by one."""
        ...

    async def load(self, life: str, key: bytes) -> StoredState | None:
        """The latest state."""
        ...

    async def open_lives(self, life: str) -> list[StoredState]:
        """All lives that are not final."""
        ...

    async def recent(self, life: str, limit: int, phase: str | None = None) -> list[StoredState]:
        """The newest lives first."""
        ...

    async def facts(self, life: str, key: bytes) -> list[StoredFact]:
        """The history of one life, oldest first."""
        ...

    async def pending_orders(self) -> list[StoredOrder]:
        """Orders without an answer, oldest first."""
        ...

    async def put_doc(self, kind: str, key: bytes, doc: str) -> None:
        """Store a small JSON document under (kind, key)."""
        ...

    async def get_doc(self, kind: str, key: bytes) -> str | None:
        """Read a document back."""
        ...

    async def docs(self, kind: str, limit: int) -> list[tuple[bytes, str]]:
        """Documents of one kind."""
        ...

    async def delete_doc(self, kind: str, key: bytes) -> None:
        """Forget a document."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A signed extrinsic, written before its bytes leave; ``outcome`` None: not known yet; ``at`` in wall-clock ms."""

    ref: bytes
    account: bytes
    nonce: int
    hash: bytes
    raw: bytes
    era_end: int
    call: str
    intent: str
    outcome: str | None = None
    at: int = 0


class Outbox(Protocol):
    """Every extrinsic this node ever signed, and what became of it."""

    async def sign(self, row: OutboxRow) -> None:
        """Keep a row before its bytes leave; the same bytes a second time change nothing."""
        ...

    async def unresolved(self, account: bytes) -> list[OutboxRow]:
        """Rows of one account without an outcome, by nonce."""
        ...

    async def resolve(self, extrinsic: bytes, outcome: str) -> bool:
        """Keep the outcome of an extrinsic by its hash; False when it had one, which stays."""
        ...

    async def outbox(self, limit: int) -> list[OutboxRow]:
        """The newest rows first."""
        ...


@dataclass(frozen=True, slots=True)
class BlobRow:
    """What the index knows of a blob; ``refs`` keep it from being collected."""

    sha256: bytes
    size: int
    kind: str
    refs: tuple[bytes, ...]


class Blobs(Protocol):
    """Content-addressed bytes, named by sha-256."""

    async def put(self, data: bytes) -> bytes:
        """Store; the name."""
        ...

    async def get(self, sha256: bytes) -> bytes | None:
        """The bytes, checked against their name, or None."""
        ...

    async def has(self, sha256: bytes) -> bool:
        """Whether the bytes are here."""
        ...


# --- mesh -------------------------------------------------------------------------------------------------------

Handler = Callable[[PeerId, bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Gossip:
    """A message heard on a topic; ``author`` is proven by its signature."""

    author: PeerId
    body: bytes


class GossipChannel(Protocol):
    """Messages of one topic, bounded; a full channel drops the oldest and counts it."""

    async def receive(self) -> Gossip:
        """The next message."""
        ...


class Mesh(Protocol):
    """Peers: gossip, requests over streams, discovery, blobs."""

    peer_id: PeerId
    node_key: NodeKey

    async def publish(self, topic: str, body: bytes) -> None:
        """Tell all subscribers; at most 64 KiB."""
        ...

    def subscribe(self, topic: str) -> GossipChannel:
        """Listen to a topic from now on."""
        ...

    async def request(self, peer: PeerId, method: str, body: bytes, *, timeout: float) -> bytes:
        """Ask one peer; Transient when it cannot be reached, RemoteRefusal when it says no."""
        ...

    def serve(
        self, method: str, handler: Handler, *, max_body: int, per_peer_per_second: float, concurrent: int
    ) -> None:
        """Answer requests; a Refused raised by the handler travels as code and hint."""
        ...

    async def provide(self, key: bytes) -> None:
        """Announce in the DHT that this node has the bytes named ``key``."""
        ...

    async def find_providers(self, key: bytes, limit: int = 20) -> list[PeerId]:
        """Peers that announced ``key``."""
        ...

    async def fetch_blob(self, sha256: bytes, size: int, peers: Sequence[PeerId], *, timeout: float) -> bytes:
        """Bytes of at most ``size`` by hash, from any of ``peers``; Transient when none has them."""
        ...

    def statistics(self) -> Mapping[str, int | float]:
        """Counters for people."""
        ...


class RemoteRefusal(Exception):  # noqa: N818 — the peer's answer, not our error
    """A peer said no, with a stable code and a hint; raised by handlers to say no as well."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint


# --- ledger -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainAuction:
    """An auction as it stands on chain; times in market ms."""

    payer: AccountId
    auctioneer_key: NodeKey
    spec: bytes
    capability: bytes
    budget: Amount
    reserve: Amount
    fee_bps: int
    quality_bps: int
    score_epoch: int
    commit_end: int
    reveal_end: int
    award_by: int
    failed: tuple[AccountId, ...]
    state: str  # open, closed, awarded, no_sale, void
    root: bytes = b""
    count: int = 0
    close_block: int = 0
    transcript: bytes = b""
    escrow: EscrowId | None = None


@dataclass(frozen=True, slots=True)
class ChainEscrow:
    """An escrow as it stands on chain; times in market ms."""

    auction: AuctionId
    payer: AccountId
    payee: AccountId
    amount: Amount
    fee: Amount
    terms: bytes
    module: bytes
    awarded_at: int
    start_by: int
    deliver_by: int
    review_within: int
    state: str  # funded, delivered, disputed, settled
    delivery: bytes = b""
    delivered_at: int = 0
    paid_so_far: Amount = ZERO
    outcome: str = ""  # paid, auto, declined, not_delivered, gave_back, ruled, stale
    until: int = 0


@dataclass(frozen=True, slots=True)
class ChainProvider:
    """A provider record: who it is and what it has at stake."""

    account: AccountId
    node_key: NodeKey
    free_stake: Amount
    active: bool


@dataclass(frozen=True, slots=True)
class ChainAgent:
    """A registered agent."""

    agent: bytes
    provider: AccountId
    name: str
    capability: str
    package: bytes
    module: bytes
    verification_class: int
    version: int
    royalty_bps: int
    active: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """Planck of an account: ``spendable`` is free above the existential deposit and the fee reserve."""

    free: Amount
    held: Mapping[str, int]
    spendable: Amount
    fee_reserve: Amount


@dataclass(frozen=True, slots=True)
class OpenTerms:
    """Windows and rates of one auction, in ms and basis points."""

    commit_within: int
    reveal_within: int
    start_within: int
    deliver_within: int
    review_within: int
    quality_bps: int
    min_score: int


class Ledger(Protocol):
    """The chain in market words. Calls return once the extrinsic is in a block; "already so, by me" is success.

    Transient when the chain cannot be reached or the era ended without the extrinsic.
    """

    account: AccountId
    genesis: bytes

    async def market_now(self) -> int:
        """Market time in ms, estimated for this instant from the best block and the time since it was sealed."""
        ...

    async def height(self) -> int:
        """Number of the best block."""
        ...

    async def balance(self, account: AccountId) -> Balance:
        """What the account owns."""
        ...

    async def open_auction(
        self,
        task: bytes,
        attempt: int,
        auction: AuctionId,
        spec: bytes,
        capability: bytes,
        budget: Amount,
        terms: OpenTerms,
    ) -> events.Funded | events.FundingRefused:
        """Hold the budget under a new auction."""
        ...

    async def close_auction(self, auction: AuctionId, root: bytes, count: int) -> events.Closed | Rejection:
        """Put the root of the bid set on chain."""
        ...

    async def award(
        self,
        auction: AuctionId,
        opening: Opening,
        proof: MerkleProof,
        commit: Commit,
        price: Amount,
        transcript: bytes,
        *,
        all_revealed: bool,
    ) -> events.Escrowed | events.AwardRefused:
        """Turn the hold into the winner's escrow."""
        ...

    async def release(self, auction: AuctionId, transcript: bytes | None, *, all_revealed: bool) -> str:
        """End an auction without a sale: how it ended (cancelled, no_sale, expired, already the same)."""
        ...

    async def deliver(self, escrow: EscrowId, delivery: bytes) -> events.DeliveredOnChain | events.DeliveryRefused:
        """Put the delivery hash on chain."""
        ...

    async def decline(self, escrow: EscrowId) -> str:
        """Give the escrow back; the outcome it ended with, or ``too_late``."""
        ...

    async def refund(self, escrow: EscrowId) -> str:
        """Take back an overdue escrow; the outcome it ended with, or ``too_early``."""
        ...

    async def accept(self, escrow: EscrowId, *, verified: bool) -> events.Settled:
        """Pay the escrow out."""
        ...

    async def auto_release(self, escrow: EscrowId) -> str:
        """Pay out after the review time; the outcome it ended with, or ``too_early``."""
        ...

    async def dispute(self, escrow: EscrowId, ground: int, evidence: bytes) -> events.Disputed | events.Settled:
        """Open a case; Settled when the escrow ended first."""
        ...

    async def timeout_dispute(self, escrow: EscrowId) -> str:
        """End a dispute whose limit is over; the outcome it ended with, or ``too_early``."""
        ...

    async def auction(self, auction: AuctionId) -> ChainAuction | None:
        """An auction as stored."""
        ...

    async def escrow(self, escrow: EscrowId) -> ChainEscrow | None:
        """An escrow as stored."""
        ...

    async def watch_escrow(self, escrow: EscrowId, known: ChainEscrow | None, *, until: int) -> ChainEscrow | None:
        """Return once the escrow differs from ``known`` or market time passes ``until``; what stands then."""
        ...

    async def watch_auction(self, auction: AuctionId, known: ChainAuction | None, *, until: int) -> ChainAuction | None:
        """Return once the auction differs from ``known`` or market time passes ``until``; what stands then."""
        ...

    async def provider(self, account: AccountId) -> ChainProvider | None:
        """A provider record; may be up to two seconds old."""
        ...

    async def provider_of(self, node_key: NodeKey) -> ChainProvider | None:
        """The provider that is bound to a node key; may be up to two seconds old."""
        ...

    async def quality(self, provider: AccountId, capability: bytes, epoch: int) -> int:
        """The score frozen for an epoch, 0 to 10^6."""
        ...

    async def agents(self, capability: str | None = None) -> list[ChainAgent]:
        """Registered agents; may be up to two seconds old."""
        ...

    async def block_hash(self, number: int) -> bytes:
        """Hash of a block."""
        ...


# --- sandbox ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """One execution: limits are ceilings, ``clock`` is the guest's time in ms."""

    module: bytes
    input: bytes
    seed: bytes
    clock: int
    fuel: int
    memory_kib: int
    output_limit: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Run:
    """How a job ended."""

    exit: Exit
    code: int
    output: bytes
    log: bytes
    fuel_used: int
    cpu_ns: int
    peak_memory_kib: int
    host_transcript: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a module is refused: stable code and detail."""

    code: str
    detail: str


class Sandbox(Protocol):
    """Runs untrusted modules in jailed child processes."""

    engine: bytes

    async def prepare(self, wasm: bytes) -> list[Finding]:
        """Inspect, compile and cache a module; empty when it may run."""
        ...

    async def run(self, job: Job) -> Run:
        """Run a prepared module; Transient when no worker could be had."""
        ...
