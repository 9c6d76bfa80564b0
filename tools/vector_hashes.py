"""The records and hashes of the shared vectors, with their fields as docs/protocol.md lists them."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from ainur_node.domain import receipt
from ainur_node.domain.agent import AgentTerms, agent_id, terms_hash
from ainur_node.domain.auction import commitments as sealed
from ainur_node.domain.auction.single import tie_key
from ainur_node.domain.ids import AccountId, AgentId, AuctionId, EscrowId, ModuleId
from ainur_node.domain.money import MAX_BUDGET, Amount
from ainur_node.domain.task import (
    NOTHING,
    Limits,
    TaskSpec,
    VerificationClass,
    VerificationPolicy,
    Visibility,
    auction_id,
    escrow_id,
    input_commitment,
    spec_hash,
    task_id,
)

GENESIS = bytes(range(32))
MAX = {name: 2**bits - 1 for name, bits in (("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64), ("u128", 128))}
Field = tuple[str, str, Any]


def b32(label: str) -> bytes:
    """32 bytes that differ for every label."""
    return sha256(label.encode()).digest()


def vector(tag: str, fields: list[Field], digest: bytes) -> dict[str, Any]:
    """One hash with its fields: (type, name, value), in the order in which they are hashed."""
    return {"tag": tag, "fields": [[kind, name, shown(value)] for kind, name, value in fields], "hash": digest.hex()}


def shown(value: Any) -> Any:
    """A value as JSON: bytes in hexadecimal, integers as decimal strings."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return value if isinstance(value, str) or value is None else str(int(value))


# --- records ----------------------------------------------------------------------------------------------------


def spec(modules: int = 2) -> TaskSpec:
    """A specification with another value in every field."""
    return TaskSpec(
        payer=AccountId(b32("payer")),
        input_commitment=b32("commitment"),
        input_size=1_234,
        modules=tuple(ModuleId(b32(f"module {i}")) for i in range(modules)),
        verification_class=VerificationClass.RECORDED,
        output_schema=b32("schema"),
        limits=Limits(10**9, 65_536, 9_999),
        engine=b32("engine"),
        policy=VerificationPolicy.RECEIPT_ONLY,
        visibility=Visibility.PARTIES,
        quality_bps=400,
        min_score=250_000,
        deadline_ms=60_000,
        checker=b32("checker"),
    )


def largest_spec() -> TaskSpec:
    """Every integer at the end of its range."""
    most = Limits(MAX["u64"], MAX["u32"], MAX["u32"])
    return replace(
        spec(16),
        input_size=MAX["u32"],
        verification_class=VerificationClass.ATTESTED,
        limits=most,
        quality_bps=MAX["u16"],
        min_score=MAX["u32"],
        deadline_ms=MAX["u32"],
    )


def smallest_spec() -> TaskSpec:
    """Every integer zero, no checker."""
    return replace(
        spec(1),
        input_size=0,
        verification_class=VerificationClass.DETERMINISTIC,
        limits=Limits(0, 0, 0),
        policy=VerificationPolicy.REPLAY,
        visibility=Visibility.PUBLIC,
        quality_bps=0,
        min_score=0,
        deadline_ms=0,
        checker=NOTHING,
    )


def terms(number: int) -> AgentTerms:
    """Terms with another value in every field, different for every number."""
    return AgentTerms(
        agent=AgentId(b32(f"agent {number}")),
        version=number + 1,
        module=ModuleId(b32(f"module {number}")),
        abi=1,
        engine=b32("engine"),
        verification_class=number % 3,
        fuel_limit=10**10 + number,
        mem_limit=131_072 + number,
        royalty_bps=250 + number,
        eta_ms=1_500 + number,
    )


def largest_terms() -> AgentTerms:
    """Every integer at the end of its range."""
    u8, u16, u32, u64 = (MAX[name] for name in ("u8", "u16", "u32", "u64"))
    return AgentTerms(AgentId(b"\xff" * 32), u32, ModuleId(b"\xff" * 32), u8, b"\xff" * 32, u8, u64, u32, u16, u32)


def opening(number: int, ask: int | None = None) -> sealed.Opening:
    """What provider ``number`` reveals."""
    price = Amount(10**12 + 7 * number if ask is None else ask)
    return sealed.Opening(AccountId(b32(f"provider {number}")), price, b32(f"nonce {number}"), terms(number))


def commit(auction: AuctionId, shown_later: sealed.Opening, number: int = 0) -> sealed.Commit:
    """The sealed form of an opening."""
    sealed_bid = sealed.commit_hash(GENESIS, auction, shown_later)
    return sealed.Commit(shown_later.provider, sealed_bid, number + 1, 60_000 + number, bytes([number]) * 64)


def execution() -> receipt.Execution:
    """An execution with another value in every field."""
    return receipt.Execution(
        escrow=EscrowId(b32("escrow")),
        provider=AccountId(b32("provider 0")),
        terms=b32("terms"),
        input_sha256=b32("input"),
        seed=b32("seed"),
        clock=1_790_000_000_000,
        host_transcript=b32("host"),
        output_sha256=b32("output"),
        output_len=321,
        exit=receipt.Exit.OK,
        code=0,
        fuel_used=123_456_789,
    )


# --- hashes -----------------------------------------------------------------------------------------------------


def spec_fields(s: TaskSpec) -> list[Field]:
    """``SCALE(TaskSpec)``."""
    return [
        ("b32", "payer", s.payer),
        ("b32", "input_commitment", s.input_commitment),
        ("u32", "input_size", s.input_size),
        ("vec32", "modules", s.modules),
        ("b32", "checker", s.checker),
        ("u8", "class", s.verification_class),
        ("b32", "output_schema", s.output_schema),
        ("u64", "fuel", s.limits.fuel),
        ("u32", "memory_kib", s.limits.memory_kib),
        ("u32", "output", s.limits.output),
        ("b32", "engine", s.engine),
        ("u8", "policy", s.policy),
        ("u8", "visibility", s.visibility),
        ("u16", "quality_bps", s.quality_bps),
        ("u32", "min_score", s.min_score),
        ("u32", "deadline_ms", s.deadline_ms),
    ]


def terms_fields(t: AgentTerms) -> list[Field]:
    """The terms of an agent."""
    return [
        ("b32", "agent", t.agent),
        ("u32", "version", t.version),
        ("b32", "module", t.module),
        ("u8", "abi", t.abi),
        ("b32", "engine", t.engine),
        ("u8", "class", t.verification_class),
        ("u64", "fuel_limit", t.fuel_limit),
        ("u32", "mem_limit", t.mem_limit),
        ("u16", "royalty_bps", t.royalty_bps),
        ("u32", "eta_ms", t.eta_ms),
    ]


def id_vectors() -> list[dict[str, Any]]:
    """Specifications, ids and terms."""
    payer, nonce = AccountId(b32("payer")), b32("nonce")
    task = task_id(GENESIS, payer, nonce, spec_hash(GENESIS, spec()))
    auction = auction_id(GENESIS, payer, task, 0)
    found = [
        *(
            vector("ainur/spec/1", spec_fields(s), spec_hash(GENESIS, s))
            for s in (smallest_spec(), spec(), largest_spec())
        ),
        vector(
            "ainur/input/1",
            [("b32", "salt", nonce), ("b32", "input_sha256", b32("input"))],
            input_commitment(GENESIS, nonce, b32("input")),
        ),
        vector(
            "ainur/task/1",
            [("b32", "payer", payer), ("b32", "nonce", nonce), ("b32", "spec", spec_hash(GENESIS, spec()))],
            task,
        ),
    ]
    for attempt in (0, 1, 2, 255):
        fields: list[Field] = [("b32", "payer", payer), ("b32", "task", task), ("u8", "attempt", attempt)]
        found.append(vector("ainur/auction/1", fields, auction_id(GENESIS, payer, task, attempt)))
    for slot in (0, 1, 65_535):
        fields = [("b32", "auction", auction), ("u16", "slot", slot)]
        found.append(vector("ainur/escrow/1", fields, escrow_id(GENESIS, auction, slot)))
    for name in ("", "text-summary", "zusammenfassung-für-alle", "a" * 64):
        fields = [("b32", "owner", payer), ("text", "name", name)]
        found.append(vector("ainur/agent/1", fields, agent_id(GENESIS, payer, name)))
    for t in (terms(0), terms(1), terms(2), largest_terms()):
        found.append(vector("ainur/terms/1", terms_fields(t), terms_hash(GENESIS, t)))
    return found


def bid_vectors(auction: AuctionId) -> list[dict[str, Any]]:
    """Sealed bids and what is signed about them."""
    found = []
    for number, ask in enumerate((0, 1, 10**12, MAX_BUDGET, MAX["u128"])):
        bid = opening(number, ask)
        sold, kept = sealed.bid_hash(GENESIS, bid.ask, bid.terms), commit(auction, bid, number)
        last = MAX["u64"] - number
        signed = replace(kept, seq=last, standing_until=last) if number == 4 else kept
        taken: list[Field] = [("b32", "auction", auction), ("b32", "provider", bid.provider)]
        named: list[Field] = [*taken, ("b32", "commit", kept.commit)]
        kind: list[Field] = [("u8", "kind", 0), ("u128", "ask", ask), ("b32", "terms", terms_hash(GENESIS, bid.terms))]
        promise: list[Field] = [*named, ("u64", "seq", signed.seq), ("u64", "standing_until", signed.standing_until)]
        included = sealed.inclusion_message(GENESIS, auction, bid.provider, kept.commit, MAX["u32"] - number)
        acknowledged = sealed.reveal_ack_message(GENESIS, auction, bid.provider, kept.commit)
        found += [
            vector("ainur/bid/1", kind, sold),
            vector("ainur/commit/1", [*taken, ("b32", "bid", sold), ("b32", "nonce", bid.nonce)], kept.commit),
            vector("ainur/commit-msg/1", promise, sealed.commit_message(GENESIS, auction, signed)),
            vector("ainur/inclusion/1", [*named, ("u32", "seen_block", MAX["u32"] - number)], included),
            vector("ainur/reveal-ack/1", named, acknowledged),
        ]
        fields: list[Field] = [("b32", "root", b32("root")), ("b32", "beacon", b32("beacon"))]
        key = tie_key(GENESIS, b32("root"), b32("beacon"), bid.provider)
        found.append(vector("ainur/tie/1", [*fields, ("b32", "provider", bid.provider)], key))
    return found


def work_vectors() -> list[dict[str, Any]]:
    """Seeds, executions, receipts and deliveries."""
    escrow, provider = EscrowId(b32("escrow")), AccountId(b32("provider 0"))
    found = [
        vector(
            "ainur/seed/1",
            [("b32", "escrow", escrow), ("b32", "input_sha256", b32("input"))],
            receipt.seed_of(GENESIS, escrow, b32("input")),
        )
    ]
    edges: tuple[dict[str, Any], ...] = (
        {},
        {"exit": receipt.Exit.NONZERO, "code": -1, "output_len": 0, "fuel_used": 0, "clock": 0},
        {"exit": receipt.Exit.ENGINE, "code": -(2**31), "output_len": MAX["u32"], "fuel_used": MAX["u64"]},
        {"exit": receipt.Exit.TRAP, "code": 2**31 - 1, "clock": MAX["u64"]},
    )
    for number, changed in enumerate(edges):
        e = replace(execution(), **changed)
        digest = receipt.execution_hash(GENESIS, e)
        hashes: list[Field] = [
            ("b32", n, getattr(e, n)) for n in ("escrow", "provider", "terms", "input_sha256", "seed")
        ]
        rest: list[Field] = [
            ("u64", "clock", e.clock),
            ("b32", "host_transcript", e.host_transcript),
            ("b32", "output_sha256", e.output_sha256),
            ("u32", "output_len", e.output_len),
            ("u8", "exit", e.exit),
            ("i32", "code", e.code),
            ("u64", "fuel_used", e.fuel_used),
        ]
        found.append(vector("ainur/exec/1", [*hashes, *rest], digest))
        cpu, peak = (MAX["u64"], MAX["u32"]) if number == 3 else (1_000 * number, 64 * number)
        whole = receipt.receipt_hash(GENESIS, digest, cpu, peak, b32("build"))
        build: Field = ("b32", "engine_build", b32("build"))
        measured: list[Field] = [("b32", "exec", digest), ("u64", "cpu_ns", cpu), ("u32", "peak_mem", peak), build]
        found.append(vector("ainur/receipt/1", measured, whole))
        delivered: list[Field] = [
            ("b32", "escrow", escrow),
            ("u8", "milestone", number * 85),
            ("b32", "payee", provider),
            ("b32", "output_sha256", e.output_sha256),
            ("b32", "receipt", whole),
            ("b32", "salt", b32("salt")),
        ]
        claim = receipt.delivery_hash(GENESIS, escrow, number * 85, provider, e.output_sha256, whole, b32("salt"))
        found.append(vector("ainur/delivery/1", delivered, claim))
    return found
