"""The SCALE codec: against its own inverse, against garbage, and against substrate-interface on the real runtime."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from substrateinterface import Keypair, SubstrateInterface

from pallets_client import extrinsic, metadata, scale
from pallets_client.client import ChainClient
from pallets_client.codec import Codec
from pallets_client.errors import CallMalformed, ChainMisbehaviour
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519, development_seed
from pallets_client.metadata import Case, Field, Type
from pallets_client.nonce import Writer
from pallets_client.pallets import agent_registry, balances, escrow, market, vcg_auction
from pallets_client.pallets.shape import Variant
from pallets_client.pallets.vcg_auction import MerkleProof
from pallets_client.records import Call, Included
from pallets_client.runtime import Runtime
from pallets_client.testing.actors import Auctioning, Party
from pallets_client.testing.host import HostProcess

U8, U128, BYTES, LIST, OPTION, STRUCT, ENUM, TREE, TREES, EMPTY, EMPTIES, BOOL, COMPACT = range(13)
TYPES = [
    Type((), "primitive", primitive="u8"),
    Type((), "primitive", primitive="u128"),
    Type((), "sequence", items=(U8,)),
    Type((), "sequence", items=(U128,)),
    Type(("Option",), "variant", cases=(Case("None", (), 0, ""), Case("Some", (Field(None, U128),), 1, ""))),
    Type((), "composite", fields=(Field("a", U128), Field("b", BYTES), Field("c", OPTION))),
    Type(("E",), "variant", cases=(Case("X", (), 0, ""), Case("Y", (Field("s", STRUCT), Field("l", LIST)), 7, ""))),
    Type(("T",), "composite", fields=(Field("value", U8), Field("below", TREES))),
    Type((), "sequence", items=(TREE,)),
    Type((), "tuple"),
    Type((), "sequence", items=(EMPTY,)),
    Type((), "primitive", primitive="bool"),
    Type((), "compact", items=(U128,)),
]
u128 = st.integers(0, 2**128 - 1)
structs = st.fixed_dictionaries({"a": u128, "b": st.binary(max_size=200), "c": st.none() | u128})
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({"value": st.integers(0, 255), "below": st.just([])}),
    lambda below: st.fixed_dictionaries({"value": st.integers(0, 255), "below": st.lists(below, max_size=3)}),
)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(TYPES)


@given(value=structs, items=st.lists(u128, max_size=70), tree=trees)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_encoded_is_decoded_again(value: dict[str, Any], items: list[int], tree: dict[str, Any]) -> None:
    codec = Codec(TYPES)
    chosen = Variant("Y", {"s": value, "l": items})

    assert codec.decode(ENUM, codec.encode(ENUM, chosen)) == chosen
    assert codec.decode(TREE, codec.encode(TREE, tree)) == tree


@given(number=st.integers(0, 2**536 - 1) | st.integers(0, 2**33))
def test_compact_integers_have_one_shortest_form(number: int) -> None:
    raw = scale.encode_compact(number)

    assert scale.decode_compact(raw, 0) == (number, len(raw))


@given(data=st.binary(max_size=80), type_id=st.sampled_from(range(len(TYPES))))
def test_garbage_is_a_value_or_misbehaviour_and_nothing_else(data: bytes, type_id: int) -> None:
    codec = Codec(TYPES)
    try:
        value = codec.decode(type_id, data)
    except ChainMisbehaviour:
        return
    if type_id not in (COMPACT, LIST, TREE, TREES, EMPTIES, BYTES, STRUCT, ENUM):  # compact lengths may be padded
        assert codec.encode(type_id, value) == data


def test_a_length_alone_costs_no_memory(codec: Codec) -> None:
    huge = scale.encode_compact(2**29)

    for type_id in (BYTES, LIST, TREES, EMPTIES):
        with pytest.raises(ChainMisbehaviour):
            codec.decode(type_id, huge)


def test_nesting_without_end_is_misbehaviour(codec: Codec) -> None:
    with pytest.raises(ChainMisbehaviour):
        codec.decode(TREE, b"\x00\x04" * 100_000 + b"\x00\x00")


@pytest.mark.parametrize(
    ("type_id", "value"),
    [
        (U8, 256),
        (U8, -1),
        (U128, 2**128),
        (U128, "1"),
        (BYTES, "text"),
        (BYTES, 5),
        (STRUCT, {"a": 1, "b": b""}),
        (STRUCT, {"a": 1, "b": b"", "c": None, "d": 1}),
        (STRUCT, 5),
        (ENUM, Variant("Z")),
        (ENUM, "X"),
        (BOOL, 1),
        (COMPACT, -1),
        (LIST, [None]),
    ],
)
def test_a_value_that_does_not_fit_is_malformed(codec: Codec, type_id: int, value: Any) -> None:
    with pytest.raises(CallMalformed):
        codec.encode(type_id, value)


# against the real runtime ------------------------------------------------------------------------------

pytest_real = pytest.mark.real
ALICE = Sr25519(development_seed("codec"))


@pytest.fixture(scope="module")
def reference(host: HostProcess) -> Iterator[SubstrateInterface]:
    interface = SubstrateInterface(url=host.url, ss58_format=42)
    interface.init_runtime()
    yield interface
    interface.close()


@pytest.fixture(scope="module")
def runtime(reference: SubstrateInterface) -> Runtime:
    raw = bytes.fromhex(reference.rpc_request("state_getMetadata", [])["result"][2:])
    version = reference.rpc_request("state_getRuntimeVersion", [])["result"]
    return Runtime(raw, version["specVersion"], version["transactionVersion"])


def plain(value: Any) -> Any:
    """Our arguments as substrate-interface wants them."""
    match value:
        case Call():
            return {"call_module": value.pallet, "call_function": value.name, "call_args": plain(value.args)}
        case bytes():
            return "0x" + value.hex()
        case Variant():
            inner = {key: plain(item) for key, item in value.fields.items()}
            return {value.name: inner["0"] if list(inner) == ["0"] else inner}
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case MerkleProof():
            # scalecodec takes a list for the one field of a BoundedVec, not for its items
            return {"index": value.index, "path": [[plain(item) for item in value.path]]}
        case _ if hasattr(value, "__slots__"):
            return {name.rstrip("_"): plain(getattr(value, name)) for name in value.__slots__}
        case _:
            return value


def some_calls() -> list[Call]:
    class Nobody:
        def submit(self, call: Call, ref: bytes) -> Any:
            raise NotImplementedError

    payer, winner = Party.named("a", lambda _: Nobody()), Party.named("b", lambda _: Nobody())
    auction = Auctioning(sha256(b"genesis"), payer, sha256(b"task"))
    auction.bid(winner, 5)
    auction.bid(payer, 2**100)
    h = sha256(b"h")
    return [
        winner.bind(sha256(b"genesis")),
        winner.register(),
        agent_registry.register_provider(h, None, 2**120),
        winner.offer(),
        agent_registry.update_agent(h, h, h, 3, 7),
        auction.open(2**40),
        auction.close(),
        auction.award(winner, 7),
        vcg_auction.no_sale(h, h, all_revealed=False),
        escrow.deliver(h, 0, h),
        escrow.accept(h, 0, verified=True),
        escrow.dispute(h, 0, 4, h),
        balances.transfer(h, 10**20),
        balances.sudo(escrow.resolve(h, 9_999)),
        balances.sudo(market.set_params(market.DEVELOPMENT)),
        balances.batch_all((escrow.refund(h), balances.transfer(h, 1))),
        Call("System", "remark", {"remark": b"x" * 300}),
    ]


@pytest_real
@pytest.mark.parametrize("call", some_calls(), ids=lambda call: f"{call.pallet}.{call.name}")
def test_calls_are_encoded_as_substrate_interface_does(
    reference: SubstrateInterface, runtime: Runtime, call: Call
) -> None:
    expected = reference.compose_call(call.pallet, call.name, plain(call.args))

    assert runtime.encode_call(call).hex() == expected.data.to_hex()[2:]


@pytest_real
def test_extrinsics_are_built_as_substrate_interface_does(reference: SubstrateInterface, runtime: Runtime) -> None:
    genesis = bytes.fromhex(reference.get_block_hash(0)[2:])
    keypair = Keypair.create_from_seed(ALICE.seed, ss58_format=42)
    head = reference.get_block_number(None)
    head_hash = bytes.fromhex(reference.get_block_hash(head)[2:])
    assert (keypair.public_key, keypair.ss58_address) == (ALICE.account, ALICE.ss58)

    for call in some_calls():
        composed = reference.compose_call(call.pallet, call.name, plain(call.args))
        era = {"period": 64, "current": head}
        payload = reference.generate_signature_payload(composed, era=era, nonce=9)
        terms = extrinsic.Terms(genesis, 9, extrinsic.Era.at(head, 64), head_hash)
        ours = extrinsic.sign(runtime, call, ALICE, terms)
        signature = ours[ours.index(ALICE.account) + 33 :][:64]
        theirs = reference.create_signed_extrinsic(composed, keypair, era=era, nonce=9, signature=b"\x01" + signature)

        assert keypair.verify(bytes.fromhex(payload.to_hex()[2:]), signature)
        assert ours.hex() == theirs.data.to_hex()[2:]


@pytest_real
def test_events_and_storage_are_decoded_as_substrate_interface_does(
    reference: SubstrateInterface, client: ChainClient, bank: Writer, key: Sr25519
) -> None:
    calls = (balances.transfer(key.account, 5 * 10**12), Call("System", "remark_with_event", {"remark": b"x"}))
    outcome = bank.submit(balances.batch_all(calls), b"").result(30)
    assert isinstance(outcome, Included)

    block = "0x" + outcome.block_hash.hex()
    theirs = [event.value for event in reference.get_events(block)]
    ours = client.events(outcome.block_hash)

    assert [(event["module_id"], event["event_id"], event["extrinsic_idx"]) for event in theirs] == [
        (event.pallet, event.name, event.extrinsic) for event in ours
    ]
    transfer = next(event for event in theirs if event["event_id"] == "Transfer")["attributes"]
    own = next(event for event in ours if event.name == "Transfer").fields
    assert (transfer["amount"], transfer["to"]) == (own["amount"], key.ss58)
    account = reference.query("System", "Account", [key.ss58], block_hash=block).value
    assert account["data"]["free"] == client.account(key.account, at=outcome.block_hash).free
    params = reference.query("Market", "Params").value
    assert params == plain(client.params())


@pytest_real
def test_cut_metadata_is_misbehaviour(reference: SubstrateInterface) -> None:
    raw = bytes.fromhex(reference.rpc_request("state_getMetadata", [])["result"][2:])
    metadata.parse(raw)

    for end in (*range(64), *range(64, len(raw), 997)):
        with pytest.raises(ChainMisbehaviour):
            metadata.parse(raw[:end])


@pytest_real
def test_damaged_events_are_events_or_misbehaviour(runtime: Runtime, client: ChainClient, bank: Writer) -> None:
    outcome = bank.submit(Call("System", "remark_with_event", {"remark": b"x"}), b"").result(30)
    assert isinstance(outcome, Included)
    raw = client.link.raw_storage(runtime.item("System", "Events").key(), outcome.block_hash)
    assert raw is not None

    for place in range(len(raw)):
        for change in (1, 0x80, 0xFF):
            damaged = raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :]
            try:
                runtime.decode_events(damaged)
            except ChainMisbehaviour:
                continue
    for end in range(1, len(raw)):
        with pytest.raises(ChainMisbehaviour):
            runtime.decode_events(raw[:end])
    with pytest.raises(ChainMisbehaviour):
        runtime.decode_events(raw + b"\x00")
