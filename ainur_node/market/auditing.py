"""A decided auction recomputed from its transcript and held against the chain, check by check."""

from dataclasses import dataclass, replace

from ainur_node.domain.agent import terms_hash
from ainur_node.domain.auction.rules import RULE_VERSION
from ainur_node.domain.auction.single import Sale
from ainur_node.domain.auction.transcript import Row, Transcript, faults, outcome, transcript_hash
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.reputation import penalty
from ainur_node.ports import ChainAuction, ChainEscrow, Ledger
from ainur_node.signing import signed_by


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: a stable name, whether it does, and what it says in words."""

    name: str
    ok: bool
    detail: str


async def checks(
    ledger: Ledger, auction: AuctionId, chain: ChainAuction, escrow: ChainEscrow | None, t: Transcript
) -> list[Check]:
    """Everything that a stranger can recompute; all of it holds for an honest auctioneer."""
    genesis = ledger.genesis
    found = faults(genesis, t, signed_by)
    sale = outcome(genesis, t)
    done = [
        Check("transcript", transcript_hash(genesis, t) == chain.transcript, "its hash is the one on chain"),
        Check("auction", t.auction == auction, "it is about this auction"),
        Check("terms", t.reserve == chain.reserve and t.quality_bps == chain.quality_bps, "reserve and weights"),
        Check("rule", t.rule == RULE_VERSION, f"the rule is version {RULE_VERSION}, the one recomputed here"),
        Check("epoch", t.score_epoch == chain.score_epoch, "scores of the epoch that the auction named"),
        Check("failed", set(t.failed) <= set(chain.failed), "everybody left out had won before and failed on chain"),
        await _skips_hold(ledger, auction, t),
        Check("scores", await _scores_hold(ledger, chain, t), "penalties rest on the scores that the chain froze"),
        Check("contents", not found, "; ".join(f.detail for f in found) or "root, signatures, openings, penalties"),
    ]
    closing = await ledger.closing(auction)
    if closing is not None:
        root = closing.root == t.root and closing.count == len(t.rows)
        done.append(Check("root", root, "commits are those closed on chain before any reveal"))
        beacon = await ledger.block_hash(closing.close_block)
        done.append(Check("beacon", beacon == t.beacon, "tie-breaks use the hash of the closing block"))
    for row in t.rows:
        provider = await ledger.provider(row.commit.provider)
        if provider is None or provider.node_key != row.node_key:
            done.append(Check("node_key", False, f"{row.commit.provider.hex()[:12]} is not bound to that key"))
    if escrow is not None and sale is not None and escrow.auction == auction:
        opening = next(r.opening for r in t.rows if r.commit.provider == sale.winner.provider)
        paid = escrow.payee == sale.winner.provider and escrow.amount == sale.price
        done.append(Check("award", paid, "the escrow pays the computed winner the computed price"))
        terms = opening is not None and escrow.terms == terms_hash(genesis, opening.terms)
        done.append(Check("work_terms", terms, "the escrow binds the terms of the winning bid"))
    elif chain.state == "no_sale":
        done.append(Check("award", sale is None, "nobody was at or below the reserve"))
    return done


async def _skips_hold(ledger: Ledger, auction: AuctionId, t: Transcript) -> Check:
    """Whether each winner that was passed over was due an award then, and the chain's own state refused it.

    Raises Transient when the chain no longer knows the state of one of those blocks.
    """
    said = "whoever was passed over was due, and the chain would not take the award"
    for place, skipped in enumerate(t.skipped):
        row = next((r for r in t.rows if r.commit.provider == skipped.provider), None)
        then = await ledger.auction_at(skipped.block, auction)
        if row is None or row.opening is None or then is None or then.state != "closed":
            return Check("skipped", False, f"{skipped.provider.hex()[:12]} could not be awarded in that block at all")
        sale = outcome(ledger.genesis, replace(t, failed=then.failed, skipped=t.skipped[:place]))
        if sale is None or sale.winner.provider != skipped.provider:
            return Check("skipped", False, f"{skipped.provider.hex()[:12]} was passed over without its turn")
        code = await ledger.refusal_at(skipped.block, auction, row.opening, row.commit, sale.price)
        if code is None:
            return Check("skipped", False, f"the chain would have taken {skipped.provider.hex()[:12]}")
    return Check("skipped", True, said)


async def _scores_hold(ledger: Ledger, chain: ChainAuction, t: Transcript) -> bool:
    """Whether each row names the provider's frozen score; one that the chain has forgotten proves nothing."""
    for row in t.rows:
        frozen = await ledger.frozen_quality(row.commit.provider, chain.capability, chain.score_epoch)
        if frozen is not None and frozen != row.quality:
            return False
    return True


def due_by_the_chain(genesis: bytes, chain: ChainAuction, t: Transcript) -> Sale | None:
    """The sale that the same openings give under the reserve and the weights that stand on chain."""

    def row_by_the_chain(row: Row) -> Row:
        return replace(row, penalty=penalty(chain.reserve, chain.quality_bps, row.quality))

    rows = tuple(row_by_the_chain(row) for row in t.rows)
    return outcome(genesis, replace(t, reserve=chain.reserve, quality_bps=chain.quality_bps, rows=rows))
