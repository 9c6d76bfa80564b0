"""A second instance accepts every block of the first, and none that anybody touched."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_host.authoring import Author, SealingKey
from chain_host.block import Block, Header, decode_header, seal_item, split_extrinsics
from chain_host.chain import Chain
from chain_host.errors import BadBlock, MalformedScale
from chain_host.following import import_block
from chain_host.hashing import blake2_256
from chain_host.scale import vector
from chain_host.store import Store
from chain_host.trie import ordered_root
from chain_host.verify import parse_block
from chain_host.world import sealing_key
from tests.chain_host.conftest import AIN, Bench, bench_of
from tests.chain_host.signing import remark, signer, sudo, transfer


@pytest.fixture
def follower(new_chain):
    return new_chain()


def busy_block(bench: Bench, nonce: int) -> Block:
    signed = bench.signing.sign
    return bench.seal(
        signed(signer(0), nonce, transfer(signer(100 + nonce).public, AIN)),
        signed(signer(1), nonce, remark(b"note", event=True)),
        signed(signer(2), nonce, sudo(remark(b"not sudo"))),
        after=40,
    ).block


def test_every_block_is_accepted_and_both_states_agree(bench: Bench, follower):
    for nonce in range(6):
        import_block(follower, busy_block(bench, nonce))
        import_block(follower, bench.seal(after=1_000).block)

    assert follower.head_hash == bench.chain.head_hash
    assert follower.state.values == bench.chain.state.values


CALLS = st.builds(
    lambda pallet, call, rest: bytes((pallet, call)) + rest,
    st.sampled_from([0, 1, 4, 6, 7, 19, 20, 21, 22, 23, 24]),
    st.integers(0, 9),
    st.binary(max_size=8) | st.binary(min_size=32, max_size=200),
)
BLOCKS = st.lists(st.lists(st.tuples(st.integers(0, 3), CALLS), max_size=5), min_size=1, max_size=3)


@settings(max_examples=30, deadline=None)
@given(blocks=BLOCKS)
def test_blocks_of_random_calls_are_accepted(genesis, cache, world, blocks):
    with contextlib.ExitStack() as stack:
        chains = []
        for _ in range(2):
            store = stack.enter_context(contextlib.closing(Store(None)))
            store.create(genesis)
            chains.append(Chain(store, cache))
        bench = bench_of(chains[0], world)
        for calls in blocks:
            signed = []
            for who, call in calls:
                nonce = bench.chain.api().nonce(signer(who).public)
                ahead = sum(each[0] == who for each in signed)
                signed.append((who, bench.signing.sign(signer(who), nonce + ahead, call)))
            import_block(chains[1], bench.seal(*(raw for _, raw in signed), after=300).block)

        assert chains[0].state.values == chains[1].state.values


def resealed(header: Header, key: SealingKey) -> Header:
    bare, _signature = header.unsealed()
    return bare.sealed(key.sign(blake2_256(bare.encode())))


def flipped(data: bytes, at: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def touched(block: Block) -> dict[str, Block]:
    """The block with each field changed, one at a time."""
    header, body = block.header, block.extrinsics
    pre, seal = header.digest[0], header.digest[-1]
    shuffled = (body[0], body[2], body[1], *body[3:])

    def with_body(extrinsics: tuple[bytes, ...]) -> Block:
        return Block(replace(header, extrinsics_root=ordered_root(list(extrinsics), 0)), extrinsics)

    return {
        "parent": Block(replace(header, parent=flipped(header.parent)), body),
        "number": Block(replace(header, number=header.number + 1), body),
        "state root": Block(replace(header, state_root=flipped(header.state_root)), body),
        "extrinsics root": Block(replace(header, extrinsics_root=flipped(header.extrinsics_root)), body),
        "slot": Block(replace(header, digest=(flipped(pre, 6), *header.digest[1:])), body),
        "digest added": Block(replace(header, digest=(pre, b"\0\4x", seal)), body),
        "digest missing": Block(replace(header, digest=(seal,)), body),
        "an extrinsic": with_body((*body[:-1], flipped(body[-1], len(body[-1]) - 1))),
        "a signature": with_body((body[0], flipped(body[1], 60), *body[2:])),
        "an extrinsic missing": with_body(body[:-1]),
        "an extrinsic twice": with_body((*body, body[-1])),
        "the order": with_body(shuffled),
        "the timestamp missing": with_body(body[1:]),
        "the timestamp": with_body((flipped(body[0], 4), *body[1:])),
        "body without its root": Block(header, body[:-1]),
    }


NAMES = list(touched(Block(Header(bytes(32), 1, bytes(32), bytes(32), (bytes(14), b"s")), (bytes(80),) * 4)))


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("with_author", [False, True], ids=["by a stranger", "by the author"])
def test_a_block_with_one_thing_changed_is_refused(bench: Bench, follower, world, field, with_author):
    import_block(follower, bench.seal().block)
    honest = busy_block(bench, 0)
    forged = touched(honest)[field]
    if with_author:
        forged = Block(resealed(forged.header, sealing_key(world.directory)), forged.extrinsics)
    head, values = follower.head_hash, dict(follower.state.values)

    with pytest.raises(BadBlock):
        import_block(follower, forged)

    assert (follower.head_hash, follower.state.values) == (head, values)
    import_block(follower, honest)


def test_seals_of_strangers_and_broken_seals_are_refused(bench: Bench, follower):
    honest = bench.seal().block
    bare, signature = honest.header.unsealed()

    for header in (
        resealed(honest.header, SealingKey(bytes(32))),
        bare.sealed(flipped(signature, 10)),
        bare,
        replace(bare, digest=(*bare.digest, seal_item(signature), seal_item(signature))),
        replace(bare, digest=(*bare.digest, seal_item(signature[:-1]))),
    ):
        with pytest.raises(BadBlock):
            import_block(follower, Block(header, honest.extrinsics))
    import_block(follower, honest)


def test_a_slot_may_not_run_backwards(bench: Bench, follower, new_chain, world):
    rival = bench_of(new_chain(), world)
    rival.author = Author(rival.chain, sealing_key(world.directory))
    import_block(follower, bench.seal(after=10_000).block)
    old = rival.seal().block
    header = replace(old.header, parent=follower.head_hash, number=2)

    with pytest.raises(BadBlock, match="backwards"):
        import_block(follower, Block(resealed(header, sealing_key(world.directory)), old.extrinsics))


def test_headers_and_bodies_survive_their_encoding(bench: Bench):
    block = busy_block(bench, 0)

    assert decode_header(block.header.encode()) == block.header
    assert tuple(split_extrinsics(vector(list(block.extrinsics)))) == block.extrinsics
    for end in range(len(block.header.encode())):
        with pytest.raises(MalformedScale):
            decode_header(block.header.encode()[:end])


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_malformed(data: bytes):
    for decode in (decode_header, split_extrinsics):
        with contextlib.suppress(MalformedScale):
            decode(data)


ODD = st.recursive(
    st.none() | st.integers() | st.text(max_size=6) | st.just("0x" + "00" * 32) | st.just("0x1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "block",
                    "header",
                    "extrinsics",
                    "digest",
                    "logs",
                    "number",
                    "parentHash",
                    "stateRoot",
                    "extrinsicsRoot",
                ]
            ),
            inner,
            max_size=8,
        )
    ),
)


@given(ODD)
def test_any_answer_is_a_block_or_a_bad_block(answer):
    with contextlib.suppress(BadBlock):
        parse_block(answer)
