"""docs/protocol.md names everything that travels: methods, fields, tags, protocols and topics of the code."""

import re
from pathlib import Path

import pytest

from ainur_node.domain import bidding
from ainur_node.market import channel_messages, messages
from ainur_node.mesh import blobs, calls, dht, dht_records, meeting, wire
from ainur_node.mesh.records import Topic
from wasm_runtime import limits

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
METHOD = re.compile(r'\bserve\(\s*"([^"]+)"')
LISTED = re.compile(r"for method in \(([^)]*)\):\s*\n\s*self\._mesh\.serve\(method")
TAG = re.compile(r'"(ainur/[a-z-]+/1)[\\"]')


def sources(*folders: str) -> str:
    """All sources below the folders as one text."""
    files = [p for folder in folders for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".py", ".rs")]
    return "\n".join(p.read_text(encoding="utf-8") for p in files)


def served_methods() -> set[str]:
    """Methods that the node answers, as its source registers them."""
    source = sources("ainur_node")
    listed = [name for group in LISTED.findall(source) for name in re.findall(r'"([^"]+)"', group)]
    return {*METHOD.findall(source), *listed, dht.FIND, dht.PUT}


def messages_of(module: object, base: type) -> list[type]:
    """Message classes that a module defines."""
    found = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, base) and v is not base]
    return [v for v in found if v.__module__ == module.__name__]  # type: ignore[attr-defined]


def described(kind: type) -> str:
    """The lines of the doc that name a message."""
    return "\n".join(line for line in DOC.splitlines() if re.search(rf"\b{kind.__name__}\b", line))


def test_every_served_method_is_described() -> None:
    methods = served_methods()
    assert {"auction.commit", "task.awarded", "auction.transcript"} <= methods
    assert sorted(m for m in methods if f"`{m}`" not in DOC and f"`{m} " not in DOC) == []


@pytest.mark.parametrize(
    "kind",
    messages_of(messages, messages.Message) + messages_of(channel_messages, messages.Message),
    ids=lambda kind: kind.__name__,
)
def test_every_field_of_a_market_message_stands_in_its_row(kind: type) -> None:
    rows = [line for line in described(kind).splitlines() if line.startswith("|")]
    fields = kind.__struct_fields__  # type: ignore[attr-defined]
    assert rows, f"{kind.__name__} has no row"
    assert [f for f in fields if not any(re.search(rf"\b{f}\b", row) for row in rows)] == []


@pytest.mark.parametrize(
    "kind", [wire.Hello, wire.Call, wire.Answer, wire.BlobRequest, wire.BlobHeader, dht_records.Record]
)
def test_every_field_of_a_mesh_frame_is_described(kind: type) -> None:
    assert [f for f in kind.__struct_fields__ if not re.search(rf"\b{f}\b", described(kind) or DOC)] == []  # type: ignore[attr-defined]


def test_every_hash_tag_is_described() -> None:
    tags = set(TAG.findall(sources("ainur_node", "chain/primitives/src")))
    assert len(tags) > 20
    assert sorted(t for t in tags if t not in DOC) == []


def test_protocols_and_topics_are_described() -> None:
    assert [p for p in (meeting.PROTOCOL, calls.PROTOCOL, blobs.PROTOCOL) if f"`{p}`" not in DOC] == []
    assert [t.value for t in Topic if f"`{t.value}`" not in DOC] == []


def test_every_call_of_the_market_pallets_is_described() -> None:
    call = re.compile(r"pub fn (\w+)\(\s*origin: OriginFor<T>")
    names = set(call.findall(sources("chain/pallets")))
    assert {"award", "forget", "register_provider"} <= names
    assert sorted(n for n in names if not re.search(rf"\b{n}\b", DOC)) == []


def test_the_shared_vectors_exist() -> None:
    named = re.findall(r"`(tests/vectors/[\w.]+|chain/pallet-tests/src/vectors\.rs|wasm_runtime/[\w./]+)`", DOC)
    assert named
    assert [n for n in named if not (ROOT / n).exists()] == []


def test_every_code_that_a_peer_can_meet_is_described() -> None:
    source = sources("ainur_node/market", "ainur_node/mesh")
    codes = set(re.findall(r'(?:RemoteRefusal|_refusal)\((?:call, )?"(\w+)"', source)) | {calls.BUSY, calls.UNAVAILABLE}
    answers = re.findall(r'^    return (?:None if .*? else )?"(\w+)"', sources("ainur_node/domain"), re.MULTILINE)
    assert len(codes) > 15
    assert sorted(c for c in codes if f"`{c}`" not in DOC) == []
    assert sorted(c for c in answers if c in bidding.SENTENCES and f"`{c}`" not in DOC) == []


def test_the_engine_id_is_the_one_of_the_page() -> None:
    assert limits.engine_id().hex() in DOC
