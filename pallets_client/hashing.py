"""Canonical bytes and domain-separated hashes of docs/protocol.md, as the pallets compute them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE_PREFIX = b"ainur/sig/1\x00"
SINK_ACCOUNT = b"modl" + b"ainursnk" + bytes(20)
MAX_PROOF = 9  # 2**8 = 256 leaves, and one more level for safety: the pallet's bound


def blake2_256(data: bytes) -> bytes:
    """BLAKE2b with a digest of 32 bytes."""
    return hashlib.blake2b(data, digest_size=32).digest()


def sha256(data: bytes) -> bytes:
    """Content hash of packages, modules, inputs, outputs and capability names."""
    return hashlib.sha256(data).digest()


def u8(value: int) -> bytes:
    """One byte; raises OverflowError outside 0..255."""
    return value.to_bytes(1, "little")


def u16(value: int) -> bytes:
    """Two bytes, little-endian."""
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    """Four bytes, little-endian."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Eight bytes, little-endian."""
    return value.to_bytes(8, "little")


def u128(value: int) -> bytes:
    """Sixteen bytes, little-endian: amounts in planck."""
    return value.to_bytes(16, "little")


def tagged(tag: str, genesis: bytes, *fields: bytes) -> bytes:
    """``H(tag, fields…) = blake2b-256(tag ‖ 0x00 ‖ genesis_hash ‖ fields)``."""
    return blake2_256(tag.encode("ascii") + b"\x00" + genesis + b"".join(fields))


def signed_message(digest: bytes) -> bytes:
    """The bytes that a node key signs for a digest; never the bare digest, which could be an extrinsic."""
    return SIGNATURE_PREFIX + digest


def capability_id(name: str) -> bytes:
    """Sha-256 of the capability's name."""
    return sha256(name.encode())


def did_proof(genesis: bytes, account: bytes, node_key: bytes) -> bytes:
    """Digest that the node key signs to be bound to an account."""
    return tagged("ainur/did/1", genesis, account, node_key)


def did_key_proof(genesis: bytes, did: bytes, purpose: int, kind: int, public: bytes) -> bytes:
    """Digest that a further key signs to be listed under a DID."""
    return tagged("ainur/did-key/1", genesis, did, bytes([purpose, kind]), public)


def did_call(genesis: bytes, did: bytes, counter: int, expires: int, submitter: bytes, operation: bytes) -> bytes:
    """Digest that a key of a DID signs so that ``submitter`` may carry ``operation`` to the chain."""
    return tagged("ainur/did-call/1", genesis, did, u64(counter), u64(expires), submitter, operation)


def agent_id(genesis: bytes, owner: bytes, name: bytes) -> bytes:
    """Id of an agent: its owner, and its name behind its length as u32."""
    return tagged("ainur/agent/1", genesis, owner, u32(len(name)), name)


def auction_id(genesis: bytes, payer: bytes, task: bytes, attempt: int) -> bytes:
    """Id of attempt 0, 1, … of auctioning a task."""
    return tagged("ainur/auction/1", genesis, payer, task, u8(attempt))


def escrow_id(genesis: bytes, auction: bytes, slot: int) -> bytes:
    """Id of the escrow of one slot; a runner-up's escrow takes the id of the failed winner's."""
    return tagged("ainur/escrow/1", genesis, auction, u16(slot))


def single_bid(genesis: bytes, ask: int, terms: bytes) -> bytes:
    """Hash of a bid for a single task: one ask, net to the agent, and the hash of the agent's terms."""
    return tagged("ainur/bid/1", genesis, b"\x00", u128(ask), terms)


def commit_hash(genesis: bytes, auction: bytes, provider: bytes, bid: bytes, nonce: bytes) -> bytes:
    """The sealed bid: hides ``bid`` behind a 32-byte nonce."""
    return tagged("ainur/commit/1", genesis, auction, provider, bid, nonce)


def commit_message(
    genesis: bytes, auction: bytes, provider: bytes, commit: bytes, seq: int, standing_until: int
) -> bytes:
    """Digest that the provider's node key signs over its commit; the bid stands until that market time."""
    return tagged("ainur/commit-msg/1", genesis, auction, provider, commit, u64(seq), u64(standing_until))


def leaf_hash(provider: bytes, commit: bytes) -> bytes:
    """Leaf of the commit tree."""
    return blake2_256(b"\x00" + provider + commit)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Inner node of the commit tree."""
    return blake2_256(b"\x01" + left + right)


def root_hash(genesis: bytes, auction: bytes, count: int, tree: bytes) -> bytes:
    """What ``close`` puts on chain: the tree's top bound to the auction and the number of leaves."""
    return tagged("ainur/root/1", genesis, auction, u32(count), tree)


@dataclass(frozen=True, slots=True)
class CommitTree:
    """Merkle tree over the commits of one auction; leaves in the order given (sorted by provider).

    ``levels[0]`` are the leaves, the last level holds one hash. An odd last node is promoted unchanged.
    """

    levels: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of(cls, commits: Sequence[tuple[bytes, bytes]]) -> CommitTree:
        """Tree of (provider, commit) pairs; raises ValueError unless sorted by provider and unique."""
        providers = [provider for provider, _ in commits]
        if not commits or providers != sorted(set(providers)):
            raise ValueError("commits must be sorted by provider, unique and at least one")
        level = tuple(leaf_hash(provider, commit) for provider, commit in commits)
        levels = [level]
        while len(level) > 1:
            pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = (*pairs, *level[len(pairs) * 2 :])
            levels.append(level)
        return cls(tuple(levels))

    @property
    def top(self) -> bytes:
        """The single hash at the top."""
        return self.levels[-1][0]

    def path(self, index: int) -> tuple[bytes, ...]:
        """Siblings from leaf ``index`` to the top; a promoted node adds none."""
        siblings = []
        for level in self.levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                siblings.append(level[sibling])
            index //= 2
        return tuple(siblings)


def tree_top(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The top that a proof leads to, or None when its shape cannot be of a tree with ``count`` leaves."""
    if not 0 <= index < count:
        return None
    remaining = list(path)
    node, width = leaf, count
    while width > 1:
        promoted = index == width - 1 and width % 2 == 1
        if not promoted:
            if not remaining:
                return None
            sibling = remaining.pop(0)
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index //= 2
        width = (width + 1) // 2
    return node if not remaining else None


def case_id(genesis: bytes, escrow: bytes, milestone: int) -> bytes:
    """Id of the case about a milestone of an escrow (0 without milestones)."""
    return tagged("ainur/case/1", genesis, escrow, u8(milestone))


def nonce_chain(genesis: bytes, case: bytes, party: bytes, tip: bytes, links: int) -> list[bytes]:
    """Links 0 to ``links`` of a party's nonces for the draws of a case; link 0 is what it commits to, ``tip`` the last.

    A case of three rounds that are drawn twice each opens six.
    """
    chain = [tip]
    for _ in range(links):
        chain.append(tagged("ainur/nonce/1", genesis, case, party, chain[-1]))
    return chain[::-1]


def vote_commit(
    genesis: bytes, case: bytes, round_: int, arbiter: bytes, vote: tuple[bytes, bool, int], salt: bytes
) -> bytes:
    """What an arbiter commits to; ``vote`` is sha-256 of the replayed output, whether the ground holds, payee_bps."""
    output, holds, payee_bps = vote
    return tagged("ainur/vote/1", genesis, case, u8(round_), arbiter, output, u8(int(holds)), u16(payee_bps), salt)
