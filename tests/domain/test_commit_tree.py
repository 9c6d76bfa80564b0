"""The tree of commits: every honest proof holds, nothing else does."""

from dataclasses import replace

import pytest
from domain_records import AUCTION, GENESIS, b32, hashes
from hypothesis import assume, given
from hypothesis import strategies as st

from ainur_node.domain.auction.commitments import (
    MAX_COMMITS,
    MAX_PROOF,
    MerkleProof,
    bid_set_root,
    prove,
    proves,
    tree_of,
)
from ainur_node.domain.ids import AccountId, AuctionId


def commits(count: int) -> dict[AccountId, bytes]:
    return {AccountId(b32(f"provider {i}")): b32(f"commit {i}") for i in range(count)}


SIZES = [*range(1, 34), 255, 256]


def test_the_bounds_are_those_of_the_chain() -> None:
    assert (MAX_COMMITS, MAX_PROOF) == (256, 9)


@pytest.mark.parametrize("count", SIZES)
def test_every_provider_s_proof_holds(count: int) -> None:
    tree = commits(count)
    root = bid_set_root(GENESIS, AUCTION, tree)
    chosen = sorted(tree) if count < 40 else sorted(tree)[:: count // 5]

    for provider in chosen:
        proof = prove(tree, provider)
        assert proof.index == sorted(tree).index(provider)
        assert len(proof.path) <= 8
        assert proves(GENESIS, AUCTION, root, count, provider, tree[provider], proof)


@given(st.dictionaries(hashes, hashes, min_size=1, max_size=20), st.data())
def test_any_flipped_bit_breaks_a_proof(tree: dict[AccountId, bytes], data: st.DataObject) -> None:
    root, count = bid_set_root(GENESIS, AUCTION, tree), len(tree)
    provider = data.draw(st.sampled_from(sorted(tree)))
    proof = prove(tree, provider)
    parts = [root, provider, tree[provider], AUCTION, GENESIS, *proof.path]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    bad_root, who, commit, auction, genesis, *path = parts

    assert not proves(
        genesis, AuctionId(auction), bad_root, count, AccountId(who), commit, replace(proof, path=tuple(path))
    )


@pytest.mark.parametrize("count", range(1, 10))
def test_no_other_index_count_or_length_holds(count: int) -> None:
    tree = commits(count)
    root = bid_set_root(GENESIS, AUCTION, tree)
    for provider in tree:
        proof = prove(tree, provider)
        paths = [proof.path, (*proof.path, bytes(32)), proof.path[:-1], (), (*proof.path, b"")]
        for index in range(-2, count + 3):
            for lie in range(-1, count + 4):
                for path in dict.fromkeys(paths):
                    honest = (index, lie, path) == (proof.index, count, proof.path)
                    given_proof = MerkleProof(index, path)
                    held = proves(GENESIS, AUCTION, root, lie, provider, tree[provider], given_proof)
                    assert held == honest, (index, lie, len(path))


def test_an_odd_last_node_is_promoted_unchanged() -> None:
    tree = commits(5)
    last = sorted(tree)[-1]

    assert len(prove(tree, last).path) == 1
    assert [len(prove(tree, p).path) for p in sorted(tree)] == [3, 3, 3, 3, 1]
    assert prove(commits(1), next(iter(commits(1)))).path == ()


def test_siblings_of_another_length_never_hold() -> None:
    tree = commits(2)
    root = bid_set_root(GENESIS, AUCTION, tree)
    provider = sorted(tree)[0]
    proof = prove(tree, provider)

    for sibling in (b"", proof.path[0][:31], proof.path[0] + b"\x00"):
        assert not proves(GENESIS, AUCTION, root, 2, provider, tree[provider], MerkleProof(0, (sibling,)))


def test_a_leaf_can_never_pass_for_an_inner_node() -> None:
    """Two leaves joined are no leaf: their first byte differs."""
    tree = commits(4)
    root = bid_set_root(GENESIS, AUCTION, tree)
    first, second = sorted(tree)[:2]
    inner = prove(tree, sorted(tree)[2]).path[1]

    assert not proves(GENESIS, AUCTION, root, 2, first, tree[second], MerkleProof(0, (inner,)))


def test_the_root_depends_on_world_auction_and_members() -> None:
    tree = commits(3)
    roots = {
        bid_set_root(GENESIS, AUCTION, tree),
        bid_set_root(b32("other world"), AUCTION, tree),
        bid_set_root(GENESIS, AuctionId(b32("other")), tree),
        bid_set_root(GENESIS, AUCTION, commits(4)),
        bid_set_root(GENESIS, AUCTION, commits(2)),
    }
    assert len(roots) == 5


@given(st.permutations(sorted(commits(7))))
def test_the_order_of_arrival_does_not_matter(order: list[AccountId]) -> None:
    tree = commits(7)

    assert bid_set_root(GENESIS, AUCTION, {p: tree[p] for p in order}) == bid_set_root(GENESIS, AUCTION, tree)


def test_empty_and_overfull_sets_are_refused() -> None:
    too_many = commits(MAX_COMMITS + 1)

    with pytest.raises(ValueError, match="1 to 256 commits, not 0"):
        bid_set_root(GENESIS, AUCTION, {})
    with pytest.raises(ValueError, match="not 257"):
        bid_set_root(GENESIS, AUCTION, too_many)
    with pytest.raises(KeyError):
        prove(commits(3), AccountId(b32("stranger")))


@given(st.binary(min_size=32, max_size=32), st.lists(hashes, max_size=10), st.integers(-1, 300), st.integers(-1, 300))
def test_made_up_proofs_are_refused_without_a_fault(root: bytes, path: list[bytes], index: int, count: int) -> None:
    assume(count != 1)

    made_up = MerkleProof(index, tuple(path))
    assert not proves(GENESIS, AUCTION, root, count, AccountId(b32("p")), b32("c"), made_up)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_sibling_of_another_length_leads_nowhere(length: int) -> None:
    tree = commits(2)
    provider = sorted(tree)[0]

    assert tree_of(2, provider, tree[provider], MerkleProof(0, (bytes(length),))) is None
    assert tree_of(2, provider, tree[provider], MerkleProof(0, (bytes(32),))) is not None
