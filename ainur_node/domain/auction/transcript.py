"""The transcript of an auction: everything a stranger needs to recompute its outcome."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.auction.commitments import (
    Commit,
    Opening,
    bid_set_root,
    commit_hash,
    commit_message,
)
from ainur_node.domain.auction.rules import RULE_VERSION
from ainur_node.domain.auction.single import Bidder, RowStatus, Sale, clear
from ainur_node.domain.canonical import b32, tagged_hash, u8, u16, u32, u128, vec
from ainur_node.domain.ids import AccountId, AuctionId, NodeKey
from ainur_node.domain.money import Amount
from ainur_node.domain.reputation import PERFECT, penalty
from ainur_node.domain.task import NOTHING

# (node key, digest, signature) -> whether the ed25519 signature over the prefixed digest is right; shells provide it.
SignatureCheck = Callable[[NodeKey, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One commit of the bid set: how it was opened and what it was worth; ``opening`` only when it was right."""

    commit: Commit
    node_key: NodeKey
    status: RowStatus
    opening: Opening | None
    quality: int
    penalty: int

    def bidder(self) -> Bidder | None:
        """The row as a competitor, None when it does not compete."""
        if self.status is not RowStatus.REVEALED or self.opening is None:
            return None
        return Bidder(self.commit.provider, self.opening.ask, self.quality, self.penalty)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A winner whose award the chain refused: its state after block ``block`` shows why, to anyone who asks."""

    provider: AccountId
    block: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A closed auction with all its rows, sorted by provider; ``beacon`` is the hash of the block of the close.

    ``failed`` won and failed, as the chain knows; ``skipped`` could not be awarded. Neither competes.
    """

    auction: AuctionId
    root: bytes
    reserve: Amount
    quality_bps: int
    score_epoch: int
    beacon: bytes
    rows: tuple[Row, ...]
    failed: tuple[AccountId, ...] = ()
    rule: int = RULE_VERSION
    skipped: tuple[Skipped, ...] = ()

    @property
    def out(self) -> tuple[AccountId, ...]:
        """Whoever does not compete any more."""
        return (*self.failed, *(each.provider for each in self.skipped))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a transcript does not hold: a stable code and a sentence."""

    code: str
    detail: str


def outcome(genesis: bytes, t: Transcript) -> Sale | None:
    """The sale that the transcript's rows imply."""
    bidders = [b for row in t.rows if (b := row.bidder()) is not None]
    return clear(genesis, t.root, t.beacon, bidders, t.reserve, t.out)


def without(genesis: bytes, t: Transcript, provider: AccountId) -> Sale | None:
    """The counterfactual sale had ``provider`` not taken part."""
    bidders = [b for row in t.rows if (b := row.bidder()) is not None and b.provider != provider]
    return clear(genesis, t.root, t.beacon, bidders, t.reserve, t.out)


def _row_bytes(genesis: bytes, row: Row) -> bytes:
    ask, terms, nonce = (
        (row.opening.ask, terms_hash(genesis, row.opening.terms), row.opening.nonce)
        if row.opening
        else (0, NOTHING, NOTHING)
    )
    adjusted = ask + row.penalty if row.opening else 0
    return b"".join(
        (
            b32(row.commit.provider),
            b32(row.commit.provider),  # owner: providers own themselves until operators land
            b32(row.commit.commit),
            u8(row.status),
            u128(ask),
            terms,
            nonce,
            u32(row.quality),
            u128(row.penalty),
            u128(adjusted),
        )
    )


def transcript_hash(genesis: bytes, t: Transcript) -> bytes:
    """The hash that goes on chain with the award."""
    sale = outcome(genesis, t)
    sold = tagged_hash(
        genesis,
        "ainur/outcome/1",
        sale.winner.provider if sale else NOTHING,
        u128(sale.price if sale else 0),
        (sale.price_setter if sale and sale.price_setter else NOTHING),
        vec([b32(f) for f in t.failed]),
    )
    rows_root = tagged_hash(genesis, "ainur/rows/1", vec([_row_bytes(genesis, row) for row in t.rows]))
    return tagged_hash(
        genesis,
        "ainur/transcript/1",
        b32(t.auction),
        b32(t.root),
        u16(t.rule),
        u128(t.reserve),
        u16(t.quality_bps),
        u32(t.score_epoch),
        b32(t.beacon),
        u32(len(t.rows)),
        rows_root,
        sold,
        *([vec([b32(s.provider) + u32(s.block) for s in t.skipped])] if t.skipped else []),
    )


def check_widths(genesis: bytes, t: Transcript) -> None:
    """Raises ValueError or OverflowError on what cannot be hashed, signed or sent to the chain."""
    transcript_hash(genesis, t)
    for row in t.rows:
        commit_message(genesis, t.auction, row.commit)
        if row.opening is not None:
            commit_hash(genesis, t.auction, row.opening)


def faults(genesis: bytes, t: Transcript, verify: SignatureCheck) -> list[Fault]:
    """Everything wrong inside the transcript itself; empty when root, openings, penalties and signatures hold."""
    try:
        return _faults(genesis, t, verify)
    except (ValueError, OverflowError) as exc:
        return [Fault("malformed", f"it holds what cannot be hashed: {exc}")]


def _faults(genesis: bytes, t: Transcript, verify: SignatureCheck) -> list[Fault]:
    found: list[Fault] = []
    check_widths(genesis, t)
    if t.rule != RULE_VERSION:
        found.append(Fault("unknown_rule", f"rule {t.rule} is not the one of this version, {RULE_VERSION}"))
    providers = [row.commit.provider for row in t.rows]
    if not providers or providers != sorted(set(providers)):
        return [Fault("rows_not_sorted", "rows must be unique and sorted by provider")]
    commits = {row.commit.provider: row.commit.commit for row in t.rows}
    if bid_set_root(genesis, t.auction, commits) != t.root:
        found.append(Fault("wrong_root", "the commits do not hash to the root"))
    for row in t.rows:
        found.extend(_row_faults(genesis, t, row, verify))
    if len(set(t.out)) != len(t.out):
        found.append(Fault("failed_twice", "a provider is named as failed or skipped more than once"))
    if not set(t.out) <= set(providers):
        found.append(Fault("unknown_failed", "a failed or skipped provider never committed"))
    return found


def _row_faults(genesis: bytes, t: Transcript, row: Row, verify: SignatureCheck) -> Collection[Fault]:
    who = row.commit.provider.hex()[:12]
    found = []
    if not verify(row.node_key, commit_message(genesis, t.auction, row.commit), row.commit.signature):
        found.append(Fault("bad_signature", f"the commit of {who} is not signed by its node key"))
    if (row.status is RowStatus.REVEALED) != (row.opening is not None):
        found.append(Fault("status_mismatch", f"row of {who} is {row.status.name} but its opening says otherwise"))
    if row.quality > PERFECT:
        found.append(Fault("wrong_score", f"the score of {who} is above {PERFECT}"))
    if row.penalty != penalty(t.reserve, t.quality_bps, row.quality):
        found.append(Fault("wrong_penalty", f"the penalty of {who} does not follow from its score"))
    if row.opening is not None:
        if row.opening.provider != row.commit.provider:
            found.append(Fault("foreign_opening", f"row of {who} is opened by another provider"))
        if commit_hash(genesis, t.auction, row.opening) != row.commit.commit:
            found.append(Fault("wrong_opening", f"the opening of {who} is not what it committed to"))
    return found
