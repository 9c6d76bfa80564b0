"""Manifests from strangers: a Manifest or a Rejection with the reason, nothing else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.manifest import MAX_DEPTH, MAX_MANIFEST, Manifest, read_manifest
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.task import Limits, VerificationClass


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "manifest": 1,
        "name": "text-summary",
        "version": "1.0.0",
        "capability": "summarize",
        "class": "deterministic",
        "description": "Sums up.",
        "module": {"sha256": "ab" * 32, "size": 1_000},
        "input": {"media_type": "text/plain", "schema": {"type": "object"}},
        "output": {"schema": {"b": 1, "a": "ß"}},
        "limits": {"fuel": 10**9, "memory": 64 << 20, "output": 4_096},
        "royalty_bps": 250,
        **changed,
    }


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def why(document: bytes) -> str:
    found = read_manifest(document)
    assert isinstance(found, Rejection)
    assert found.code == "bad_manifest"
    return found.hint


def nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(depth - 1):
        made = {"x": made}
    return made


def test_a_manifest_is_read_with_every_field() -> None:
    document = raw(fields())
    found = read_manifest(document)

    assert isinstance(found, Manifest)
    assert found == Manifest(
        package=content_hash(document),  # type: ignore[arg-type]
        name="text-summary",
        version="1.0.0",
        capability="summarize",
        description="Sums up.",
        verification_class=VerificationClass.DETERMINISTIC,
        module=bytes.fromhex("ab" * 32),  # type: ignore[arg-type]
        module_size=1_000,
        media_type="text/plain",
        input_schema={"type": "object"},
        output_schema={"b": 1, "a": "ß"},
        limits=Limits(10**9, 65_536, 4_096),
        royalty_bps=250,
        abi=1,
    )
    assert found.output_schema_hash == content_hash(b'{"a":"\\u00df","b":1}')


def test_the_schema_s_hash_does_not_depend_on_how_it_was_written() -> None:
    one, two = read_manifest(raw(fields())), read_manifest(json.dumps(fields(), indent=3, sort_keys=True).encode())

    assert isinstance(one, Manifest)
    assert isinstance(two, Manifest)
    assert one.package != two.package
    assert one.output_schema_hash == two.output_schema_hash


@pytest.mark.parametrize(("name", "given_class"), [(c.name.lower(), c) for c in VerificationClass])
def test_every_class_has_its_word(name: str, given_class: VerificationClass) -> None:
    found = read_manifest(raw(fields(**{"class": name})))

    assert isinstance(found, Manifest)
    assert found.verification_class is given_class


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"manifest": 2}, '"manifest" must be 1'),
    ({"manifest": True}, '"manifest" must be 1'),
    ({"manifest": 1.0}, '"manifest" must be 1'),
    ({"manifest": None}, '"manifest" must be 1'),
    ({"class": "magic"}, '"class" must be one of deterministic, recorded, attested'),
    ({"class": []}, '"class" must be one of'),
    ({"class": {}}, '"class" must be one of'),
    ({"class": None}, '"class" must be one of'),
    ({"module": 1}, '"module" must be an object'),
    ({"input": []}, '"input" must be an object'),
    ({"output": None}, '"output" must be an object'),
    ({"limits": "no"}, '"limits" must be an object'),
    ({"input": {"media_type": "image/png", "schema": {}}}, '"input.media_type" must be text/plain or application/json'),
    ({"input": {"media_type": ["text/plain"], "schema": {}}}, '"input.media_type"'),
    ({"input": {"media_type": "text/plain"}}, '"schema" must be an object'),
    ({"output": {"schema": True}}, '"schema" must be an object'),
    ({"name": ""}, '"name" must be a text of 1 to 64 characters'),
    ({"name": "a" * 65}, '"name" must be a text of 1 to 64 characters'),
    ({"name": "größe"}, '"name" may have ASCII letters'),
    ({"name": "a b"}, '"name" may have ASCII letters'),
    ({"name": "a/b"}, '"name" may have ASCII letters'),
    ({"name": 5}, '"name" must be a text'),
    ({"capability": "x\n"}, '"capability" may have ASCII letters'),
    ({"version": "1" * 33}, '"version" must be a text of 1 to 32'),
    ({"description": "x" * 2001}, '"description" must be a text of 1 to 2000'),
    ({"description": "\ud800"}, "half a character"),
    ({"version": "\udfff"}, "half a character"),
    ({"royalty_bps": -1}, '"royalty_bps" must be a whole number from 0 to 5000'),
    ({"royalty_bps": 5_001}, '"royalty_bps" must be'),
    ({"royalty_bps": True}, '"royalty_bps" must be'),
    ({"royalty_bps": 1.0}, '"royalty_bps" must be'),
    ({"module": {"sha256": "ab" * 31, "size": 1}}, '"sha256" must be 64 hexadecimal digits'),
    ({"module": {"sha256": "zz" * 32, "size": 1}}, '"sha256" must be 64'),
    ({"module": {"sha256": 7, "size": 1}}, '"sha256" must be 64'),
    ({"module": {"sha256": "ab" * 32, "size": 0}}, '"size" must be a whole number from 1 to 8388608'),
    ({"module": {"sha256": "ab" * 32, "size": (8 << 20) + 1}}, '"size" must be'),
    ({"output": {"schema": nested(MAX_DEPTH - 1)}}, "nested at most 32 deep"),
    ({"extra": [[[]]] * 3, "output": {"schema": nested(900)}}, "nested at most 32 deep"),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG, ids=[f"{c} {i}"[:40] for i, (c, _) in enumerate(WRONG)])
def test_what_is_wrong_is_said(changed: dict[str, Any], reason: str) -> None:
    assert reason in why(raw(fields(**changed)))


@pytest.mark.parametrize(
    ("key", "least", "most"), [("fuel", 1, 10**12), ("memory", 65_536, 256 << 20), ("output", 1, 1 << 20)]
)
def test_limits_have_both_ends(key: str, least: int, most: int) -> None:
    for value in (least, most):
        limits = {**fields()["limits"], key: value}
        assert isinstance(read_manifest(raw(fields(limits=limits))), Manifest)
    for value in (least - 1, most + 1, 10**30, None, "1", 1.5):
        limits = {**fields()["limits"], key: value}
        assert f'"{key}" must be a whole number from {least} to {most}' in why(raw(fields(limits=limits)))


def test_the_longest_of_everything_is_taken() -> None:
    long = fields(
        name="a" * 61 + "-_.",
        version="1" * 32,
        description="x" * 2_000,
        royalty_bps=5_000,
        module={"sha256": "AB" * 32, "size": 8 << 20},
        output={"schema": nested(MAX_DEPTH - 2)},
    )
    found = read_manifest(raw(long))

    assert isinstance(found, Manifest)
    assert found.module == bytes.fromhex("ab" * 32)
    assert isinstance(read_manifest(raw(fields(royalty_bps=0))), Manifest)


@pytest.mark.parametrize("key", sorted(fields()))
def test_every_field_is_needed(key: str) -> None:
    without = {k: v for k, v in fields().items() if k != key}

    assert f'"{key}"' in why(raw(without))


def test_64_kib_are_the_most() -> None:
    document = raw(fields())
    padded = document + b" " * (MAX_MANIFEST - len(document))

    assert isinstance(read_manifest(padded), Manifest)
    assert why(padded + b" ") == f"manifest.json has {MAX_MANIFEST + 1} bytes, at most {MAX_MANIFEST} are allowed"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff\xfe",
        raw(fields()).decode().encode("utf-16"),
        raw(fields()).replace(b"250", b"NaN"),
        raw(fields()).replace(b'"b": 1', b'"b": Infinity'),
        raw(fields()).replace(b'"b": 1', b'"b": ' + b"9" * 5_000),
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ],
    ids=range(9),
)
def test_what_is_no_json_is_refused(document: bytes) -> None:
    assert "not valid JSON" in why(document)


@pytest.mark.parametrize("value", [[], "text", 1, None, True, 1.5])
def test_what_is_no_object_is_refused(value: Any) -> None:
    assert "must be a JSON object" in why(raw(value))


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.just("deterministic")
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*fields(), "schema"]), inner)
)


@given(st.one_of(st.binary(max_size=300), anything.map(lambda v: json.dumps(v).encode())))
@example(b"\xef\xbb\xbf{}")
def test_any_bytes_are_a_manifest_or_a_rejection(document: bytes) -> None:
    assert isinstance(read_manifest(document), Manifest | Rejection)


@given(st.sampled_from(sorted(fields())), anything)
def test_a_manifest_with_one_odd_field_is_a_manifest_or_a_rejection(key: str, value: Any) -> None:
    found = read_manifest(json.dumps(fields(**{key: value})).encode())

    assert isinstance(found, Manifest | Rejection)
    if isinstance(found, Manifest):
        assert len(found.output_schema_hash) == 32
        assert (found.name + found.description + found.version + found.capability).encode()
