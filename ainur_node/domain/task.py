"""What a submitter asks for: the specification that every hash of a task rests on."""

from dataclasses import dataclass
from enum import IntEnum

from ainur_node.domain.canonical import Reader, b32, tagged_hash, u8, u16, u32, u64, vec
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, ModuleId, TaskId

MAX_MODULES = 16
NOTHING = bytes(32)


class VerificationClass(IntEnum):
    """How a result can be checked; dispute rights follow it."""

    DETERMINISTIC = 0
    RECORDED = 1
    ATTESTED = 2


class VerificationPolicy(IntEnum):
    """What the requester does before it accepts."""

    REPLAY = 0
    RECEIPT_ONLY = 1


class Visibility(IntEnum):
    """Who may read the transcript of the auction."""

    PUBLIC = 0
    PARTIES = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one execution: ``fuel`` units, ``memory_kib`` KiB, ``output`` bytes."""

    fuel: int
    memory_kib: int
    output: int


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task; ``input_commitment`` hides the input (salted), ``modules`` are the only admissible ones."""

    payer: AccountId
    input_commitment: bytes
    input_size: int
    modules: tuple[ModuleId, ...]
    verification_class: VerificationClass
    output_schema: bytes
    limits: Limits
    engine: bytes
    policy: VerificationPolicy
    visibility: Visibility
    quality_bps: int
    min_score: int
    deadline_ms: int
    checker: bytes = NOTHING

    def encode(self) -> bytes:
        """Canonical bytes in the order of docs/protocol.md."""
        if not 1 <= len(self.modules) <= MAX_MODULES:
            raise ValueError(f"a task admits 1 to {MAX_MODULES} modules, not {len(self.modules)}")
        return b"".join(
            (
                b32(self.payer),
                b32(self.input_commitment),
                u32(self.input_size),
                vec([b32(m) for m in self.modules]),
                b32(self.checker),
                u8(self.verification_class),
                b32(self.output_schema),
                u64(self.limits.fuel),
                u32(self.limits.memory_kib),
                u32(self.limits.output),
                b32(self.engine),
                u8(self.policy),
                u8(self.visibility),
                u16(self.quality_bps),
                u32(self.min_score),
                u32(self.deadline_ms),
            )
        )


def spec_hash(genesis: bytes, spec: TaskSpec) -> bytes:
    """The hash that the auction on chain names."""
    return tagged_hash(genesis, "ainur/spec/1", spec.encode())


def input_commitment(genesis: bytes, salt: bytes, input_sha256: bytes) -> bytes:
    """Salted, because small inputs can be guessed."""
    return tagged_hash(genesis, "ainur/input/1", b32(salt), b32(input_sha256))


def task_id(genesis: bytes, payer: AccountId, nonce: bytes, spec: bytes) -> TaskId:
    """Id of a task from its payer, a random nonce and the spec's hash."""
    return TaskId(tagged_hash(genesis, "ainur/task/1", b32(payer), b32(nonce), b32(spec)))


def auction_id(genesis: bytes, payer: AccountId, task: TaskId, attempt: int) -> AuctionId:
    """Id of the ``attempt``-th auction of a task, counted from 0."""
    return AuctionId(tagged_hash(genesis, "ainur/auction/1", b32(payer), b32(task), u8(attempt)))


def escrow_id(genesis: bytes, auction: AuctionId, slot: int = 0) -> EscrowId:
    """Id of the escrow that pays slot ``slot`` of an auction."""
    return EscrowId(tagged_hash(genesis, "ainur/escrow/1", b32(auction), u16(slot)))


def decode_spec(data: bytes) -> TaskSpec:
    """The specification behind canonical bytes; ValueError unless it encodes back to the very same bytes."""
    r = Reader(data)
    payer, commitment, size = AccountId(r.take(32)), r.take(32), r.integer(4)
    modules = tuple(ModuleId(r.take(32)) for _ in range(r.count(MAX_MODULES)))
    checker = r.take(32)
    verification_class = VerificationClass(r.integer(1))
    schema = r.take(32)
    limits = Limits(r.integer(8), r.integer(4), r.integer(4))
    engine = r.take(32)
    policy, visibility = VerificationPolicy(r.integer(1)), Visibility(r.integer(1))
    quality_bps, min_score, deadline_ms = r.integer(2), r.integer(4), r.integer(4)
    r.end()
    if not modules:
        raise ValueError("a task admits at least one module")
    return TaskSpec(
        payer=payer,
        input_commitment=commitment,
        input_size=size,
        modules=modules,
        verification_class=verification_class,
        output_schema=schema,
        limits=limits,
        engine=engine,
        policy=policy,
        visibility=visibility,
        quality_bps=quality_bps,
        min_score=min_score,
        deadline_ms=deadline_ms,
        checker=checker,
    )
