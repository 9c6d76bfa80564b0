"""The desk for proofs: show, verify and explain auctions; show and replay receipts. Works for strangers too."""

from typing import Any

import msgspec

from ainur_node.domain.auction.transcript import Transcript, outcome, without
from ainur_node.domain.bidding import SENTENCES
from ainur_node.domain.events import BidsCollected, WorkFailed
from ainur_node.domain.ids import AuctionId
from ainur_node.domain.provider import Phase, ProviderJob
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import RequesterTask
from ainur_node.market import bonds, challenging, codec
from ainur_node.market.asking import Params, id32, refuse
from ainur_node.market.auditing import checks
from ainur_node.market.codec import JOB, TASK
from ainur_node.market.finding import own_task
from ainur_node.market.grievances import GRIEVANCE, rows_of
from ainur_node.market.hints import LOST
from ainur_node.market.library import Library
from ainur_node.market.offenders import offenders, silent, told
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import ChainAuction, Ledger, Mesh, TaskStore
from ainur_node.rpc.messages import ExitCode, Refuse

OUTCOMES = {
    "outbid": "another ask was lower once the penalties for reputation were added",
    "no_sale": "it ended without a sale: no bid was at or below the reserve, or the buyer took the task back",
    "bid_expired": "the bid ran out before the auction was decided",
    "failed": "the auction failed",
}
"""How an auction can end for a bidder, in a sentence each."""


class AuctionDesk:
    """Recomputes what others claim; needs nothing but the chain and the transcript."""

    def __init__(self, ledger: Ledger, library: Library, mesh: Mesh, store: TaskStore) -> None:
        self._ledger = ledger
        self._library = library
        self._mesh = mesh
        self._store = store

    async def _auction(self, params: Params) -> tuple[AuctionId, ChainAuction]:
        key = "task" if params.get("task") is not None else "auction"
        wanted = id32(params, key)
        task = await own_task(self._store, wanted)
        if task is None and key == "task":
            raise Refuse("unknown_task", "only the node that submitted a task knows it by its id; give the auction's")
        auction = task.auction if task is not None else AuctionId(wanted)
        found = await self._ledger.auction(auction)
        if found is None:
            raise Refuse("unknown_auction", "no such auction on chain; `ainur task show` names the auction of a task")
        return auction, found

    async def show(self, params: Params) -> dict[str, Any]:
        """The auction as it stands on chain, and its bids when their transcript can be had."""
        auction, found = await self._auction(params)
        answer = {"auction": auction.hex(), **_plain(found), "market_now": await self._ledger.market_now()}
        if not found.root and (closing := await self._ledger.closing(auction)) is not None:
            answer["root"] = closing.root.hex()
        transcript = await self._transcript(found) if found.transcript else None
        if isinstance(transcript, Transcript):
            sale = outcome(self._ledger.genesis, transcript)
            answer["rows"] = [_row(row) for row in transcript.rows]
            answer["winner"] = sale.winner.provider.hex() if sale else None
            answer["price"] = str(sale.price) if sale else None
        return answer

    async def _transcript(self, found: ChainAuction) -> Transcript | Rejection:
        sources = [peer_id_of(found.auctioneer_key), *await self._mesh.find_providers(found.transcript)]
        return await self._library.find_transcript(found.transcript, sources)

    async def verify(self, params: Params) -> dict[str, Any]:
        """Recompute root, openings, penalties, winner and price from the transcript, against the chain."""
        auction, chain = await self._auction(params)
        if chain.state not in ("awarded", "no_sale"):
            hint = "it never will: it was taken back or ran out" if chain.state == "void" else "try again when it is"
            raise Refuse("not_decided", f"the auction is {chain.state}, not decided: {hint}")
        transcript = await self._transcript(chain)
        if isinstance(transcript, Rejection):
            refuse(transcript, ExitCode.UNREACHABLE)
        escrow = await self._ledger.escrow(chain.escrow) if chain.escrow is not None else None
        found = await checks(self._ledger, auction, chain, escrow, transcript)
        ok = all(check.ok for check in found)
        sale = outcome(self._ledger.genesis, transcript)
        answer = {
            "auction": auction.hex(),
            "ok": ok,
            "checks": [{"name": each.name, "ok": each.ok, "detail": each.detail} for each in found],
            "winner": sale.winner.provider.hex() if sale else None,
            "ask": str(sale.winner.ask) if sale else None,
            "penalty": str(sale.winner.penalty) if sale else None,
            "second": str(sale.second) if sale and sale.second is not None else None,
            "price": str(sale.price) if sale else None,
            "reserve": str(transcript.reserve),
            "transcript": chain.transcript.hex(),
            "rows": [_row(row) for row in transcript.rows],
        }
        if params.get("counterfactual"):
            answer["without"] = self._counterfactual(transcript)
        return answer

    def _counterfactual(self, t: Transcript) -> list[dict[str, Any]]:
        rows = []
        for row in t.rows:
            sale = without(self._ledger.genesis, t, row.commit.provider)
            rows.append(
                {
                    "without": row.commit.provider.hex(),
                    "winner": sale.winner.provider.hex() if sale else None,
                    "price": str(sale.price) if sale else None,
                }
            )
        return rows

    async def why(self, params: Params) -> dict[str, Any]:
        """Why an auction ended as it did: for its submitter the reasons counted, for a bidder its own numbers."""
        wanted = id32(params, "task" if params.get("task") is not None else "auction")
        task = await own_task(self._store, wanted, earlier=True)
        if task is not None:
            return await self._why_task(task)
        stored = await self._store.load(JOB, wanted)
        job = codec.decode_state(JOB, stored.state) if stored is not None else None
        if isinstance(job, ProviderJob):
            doc = await self._store.get_doc(LOST, wanted)
            numbers = msgspec.json.decode(doc) if doc is not None else {}
            if (work := await self._failure(wanted)) is not None:
                numbers["work"] = work
            return {
                "auction": wanted.hex(),
                "outcome": job.outcome or str(job.phase),
                "you": {"ask": str(job.opening.ask), "phase": str(job.phase), **numbers},
                "reasons": [_reason(job.outcome, 1)] if job.outcome and job.phase is not Phase.PAID else [],
                "offenders": rows_of(await self._store.get_doc(GRIEVANCE, wanted)),
                "challenge": challenging.told(await self._store.get_doc(challenging.CHALLENGE, wanted)),
            }
        raise Refuse("not_mine", "this node neither submitted nor bid in that auction; try `ainur auction verify`")

    async def _failure(self, auction: bytes) -> str | None:
        """How this node's own work on a won task failed: the code, and what the agent's log said last."""
        facts = await self._store.facts(JOB, auction)
        stored = next((each for each in reversed(facts) if each.kind == "WorkFailed"), None)
        failed = codec.decode_fact(stored.kind, stored.fact) if stored is not None else None
        return f"{failed.code} {failed.detail}".strip() if isinstance(failed, WorkFailed) else None

    async def _why_task(self, task: RequesterTask) -> dict[str, Any]:
        passes: dict[str, int] = {}
        facts = await self._store.facts(TASK, task.task)
        for stored in facts:
            if stored.kind == "BidsCollected":
                collected = codec.decode_fact(stored.kind, stored.fact)
                if isinstance(collected, BidsCollected):
                    for each in collected.passes:
                        passes[each.code] = passes.get(each.code, 0) + 1
        counted = dict(task.reasons) or passes
        named = [*await offenders(facts, self._library), *await silent(task, facts, self._ledger)]
        return {
            "task": task.task.hex(),
            "auction": task.auction.hex(),
            "outcome": task.outcome or str(task.phase),
            "reasons": [_reason(code, count) for code, count in sorted(counted.items())],
            "failed": [f.hex() for f in task.failed],
            "offenders": [told(one) for one in named],
            "bond": bonds.told(await self._store.get_doc(bonds.BOND, task.auction)),
        }


def _reason(code: str, count: int) -> dict[str, Any]:
    return {
        "code": code,
        "count": count,
        "sentence": SENTENCES.get(code) or OUTCOMES.get(code) or code.replace("_", " "),
    }


def _row(row: Any) -> dict[str, Any]:
    bidder = row.bidder()
    return {
        "provider": row.commit.provider.hex(),
        "commit": row.commit.commit.hex(),
        "status": row.status.name.lower(),
        "ask": str(bidder.ask) if bidder else None,
        "quality": row.quality,
        "penalty": str(row.penalty),
        "adjusted": str(bidder.adjusted) if bidder else None,
    }


def _plain(chain: ChainAuction) -> dict[str, Any]:
    return {
        "state": chain.state,
        "payer": chain.payer.hex(),
        "budget": str(chain.budget),
        "reserve": str(chain.reserve),
        "fee_bps": chain.fee_bps,
        "quality_bps": chain.quality_bps,
        "score_epoch": chain.score_epoch,
        "commit_end": chain.commit_end,
        "reveal_end": chain.reveal_end,
        "award_by": chain.award_by,
        "failed": [f.hex() for f in chain.failed],
        "root": chain.root.hex() or None,
        "transcript": chain.transcript.hex() or None,
        "escrow": chain.escrow.hex() if chain.escrow else None,
        "bond": str(chain.bond),
        "challenge_within": chain.challenge_within,
    }
