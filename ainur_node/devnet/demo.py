"""The demo: a whole world, one real task from submission to payment, and the proof that every number is right."""

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ainur_node
from ainur_node.devnet.asking import ask, client_of
from ainur_node.devnet.channel_demo import channel_story
from ainur_node.devnet.dispute_demo import COURT, LIAR, dispute_story
from ainur_node.devnet.evidence import Snapshot, fees_between, snapshot
from ainur_node.devnet.layout import OBSERVER, SUBMITTER, DevnetError
from ainur_node.devnet.market import CAPABILITY, open_market
from ainur_node.devnet.plan import Plan
from ainur_node.devnet.proof import NotProven, verify_line
from ainur_node.devnet.upgrade_demo import upgrade_story
from ainur_node.devnet.verdict import Bid, Findings, faults
from ainur_node.devnet.world import World, start
from ainur_node.domain.money import PLANCK_PER_AIN, format_ain
from ainur_node.rpc.client import Refused
from pallets_client.client import ChainClient
from pallets_client.pallets import escrow as escrows
from pallets_client.pallets import vcg_auction
from pallets_client.records import Audit

Tell = Callable[[dict[str, object]], None]

SCENARIOS = {
    "task": "one real task: bid for, run, verified and paid across separate processes",
    "channel": "a thousand paid steps off chain, and four ways in which a payment channel ends",
    "dispute": "a provider lies and stands by it: arbiters run the work again, rule, and rule again on appeal",
    "upgrade": "the runtime is replaced while tasks are in flight: none is lost",
}
PROVIDERS = 3
BUDGET = PLANCK_PER_AIN
DEADLINE_MS = 60_000
TASK_TIMEOUT = 120.0
MAX_DOCUMENT = 1 << 20


def run_demo(
    home: Path,
    scenario: str = "task",
    *,
    keep: bool = False,
    document: Path | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Make a world under ``home``, run one task in it, prove it, and remove the world unless ``keep``.

    The result has the fields that the command line promises. Raises NotProven, DevnetError, ConfigError, Transient,
    Refused, Unreachable; without ``keep`` nothing is left behind in any case.
    """
    if scenario not in SCENARIOS:
        raise DevnetError(
            "no-such-scenario", f"there is no scenario {scenario!r}", hint=f"choose one of: {', '.join(SCENARIOS)}"
        )
    began = time.monotonic()
    path, text = _document(document)
    was_there = home.exists()
    try:
        liar, court = (LIAR(), COURT) if scenario == "dispute" else (None, None)
        world = start(home, PROVIDERS, world=None, attached=not keep, tell=tell, fault=liar, court=court)
        try:
            open_market(world.plan, tell)
            if scenario == "channel":
                result = channel_story(home, world, tell)
            elif scenario == "dispute":
                result = dispute_story(home, world, path, text, tell)
            elif scenario == "upgrade":
                result = upgrade_story(home, world, text, tell)
            else:
                result = _task(home, world, path, text, tell)
        except BaseException:
            world.stop()
            raise
        result["seconds"] = round(time.monotonic() - began, 2)
        if not keep:
            world.stop()
    finally:
        if not was_there:
            with suppress(OSError):  # a world that was kept lies there
                home.rmdir()
    tell({"step": "end", "text": _farewell(result, keep=keep), "seconds": result["seconds"]})
    return result


def _document(named: Path | None) -> tuple[str, bytes]:
    root = Path(ainur_node.__file__).parent.parent
    candidates = [named] if named is not None else [root / "README.md", root / "LICENSE"]
    for path in candidates:
        with suppress(FileNotFoundError):
            text = path.read_bytes()
            if len(text) > MAX_DOCUMENT:
                raise DevnetError("too-large", f"{path} has {len(text)} bytes", hint="name a smaller document")
            return path.name, text
    raise DevnetError("no-document", f"there is no {candidates[0]}", hint="name a text file with --input")


@dataclass(frozen=True, slots=True)
class _Played:
    """What nodes and chain said of the task, before it began and after it was paid."""

    task: str
    seconds: float
    shown: Mapping[str, Any]
    result: Mapping[str, Any]
    verification: dict[str, Any]
    auction: vcg_auction.Auction
    escrow: escrows.Escrow
    before: Snapshot
    after: Snapshot
    issuance_before: int
    audit: Audit
    fees: Mapping[str, int]

    @property
    def output_hash(self) -> str:
        return hashlib.sha256(self.result["output"]).hexdigest()


def _task(home: Path, world: World, name: str, text: bytes, tell: Tell) -> dict[str, Any]:
    played = _play(world, name, text, tell)
    findings = _findings(world, played)
    story = _story(home, world, played, findings)
    _tell_money(story, tell)
    wrong = faults(findings)
    if wrong:
        raise NotProven(wrong, story)
    tell({"step": "proven", "text": "all numbers agree with the chain, to the planck"})
    return story


def _play(world: World, name: str, text: bytes, tell: Tell) -> _Played:
    plan, layout = world.plan, world.layout
    capability = hashlib.sha256(CAPABILITY.encode()).digest()
    chain = ChainClient(plan.chain_url)
    try:
        before, issuance_before = snapshot(chain, plan, capability), chain.audit().issuance
        tell({"step": "submit", "text": f"{SUBMITTER} asks for a summary of {name} ({len(text)} bytes), at most 1 AIN"})
        task, spent = _run_task(layout.home(SUBMITTER), text, tell)
        shown = ask(layout.home(SUBMITTER), "task.show", task=task)
        if shown.get("escrow") is None:
            raise NotProven([f"the task ended as {shown['phase']}: {shown.get('refused') or shown['reasons']}"], shown)
        auction_id = str(shown["auction"])
        verification = _verify(layout.home(OBSERVER), auction_id, tell)
        after, audit = snapshot(chain, plan, capability), chain.audit()
        auction = chain.auction(bytes.fromhex(auction_id), at=after.hash)
        escrow = chain.escrow(bytes.fromhex(str(shown["escrow"])), at=after.hash)
        if auction is None or escrow is None:
            raise NotProven(["the chain does not know the auction or its escrow"], {"task": task})
        fees = fees_between(chain, plan, before.number, after.number)
    finally:
        chain.close()
    result = ask(layout.home(SUBMITTER), "task.result", task=task)
    return _Played(
        task,
        spent,
        shown,
        result,
        verification,
        auction,
        escrow,
        before,
        after,
        issuance_before,
        audit,
        fees,
    )


def _findings(world: World, played: _Played) -> Findings:
    """What the verdict is about."""
    plan, auction, escrow = world.plan, played.auction, played.escrow
    before, after, result = played.before, played.after, played.result
    winner = _name_of(plan, escrow.payee)
    return Findings(
        budget=auction.budget,
        reserve=auction.reserve,
        fee_bps=auction.fee_bps,
        winner=winner,
        paid=escrow.amount,
        fee=escrow.fee,
        escrow=_escrow_state(escrow),
        bids=_bids(plan, played.verification),
        fees=played.fees,
        before=_totals(before),
        after=_totals(after),
        held_after=_held(after),
        held_before=_held(before),
        quality_before=before.quality(winner),
        quality_after=after.quality(winner),
        audit_difference=played.audit.difference,
        issuance_before=played.issuance_before,
        issuance_after=played.audit.issuance,
        payer=SUBMITTER,
        pids=tuple(world.node_pids().values()),
        peer_ids=tuple(node.peer_id for node in plan.nodes),
        verified=bool(played.verification["ok"]),
        result_matches=played.output_hash == result["sha256"] and bool(result["verified"]),
        trouble=_transcript_trouble(auction),
    )


def _story(home: Path, world: World, played: _Played, findings: Findings) -> dict[str, Any]:
    """The result of the command."""
    plan, auction, escrow = world.plan, played.auction, played.escrow
    mine, second, pids = findings.winning, findings.second, world.node_pids()
    nodes = [{"name": node.name, "pid": pids.get(node.name), "peer_id": node.peer_id} for node in plan.nodes]
    return {
        "scenario": "task",
        "task": played.task,
        "auction": str(played.shown["auction"]),
        "bids": len(findings.bids),
        "winner": findings.winner,
        "ask": str(mine.ask) if mine else None,
        "penalty": str(mine.penalty) if mine else None,
        "second": str(second) if second is not None else None,
        "paid": str(escrow.amount),
        "fee": str(escrow.fee),
        "reserve": str(auction.reserve),
        "budget": str(auction.budget),
        "fees": {name: str(value) for name, value in played.fees.items()},
        "result_sha256": played.output_hash,
        "result": _summary(played.result["output"]),
        "transcript": auction.state.transcript.hex() if isinstance(auction.state, vcg_auction.Awarded) else None,
        "escrow": findings.escrow,
        "escrow_id": str(played.shown["escrow"]),
        "reputation": {"before": findings.quality_before, "after": findings.quality_after},
        "nodes": nodes,
        "accounts": {node.name: node.ss58 for node in plan.nodes},
        "balances": {"before": _texts(findings.before), "after": _texts(findings.after)},
        "audit": {"difference": played.audit.difference, "issuance": str(played.audit.issuance)},
        "verify": _verify_command(home, str(played.shown["auction"])),
        "task_seconds": played.seconds,
    }


def _run_task(submitter: Path, text: bytes, tell: Tell) -> tuple[str, float]:
    began = time.monotonic()
    with client_of(submitter, timeout=TASK_TIMEOUT) as client:
        accepted = client.call(
            "task.submit",
            capability=CAPABILITY,
            input=text,
            media="text/plain",
            budget=str(BUDGET),
            deadline_ms=DEADLINE_MS,
        )
        task = str(accepted["task"])
        for item in client.stream("task.watch", task=task):
            tell(
                {
                    "step": f"task-{item['kind']}",
                    "text": item["text"],
                    "phase": item["phase"],
                    "seconds": round(time.monotonic() - began, 2),
                }
            )
    return task, round(time.monotonic() - began, 2)


def _verify(observer: Path, auction: str, tell: Tell) -> dict[str, Any]:
    try:
        answer = ask(observer, "auction.verify", auction=auction)
    except Refused as refusal:
        return {"ok": False, "rows": [], "checks": [{"name": refusal.code, "ok": False, "detail": refusal.hint}]}
    checks = answer["checks"]
    passed = sum(bool(check["ok"]) for check in checks)
    text = f"{OBSERVER} recomputed the auction from its transcript: {passed} of {len(checks)} checks hold"
    tell({"step": "verified", "text": text, "ok": answer["ok"], "checks": checks})
    return answer


def _bids(plan: Plan, verification: Mapping[str, Any]) -> tuple[Bid, ...]:
    return tuple(
        Bid(_name_of(plan, bytes.fromhex(row["provider"])), int(row["ask"]), int(row["penalty"]))
        for row in verification["rows"]
        if row.get("ask") is not None
    )


def _name_of(plan: Plan, account: bytes) -> str:
    return next((node.name for node in plan.nodes if bytes.fromhex(node.account) == account), account.hex())


def _totals(seen: Snapshot) -> dict[str, int]:
    return {name: seen.total(name) for name in seen.accounts}


def _held(seen: Snapshot) -> dict[str, int]:
    return {name: sum(account.held.values()) for name, account in seen.accounts.items()}


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


def _escrow_state(escrow: escrows.Escrow) -> str:
    match escrow.state:
        case escrows.Settled(outcome=escrows.Settlement.PAID | escrows.Settlement.AUTO):
            return "released"
        case escrows.Settled(outcome=outcome):
            return outcome.name.lower()
        case other:
            return type(other).__name__.lower()


def _transcript_trouble(auction: vcg_auction.Auction) -> tuple[str, ...]:
    if isinstance(auction.state, vcg_auction.Awarded):
        return ()
    return (f"the auction is {type(auction.state).__name__.lower()}, not awarded",)


def _summary(output: bytes) -> str:
    return output[:4000].decode("utf-8", "replace")


def _verify_command(home: Path, auction: str) -> str:
    return verify_line(home, OBSERVER, f"auction verify {auction}")


def _tell_money(story: Mapping[str, Any], tell: Tell) -> None:
    def ain(key: str) -> str:
        return f"{format_ain(int(story[key]))} AIN" if story[key] is not None else "-"

    tell(
        {
            "step": "money",
            "text": f"{story['winner']} asked {ain('ask')}, the second price is {ain('second')} less a penalty of"
            f" {ain('penalty')}: paid {ain('paid')}, fee {ain('fee')} burned",
        }
    )
    reputation = story["reputation"]
    tell(
        {
            "step": "reputation",
            "text": f"the reputation of {story['winner']} went from {reputation['before']} to {reputation['after']}",
        }
    )


def _farewell(result: Mapping[str, Any], *, keep: bool) -> str:
    if keep:
        return f"the world stays up; try: {result['verify']} - and end it with: ainur devnet down"
    return "everything is stopped and removed"
