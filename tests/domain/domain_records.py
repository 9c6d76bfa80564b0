"""Records of the domain for tests: fixed ones with a different value in every field, and strategies for any."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from ainur_node.domain.agent import AgentTerms
from ainur_node.domain.auction.commitments import Commit, Opening, bid_set_root, commit_hash, commit_message
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Row, Transcript
from ainur_node.domain.ids import AccountId, AgentId, AuctionId, ModuleId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import penalty
from ainur_node.domain.task import Limits, TaskSpec, VerificationClass, VerificationPolicy, Visibility

GENESIS = bytes(range(32))
U8, U16, U32, U64, U128 = (2**bits - 1 for bits in (8, 16, 32, 64, 128))


def b32(label: str) -> bytes:
    """32 bytes that differ for every label."""
    return sha256(label.encode()).digest()


AUCTION = AuctionId(b32("auction"))
PAYER = AccountId(b32("payer"))


def spec(**changed: Any) -> TaskSpec:
    """A task that admits two modules."""
    made = TaskSpec(
        payer=PAYER,
        input_commitment=b32("commitment"),
        input_size=12,
        modules=(ModuleId(b32("module 0")), ModuleId(b32("module 1"))),
        verification_class=VerificationClass.DETERMINISTIC,
        output_schema=b32("schema"),
        limits=Limits(1_000, 64, 32),
        engine=b32("engine"),
        policy=VerificationPolicy.REPLAY,
        visibility=Visibility.PUBLIC,
        quality_bps=400,
        min_score=7,
        deadline_ms=60_000,
    )
    return replace(made, **changed)


def terms(number: int = 0, **changed: Any) -> AgentTerms:
    """Terms of agent ``number``."""
    made = AgentTerms(
        agent=AgentId(b32(f"agent {number}")),
        version=number + 1,
        module=ModuleId(b32(f"module {number}")),
        abi=1,
        engine=b32("engine"),
        verification_class=0,
        fuel_limit=1_000,
        mem_limit=64,
        royalty_bps=10,
        eta_ms=500,
    )
    return replace(made, **changed)


def opening(number: int, ask: int) -> Opening:
    """The bid of provider ``number``."""
    return Opening(AccountId(b32(f"provider {number}")), Amount(ask), b32(f"nonce {number}"), terms(number))


def sign(key: bytes, digest: bytes) -> bytes:
    """A stand-in for ed25519: whoever knows the key can sign, which is enough to see every tampering."""
    return sha256(b"sign" + key + digest).digest() * 2


def verify(key: NodeKey, digest: bytes, signature: bytes) -> bool:
    """The check that belongs to :func:`sign`."""
    return sign(key, digest) == signature


def node_key(number: int) -> NodeKey:
    """The key of provider ``number``."""
    return NodeKey(b32(f"node {number}"))


def commit_of(bid: Opening, key: NodeKey, seq: int = 1) -> Commit:
    """The sealed, signed form of a bid."""
    unsigned = Commit(bid.provider, commit_hash(GENESIS, AUCTION, bid), seq, 60_000, b"")
    return replace(unsigned, signature=sign(key, commit_message(GENESIS, AUCTION, unsigned)))


def transcript(asks: list[int], silent: int = 0, reserve: int = 3_000, quality_bps: int = 400) -> Transcript:
    """A valid transcript: provider ``i`` asks ``asks[i]`` with its own score; the last ``silent`` never revealed."""
    rows = []
    for number, ask in enumerate(asks):
        bid, key, quality = opening(number, ask), node_key(number), 400_000 + 50_000 * number
        shown = number < len(asks) - silent
        status = RowStatus.REVEALED if shown else RowStatus.NOT_REVEALED
        owed = penalty(reserve, quality_bps, quality)
        rows.append(Row(commit_of(bid, key), key, status, bid if shown else None, quality, owed))
    rows.sort(key=lambda row: row.commit.provider)
    root = bid_set_root(GENESIS, AUCTION, {row.commit.provider: row.commit.commit for row in rows})
    return Transcript(AUCTION, root, Amount(reserve), quality_bps, 3, b32("beacon"), tuple(rows))


# --- strategies -------------------------------------------------------------------------------------------------

hashes = st.binary(min_size=32, max_size=32)


def upto(most: int) -> st.SearchStrategy[int]:
    """Integers from 0 to ``most``, the ends often."""
    return st.one_of(st.sampled_from([0, 1, most - 1, most]), st.integers(0, most))


any_terms = st.builds(
    AgentTerms,
    agent=hashes,
    version=upto(U32),
    module=hashes,
    abi=upto(U8),
    engine=hashes,
    verification_class=upto(U8),
    fuel_limit=upto(U64),
    mem_limit=upto(U32),
    royalty_bps=upto(U16),
    eta_ms=upto(U32),
)
any_limits = st.builds(Limits, fuel=upto(U64), memory_kib=upto(U32), output=upto(U32))
any_spec = st.builds(
    TaskSpec,
    payer=hashes,
    input_commitment=hashes,
    input_size=upto(U32),
    modules=st.lists(hashes, min_size=1, max_size=16).map(tuple),
    verification_class=st.sampled_from(VerificationClass),
    output_schema=hashes,
    limits=any_limits,
    engine=hashes,
    policy=st.sampled_from(VerificationPolicy),
    visibility=st.sampled_from(Visibility),
    quality_bps=upto(U16),
    min_score=upto(U32),
    deadline_ms=upto(U32),
    checker=hashes,
)
