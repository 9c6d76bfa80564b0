"""Work receipts and deliveries: what ran on what with which result, signed by the provider."""

from dataclasses import dataclass
from enum import IntEnum

from ainur_node.domain.canonical import b32, i32, tagged_hash, u8, u32, u64
from ainur_node.domain.ids import AccountId, EscrowId


class Exit(IntEnum):
    """How an execution ended; only the first four are provable by replay."""

    OK = 0
    NONZERO = 1
    OUT_OF_FUEL = 2
    TRAP = 3
    STACK_OVERFLOW = 4
    DEADLINE = 5
    OUTPUT_LIMIT = 6
    MEMORY = 7
    BAD_MODULE = 8
    ENGINE = 9

    @property
    def provable(self) -> bool:
        """Whether another node's replay must end the same way."""
        return self <= Exit.TRAP


@dataclass(frozen=True, slots=True)
class Execution:
    """The replayable part of a receipt."""

    escrow: EscrowId
    provider: AccountId
    terms: bytes
    input_sha256: bytes
    seed: bytes
    clock: int
    host_transcript: bytes
    output_sha256: bytes
    output_len: int
    exit: Exit
    code: int
    fuel_used: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """An execution with what was measured around it and the provider's signature over both."""

    execution: Execution
    cpu_ns: int
    peak_mem: int  # KiB
    engine_build: bytes
    signature: bytes


def seed_of(genesis: bytes, escrow: EscrowId, input_sha256: bytes) -> bytes:
    """The guest's random seed: fixed by the award and the input, so that anyone can replay."""
    return tagged_hash(genesis, "ainur/seed/1", b32(escrow), b32(input_sha256))


def execution_hash(genesis: bytes, e: Execution) -> bytes:
    """Hash of the replayable part."""
    return tagged_hash(
        genesis,
        "ainur/exec/1",
        b32(e.escrow),
        b32(e.provider),
        b32(e.terms),
        b32(e.input_sha256),
        b32(e.seed),
        u64(e.clock),
        b32(e.host_transcript),
        b32(e.output_sha256),
        u32(e.output_len),
        u8(e.exit),
        i32(e.code),
        u64(e.fuel_used),
    )


def receipt_hash(genesis: bytes, execution: bytes, cpu_ns: int, peak_mem: int, engine_build: bytes) -> bytes:
    """What the provider's node key signs."""
    return tagged_hash(genesis, "ainur/receipt/1", b32(execution), u64(cpu_ns), u32(peak_mem), b32(engine_build))


def hash_of(genesis: bytes, receipt: Receipt) -> bytes:
    """The hash of a whole receipt, without its signature."""
    return receipt_hash(
        genesis,
        execution_hash(genesis, receipt.execution),
        receipt.cpu_ns,
        receipt.peak_mem,
        receipt.engine_build,
    )


def delivery_hash(
    genesis: bytes,
    escrow: EscrowId,
    milestone: int,
    payee: AccountId,
    output_sha256: bytes,
    receipt: bytes,
    salt: bytes,
) -> bytes:
    """Salted, so that a copied result cannot be delivered under another name."""
    return tagged_hash(
        genesis,
        "ainur/delivery/1",
        b32(escrow),
        u8(milestone),
        b32(payee),
        b32(output_sha256),
        b32(receipt),
        b32(salt),
    )
