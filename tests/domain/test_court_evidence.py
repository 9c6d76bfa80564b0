"""Evidence as canonical bytes: every bundle reads back, garbage never does, and one byte changed is other work."""

from dataclasses import replace

import pytest
from domain_records import GENESIS, b32, spec, terms
from hypothesis import given
from hypothesis import strategies as st
from life_samples import RECEIPT
from test_court_roles import empty

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.court import docket as d
from ainur_node.domain.court.docket import Docket
from ainur_node.domain.court.evidence import (
    MAX_BUNDLE,
    Bundle,
    decode_bundle,
    opens_delivery,
    receipt_fault,
    work_fault,
)
from ainur_node.domain.ids import EscrowId, PackageId
from ainur_node.domain.receipt import Exit, delivery_hash, hash_of, seed_of
from ainur_node.domain.task import input_commitment, spec_hash

ESCROW = EscrowId(b32("escrow"))
SALT, DELIVERY_SALT = b32("input salt"), b32("delivery salt")
INPUT = b32("input")


def sample() -> tuple[Bundle, Docket, bytes]:
    """A bundle of true work, the dispute about it and the spec that its auction names."""
    promised = terms()
    asked = spec(input_commitment=input_commitment(GENESIS, SALT, INPUT))
    docket = replace(
        empty(d.Voting(1, 2)), escrow=ESCROW, module=promised.module, terms=terms_hash(GENESIS, promised), awarded_at=77
    )
    execution = replace(
        RECEIPT.execution,
        escrow=ESCROW,
        provider=docket.payee,
        terms=docket.terms,
        input_sha256=INPUT,
        seed=seed_of(GENESIS, ESCROW, INPUT),
        clock=77,
        exit=Exit.OK,
        fuel_used=1,
        output_len=1,
    )
    receipt = replace(RECEIPT, execution=execution, signature=bytes(64))
    bundle = Bundle(ESCROW, asked, promised, PackageId(b32("package")), SALT, receipt, DELIVERY_SALT)
    output, hashed = execution.output_sha256, hash_of(GENESIS, receipt)
    delivery = delivery_hash(GENESIS, ESCROW, 0, docket.payee, output, hashed, DELIVERY_SALT)
    return bundle, replace(docket, delivery=delivery), spec_hash(GENESIS, asked)


def test_a_bundle_reads_back_and_is_the_work_of_its_escrow() -> None:
    bundle, docket, named = sample()
    raw = bundle.encode()
    assert len(raw) <= MAX_BUNDLE
    assert decode_bundle(raw) == bundle
    assert work_fault(GENESIS, bundle, docket, named) is None
    assert opens_delivery(GENESIS, bundle, docket)
    assert receipt_fault(GENESIS, bundle, docket) is None


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_one_byte_changed_is_refused_or_is_seen_to_be_other_work(at: int, flip: int) -> None:
    bundle, docket, named = sample()
    raw = bytearray(bundle.encode())
    raw[at % len(raw)] ^= flip
    try:
        changed = decode_bundle(bytes(raw))
    except (ValueError, OverflowError):
        return
    other = work_fault(GENESIS, changed, docket, named) is not None or not opens_delivery(GENESIS, changed, docket)
    # Not under any hash on chain: where the package is said to lie, and the signature, which is checked by itself.
    only_words = replace(changed, package=bundle.package, receipt=replace(changed.receipt, signature=bytes(64)))
    assert other or only_words == bundle


@given(st.binary(max_size=MAX_BUNDLE + 8))
def test_garbage_is_no_bundle(raw: bytes) -> None:
    with pytest.raises((ValueError, OverflowError)):
        decode_bundle(raw)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"clock": 78}, "clock"),
        ({"seed": b32("other")}, "seed"),
        ({"exit": Exit.TRAP}, "exit"),
        ({"provider": b32("other")}, "provider"),
        ({"fuel_used": 2**62}, "limits"),
    ],
)
def test_a_receipt_is_named_for_what_it_cannot_say(changes: dict[str, object], fault: str) -> None:
    bundle, docket, _ = sample()
    execution = replace(bundle.receipt.execution, **changes)  # type: ignore[arg-type]
    told = replace(bundle, receipt=replace(bundle.receipt, execution=execution))
    assert receipt_fault(GENESIS, told, docket) == fault
