"""Who kept a task from going as it should: named from the task's own facts, each with where the evidence lies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ainur_node.domain import events as fact
from ainur_node.domain.auction.commitments import Commit
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.bidding import SENTENCES
from ainur_node.domain.ids import AccountId
from ainur_node.domain.requester import ABOUT_THE_WINNER, NOT_STANDING, RequesterTask
from ainur_node.errors import Transient
from ainur_node.market import codec
from ainur_node.market.codec import Fact
from ainur_node.market.library import Library
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import Ledger, StoredFact

SILENT = "silent"
# Refusals of an award that say nothing against its winner.
BLAMELESS = frozenset({NOT_STANDING, "bad_price", "awarded_to_another"})
TOLD = {
    SILENT: "offers the capability, but neither bid nor said why not",
    "committed_twice": "signed two different commits for one auction; the first one counted",
    "declined": "won and declined the work",
    "not_delivered": "won and delivered nothing in time: its lock is burned",
    "gave_back": "gave the money of a disputed delivery back",
    "not_available": "delivered a hash on chain and handed its bytes to nobody",
    "replay_differs": "delivered a result that running the work again does not give",
    "schema_invalid": "delivered a result of another shape than was asked for",
}
RECEIPT = "receipt_"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where to look: ``kind`` is transcript (its hash on chain), result (a blob here), auction, escrow or commits."""

    kind: str
    ident: bytes
    commits: tuple[Commit, ...] = ()


@dataclass(frozen=True, slots=True)
class Offender:
    """A provider and what it did."""

    who: AccountId
    code: str
    evidence: Evidence | None = None


def told(offender: Offender) -> dict[str, Any]:
    """An offender as a row for people and programs."""
    code, evidence = offender.code, offender.evidence
    row: dict[str, Any] = {
        "who": offender.who.hex(),
        "role": "provider",
        "code": code,
        "sentence": _sentence(code),
        "evidence": {"kind": evidence.kind, "id": evidence.ident.hex()} if evidence is not None else None,
    }
    if evidence is not None and evidence.commits:
        row["evidence"]["commits"] = [
            {
                "commit": each.commit.hex(),
                "seq": each.seq,
                "standing_until": each.standing_until,
                "signature": each.signature.hex(),
            }
            for each in evidence.commits
        ]
    return row


def _sentence(code: str) -> str:
    if code in TOLD:
        return TOLD[code]
    if code.startswith(RECEIPT):
        return f"delivered a receipt that does not hold: wrong {code.removeprefix(RECEIPT).replace('_', ' ')}"
    return SENTENCES.get(code) or f"won, and the chain refused the award: {code.replace('_', ' ')}"


async def offenders(stored: Sequence[StoredFact], library: Library) -> list[Offender]:
    """Everybody that a task's facts speak against, in the order in which it happened; nobody twice for one thing."""
    found: dict[tuple[bytes, str, bytes], Offender] = {}
    rows: dict[bytes, list[Offender]] = {}
    auction = payee = winner = b""
    committed = 0
    for each in stored:
        happened = codec.decode_fact(each.kind, each.fact)
        match happened:
            case fact.Funded():
                auction = happened.auction
            case fact.BidsCollected():
                committed = len(happened.commits)
            case fact.Cleared():
                winner = happened.opening.provider
            case fact.Escrowed():
                payee = happened.payee
        blamed = list(_against(happened, auction, payee, winner))
        digest = _unopened(happened, committed)
        if digest is not None:
            if digest not in rows:
                rows[digest] = list(await _rows(digest, library))
            blamed += rows[digest]
        for one in blamed:
            found.setdefault((one.who, one.code, auction), one)
    return list(found.values())


async def silent(task: RequesterTask, stored: Sequence[StoredFact], ledger: Ledger) -> list[Offender]:
    """Providers that offer the capability of a task today and were not heard in its last auction."""
    facts = (codec.decode_fact(each.kind, each.fact) for each in stored if each.kind == "BidsCollected")
    heard = next((f for f in facts if isinstance(f, fact.BidsCollected) and f.auction == task.auction), None)
    if heard is None:
        return []
    known = {task.spec.payer, *task.excluded, *(commit.provider for commit in heard.commits)}
    passed = {each.peer for each in heard.passes}
    try:
        offering = {agent.provider for agent in await ledger.agents(task.capability) if agent.active}
        providers = [await ledger.provider(account) for account in sorted(offering - known)]
    except Transient:  # the rest of the answer needs no chain
        return []
    unheard = (p for p in providers if p is not None and p.active and peer_id_of(p.node_key) not in passed)
    return [Offender(provider.account, SILENT) for provider in unheard]


def _against(happened: Fact, auction: bytes, payee: bytes, winner: bytes) -> Iterator[Offender]:
    """What a fact alone says against somebody."""
    match happened:
        case fact.BidsCollected(commits=commits, doubles=doubles):
            firsts = {commit.provider: commit for commit in commits}
            for second in doubles:
                both = (firsts[second.provider], second)
                yield Offender(second.provider, "committed_twice", Evidence("commits", second.commit, both))
        case fact.AwardRefused(code=code) if code in ABOUT_THE_WINNER - BLAMELESS:
            yield Offender(AccountId(winner), code)
        case fact.WinnerFailed(escrow=escrow, payee=failed, how=how):
            # Where it gave back, the escrow stays as it is; else the runner-up's takes its place under the same id.
            on_chain = Evidence("escrow", escrow) if how == "gave_back" else Evidence("auction", auction)
            yield Offender(failed, how, on_chain)
        case fact.Mismatch(code=code, evidence=blob):
            yield Offender(AccountId(payee), code, Evidence("result", blob))


def _unopened(happened: Fact, committed: int) -> bytes | None:
    """The hash of a transcript in which not every bid was opened rightly."""
    match happened:
        case fact.Cleared(transcript=digest, revealed=revealed) if revealed < committed:
            return digest
        case fact.NoSale(transcript=digest):
            return digest
    return None


async def _rows(digest: bytes, library: Library) -> Iterator[Offender]:
    found = await library.find_transcript(digest, [])
    rows = found.rows if isinstance(found, Transcript) else ()
    unopened = (row for row in rows if row.status is not RowStatus.REVEALED)
    return (Offender(r.commit.provider, r.status.name.lower(), Evidence("transcript", digest)) for r in unopened)
