"""The scenario ``dispute``: a provider delivers a wrong result and insists; seven arbiters decide, twice.

Joining, appealing and looking are done with the command line, as people do them. All else is what the nodes do by
themselves: the payer's replay differs, it disputes and pleads; the payee answers; arbiters run the work again and vote.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ainur_node.devnet.asking import ask, wait_for
from ainur_node.devnet.dispute_verdict import Trial, dispute_faults
from ainur_node.devnet.evidence import Snapshot, fees_between, snapshot
from ainur_node.devnet.faults.fault import Fault
from ainur_node.devnet.layout import OBSERVER, SUBMITTER
from ainur_node.devnet.market import CAPABILITY
from ainur_node.devnet.plan import Court, Plan
from ainur_node.devnet.proof import NotProven, verify_line
from ainur_node.devnet.world import World
from ainur_node.domain.money import PLANCK_PER_AIN
from ainur_node.errors import Transient
from pallets_client.client import ChainClient

Tell = Callable[[dict[str, object]], None]

ARBITERS = ("n2", "n3", OBSERVER, "a1", "a2", "a3", "a4")
STAKE = "5"
PROVIDER = "n1"
APPEAL_WITHIN = 30_000
COURT = Court(
    arbiters=4,
    # Windows in which everybody is waited for end as soon as all have acted: long ones cost nothing, and let a slow
    # machine finish. Only the time to appeal is really waited for.
    params={
        "disputeAnswer": 90_000,
        "disputeLimit": 600_000,
        "courtPlead": 60_000,
        "courtNonce": 60_000,
        "courtCommit": 90_000,
        "courtReveal": 60_000,
        "courtAppeal": APPEAL_WITHIN,
        "arbiterUnbonding": 4_000_000,
        "unbonding": 4_000_000,
    },
    # Who appeals here is a person.
    settings={"court": {"appeals": 0}},
)
TASK_WITHIN, RULED_WITHIN, CLI_WITHIN = 240.0, 400.0, 180.0
BUDGET = PLANCK_PER_AIN
FIELDS = (
    ("case", "the case; task and escrow beside it"),
    ("rounds", "the panels: round, seats in all, arbiters with seats and votes"),
    ("seats", "5, then 11"),
    ("votes", "votes over both rounds that the complaint holds, and all votes"),
    ("ruling", "payee_bps of the last ruling, whom it is for, and the output that counted"),
    ("appeals", "who appealed, with the bond"),
    ("money", "before and after, by node, in planck; fees by node"),
    ("reputation", "the provider's score before and after"),
    ("audit", "difference 0: all money of the chain is somewhere"),
    ("seconds", "how long it all took"),
)
"""What ``ainur demo dispute --json`` prints, for its help."""


def LIAR() -> Fault:  # noqa: N802 # a constant whose module is loaded when it is needed
    """The fault of this story."""
    from ainur_node.devnet.faults import menu

    return menu.find("wrong-result-stubborn")


def dispute_story(home: Path, world: World, document: str, text: bytes, tell: Tell) -> dict[str, Any]:
    """Run the scenario in a world whose market is open; raises NotProven with what differs."""
    plan, capability = world.plan, hashlib.sha256(CAPABILITY.encode()).digest()
    _join(plan, tell)
    chain = ChainClient(plan.chain_url)
    try:
        before, issuance = snapshot(chain, plan, capability), chain.audit().issuance
        tell({"step": "submit", "text": f"{SUBMITTER} asks for a summary of {document}, at most 1 AIN"})
        task, escrow = _disputed(plan, text, tell)
        first = _ruled(plan, escrow, 0, tell)
        appealed = _cli(plan, PROVIDER, "dispute", "appeal", str(first["case"]))
        tell({"step": "appealed", "text": f"{PROVIDER} appeals: 11 seats are drawn", "case": first["case"]})
        _ruled(plan, escrow, 1, tell)
        last = _closed(plan, escrow, tell)
        shown = _cli(plan, SUBMITTER, "dispute", "show", str(last["case"]))
        after, audit = snapshot(chain, plan, capability), chain.audit()
        fees = fees_between(chain, plan, before.number, after.number)
        record, params = chain.escrow(bytes.fromhex(escrow), at=after.hash), chain.params(at=after.hash)
    finally:
        chain.close()
    names = {node.account: node.name for node in plan.nodes}
    rounds = [_named(each, names) for each in shown["rounds"]]
    trial = Trial(
        arbiters=ARBITERS,
        provider=PROVIDER,
        payer=SUBMITTER,
        rounds=rounds,
        ruling=shown["ruling"],
        outcome=str(shown["outcome"]),
        appeals=shown["appeals"],
        before=_totals(before),
        after=_totals(after),
        fees=fees,
        locked={name: after.accounts[name].held.get("Escrow::DisputeBond", 0) for name in after.accounts},
        seat_fee=params.seat_fee,
        perf_lock=record.perf_lock if record is not None else 0,
        price=record.amount if record is not None else 0,
        quality_before=before.quality(PROVIDER),
        quality_after=after.quality(PROVIDER),
    )
    votes = [seat for each in rounds for seat in each["arbiters"]]
    result = {
        "scenario": "dispute",
        "task": task,
        "case": shown["case"],
        "escrow": escrow,
        "ground": shown["ground"],
        "provider": PROVIDER,
        "rounds": rounds,
        "seats": [each["seats"] for each in rounds],
        "votes": {"holds": sum(bool(seat.get("holds")) for seat in votes), "all": len(votes)},
        "ruling": shown["ruling"],
        "appeals": shown["appeals"],
        "appeal_bond": appealed.get("bond"),
        "outcome": shown["outcome"],
        "money": {"before": _texts(trial.before), "after": _texts(trial.after)},
        "fees": _texts(fees),
        "reputation": {"before": trial.quality_before, "after": trial.quality_after},
        "nodes": [{"name": node.name, "pid": world.node_pids().get(node.name)} for node in plan.nodes],
        "audit": {"difference": audit.difference, "issuance": str(audit.issuance)},
        "verify": verify_line(home, SUBMITTER, f"dispute show {shown['case']}"),
    }
    wrong = dispute_faults(trial)
    if audit.difference or audit.issuance != issuance:
        wrong.append("the audit differs: money was lost or made")
    if wrong:
        raise NotProven(wrong, result)
    tell({"step": "proven", "text": "money and reputation follow the ruling, to the planck"})
    return result


def _join(plan: Plan, tell: Tell) -> None:
    """Seven people put a stake behind their judgement."""
    with ThreadPoolExecutor(2) as pool:
        joined = list(pool.map(lambda name: _cli(plan, name, "dispute", "join", STAKE), ARBITERS))
    units = sum(int(each["units"]) for each in joined)
    text = f"{len(joined)} arbiters join with {STAKE} AIN each: {units} seats can be drawn"
    tell({"step": "joined", "text": text, "arbiters": list(ARBITERS)})


def _disputed(plan: Plan, text: bytes, tell: Tell) -> tuple[str, str]:
    """Submit the task and wait until the payer's node disputes the result; task and escrow."""
    submitter = plan.layout.home(SUBMITTER)
    accepted = ask(
        submitter,
        "task.submit",
        capability=CAPABILITY,
        input=text,
        media="text/plain",
        budget=str(BUDGET),
        deadline_ms=120_000,
    )
    task = str(accepted["task"])

    def disputed() -> dict[str, Any] | None:
        shown = ask(submitter, "task.show", task=task)
        if shown["phase"] in ("settled", "refunded", "refused", "cancelled"):
            raise Transient(f"the task ended as {shown['phase']} before it was disputed", hint="try again")
        return shown if shown["phase"] == "disputed" else None

    shown = wait_for("the dispute", disputed, timeout=TASK_WITHIN)
    tell({"step": "disputed", "text": f"{PROVIDER} delivers, {SUBMITTER}'s replay differs: disputed", "task": task})
    return task, str(shown["escrow"])


def _ruled(plan: Plan, escrow: str, number: int, tell: Tell) -> dict[str, Any]:
    submitter = plan.layout.home(SUBMITTER)
    told: set[str] = set()

    def ruled() -> dict[str, Any] | None:
        shown = ask(submitter, "dispute.show", case=escrow)
        state = f"{shown['state']} {shown['round']}"
        if state not in told:
            told.add(state)
            tell({"step": "court", "text": f"round {shown['round'] + 1}: {shown['state']}", "state": shown["state"]})
        return shown if shown["round"] == number and shown["state"] in ("ruled", "closed") else None

    shown = wait_for(f"the ruling of round {number + 1}", ruled, timeout=RULED_WITHIN)
    ruling = shown["ruling"] or {}
    seats = sum(each["seats"] for each in shown["rounds"] if each["round"] == number)
    text = f"{seats} seats rule: the payee gets {int(ruling.get('payee_bps', 0)) / 100:g} %"
    tell({"step": "ruled", "text": text, "round": number, "seats": seats, "ruling": ruling})
    return shown


def _closed(plan: Plan, escrow: str, tell: Tell) -> dict[str, Any]:
    def closed() -> dict[str, Any] | None:
        shown = ask(plan.layout.home(SUBMITTER), "dispute.show", case=escrow)
        return shown if shown["state"] == "closed" else None

    shown = wait_for("the execution of the ruling", closed, timeout=RULED_WITHIN)
    tell({"step": "executed", "text": f"the ruling is executed: {shown['outcome']}", "outcome": shown["outcome"]})
    return shown


def _cli(plan: Plan, node: str, *words: str) -> dict[str, Any]:
    """A command line as a person at that node types it; its JSON, Transient when it fails."""
    command = [sys.executable, "-m", "ainur_node", "--home", str(plan.layout.home(node)), *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLI_WITHIN, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = (lines or done.stderr.splitlines() or ["nothing"])[-1][:400]
        raise Transient(f"ainur {' '.join(words[:2])} at {node} ended with {done.returncode}: {said}", hint="try again")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _named(each: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    seats = [{**seat, "arbiter": names.get(seat["arbiter"], seat["arbiter"])} for seat in each["arbiters"]]
    return {**each, "arbiters": seats}


def _totals(seen: Snapshot) -> dict[str, int]:
    return {name: seen.total(name) for name in seen.accounts}


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}
