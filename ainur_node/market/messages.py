"""What market nodes say to each other: msgpack frames around canonical bytes (docs/protocol.md, wire section).

Everything a peer sends is a proposal. Sizes are bounded by the mesh before these decoders see a byte; here shape is
checked (exact lengths, known versions), meaning is checked by the stage that receives it.
"""

from typing import Annotated, TypeVar

import msgspec

from ainur_node.domain.agent import decode_terms
from ainur_node.domain.auction.commitments import MAX_PROOF, Commit, MerkleProof, Opening
from ainur_node.domain.canonical import u128
from ainur_node.domain.ids import AccountId, EscrowId
from ainur_node.domain.money import MAX_BUDGET, Amount
from ainur_node.domain.receipt import Execution, Exit, Receipt
from ainur_node.errors import Misbehaviour

B32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
B64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Money = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
U16 = Annotated[int, msgspec.Meta(ge=0, lt=2**16)]
U32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
U64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern="^[a-z_]+$")]

MAX_SPEC = 2048
MAX_OUTPUT = 1 << 20
MAX_INPUT = 1 << 20
VERSION = 2


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all frames: unknown fields are refused, a new field is a new version."""


class Announce(Message, frozen=True):
    """Gossip on ``auctions``: an auction is open; times are ms from now."""

    v: U16
    auction: B32
    task: B32
    attempt: Annotated[int, msgspec.Meta(ge=0, le=255)]
    spec: Annotated[bytes, msgspec.Meta(max_length=MAX_SPEC)]
    capability: Name
    package: B32
    commit_ms: U32
    excluded: Annotated[list[B32], msgspec.Meta(max_length=16)]


class OfferNotice(Message, frozen=True):
    """Gossip on ``agents``: this node offers an agent; the ask stays sealed."""

    v: U16
    agent: B32
    package: B32
    capability: Name
    active: bool


class CommitRequest(Message, frozen=True):
    """``auction.commit``: a sealed bid for the auctioneer."""

    auction: B32
    provider: B32
    commit: B32
    seq: U64
    standing_until: U64
    signature: B64

    def commitment(self) -> Commit:
        """As a domain record."""
        return Commit(AccountId(self.provider), self.commit, self.seq, self.standing_until, self.signature)


class CommitReceipt(Message, frozen=True):
    """Answer: the auctioneer's signed inclusion."""

    seen_block: U32
    signature: B64


class PassNotice(Message, frozen=True):
    """``auction.pass``: why this provider does not bid."""

    auction: B32
    code: Code


class RevealRequest(Message, frozen=True):
    """``auction.reveal``: your leaf is under this root, which is on chain, and which the auctioneer signed."""

    auction: B32
    root: B32
    count: U32
    index: U32
    path: Annotated[list[B32], msgspec.Meta(max_length=MAX_PROOF)]
    signature: B64

    def proof(self) -> MerkleProof:
        """As a domain record."""
        return MerkleProof(self.index, tuple(self.path))


class Reveal(Message, frozen=True):
    """Answer: the opening; ``terms`` are canonical bytes."""

    ask: Money
    nonce: B32
    terms: Annotated[bytes, msgspec.Meta(max_length=256)]

    def opening(self, provider: AccountId) -> Opening:
        """As a domain record; Misbehaviour when the terms are not canonical or no budget could pay the ask.

        An ask near 2^128 and its penalty together fit into no u128: no row, and so no transcript, could hold them.
        """
        ask = money_of(self.ask)
        if ask > MAX_BUDGET:
            raise Misbehaviour(f"the ask of {provider.hex()[:12]} is above the largest budget")
        try:
            return Opening(provider, ask, self.nonce, decode_terms(self.terms))
        except ValueError as exc:
            raise Misbehaviour(f"the terms of {provider.hex()[:12]} do not decode: {exc}") from exc


class RevealAck(Message, frozen=True):
    """``auction.ack``: the auctioneer signed that it took the reveal in."""

    auction: B32
    signature: B64


class ResultNotice(Message, frozen=True):
    """``auction.result``: how the auction ended for this provider, with its own numbers."""

    auction: B32
    outcome: Code
    price: Money
    own_adjusted: Money
    transcript: bytes


class EscrowHint(Message, frozen=True):
    """``task.awarded``, ``task.delivered``: look now; ``task.input``, ``task.output``: hand the bytes over."""

    auction: B32
    escrow: B32


class Input(Message, frozen=True):
    """Answer: the input's bytes and the salt of its commitment."""

    salt: B32
    body: Annotated[bytes, msgspec.Meta(max_length=MAX_INPUT)]


class Output(Message, frozen=True):
    """Answer: the result with its receipt; served only after the delivery is in a block."""

    body: Annotated[bytes, msgspec.Meta(max_length=MAX_OUTPUT)]
    salt: B32
    provider: B32
    terms: B32
    input_sha256: B32
    seed: B32
    clock: U64
    host_transcript: B32
    output_sha256: B32
    exit: Annotated[int, msgspec.Meta(ge=0, le=9)]
    code: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
    fuel_used: U64
    cpu_ns: U64
    peak_mem: U32
    engine_build: B32
    signature: B64

    def receipt(self, escrow: EscrowId) -> Receipt:
        """The work receipt that came with the bytes."""
        execution = Execution(
            escrow=escrow,
            provider=AccountId(self.provider),
            terms=self.terms,
            input_sha256=self.input_sha256,
            seed=self.seed,
            clock=self.clock,
            host_transcript=self.host_transcript,
            output_sha256=self.output_sha256,
            output_len=len(self.body),
            exit=Exit(self.exit),
            code=self.code,
            fuel_used=self.fuel_used,
        )
        return Receipt(execution, self.cpu_ns, self.peak_mem, self.engine_build, self.signature)


class ExhibitRequest(Message, frozen=True):
    """``court.exhibit``: a seated arbiter asks a party for bytes by their sha-256."""

    escrow: B32
    case: B32
    sha256: B32


class TranscriptRequest(Message, frozen=True):
    """``auction.transcript``: anyone asks for the transcript whose hash is on chain."""

    transcript: B32


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """Msgpack of a message."""
    return msgspec.msgpack.encode(message)


def decode(kind: type[M], frame: bytes) -> M:
    """The message behind a frame; Misbehaviour on anything else."""
    try:
        return msgspec.msgpack.decode(frame, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise Misbehaviour(f"malformed {kind.__name__}: {exc}") from exc


def money(amount: int) -> bytes:
    """Planck as 16 bytes little-endian."""
    return u128(amount)


def money_of(raw: bytes) -> Amount:
    """The amount behind 16 bytes."""
    return Amount(int.from_bytes(raw, "little"))


def output_message(body: bytes, salt: bytes, receipt: Receipt) -> Output:
    """A delivered result as a message."""
    e = receipt.execution
    return Output(
        body=body,
        salt=salt,
        provider=e.provider,
        terms=e.terms,
        input_sha256=e.input_sha256,
        seed=e.seed,
        clock=e.clock,
        host_transcript=e.host_transcript,
        output_sha256=e.output_sha256,
        exit=int(e.exit),
        code=e.code,
        fuel_used=e.fuel_used,
        cpu_ns=receipt.cpu_ns,
        peak_mem=receipt.peak_mem,
        engine_build=receipt.engine_build,
        signature=receipt.signature,
    )
