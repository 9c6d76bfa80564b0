"""Ids, trees, keys and addresses, against facts that were computed elsewhere."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from substrateinterface import Keypair

from pallets_client import hashing
from pallets_client.hashing import CommitTree, tree_top
from pallets_client.keys import (
    BadAddress,
    NodeKey,
    Sr25519,
    development_seed,
    ss58_decode,
    ss58_encode,
    verify_digest,
)

GENESIS = bytes(range(32))


def commits(count: int) -> list[tuple[bytes, bytes]]:
    return [(number.to_bytes(32, "big"), hashing.sha256(bytes([number % 256]))) for number in range(count)]


def test_a_tag_is_hashed_before_the_genesis_and_the_fields() -> None:
    expected = hashlib.blake2b(b"ainur/escrow/1\x00" + GENESIS + bytes(32) + b"\x02\x01", digest_size=32).digest()

    assert hashing.escrow_id(GENESIS, bytes(32), 0x0102) == expected


def test_the_sink_is_the_account_of_its_pallet_id() -> None:
    assert b"modlainursnk" + bytes(20) == hashing.SINK_ACCOUNT


@given(count=st.integers(1, 256), data=st.data())
def test_every_leaf_is_proven_and_no_other_place_is(count: int, data: st.DataObject) -> None:
    all_commits = commits(count)
    tree = CommitTree.of(all_commits)
    index = data.draw(st.integers(0, count - 1))
    elsewhere = data.draw(st.integers(0, count + 2))
    leaf, path = hashing.leaf_hash(*all_commits[index]), tree.path(index)

    assert len(path) <= hashing.MAX_PROOF
    assert tree_top(leaf, index, count, path) == tree.top
    if elsewhere != index:
        assert tree_top(leaf, elsewhere, count, path) != tree.top
    assert tree_top(leaf, index, count, (*path, bytes(32))) is None


def test_an_odd_last_node_is_promoted_unchanged() -> None:
    a, b, c = (hashing.leaf_hash(*commit) for commit in commits(3))

    tree = CommitTree.of(commits(3))

    assert tree.top == hashing.node_hash(hashing.node_hash(a, b), c)
    assert tree.path(2) == (hashing.node_hash(a, b),)


@pytest.mark.parametrize("wrong", [[], commits(3)[::-1], commits(1) * 2])
def test_commits_are_sorted_unique_and_some(wrong: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ValueError, match="sorted"):
        CommitTree.of(wrong)


@given(account=st.binary(min_size=32, max_size=32))
def test_addresses_are_those_of_substrate(account: bytes) -> None:
    address = ss58_encode(account)

    assert address == Keypair(public_key=account, ss58_format=42).ss58_address
    assert ss58_decode(address) == account


@pytest.mark.parametrize(
    "wrong", ["", "5", "0" * 48, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", "é" * 48, "z" * 64]
)
def test_a_mistyped_address_is_refused(wrong: str) -> None:
    with pytest.raises(BadAddress):
        ss58_decode(wrong)


def test_an_address_of_another_network_is_refused() -> None:
    with pytest.raises(BadAddress):
        ss58_decode(ss58_encode(bytes(32), 0))


def test_account_keys_sign_what_substrate_verifies_and_hide_their_seed() -> None:
    key = Sr25519(development_seed("x"))

    assert Keypair(public_key=key.account, ss58_format=42).verify(b"payload", key.sign(b"payload"))
    assert not key.verify(b"other", key.sign(b"payload"))
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_a_node_key_signs_digests_behind_a_prefix_only() -> None:
    key, digest = NodeKey(development_seed("n")), hashing.sha256(b"d")
    signature = key.sign_digest(digest)

    assert verify_digest(key.public, digest, signature)
    assert not verify_digest(key.public, hashing.sha256(b"e"), signature)
    assert not verify_digest(key.public, digest, bytes(64))
    assert not verify_digest(b"short", digest, signature)
    assert not verify_digest(key.public, digest, b"short")
