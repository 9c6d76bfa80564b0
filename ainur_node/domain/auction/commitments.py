"""Sealed bids: commitments, their Merkle tree and what is signed about them (docs/protocol.md §1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from ainur_node.domain.agent import AgentTerms, terms_hash
from ainur_node.domain.canonical import b32, tagged_hash, u8, u32, u64, u128
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.domain.money import Amount

MAX_COMMITS = 256
MAX_PROOF = 9  # what a message may carry; `proves` asks for exactly the length that index and count need


@dataclass(frozen=True, slots=True)
class Opening:
    """What a reveal shows: the sealed ask, its terms and the nonce that hid them."""

    provider: AccountId
    ask: Amount
    nonce: bytes
    terms: AgentTerms


@dataclass(frozen=True, slots=True)
class Commit:
    """One sealed bid with the provider's signature; ``standing_until`` is market time in ms."""

    provider: AccountId
    commit: bytes
    seq: int
    standing_until: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class MerkleProof:
    """The way from one leaf to the root: its position and the siblings from below."""

    index: int
    path: tuple[bytes, ...]


def bid_hash(genesis: bytes, ask: Amount, terms: AgentTerms) -> bytes:
    """Hash of a single-slot bid."""
    return tagged_hash(genesis, "ainur/bid/1", u8(0), u128(ask), terms_hash(genesis, terms))


def commit_hash(genesis: bytes, auction: AuctionId, opening: Opening) -> bytes:
    """The sealed bid; the 32-byte nonce is needed because asks can be guessed."""
    bid = bid_hash(genesis, opening.ask, opening.terms)
    return tagged_hash(genesis, "ainur/commit/1", b32(auction), b32(opening.provider), bid, b32(opening.nonce))


def commit_message(genesis: bytes, auction: AuctionId, commit: Commit) -> bytes:
    """The digest a provider signs when it commits."""
    return tagged_hash(
        genesis,
        "ainur/commit-msg/1",
        b32(auction),
        b32(commit.provider),
        b32(commit.commit),
        u64(commit.seq),
        u64(commit.standing_until),
    )


def inclusion_message(genesis: bytes, auction: AuctionId, provider: AccountId, commit: bytes, seen_block: int) -> bytes:
    """The digest the auctioneer signs when it takes a commit in."""
    return tagged_hash(genesis, "ainur/inclusion/1", b32(auction), b32(provider), b32(commit), u32(seen_block))


def reveal_ack_message(genesis: bytes, auction: AuctionId, provider: AccountId, commit: bytes) -> bytes:
    """The digest the auctioneer signs when it took a reveal in."""
    return tagged_hash(genesis, "ainur/reveal-ack/1", b32(auction), b32(provider), b32(commit))


def _leaf(provider: AccountId, commit: bytes) -> bytes:
    return blake2b(b"\x00" + b32(provider) + b32(commit), digest_size=32).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return blake2b(b"\x01" + left + right, digest_size=32).digest()


def _levels(commits: Mapping[AccountId, bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first; an odd last node moves up unchanged."""
    if not 1 <= len(commits) <= MAX_COMMITS:
        raise ValueError(f"a bid set has 1 to {MAX_COMMITS} commits, not {len(commits)}")
    levels = [[_leaf(provider, commits[provider]) for provider in sorted(commits)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        levels.append(above)
    return levels


def bid_set_root(genesis: bytes, auction: AuctionId, commits: Mapping[AccountId, bytes]) -> bytes:
    """The root that ``close`` puts on chain; leaves are sorted by provider."""
    return root_of(genesis, auction, len(commits), _levels(commits)[-1][0])


def prove(commits: Mapping[AccountId, bytes], provider: AccountId) -> MerkleProof:
    """Proof that ``provider``'s commit is in the bid set; KeyError when it is not."""
    if provider not in commits:
        raise KeyError(provider)
    index = position = sorted(commits).index(provider)
    path: list[bytes] = []
    for level in _levels(commits)[:-1]:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        position //= 2
    return MerkleProof(index, tuple(path))


def tree_of(count: int, provider: AccountId, commit: bytes, proof: MerkleProof) -> bytes | None:
    """Top of the tree of ``count`` leaves to which a proof leads from this commit; None when it has another shape."""
    if not 0 <= proof.index < count <= MAX_COMMITS:
        return None
    node, position, width = _leaf(provider, commit), proof.index, count
    siblings: Sequence[bytes] = proof.path
    used = 0
    while width > 1:
        if position ^ 1 < width:
            if used == len(siblings) or len(siblings[used]) != 32:
                return None
            other = siblings[used]
            used += 1
            node = _node(other, node) if position % 2 else _node(node, other)
        position //= 2
        width = (width + 1) // 2
    return node if used == len(siblings) else None


def root_of(genesis: bytes, auction: AuctionId, count: int, tree: bytes) -> bytes:
    """What ``close`` puts on chain for a tree with this top."""
    return tagged_hash(genesis, "ainur/root/1", b32(auction), u32(count), tree)


def proves(
    genesis: bytes,
    auction: AuctionId,
    root: bytes,
    count: int,
    provider: AccountId,
    commit: bytes,
    proof: MerkleProof,
) -> bool:
    """Whether the proof leads from this commit to the root of ``count`` commits."""
    tree = tree_of(count, provider, commit, proof)
    return tree is not None and root_of(genesis, auction, count, tree) == root
