"""What people see of tasks and auctions: one sentence a fact, amounts in AIN, ids in hex."""

from typing import Any

from ainur_node.domain import events as fact
from ainur_node.domain.bidding import SENTENCES
from ainur_node.domain.money import format_ain
from ainur_node.domain.provider import ProviderJob
from ainur_node.domain.requester import ABOUT_THE_WINNER, RequesterTask
from ainur_node.market import codec
from ainur_node.market.codec import Fact
from ainur_node.ports import StoredFact, StoredState


def short(raw: bytes) -> str:
    """The first digits of an id."""
    return raw.hex()[:12]


GROUNDS = ("not available", "receipt invalid", "replay differs", "schema invalid", "checker fails")
FAILURES = {
    "declined": "declined the work",
    "not_delivered": "delivered nothing in time and loses its lock",
    "gave_back": "gave the money back",
}
STANDS = {
    "replay_agrees": "my own replay ends with the same result",
    "nothing_to_replay": "on this ground a replay cannot tell who is right",
    "input_gone": "the input is no longer stored here, so nothing can be replayed",
    "dispute_over": "the dispute ended before the replay did",
}


def _ground(ground: int) -> str:
    return GROUNDS[ground] if 0 <= ground < len(GROUNDS) else f"ground {ground}"


def _returned(failed: fact.WinnerFailed) -> str:
    """What became of the money of a failed winner."""
    if not failed.returned:
        return "; price and fee are free again"
    back = f"; {format_ain(failed.returned)} AIN of price and fee are free again"
    if failed.how == "gave_back" and failed.bond:
        back += (
            f", the dispute bond of {format_ain(failed.bond)} AIN too; its lock is burned, and it is out of this task"
        )
    return back


def sentence(happened: Fact) -> str:
    """A fact in one line."""
    match happened:
        case fact.Submitted(capability=capability, budget=budget):
            return f"submitted: {capability} for at most {format_ain(budget)} AIN"
        case fact.Funded(auction=auction, reserve=reserve):
            return f"budget held on chain; auction {short(auction)} opened with reserve {format_ain(reserve)} AIN"
        case fact.FundingRefused(hint=hint):
            return f"refused by the chain: {hint}"
        case fact.BidsCollected(commits=commits, passes=passes):
            return f"{len(commits)} sealed bids committed, {len(passes)} providers passed"
        case fact.Closed(block=block):
            return f"bid set closed on chain in block {block}"
        case fact.Cleared(opening=opening, price=price, second=second, revealed=revealed):
            versus = f"{format_ain(second)} AIN of the second" if second is not None else "the reserve"
            return (
                f"{revealed} bids revealed; {short(opening.provider)} wins with ask {format_ain(opening.ask)} AIN "
                f"and is paid {format_ain(price)} AIN, set by {versus}"
            )
        case fact.NoSale(reasons=reasons):
            listed = ", ".join(f"{SENTENCES.get(code, code)} ({count})" for code, count in reasons)
            return f"no sale: {listed}"
        case fact.Released(how=how):
            return f"budget free again ({how})"
        case fact.Escrowed(price=price, fee=fee, escrow=escrow):
            return f"escrow {short(escrow)} funded: {format_ain(price)} AIN and {format_ain(fee)} AIN fee"
        case fact.AwardRefused(code=code) if code in ABOUT_THE_WINNER:
            return f"the chain refused this winner ({code}); the next one follows"
        case fact.AwardRefused(code=code):
            return f"the chain takes no award of this auction any more ({code})"
        case fact.Delivered(delivery=b""):
            return "delivered, and paid when the time to look at it was over"
        case fact.Delivered(delivery=delivery):
            return f"delivered on chain: {short(delivery)}"
        case fact.WinnerFailed(payee=payee, how=how):
            return f"winner {short(payee)} {FAILURES.get(how, how)}{_returned(happened)}"
        case fact.Verified(output_sha256=output, output_size=size, replayed=replayed):
            how = "replayed here with the same result" if replayed else "receipt checked"
            return f"result {short(output)} of {size} bytes verified: {how}"
        case fact.Mismatch(code=code, ground=ground):
            return f"the delivery does not hold: {code} (ground {ground}, {_ground(ground)})"
        case fact.Settled(outcome="ruled", paid=paid) if not paid:
            return (
                "the court ruled for the payer: price, fee and dispute bond are free again, the winner's lock is burned"
            )
        case fact.Settled(outcome="ruled", paid=paid):
            return f"the court ruled: {format_ain(paid)} AIN are paid, what is left of price and fee is free again"
        case fact.Settled(outcome="gone"):
            return "ended while this node was away, and the chain has forgotten how: what was paid is in no record here"
        case fact.Settled(outcome=outcome, paid=paid, fee=fee):
            return f"settled ({outcome}): {format_ain(paid)} AIN paid, {format_ain(fee)} AIN fee burned"
        case fact.Disputed(ground=ground, bond=bond):
            held = f"; a bond of {format_ain(bond)} AIN is held until it ends" if bond else ""
            return f"disputed on chain: {_ground(ground)}{held}"
        case fact.CancelRequested():
            return "cancellation asked for; it takes effect before the close"
        case fact.Invited(opening=opening, reserve=reserve):
            return f"bid {format_ain(opening.ask)} AIN against reserve {format_ain(reserve)} AIN"
        case fact.Awarded(price=price):
            return f"awarded at {format_ain(price)} AIN"
        case fact.WorkFailed(code=code, detail=detail):
            return f"work failed: {code} {detail}"
        case fact.Challenged(ground=ground):
            return f"the payer disputes the delivery: {_ground(ground)}"
        case fact.AnswerStands(code=code):
            return f"the delivery stands: {STANDS.get(code, code.replace('_', ' '))}"
        case fact.AnswerDiffers(code=code):
            return (
                f"my own replay ends with another {code.replace('_', ' ')}: the money is given back, the lock is lost"
            )
        case fact.Paid(outcome=outcome, paid=paid):
            return f"{outcome}: {format_ain(paid)} AIN received"
        case fact.Lost(how=how) | fact.CommitRefused(code=how) | fact.DeliveryRefused(code=how):
            return f"{type(happened).__name__.lower()}: {how}"
        case _:
            return type(happened).__name__.lower()


def history(facts: list[StoredFact]) -> list[dict[str, Any]]:
    """All facts of a life as rows."""
    return [row(f) for f in facts]


def row(stored: StoredFact) -> dict[str, Any]:
    """One stored fact as a row."""
    happened = codec.decode_fact(stored.kind, stored.fact)
    return {"seq": stored.seq, "kind": stored.kind, "at": stored.at, "text": sentence(happened)}


def brief(stored: StoredState) -> dict[str, Any]:
    """A task in a list."""
    task = codec.decode_state(stored.life, stored.state)
    if not isinstance(task, RequesterTask):
        return job(stored)
    return {
        "task": task.task.hex(),
        "phase": str(task.phase),
        "capability": task.capability,
        "budget": str(task.budget),
        "price": str(task.price),
        "at": stored.at,
    }


def job(stored: StoredState) -> dict[str, Any]:
    """A job in a list."""
    state = codec.decode_state(stored.life, stored.state)
    if not isinstance(state, ProviderJob):
        return {}
    return {
        "auction": state.auction.hex(),
        "task": state.task.hex(),
        "phase": str(state.phase),
        "capability": state.capability,
        "ask": str(state.opening.ask),
        "price": str(state.price),
        "outcome": state.outcome,
        "at": stored.at,
    }


def whole(task: RequesterTask, facts: list[StoredFact]) -> dict[str, Any]:
    """Everything about one task."""
    verified = next((f for f in reversed(facts) if f.kind == "Verified"), None)
    details = codec.decode_fact("Verified", verified.fact) if verified is not None else None
    return {
        "task": task.task.hex(),
        "phase": str(task.phase),
        "final": task.final,
        "capability": task.capability,
        "package": task.package.hex(),
        "budget": str(task.budget),
        "reserve": str(task.reserve),
        "price": str(task.price),
        "fee": str(task.fee),
        "attempt": task.attempt,
        "auction": task.auction.hex(),
        "transcript": task.transcript.hex() if task.transcript else None,
        "escrow": task.escrow.hex() if task.escrow else None,
        "winner": {"provider": task.opening.provider.hex(), "ask": str(task.opening.ask)} if task.opening else None,
        "failed": [f.hex() for f in task.failed],
        "submitted_at": facts[0].at if facts else 0,
        "ended_at": facts[-1].at if facts and task.final else None,
        "outcome": task.outcome,
        "refused": {"code": task.refused[0], "hint": task.refused[1]} if task.refused else None,
        "reasons": [[code, count] for code, count in task.reasons],
        "input_sha256": task.input_sha256.hex(),
        "output_sha256": task.output_sha256.hex() if task.output_sha256 else None,
        "output_size": details.output_size if isinstance(details, fact.Verified) else None,
        "verified": isinstance(details, fact.Verified) and details.replayed,
        "history": history(facts),
    }
