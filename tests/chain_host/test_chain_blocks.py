"""Blocks of the real runtime: authoring, time, old states, upgrades, and what a trap costs."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_host.authoring import Author, SealingKey
from chain_host.chain import Chain
from chain_host.errors import RuntimeTrap, StateDiscarded, StoreError, UnknownBlock
from chain_host.following import import_block
from chain_host.hashing import blake2_128, storage_prefix
from chain_host.overlay import Overlay
from chain_host.runtime_api import FUTURE, STALE, Invalid, RuntimeApi, Valid, decode_version
from chain_host.store import Store
from chain_host.trie import Trie, ordered_root
from chain_host.wasm.sections import embedded_version
from tests.chain_host.conftest import AIN, Bench, bench_of
from tests.chain_host.signing import remark, set_code, signer, sudo, transfer

NOW = storage_prefix("Timestamp", "Now")
MARKET_NOW = storage_prefix("Market", "Now")
ISSUANCE = storage_prefix("Balances", "TotalIssuance")


def account_key(account: bytes) -> bytes:
    return storage_prefix("System", "Account") + blake2_128(account) + account


def free(bench: Bench, account: bytes) -> int:
    value = bench.storage(account_key(account))
    return int.from_bytes(value[16:32], "little") if value else 0


def number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "little")


def test_a_transfer_moves_money_and_the_fee_stays_in_the_supply(bench: Bench):
    alice, bob = signer(0), signer(100)
    supply, before = bench.storage(ISSUANCE), free(bench, alice.public)

    sealed = bench.seal(bench.signing.sign(alice, 0, transfer(bob.public, AIN)))

    assert len(sealed.included) == 1
    assert free(bench, bob.public) == AIN
    assert free(bench, alice.public) < before - AIN
    assert bench.storage(ISSUANCE) == supply


def test_a_header_commits_to_state_and_extrinsics(bench: Bench):
    sealed = bench.seal(bench.signing.sign(signer(0), 0, remark(b"hello")))
    header = sealed.block.header

    assert header.state_root == Trie().updated(bench.chain.state.values).root
    assert header.extrinsics_root == ordered_root(list(sealed.block.extrinsics), 0)
    assert header.slot == bench.now // 2000


def test_validity_tells_stale_future_and_ready_apart(bench: Bench):
    alice = signer(0)
    bench.seal(bench.signing.sign(alice, 0, remark(b"")))
    api, head = bench.chain.api(), bench.chain.head_hash

    stale = api.validate(bench.signing.sign(alice, 0, remark(b"x")), head)
    ready = api.validate(bench.signing.sign(alice, 1, remark(b"")), head)
    later = api.validate(bench.signing.sign(alice, 3, remark(b"")), head)

    assert stale == Invalid(False, STALE)
    assert isinstance(ready, Valid)
    assert ready.requires == ()
    assert ready.provides == (alice.public + (1).to_bytes(4, "little"),)
    assert isinstance(later, Valid)
    assert later.requires == (alice.public + (2).to_bytes(4, "little"),)


def test_an_extrinsic_that_traps_or_is_invalid_never_costs_the_block(bench: Bench):
    good = bench.signing.sign(signer(0), 0, transfer(signer(100).public, AIN))
    garbage = b"\x10\x84\xff\xff\xff"
    forged = bytearray(bench.signing.sign(signer(1), 0, remark(b"")))
    forged[50] ^= 1
    early = bench.signing.sign(signer(2), 5, remark(b""))

    sealed = bench.seal(garbage, bytes(forged), early, good)

    assert len(sealed.included) == 1
    assert len(sealed.trapped) == 1
    assert len(sealed.refused) == 1
    assert len(sealed.deferred) == 1
    assert free(bench, signer(100).public) == AIN


def test_a_refused_extrinsic_leaves_no_trace_in_the_state(bench: Bench, new_chain, world):
    other = bench_of(new_chain(), world)
    good = bench.signing.sign(signer(0), 0, remark(b"x"))

    bench.seal(bench.signing.sign(signer(1), 7, remark(b"")), good)
    other.now = bench.now
    other.seal(good)

    assert bench.chain.state.values == other.chain.state.values


def test_five_hundred_blocks_in_ten_seconds_stay_with_the_clock(bench: Bench):
    start = bench.now
    market = []
    for _ in range(500):
        bench.seal(after=20)
        market.append(number(bench.storage(MARKET_NOW)))

    assert number(bench.storage(NOW)) == bench.now == start + 10_000
    assert bench.chain.head.slot == bench.now // 2000
    assert market[-1] - market[0] == 10_000 - 20


def test_successive_blocks_may_share_a_timestamp(bench: Bench):
    bench.seal()
    bench.seal()

    assert number(bench.storage(NOW)) == bench.now


def test_market_time_stands_still_over_an_outage(bench: Bench):
    bench.seal()
    bench.seal(after=2_000)
    before = number(bench.storage(MARKET_NOW))

    bench.seal(after=3_600_000)

    assert number(bench.storage(MARKET_NOW)) == before + 6_000
    assert number(bench.storage(NOW)) == bench.now


def test_a_timestamp_that_runs_backwards_is_refused_by_the_runtime(bench: Bench):
    bench.seal()
    head = bench.chain.head_hash

    with pytest.raises(RuntimeTrap):
        bench.seal(after=-4_000)
    assert bench.chain.head_hash == head
    bench.seal(after=4_000)


def test_old_states_are_read_as_they_were(bench: Bench):
    bob = signer(100)
    hashes, balances, snapshots = [bench.chain.head_hash], [0], [dict(bench.chain.state.values)]
    for nonce in range(8):
        bench.seal(bench.signing.sign(signer(0), nonce, transfer(bob.public, AIN)), after=700)
        hashes.append(bench.chain.head_hash)
        balances.append(free(bench, bob.public))
        snapshots.append(dict(bench.chain.state.values))

    for block_hash, balance, snapshot in zip(hashes, balances, snapshots, strict=True):
        state = bench.chain.state_at(block_hash, bench.chain.store)
        value = state.get(account_key(bob.public))
        assert (int.from_bytes(value[16:32], "little") if value else 0) == balance
        assert {key: state.get(key) for key in state.keys_from(b"")} == snapshot
        nonce = RuntimeApi(bench.chain.runtimes.of(snapshot[b":code"]), Overlay(state)).nonce(signer(0).public)
        assert nonce == hashes.index(block_hash)


def test_states_older_than_the_window_are_refused_not_invented(new_chain, world):
    bench = bench_of(new_chain(states=5), world)
    genesis = bench.chain.head_hash
    hashes = [bench.seal(after=100).hash for _ in range(12)]

    with pytest.raises(StateDiscarded):
        bench.chain.state_at(genesis, bench.chain.store)
    with pytest.raises(StateDiscarded):
        bench.chain.state_at(hashes[5], bench.chain.store)
    with pytest.raises(UnknownBlock):
        bench.chain.state_at(bytes(32), bench.chain.store)
    assert bench.chain.state_at(hashes[6], bench.chain.store).get(NOW) is not None


def test_a_runtime_upgrade_takes_effect_and_old_blocks_keep_their_runtime(bench: Bench, new_chain):
    old_code = bench.chain.state.get(b":code")
    assert old_code is not None
    follower = new_chain()
    blocks = [bench.seal().block]
    before = bench.chain.head_hash
    old_metadata = bench.chain.api().metadata()

    upgrade = bench.seal(bench.signing.sign(signer(0), 0, sudo(set_code(upgraded(old_code)))))
    blocks += [upgrade.block, bench.seal(after=500).block]
    later = bench.seal(bench.signing.sign(signer(1), 0, remark(b"")), after=500)
    for block in (*blocks, later.block):
        import_block(follower, block)

    assert later.included
    assert bench.chain.api().metadata() == old_metadata.replace(b"on-chain remark", b"on-chain REMARK")
    assert bench.chain.api().metadata() != old_metadata
    past = Overlay(bench.chain.state_at(before, bench.chain.store))
    assert bench.chain.runtimes.api(past).metadata() == old_metadata
    assert follower.head_hash == bench.chain.head_hash


def upgraded(code: bytes) -> bytes:
    """The runtime with a higher version in its section and one word of its documentation changed."""
    version = embedded_version(code)
    assert version is not None
    names = version[: version.index(b"\x14ainur", 6) + 6]  # both names, as they stand in the section
    at = code.index(names + b"\1\0\0\0") + len(names) + 4
    spec_version = int.from_bytes(code[at : at + 4], "little")
    code = code[:at] + (spec_version + 1).to_bytes(4, "little") + code[at + 4 :]
    assert b"on-chain remark" in code
    return code.replace(b"on-chain remark", b"on-chain REMARK")


def test_the_version_section_says_what_the_runtime_says(bench: Bench):
    code = bench.chain.state.get(b":code")
    assert code is not None

    section, said = decode_version(embedded_version(code) or b""), bench.chain.api().version()

    assert replace(section, apis=()) == replace(said, apis=())
    assert sorted(section.apis) == sorted(said.apis)


def test_an_upgrade_to_garbage_fails_as_a_call_and_changes_nothing(bench: Bench):
    code = bench.chain.state.get(b":code")

    sealed = bench.seal(bench.signing.sign(signer(0), 0, sudo(set_code(b"\0asm garbage"))))

    assert len(sealed.included) == 1
    assert bench.chain.state.get(b":code") == code
    bench.seal()


def test_only_an_authority_may_author(new_chain):
    with pytest.raises(RuntimeTrap):
        Author(new_chain(), SealingKey(bytes(32)))


def test_the_chain_is_taken_up_where_it_was_left(new_chain, world, cache):
    first = bench_of(new_chain(on_disk=True), world)
    for nonce in range(4):
        first.seal(first.signing.sign(signer(0), nonce, transfer(signer(100).public, AIN)), after=600)
    head, values = first.chain.head_hash, dict(first.chain.state.values)
    directory = first.chain.store.directory
    first.chain.store.close()

    store = Store(directory)
    try:
        again = bench_of(Chain(store, cache), world)
        again.now = first.now
        assert again.chain.head_hash == head
        assert again.chain.state.values == values
        again.seal(again.signing.sign(signer(0), 4, remark(b"")), after=600)
    finally:
        store.close()


def test_a_damaged_state_is_noticed_at_the_start(new_chain, cache):
    chain = new_chain(on_disk=True)
    directory = chain.store.directory
    chain.store._db.execute("UPDATE state SET value = x'00' WHERE key = ?", (ISSUANCE,))
    chain.store.close()

    store = Store(directory)
    try:
        with pytest.raises(StoreError):
            Chain(store, cache)
    finally:
        store.close()


def test_a_block_that_cannot_be_written_is_not_the_head(new_chain, world):
    bench = bench_of(new_chain(on_disk=True), world)
    bench.seal()
    head, values = bench.chain.head_hash, dict(bench.chain.state.values)
    raw = bench.signing.sign(signer(0), 0, transfer(signer(100).public, AIN))

    bench.chain.store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError):
        bench.seal(raw)
    assert (bench.chain.head_hash, bench.chain.state.values) == (head, values)
    assert bench.chain.store.head_number() == 1

    bench.chain.store._db.execute("PRAGMA query_only = 0")
    assert bench.seal(raw).included


def test_two_processes_cannot_share_a_directory(new_chain):
    chain = new_chain(on_disk=True)

    with pytest.raises(StoreError):
        Store(chain.store.directory)


@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_extrinsic_are_refused_or_trap_but_never_break_the_chain(shared_bench: Bench, data: bytes):
    api = shared_bench.chain.api()

    try:
        outcome = api.validate(data, shared_bench.chain.head_hash)
    except RuntimeTrap:
        return
    assert isinstance(outcome, Invalid)
    assert outcome.variant != FUTURE


@pytest.fixture(scope="module")
def shared_bench(genesis, cache, world):
    store = Store(None)
    store.create(genesis)
    yield bench_of(Chain(store, cache), world)
    store.close()
