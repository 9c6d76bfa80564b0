"""The bundle that parties show arbiters: canonical bytes that name all a replay needs; its sha-256 is the exhibit.

The bundle is believed for nothing. Spec, terms, input and delivery are held against hashes that stand on chain, so it
does not matter which party an arbiter has it from.
"""

from dataclasses import dataclass

from ainur_node.domain.agent import AgentTerms, decode_terms, terms_hash
from ainur_node.domain.canonical import Reader, b32, i32, u8, u32, u64
from ainur_node.domain.court.docket import Docket
from ainur_node.domain.ids import AccountId, EscrowId, PackageId
from ainur_node.domain.receipt import Execution, Exit, Receipt, delivery_hash, hash_of, seed_of
from ainur_node.domain.task import TaskSpec, decode_spec, input_commitment, spec_hash

MAX_BUNDLE = 4_096
MAX_SPEC = 2_048
MAX_TERMS = 256
VERSION = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """One delivery with what it was made from; input and output are named by their hashes and handed over apart."""

    escrow: EscrowId
    spec: TaskSpec
    terms: AgentTerms
    package: PackageId
    input_salt: bytes
    receipt: Receipt
    delivery_salt: bytes

    def encode(self) -> bytes:
        """Canonical bytes (docs/protocol.md, section 7)."""
        spec, terms, e = self.spec.encode(), self.terms.encode(), self.receipt.execution
        return b"".join(
            (
                u8(VERSION),
                b32(self.escrow),
                u32(len(spec)),
                spec,
                u32(len(terms)),
                terms,
                b32(self.package),
                b32(self.input_salt),
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
                u64(self.receipt.cpu_ns),
                u32(self.receipt.peak_mem),
                b32(self.receipt.engine_build),
                self.receipt.signature,
                b32(self.delivery_salt),
            )
        )


def decode_bundle(data: bytes) -> Bundle:
    """The bundle behind canonical bytes; ValueError on anything else, whatever a stranger made of it."""
    if len(data) > MAX_BUNDLE:
        raise ValueError(f"a bundle of {len(data)} bytes")
    r = Reader(data)
    if r.integer(1) != VERSION:
        raise ValueError("a bundle of another version")
    escrow = EscrowId(r.take(32))
    spec, terms = decode_spec(r.take(r.count(MAX_SPEC))), decode_terms(r.take(r.count(MAX_TERMS)))
    package, input_salt = PackageId(r.take(32)), r.take(32)
    execution = Execution(
        escrow=escrow,
        provider=AccountId(r.take(32)),
        terms=r.take(32),
        input_sha256=r.take(32),
        seed=r.take(32),
        clock=r.integer(8),
        host_transcript=r.take(32),
        output_sha256=r.take(32),
        output_len=r.integer(4),
        exit=Exit(r.integer(1)),
        code=r.signed(4),
        fuel_used=r.integer(8),
    )
    receipt = Receipt(execution, r.integer(8), r.integer(4), r.take(32), r.take(64))
    bundle = Bundle(escrow, spec, terms, package, input_salt, receipt, r.take(32))
    r.end()
    return bundle


def work_fault(genesis: bytes, bundle: Bundle, docket: Docket, spec: bytes) -> str | None:
    """Why this is not the work that the escrow pays for: nothing can be replayed from it. ``spec`` is the auction's."""
    expected = {
        "escrow": (bundle.escrow, docket.escrow),
        "spec": (spec_hash(genesis, bundle.spec), spec),
        "terms": (terms_hash(genesis, bundle.terms), docket.terms),
        "module": (bundle.terms.module, docket.module),
        "input": (
            input_commitment(genesis, bundle.input_salt, bundle.receipt.execution.input_sha256),
            bundle.spec.input_commitment,
        ),
    }
    return next((name for name, (found, wanted) in expected.items() if found != wanted), None)


def opens_delivery(genesis: bytes, bundle: Bundle, docket: Docket) -> bool:
    """Whether the receipt and its output are what the payee put on chain."""
    output, receipt = bundle.receipt.execution.output_sha256, hash_of(genesis, bundle.receipt)
    salt = bundle.delivery_salt
    found = delivery_hash(genesis, docket.escrow, docket.milestone, docket.payee, output, receipt, salt)
    return found == docket.delivery


def receipt_fault(genesis: bytes, bundle: Bundle, docket: Docket) -> str | None:
    """What a delivered receipt says that cannot be; its signature is for whoever has the payee's key to check."""
    e = bundle.receipt.execution
    expected = {
        "provider": (e.provider, docket.payee),
        "terms": (e.terms, docket.terms),
        "seed": (e.seed, seed_of(genesis, docket.escrow, e.input_sha256)),
        "clock": (e.clock, docket.awarded_at),
        "exit": (e.exit, Exit.OK),
    }
    wrong = next((name for name, (found, wanted) in expected.items() if found != wanted), None)
    if wrong is None and (e.fuel_used > bundle.spec.limits.fuel or e.output_len > bundle.spec.limits.output):
        return "limits"
    return wrong
