"""The writer: every call happens once, whatever the connection does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic
from typing import Any

import pytest
from proxy_node import ProxyNode

from pallets_client import flights
from pallets_client.client import ChainClient
from pallets_client.errors import CallMalformed, ChainMisbehaviour, ChainUnreachable, WriterClosed
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519, new_seed
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Call, Expired, Failed, Included, Refused, Signed, StillPossible
from pallets_client.testing.host import HostProcess

SUBMIT = "author_submitExtrinsic"
pytestmark = pytest.mark.real

MakeWriter = Callable[..., Writer]


@pytest.fixture
def writer_at() -> Iterator[MakeWriter]:
    made: list[Writer] = []

    def make(url: str, key: Sr25519, **options: Any) -> Writer:
        made.append(Writer(url, key, **options))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


def payment(to: bytes, amount: int = AIN) -> Call:
    return balances.transfer(to, amount)


def once(method: str, what: str) -> Callable[[str], str | None]:
    """Do ``what`` to the first request of that method, and let everything else pass."""
    left = [1]

    def decide(asked: str) -> str | None:
        if asked == method and left[0]:
            left[0] -= 1
            return what
        return None

    return decide


def test_many_calls_fly_at_once_and_each_lands(
    host: HostProcess, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    to = sha256(b"to" + key.account)
    writer = writer_at(host.url, key)

    futures = [writer.submit(payment(to, AIN // 100), b"") for _ in range(100)]
    outcomes = [future.result(30) for future in futures]

    assert all(isinstance(outcome, Included) for outcome in outcomes)
    assert client.account(to).free == AIN
    assert client.account(key.account).nonce == 100
    assert sum(outcome.fee for outcome in outcomes) == 10 * AIN - AIN - client.account(key.account).free


def test_a_failed_call_says_which_guard_and_how_to_avoid_it(
    host: HostProcess, key: Sr25519, writer_at: MakeWriter
) -> None:
    outcome = writer_at(host.url, key).submit(Call("VcgAuction", "cancel", {"auction": bytes(32)}), b"").result(30)

    assert isinstance(outcome, Failed)
    assert outcome.error == "VcgAuction.NoAuction"
    assert outcome.doc.startswith("There is no auction with this id")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_lost_while_sending_loses_no_payment_and_makes_no_second_one(
    moment: str, proxy: ProxyNode, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    setattr(proxy, moment, once(SUBMIT, "cut"))
    to = sha256(b"to" + key.account)

    outcome = writer_at(proxy.url, key).submit(payment(to), b"").result(30)

    assert isinstance(outcome, Included)
    assert client.account(to).free == AIN


def test_bytes_that_a_node_forgot_are_sent_again(
    proxy: ProxyNode, client: ChainClient, key: Sr25519, writer_at: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "STALL", 0.5)
    proxy.before = once(SUBMIT, "swallow")
    to = sha256(b"to" + key.account)
    writer = writer_at(proxy.url, key, timeout=1.0)

    first, second = writer.submit(payment(to), b""), writer.submit(payment(to), b"")

    assert isinstance(first.result(30), Included)
    assert isinstance(second.result(30), Included)
    assert client.account(to).free == 2 * AIN


def test_a_call_whose_era_ends_without_it_is_expired_and_its_nonce_is_used_again(
    proxy: ProxyNode,
    client: ChainClient,
    bank: Writer,
    key: Sr25519,
    writer_at: MakeWriter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows: list[Signed] = []
    signed = Event()

    def note(row: Signed) -> None:
        rows.append(row)
        signed.set()

    proxy.before = lambda method: "swallow" if method == SUBMIT else None
    monkeypatch.setattr(flights, "STALL", 3600.0)
    to = sha256(b"to" + key.account)
    writer = writer_at(proxy.url, key, era_blocks=4, on_signed=note, timeout=0.5)
    future = writer.submit(payment(to), b"ref")
    assert signed.wait(30)
    still = writer_at(proxy.url, key).lookup(rows[0].hash, rows[0].block, rows[0].era_end_block)
    for _ in range(5):
        assert isinstance(bank.submit(Call("System", "remark", {"remark": b""}), b"").result(30), Included)

    assert isinstance(still, StillPossible)
    assert future.result(30) == Expired(rows[0].era_end_block)
    found = writer.lookup(rows[0].hash, rows[0].block, rows[0].era_end_block)
    assert found == Expired(rows[0].era_end_block)
    proxy.reset()
    assert isinstance(writer.submit(payment(to), b"").result(30), Included)
    assert rows[1].nonce == rows[0].nonce
    assert client.account(to).free == AIN


def test_a_later_writer_finds_what_an_earlier_one_sent(host: HostProcess, key: Sr25519, writer_at: MakeWriter) -> None:
    rows: list[Signed] = []
    writer = writer_at(host.url, key, on_signed=rows.append)
    outcome = writer.submit(payment(sha256(b"to")), b"ref").result(30)
    writer.close()
    later = writer_at(host.url, key)

    row = rows[0]
    assert (row.ref, row.call_name) == (b"ref", "Balances.transfer_keep_alive")
    assert later.lookup(row.hash, row.block, row.era_end_block) == outcome
    assert later.resume(row).result(30) == outcome


def test_a_later_writer_sends_what_an_earlier_one_only_signed(
    host: HostProcess, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    rows: list[Signed] = []

    def crash(row: Signed) -> None:
        rows.append(row)
        raise OSError("killed")

    writer = writer_at(host.url, key, on_signed=crash)
    with pytest.raises(OSError, match="killed"):
        writer.submit(payment(sha256(b"to" + key.account)), b"ref").result(30)
    later = writer_at(host.url, key)

    resumed, fresh = later.resume(rows[0]), later.submit(payment(sha256(b"to" + key.account)), b"")

    assert isinstance(resumed.result(30), Included)
    assert isinstance(fresh.result(30), Included)
    assert client.account(sha256(b"to" + key.account)).free == 2 * AIN


def test_two_writers_of_one_account_get_in_each_others_way_but_lose_nothing(
    host: HostProcess, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    to = sha256(b"to" + key.account)
    writers = [writer_at(host.url, key), writer_at(host.url, key)]
    rounds = []

    for _ in range(4):
        futures = [writer.submit(payment(to, AIN // 10), b"") for writer in writers]
        rounds += [future.result(30) for future in futures]

    landed = sum(isinstance(outcome, Included) for outcome in rounds)
    assert landed >= 4
    assert client.account(to).free == landed * AIN // 10


def test_an_account_without_money_for_the_fee_is_told_so(host: HostProcess, writer_at: MakeWriter) -> None:
    outcome = writer_at(host.url, Sr25519(new_seed())).submit(payment(bytes(32)), b"").result(30)

    assert isinstance(outcome, Refused)
    assert "pay some fees" in outcome.reason


def test_a_call_that_the_runtime_does_not_know_stops_nobody_else(
    host: HostProcess, key: Sr25519, writer_at: MakeWriter
) -> None:
    writer = writer_at(host.url, key)
    wrong = [
        writer.submit(Call("Nowhere", "nothing", {}), b""),
        writer.submit(Call("VcgAuction", "cancel", {"auction": b"short"}), b""),
        writer.submit(Call("VcgAuction", "cancel", {}), b""),
        writer.submit(Call("VcgAuction", "close", {"auction": bytes(32), "root": bytes(32), "count": -1}), b""),
    ]
    right = writer.submit(payment(sha256(b"to")), b"")

    for future in wrong:
        with pytest.raises(CallMalformed):
            future.result(30)
    assert isinstance(right.result(30), Included)


def test_without_a_node_a_call_ends_when_patience_does(key: Sr25519, writer_at: MakeWriter) -> None:
    writer = writer_at("ws://127.0.0.1:9", key, patience=0.3)
    began = monotonic()

    with pytest.raises(ChainUnreachable):
        writer.submit(payment(bytes(32)), b"").result(30)

    assert monotonic() - began < 5


def test_who_asks_again_after_an_outage_pays_once(
    proxy: ProxyNode, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    rows: list[Signed] = []
    to = sha256(b"to" + key.account)
    writer = writer_at(proxy.url, key, patience=0.2, on_signed=rows.append)
    proxy.before = lambda method: "cut" if method in (SUBMIT, "chain_getBlockHash") and rows else None
    with pytest.raises(ChainUnreachable):
        writer.submit(payment(to), b"invoice 7").result(30)

    proxy.reset()
    again = writer.submit(payment(to), b"invoice 7").result(30)

    assert isinstance(again, Included)
    assert len(rows) == 1
    assert client.account(to).free == AIN


def test_another_chain_at_the_address_gets_no_signature(
    proxy: ProxyNode, client: ChainClient, key: Sr25519, writer_at: MakeWriter
) -> None:
    rows: list[Signed] = []
    writer = writer_at(proxy.url, key, on_signed=rows.append)
    assert isinstance(writer.submit(payment(sha256(b"to")), b"").result(30), Included)

    def other_chain(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "result": "0x" + "11" * 32} if method == "chain_getBlockHash" else answer

    proxy.rewrite = other_chain
    proxy.before = once(SUBMIT, "cut")
    lost = writer.submit(payment(sha256(b"to")), b"")
    with pytest.raises((ChainMisbehaviour, ChainUnreachable)):
        writer.submit(payment(sha256(b"to")), b"").result(30)

    assert len(rows) == 2
    proxy.reset()
    assert isinstance(lost.result(30), Included)


def test_a_closed_writer_takes_nothing_and_leaves_nobody_waiting(
    proxy: ProxyNode, key: Sr25519, writer_at: MakeWriter
) -> None:
    proxy.before = lambda method: "swallow" if method == "chain_getHeader" else None
    writer = writer_at(proxy.url, key)
    waiting = writer.submit(payment(bytes(32)), b"")

    writer.close()

    with pytest.raises((ChainUnreachable, WriterClosed)):
        waiting.result(5)
    with pytest.raises(WriterClosed):
        writer.submit(payment(bytes(32)), b"").result(5)


@pytest.mark.slow  # three starts of a chain host
def test_payments_survive_kills_of_the_node(tmp_path_factory: pytest.TempPathFactory, writer_at: MakeWriter) -> None:
    key = Sr25519(new_seed())
    host = HostProcess(tmp_path_factory.mktemp("killed"), key.account)
    try:
        client = ChainClient(host.url)
        writer = writer_at(host.url, key)
        to = sha256(b"to")
        futures = []
        for _ in range(3):
            futures += [writer.submit(payment(to), b"") for _ in range(10)]
            futures[-5].result(30)
            host.kill()
            host.start()

        assert all(isinstance(future.result(60), Included) for future in futures)
        assert client.account(to).free == 30 * AIN
        assert client.account(key.account).nonce == 30
        assert client.audit().difference == 0
        client.close()
    finally:
        host.close()
