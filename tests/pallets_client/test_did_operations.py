"""What a key of a DID signs: bytes and digests that the pallet computes as well (`signed_calls.rs` of its tests)."""

from pallets_client import hashing
from pallets_client.pallets import did

GENESIS, DID, SUBMITTER = b"\x9e" * 32, b"\x02" * 32, b"\x05" * 32
ONES, TWOS, THREES = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
KEY = did.NewKey(did.KeyKind.SR25519, did.Purpose.DELEGATION, ONES)


def test_each_operation_has_one_encoding() -> None:
    services = (did.Service("ab", "c"), did.Service("d", "é"))

    assert did.rotation(ONES, b"\x07" * 64).canonical == b"\x00" + ONES + b"\x07" * 64
    assert did.key_addition(KEY, b"\x07" * 64).canonical == b"\x01\x01\x03" + ONES + b"\x07" * 64
    assert did.key_removal(5).canonical.hex() == "0205000000"
    assert did.service_change(services).canonical.hex() == (
        "0302000000" + "020000006162" + "0100000063" + "0100000064" + "02000000c3a9"
    )
    assert did.control_offer(None).canonical.hex() == "0400"
    assert did.control_offer(ONES).canonical == b"\x04\x01" + ONES
    assert did.deactivation().canonical.hex() == "05"
    assert did.attestation(ONES, TWOS, THREES, 9).canonical == b"\x06" + ONES + TWOS + THREES + b"\x09" + bytes(7)
    assert did.revocation(ONES, TWOS).canonical == b"\x07" + ONES + TWOS


def test_digests_are_those_of_the_pallet() -> None:
    operation = did.service_change((did.Service("ab", "c"), did.Service("d", "e")))

    call = hashing.did_call(GENESIS, DID, 7, 9_000, SUBMITTER, operation.canonical)
    key = hashing.did_key_proof(GENESIS, DID, did.Purpose.ASSERTION, did.KeyKind.ED25519, ONES)

    assert call.hex() == "b19958a5bd8b6cbd662184496f2c6c5d1d3e8666b0f5780ab15b6c55d1dbd927"
    assert key.hex() == "87ea2ff60e96338f02166d7b118ffb572fbd4951556d652aa8f16cbe46eaeb10"
