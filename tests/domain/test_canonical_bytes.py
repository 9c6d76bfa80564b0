"""Canonical bytes: what is written is read back, and anything else is a ValueError."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from domain_records import AUCTION, GENESIS, any_spec, any_terms, b32, spec, terms
from hypothesis import given
from hypothesis import strategies as st

from ainur_node.domain import canonical
from ainur_node.domain.agent import AgentTerms, decode_terms
from ainur_node.domain.canonical import Reader, tagged_hash
from ainur_node.domain.ids import ModuleId
from ainur_node.domain.task import MAX_MODULES, TaskSpec, decode_spec, escrow_id

WIDTHS: list[tuple[Callable[[int], bytes], int]] = [
    (canonical.u8, 1),
    (canonical.u16, 2),
    (canonical.u32, 4),
    (canonical.u64, 8),
    (canonical.u128, 16),
]


@pytest.mark.parametrize(("write", "size"), WIDTHS)
def test_unsigned_integers_are_little_endian_of_one_width(write: Callable[[int], bytes], size: int) -> None:
    most = 256**size - 1
    for value in (0, 1, 255, most // 3, most):
        raw = write(value)
        assert len(raw) == size
        assert sum(byte << (8 * i) for i, byte in enumerate(raw)) == value
        assert Reader(raw).integer(size) == value
    for value in (-1, most + 1):
        with pytest.raises(OverflowError):
            write(value)


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_integers_are_two_s_complement(value: int) -> None:
    assert canonical.i32(value) == (value % 2**32).to_bytes(4, "little")
    assert Reader(canonical.i32(value)).signed(4) == value


def test_integers_beyond_i32_are_refused() -> None:
    for value in (2**31, -(2**31) - 1):
        with pytest.raises(OverflowError):
            canonical.i32(value)


def test_hashes_have_32_bytes() -> None:
    assert canonical.b32(b32("x")) == b32("x")
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match=f"32 bytes are needed, not {size}"):
            canonical.b32(bytes(size))


def test_content_is_named_by_its_plain_sha_256() -> None:
    """The example of FIPS 180-4: what any tool prints for the same file."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert canonical.content_hash(b"abc").hex() == canonical.capability_id("abc").hex() == expected


def test_an_escrow_pays_the_first_slot_unless_another_is_named() -> None:
    first, second = (escrow_id(GENESIS, AUCTION, slot) for slot in (0, 1))

    assert escrow_id(GENESIS, AUCTION) == first != second


def test_texts_and_vectors_stand_behind_their_count() -> None:
    assert canonical.text("aß") == b"\x03\0\0\0a\xc3\x9f"
    assert canonical.vec([b"a", b"bc"]) == b"\x02\0\0\0abc"
    assert canonical.vec([]) == bytes(4)


def test_a_hash_depends_on_world_tag_and_every_field() -> None:
    hashes = {
        tagged_hash(GENESIS, "t", b"ab"),
        tagged_hash(b32("other"), "t", b"ab"),
        tagged_hash(GENESIS, "u", b"ab"),
        tagged_hash(GENESIS, "t", b"ac"),
        tagged_hash(GENESIS, "t"),
    }
    assert len(hashes) == 5
    assert tagged_hash(GENESIS, "t", b"a", b"b") == tagged_hash(GENESIS, "t", b"ab"), "fields are fixed in width"
    with pytest.raises(ValueError, match="32 bytes are needed"):
        tagged_hash(b"short", "t")


def test_signatures_are_never_over_a_bare_digest() -> None:
    assert canonical.signing_bytes(b32("x")) == b"ainur/sig/1\0" + b32("x")
    with pytest.raises(ValueError, match="32 bytes are needed"):
        canonical.signing_bytes(b"an extrinsic")


@given(any_spec)
def test_a_specification_is_read_back_as_it_was(s: TaskSpec) -> None:
    assert decode_spec(s.encode()) == s


@given(any_terms)
def test_terms_are_read_back_as_they_were(t: AgentTerms) -> None:
    assert decode_terms(t.encode()) == t


@given(st.one_of(st.binary(max_size=400), st.binary(min_size=252, max_size=252)))
def test_any_bytes_are_a_specification_or_a_value_error(raw: bytes) -> None:
    try:
        found = decode_spec(raw)
    except ValueError:
        return
    assert found.encode() == raw


@given(any_spec, st.data())
def test_a_bent_specification_reads_as_what_it_says_or_not_at_all(s: TaskSpec, data: st.DataObject) -> None:
    raw = bytearray(s.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        found = decode_spec(bytes(raw))
    except ValueError:
        return
    assert found != s
    assert found.encode() == bytes(raw)


@given(st.one_of(st.binary(max_size=200), st.binary(min_size=120, max_size=120)))
def test_any_bytes_are_terms_or_a_value_error(raw: bytes) -> None:
    try:
        found = decode_terms(raw)
    except ValueError:
        assert len(raw) != 120
        return
    assert found.encode() == raw


def test_cut_or_longer_bytes_are_refused() -> None:
    for raw, decode in ((spec().encode(), decode_spec), (terms().encode(), decode_terms)):
        for end in range(len(raw)):
            with pytest.raises(ValueError):
                decode(raw[:end])
        with pytest.raises(ValueError, match="1 bytes too many"):
            decode(raw + b"\0")


def test_a_task_admits_1_to_16_modules() -> None:
    for count in (0, MAX_MODULES + 1):
        with pytest.raises(ValueError, match=f"1 to 16 modules, not {count}"):
            spec(modules=(ModuleId(b32("m")),) * count).encode()
    raw = spec(modules=(ModuleId(b32("m")),)).encode()
    with pytest.raises(ValueError, match="at least one module"):
        decode_spec(raw[:68] + bytes(4) + raw[104:])
    with pytest.raises(ValueError, match="17 items where at most 16"):
        decode_spec(raw[:68] + b"\x11\0\0\0" + raw[72:] + b32("m") * 16)
    assert decode_spec(spec(modules=(ModuleId(b32("m")),) * 16).encode()).modules == (b32("m"),) * 16


def test_unknown_enumerations_are_refused() -> None:
    raw = spec().encode()
    changed = {raw.index(b32("schema")) - 1: 3, raw.index(b32("engine")) + 32: 2, raw.index(b32("engine")) + 33: 2}
    for position, value in changed.items():
        with pytest.raises(ValueError, match="is not a valid"):
            decode_spec(raw[:position] + bytes([value]) + raw[position + 1 :])


@given(
    st.binary(max_size=30),
    st.lists(st.tuples(st.sampled_from(["take", "integer", "signed", "count"]), st.integers(0, 40))),
)
def test_a_reader_gives_a_value_or_a_value_error_and_never_more_than_there_is(
    raw: bytes, asks: list[tuple[str, int]]
) -> None:
    reader, used = Reader(raw), 0
    for kind, size in asks:
        width = 4 if kind == "count" else size
        try:
            value = getattr(reader, kind)(size)
        except ValueError:
            if kind == "count" and used + 4 <= len(raw):
                assert int.from_bytes(raw[used : used + 4], "little") > size
                used += 4
                continue
            assert used + width > len(raw)
            return
        part = raw[used : used + width]
        used += width
        expected = part if kind == "take" else int.from_bytes(part, "little", signed=kind == "signed")
        assert value == expected
    if used == len(raw):
        reader.end()
    else:
        with pytest.raises(ValueError, match=f"{len(raw) - used} bytes too many"):
            reader.end()


def test_a_count_may_be_the_most() -> None:
    assert Reader(canonical.u32(5)).count(5) == 5
    with pytest.raises(ValueError, match="6 items where at most 5"):
        Reader(canonical.u32(6)).count(5)


def test_a_reader_says_where_bytes_are_missing() -> None:
    reader = Reader(b"abcd")
    reader.take(3)
    with pytest.raises(ValueError, match="2 bytes are needed at 3, 1 are left"):
        reader.take(2)


def test_every_field_of_the_records_reaches_their_bytes() -> None:
    changes: list[tuple[TaskSpec | AgentTerms, dict[str, object]]] = [
        (spec(), {"input_size": 13, "quality_bps": 1, "min_score": 8, "deadline_ms": 1, "checker": b32("x")}),
        (terms(), {"version": 9, "abi": 2, "verification_class": 1, "fuel_limit": 9, "mem_limit": 9}),
        (terms(), {"royalty_bps": 11, "eta_ms": 501, "engine": b32("x"), "module": b32("x"), "agent": b32("x")}),
    ]
    for record, fields in changes:
        encodings = {replace(record, **{name: value}).encode() for name, value in fields.items()}  # type: ignore[arg-type]
        assert len(encodings | {record.encode()}) == len(fields) + 1
