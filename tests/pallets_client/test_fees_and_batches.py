"""What a writer may spend, when it pays a tip, and what became of each call of a batch."""

from __future__ import annotations

from typing import Any

import pytest
from proxy_node import ProxyNode

from pallets_client import flights
from pallets_client.client import ChainClient
from pallets_client.errors import CallMalformed
from pallets_client.fees import DAY, FeeBudget, Purse, tip_after
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.pallets.utility import MAX_ITEMS, batch_all, force_batch
from pallets_client.records import AIN, BatchItem, Call, Failed, Included, Refused, Signed
from pallets_client.testing.host import HostProcess

SUBMIT = "author_submitExtrinsic"
CANCEL_NOTHING = Call("VcgAuction", "cancel", {"auction": bytes(32)})


def test_a_budget_holds_for_each_call_and_for_each_day() -> None:
    now = [0.0]
    purse = Purse(FeeBudget(per_call=10, per_day=25), clock=lambda: now[0])

    assert purse.refusal(10) is None
    assert "chain.max_fee" in (purse.refusal(6, tip=5) or "")
    for _ in range(2):
        purse.spend(10)
    assert purse.refusal(5) is None
    assert "chain.daily_fees" in (purse.refusal(6) or "")
    now[0] = DAY + 1
    assert purse.today == 0
    assert purse.refusal(10) is None
    assert Purse(None).refusal(10**30) is None


def test_tips_begin_with_the_fee_and_double() -> None:
    assert [tip_after(7, 0), tip_after(7, 7), tip_after(7, 14), tip_after(0, 0)] == [7, 14, 28, 1]


@pytest.mark.real
def test_a_call_above_the_budget_is_refused_before_anything_is_signed(host: HostProcess, key: Sr25519) -> None:
    signed: list[Signed] = []
    writer = Writer(host.url, key, on_signed=signed.append, budget=FeeBudget(per_call=1, per_day=AIN))

    outcome = writer.submit(balances.transfer(sha256(b"to"), AIN), b"").result(30)
    writer.close()

    assert isinstance(outcome, Refused)
    assert outcome.code == flights.OVER_BUDGET
    assert "chain.max_fee" in outcome.reason
    assert signed == []


@pytest.mark.real
def test_fees_of_a_day_are_counted(host: HostProcess, client: ChainClient, key: Sr25519) -> None:
    call = balances.transfer(sha256(b"to"), AIN)
    fee = client.estimate_fee(call, key)
    writer = Writer(host.url, key, budget=FeeBudget(per_call=AIN, per_day=2 * fee))

    outcomes = [writer.submit(call, b"").result(30) for _ in range(3)]
    spent = writer.statistics()["fees_today"]
    writer.close()

    assert [type(outcome) for outcome in outcomes] == [Included, Included, Refused]
    assert spent == 2 * fee


@pytest.mark.real
def test_a_pool_that_drops_a_call_gets_a_tip_with_the_same_nonce(
    proxy: ProxyNode, client: ChainClient, key: Sr25519, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "STALL", 0.3)
    signed: list[Signed] = []
    submits = [0]

    def lose_the_first(method: str) -> str | None:
        submits[0] += method == SUBMIT
        return "swallow" if method == SUBMIT and submits[0] == 1 else None

    def say_the_second_was_dropped(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        full = {"code": 1016, "message": "Immediately Dropped: the pool is full"}
        dropped = method == SUBMIT and submits[0] == 2
        return {"jsonrpc": "2.0", "id": answer["id"], "error": full} if dropped else answer

    proxy.before, proxy.rewrite = lose_the_first, say_the_second_was_dropped
    to = sha256(b"to" + key.account)
    writer = Writer(proxy.url, key, on_signed=signed.append, timeout=1.0, budget=FeeBudget())

    outcome = writer.submit(balances.transfer(to, AIN), b"one").result(60)
    writer.close()

    assert isinstance(outcome, Included)
    assert client.account(to).free == AIN
    assert {each.nonce for each in signed} == {0}
    assert [each.tip > 0 for each in signed] == [False, True]


@pytest.mark.real
def test_a_forced_batch_tells_by_name_what_became_of_each_call(
    host: HostProcess, client: ChainClient, key: Sr25519
) -> None:
    to = sha256(b"to" + key.account)
    pay = balances.transfer(to, AIN)
    writer = Writer(host.url, key)

    forced = writer.submit(force_batch([pay, CANCEL_NOTHING, pay]), b"").result(30)
    whole = writer.submit(batch_all([pay, CANCEL_NOTHING]), b"").result(30)
    plain = writer.submit(pay, b"").result(30)
    writer.close()

    assert isinstance(forced, Included)
    assert [item.error for item in forced.items] == ["", "VcgAuction.NoAuction", ""]
    assert forced.items[0] == BatchItem(0)
    assert forced.items[1].doc.startswith("There is no auction with this id")
    assert isinstance(whole, Failed)
    assert whole.error == "VcgAuction.NoAuction"
    assert isinstance(plain, Included)
    assert plain.items == ()
    assert client.account(to).free == 3 * AIN


@pytest.mark.parametrize("calls", [[], [CANCEL_NOTHING] * (MAX_ITEMS + 1), [batch_all([CANCEL_NOTHING])]])
def test_a_batch_of_nothing_of_too_much_or_of_batches_is_none(calls: list[Call]) -> None:
    with pytest.raises(CallMalformed):
        force_batch(calls)
