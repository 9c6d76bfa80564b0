"""Every function that makes a value of bytes is found here, and names the test that feeds it with anything."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PACKAGES = ("mesh", "market", "rpc", "domain", "ledger")
# What turns bytes, or text from outside, into values.
PRIMITIVE = re.compile(
    r"msgspec\.(msgpack|json)\.decode|json\.loads|\.FromString|\.ParseFromString|(\b|_)decoder(\(.*\))?\.decode"
    r"|\bunpack(_from)?|from_bytes|fromhex|b58decode|b64decode|decode_uvarint_from_stream|decompress"
)
MESH, MARKET = "tests/mesh/test_wire_fuzz.py", "tests/market/test_wire_fuzz_market.py"
BLOCKS = "tests/ledger/test_block_messages.py"
RPC, MANIFEST = "tests/rpc/test_rpc_messages.py", "tests/domain/test_manifest.py"
READER = (
    "tests/domain/test_canonical_bytes.py::test_a_reader_gives_a_value_or_a_value_error_and_never_more_than_there_is"
)

FUZZED = {
    "mesh/wire.py decode": f"{MESH}::test_any_bytes",
    "mesh/streams.py FramedStream.read_frame": f"{MESH}::test_any_bytes_on_a_stream_are_frames_or_a_fault",
    "mesh/peers.py node_key_of": f"{MESH}::test_peer_ids",
    "mesh/gossip.py _author": f"{MESH}::test_gossip_authors",
    "mesh/gossip.py _Pubsub._take": f"{MESH}::test_any_bytes_are_a_pubsub_frame_or_misbehaviour",
    "mesh/admission.py _bound_negotiation.read_name": f"{MESH}::test_any_bytes_are_a_protocol_name_or_a_parse_error",
    "market/messages.py decode": f"{MARKET}::test_a_frame_is_a_message_or_misbehaviour",
    "market/messages.py money_of": f"{MARKET}::test_money_comes_back",
    "market/library.py decode_transcript": f"{MARKET}::test_a_transcript_is_one_or_misbehaviour",
    "market/schema.py mismatch": "tests/market/test_hostile_schemas.py::test_no_schema_and_no_document_raises",
    "market/asking.py id32": f"{MARKET}::test_an_id_of_a_local_question_is_32_bytes_or_refused",
    "ledger/block_messages.py decode": f"{BLOCKS}::test_any_bytes_are_a_message_or_misbehaviour",
    "rpc/frames.py FrameReader.feed": f"{RPC}::test_a_reader_of_garbage_keeps_no_more_than_a_frame",
    "rpc/messages.py _map_of": f"{RPC}::test_any_map_is_a_message_or_misbehaviour",
    "domain/canonical.py Reader.integer": READER,
    "domain/canonical.py Reader.signed": READER,
    "domain/manifest.py read_manifest": f"{MANIFEST}::test_any_bytes_are_a_manifest_or_a_rejection",
    "domain/manifest.py _hash": f"{MANIFEST}::test_a_manifest_with_one_odd_field_is_a_manifest_or_a_rejection",
}
# These read what this node wrote itself: its constants, hashes it made, its store, its home, the kernel's word; or what
# the chain host says that it is configured to believe.
OWN = {
    "ledger/call_json.py _value",
    "ledger/call_json.py load_call",
    "ledger/calls.py Caller.take_up",
    "ledger/intents.py Intent.load",
    "ledger/looking.py looking.look",
    "mesh/dht_records.py place_of_node",
    "mesh/dht_records.py place_of_key",
    "mesh/peers.py",
    "market/affidavits.py Affidavits.of",
    "market/bonds.py Bonds.of",
    "market/bonds.py _is_kept",
    "market/bonds.py told",
    "market/challenging.py Challenging.of",
    "market/challenging.py _is_watched",
    "market/challenging.py told",
    "market/channel_records.py decode_earning",
    "market/channel_records.py decode_paying",
    "market/codec.py _decode",
    "market/committing.py Committing._due",
    "market/court_parties.py Parties.run",
    "market/court_records.py CourtRecords.ballot",
    "market/court_records.py CourtRecords.cases",
    "market/court_records.py CourtRecords.order",
    "market/court_records.py CourtRecords.scanned",
    "market/court_records.py CourtRecords.secret",
    "market/court_records.py CourtRecords.shown",
    "market/desk_court.py CourtDesk.list_cases",
    "market/library.py Library.salt_of",
    "market/desk_auctions.py AuctionDesk.why",
    "market/desk_wallet.py WalletDesk.fund",
    "market/engine.py Engine._crashed",
    "market/grievances.py Grievances._suspicious",
    "market/grievances.py kept_of",
    "market/library.py Library.transcript",
    "market/library.py Library._transcript_bytes",
    "market/library.py Library.find_transcript",
    "market/offers.py Offers.load",
    "market/repeats.py Repeats.earlier",
    "market/taken.py Taken.load",
    "rpc/server.py peer_uid",
    "rpc/whereabouts.py read_whereabouts",
}


def sites() -> Iterator[str]:
    """Functions that call a primitive themselves, as ``package/file.py qualified.name``."""
    for package in PACKAGES:
        for path in sorted((ROOT / "ainur_node" / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for qualified, call in _calls(tree, ()):
                if PRIMITIVE.search(ast.unparse(call.func)):
                    place = path.relative_to(ROOT / "ainur_node").as_posix()
                    yield f"{place} {'.'.join(qualified)}".strip()


def _calls(node: ast.AST, qualified: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.Call]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        inside = (*qualified, child.name) if named else qualified  # type: ignore[attr-defined]
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, inside)


def test_every_decoder_has_a_fuzz_test_or_reads_what_the_node_wrote_itself() -> None:
    found = set(sites())
    assert sorted(found - set(FUZZED) - OWN) == [], "give it a fuzz test, and name that test in FUZZED"
    assert sorted((set(FUZZED) | OWN) - found) == [], "these are gone"


def test_the_named_tests_exist_and_draw_from_hypothesis() -> None:
    for test in set(FUZZED.values()):
        file, name = test.split("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        tests = {f.name: f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in tests, test
        assert "given(" in ast.unparse(tests[name]), test


def test_every_structure_of_the_mesh_is_among_those_that_are_fuzzed() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    import ainur_node.mesh

    source = (ROOT / MESH).read_text(encoding="utf-8")
    for module in iter_modules(ainur_node.mesh.__path__):
        for name, kind in vars(import_module(f"ainur_node.mesh.{module.name}")).items():
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct:
                assert re.search(rf"\b{name}\(", source), f"{name} has no sample in {MESH}"
