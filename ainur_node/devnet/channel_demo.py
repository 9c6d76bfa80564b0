"""The scenario ``channel``: a thousand paid steps off chain, and four ways in which a channel ends."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainur_node import keystore
from ainur_node.devnet.asking import ask, client_of, wait_for
from ainur_node.devnet.channel_verdict import Ended, channel_faults, endings_between
from ainur_node.devnet.evidence import fees_between
from ainur_node.devnet.layout import OBSERVER, SUBMITTER
from ainur_node.devnet.plan import Plan
from ainur_node.devnet.proof import NotProven, verify_line
from ainur_node.devnet.world import World
from ainur_node.domain.money import PLANCK_PER_AIN, format_ain
from ainur_node.errors import Transient
from pallets_client.client import ChainClient
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import channels
from pallets_client.records import Included

Tell = Callable[[dict[str, object]], None]

STEPS, FEW, OLD = 1_000, 60, 10
PRICE = PLANCK_PER_AIN // 1_000
DEPOSIT = 2 * PLANCK_PER_AIN
CHALLENGE_MS, SHORT_LIFE_MS, LONG_LIFE_MS = 10_000, 45_000, 3_600_000
PAY_WITHIN = 600.0
END_WITHIN = 180.0
FIELDS = (
    ("steps", "paid steps of the long channel, each answered by the payee"),
    ("steps_per_second", "how many of them a second, with both sides' vouchers on disk"),
    ("onchain_calls", "extrinsics that paid for all steps, by channel"),
    (
        "channels",
        "by name (by_payee, mutual, vanished, old_voucher): payer, payee, deposit, steps, promised, how it ended,"
        " paid, returned, old (what the liar brought), claimed_by_watcher",
    ),
    ("balances", "before and after, by node, in planck; fees by node"),
    ("audit", "difference 0: all money of the chain is somewhere"),
    ("seconds", "how long it all took"),
)
"""What ``ainur demo channel --json`` prints, for its help."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel of the story."""

    name: str
    id: bytes
    payer: str
    payee: str
    steps: int


def channel_story(home: Path, world: World, tell: Tell) -> dict[str, Any]:
    """Run the scenario in a world whose market is open; raises NotProven with what differs."""
    plan, layout = world.plan, world.layout
    chain = ChainClient(plan.chain_url)
    try:
        first, before, issuance = chain.head(), _totals(chain, plan), chain.audit().issuance
        vanished = _open(plan, "vanished", OBSERVER, "n3", SHORT_LIFE_MS, FEW, tell)
        liar = _open(plan, "old_voucher", OBSERVER, "n1", LONG_LIFE_MS, FEW, tell)
        _pay(plan, vanished, FEW, tell)
        _pay(plan, liar, OLD, tell)
        old = dict(ask(layout.home(OBSERVER), "channel.show", channel=liar.id.hex())["voucher"])
        _pay(plan, liar, FEW - OLD, tell)
        # Taken off the processor, its line to the mesh dead: to everybody else the payer is gone.
        pid = world.node_pids()[OBSERVER]
        os.kill(pid, signal.SIGSTOP)
        try:
            tell({"step": "vanished", "text": f"{OBSERVER} vanishes (pid {pid} is stopped)", "pid": pid})
            _close_with_old(plan, liar, old, tell)
            long = _open(plan, "by_payee", SUBMITTER, "n1", LONG_LIFE_MS, STEPS, tell)
            took = _pay(plan, long, STEPS, tell)
            agreed = _open(plan, "mutual", SUBMITTER, "n2", LONG_LIFE_MS, FEW, tell)
            _pay(plan, agreed, FEW, tell)
            _close(plan, long, "n1", tell)
            _close(plan, agreed, SUBMITTER, tell)
            story = (long, agreed, vanished, liar)
            for each in (vanished, liar):
                _wait_gone(chain, each, tell)
        finally:
            os.kill(pid, signal.SIGCONT)
        last = chain.head()
        ended = endings_between(chain, first.number, last.number)
        fees = fees_between(chain, plan, first.number, last.number)
        after, audit = _totals(chain, plan), chain.audit()
    finally:
        chain.close()
    shown = {each.name: _shown(each, ended.get(each.id), old) for each in story}
    result = {
        "scenario": "channel",
        "steps": STEPS,
        "step_price": str(PRICE),
        "steps_per_second": round(STEPS / took, 1),
        "pay_seconds": round(took, 2),
        "onchain_calls": {each.name: ended[each.id].calls for each in story if each.id in ended},
        "channels": shown,
        "fees": {name: str(fee) for name, fee in fees.items()},
        "balances": {"before": _texts(before), "after": _texts(after)},
        "nodes": [{"name": node.name, "pid": world.node_pids().get(node.name)} for node in plan.nodes],
        "audit": {"difference": audit.difference, "issuance": str(audit.issuance)},
        "verify": verify_line(home, SUBMITTER, "wallet audit"),
    }
    wrong = channel_faults(
        {each.name: (each, ended.get(each.id)) for each in story}, PRICE, DEPOSIT, before, after, fees, old
    )
    if audit.difference or audit.issuance != issuance or audit.held.get(channels.HOLD):
        wrong.append("the audit differs: money was lost, made or left on hold")
    if wrong:
        raise NotProven(wrong, result)
    text = f"{STEPS + 3 * FEW} steps, four ends, every payee has what was promised, to the planck"
    tell({"step": "proven", "text": text})
    return result


def _open(plan: Plan, name: str, payer: str, payee: str, life: int, steps: int, tell: Tell) -> Opened:
    account = next(node.account for node in plan.nodes if node.name == payee)
    found = ask(
        plan.layout.home(payer),
        "channel.open",
        payee=account,
        deposit=str(DEPOSIT),
        challenge_ms=CHALLENGE_MS,
        life_ms=life,
    )
    text = f"{payer} opens a channel to {payee} with {format_ain(DEPOSIT)} AIN ({name})"
    tell({"step": "open", "text": text, "channel": found["channel"]})
    return Opened(name, bytes.fromhex(found["channel"]), payer, payee, steps)


def _pay(plan: Plan, channel: Opened, steps: int, tell: Tell) -> float:
    """Seconds that it took."""
    began = time.monotonic()
    with client_of(plan.layout.home(channel.payer), timeout=PAY_WITHIN) as client:
        stream = client.stream("channel.pay", channel=channel.id.hex(), amount=str(PRICE), steps=steps)
        done = [item["step"] for item in stream]
    took = max(time.monotonic() - began, 1e-6)
    if done != list(range(1, steps + 1)):
        raise Transient(f"only {len(done)} of {steps} steps were paid", hint="is the machine very busy?")
    text = f"{channel.payer} pays {channel.payee} {steps} steps of {format_ain(PRICE)} AIN, {steps / took:.0f} a second"
    tell({"step": "paid", "text": text, "steps": steps, "seconds": round(took, 2)})
    return took


def _close(plan: Plan, channel: Opened, by: str, tell: Tell) -> None:
    found = ask(plan.layout.home(by), "channel.close", channel=channel.id.hex())
    tell({"step": "closed", "text": f"{by} closes the channel ({found.get('how')})", "how": found.get("how")})


def _close_with_old(plan: Plan, channel: Opened, old: Mapping[str, Any], tell: Tell) -> None:
    """What a lying payer does with its own account: bring an old voucher, then ask to close."""
    seed = keystore.load(plan.layout.home(channel.payer)).account_seed
    voucher = channels.Voucher(int(old["cumulative"]), int(old["seq"]), bytes.fromhex(old["signature"]))
    writer = Writer(plan.chain_url, Sr25519(seed))
    try:
        for call in (channels.claim(channel.id, voucher), channels.request_close(channel.id)):
            outcome = writer.submit(call, b"").result(END_WITHIN)
            if not isinstance(outcome, Included):
                raise Transient(f"the liar's {call.name} was not taken: {outcome}", hint="try again")
    finally:
        writer.close()
    text = f"{channel.payer} closes with the voucher of step {voucher.seq} of {channel.steps}"
    tell({"step": "old-voucher", "text": text, "cumulative": old["cumulative"]})


def _wait_gone(chain: ChainClient, channel: Opened, tell: Tell) -> None:
    def gone() -> bool | None:
        return True if chain.channel(channel.id) is None else None

    wait_for(f"the end of the channel {channel.name}", gone, timeout=END_WITHIN)
    tell({"step": "ended", "text": f"{channel.payee} claimed in time; the channel ({channel.name}) is over"})


def _shown(channel: Opened, ended: Ended | None, old: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "channel": channel.id.hex(),
        "payer": channel.payer,
        "payee": channel.payee,
        "deposit": str(DEPOSIT),
        "steps": channel.steps,
        "promised": str(channel.steps * PRICE),
        "how": ended.how if ended else None,
        "paid": str(ended.paid) if ended else None,
        "returned": str(ended.returned) if ended else None,
        "claims": [str(amount) for amount in ended.claims] if ended else [],
        "claimed_by_watcher": bool(ended and ended.claims and channel.name in ("vanished", "old_voucher")),
    }
    return {**found, "old": old["cumulative"]} if channel.name == "old_voucher" else found


def _totals(chain: ChainClient, plan: Plan) -> dict[str, int]:
    at = chain.head().hash
    accounts = {node.name: chain.account(bytes.fromhex(node.account), at=at) for node in plan.nodes}
    return {name: account.free + sum(account.held.values()) for name, account in accounts.items()}


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}
