"""Several nodes of one chain: the one that keeps up serves, and nothing is signed on an old head."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from proxy_node import ProxyNode

from pallets_client import endpoints
from pallets_client.client import ChainClient
from pallets_client.endpoints import parse_urls
from pallets_client.errors import ChainUnreachable, EndpointsDisagree, StaleHead
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Call, Included
from pallets_client.testing.host import HostProcess

REMARK = Call("System", "remark", {"remark": b""})


def test_addresses_come_from_a_list_or_from_one_text() -> None:
    assert parse_urls("ws://a:1, ws://b:2  ws://a:1") == ("ws://a:1", "ws://b:2")
    assert parse_urls(["ws://a:1"]) == ("ws://a:1",)
    for nothing in ("", " , ", [], [f"ws://{i}" for i in range(9)]):
        with pytest.raises(ValueError, match="addresses"):
            parse_urls(nothing)


@pytest.mark.real
def test_the_next_address_serves_when_the_first_is_silent(host: HostProcess, key: Sr25519) -> None:
    writer = Writer(["ws://127.0.0.1:9", host.url], key)

    outcome = writer.submit(balances.transfer(sha256(b"to"), AIN), b"").result(30)
    writer.close()

    assert isinstance(outcome, Included)


@pytest.mark.real
def test_another_takes_over_when_the_node_goes_away_and_nothing_is_paid_twice(
    host: HostProcess, proxy: ProxyNode, client: ChainClient, key: Sr25519
) -> None:
    to = sha256(b"to" + key.account)
    writer = Writer([proxy.url, host.url], key)
    assert isinstance(writer.submit(balances.transfer(to, AIN), b"").result(30), Included)

    proxy.close()
    proxy.cut()
    second = writer.submit(balances.transfer(to, AIN), b"").result(30)
    writer.close()

    assert isinstance(second, Included)
    assert client.account(to).free == 2 * AIN


def frozen(method: str, answer: dict[str, Any]) -> Any:
    """A node that tells no news: its head stands, its notifications are about block 0."""
    header = {
        "number": "0x0",
        "parentHash": "0x" + "00" * 32,
        "stateRoot": "0x" + "11" * 32,
        "extrinsicsRoot": "0x" + "22" * 32,
        "digest": {"logs": []},
    }
    if method == "chain_getHeader":
        return {**answer, "result": header}
    if (
        "params" in answer
        and isinstance(answer["params"].get("result"), dict)
        and "number" in answer["params"]["result"]
    ):
        return {**answer, "params": {**answer["params"], "result": header}}
    return answer


@pytest.mark.real
def test_a_node_that_fell_behind_is_left_for_one_that_keeps_up(
    host: HostProcess, proxy: ProxyNode, bank: Writer, key: Sr25519, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert isinstance(bank.submit(REMARK, b"").result(30), Included)
    monkeypatch.setattr(endpoints, "MAX_BEHIND", 2)
    proxy.rewrite = frozen
    writer = Writer([proxy.url, host.url], key)

    outcome = writer.submit(balances.transfer(sha256(b"to"), AIN), b"").result(60)
    url = writer._link.url
    writer.close()

    assert isinstance(outcome, Included)
    assert url == host.url


@pytest.mark.real
def test_nothing_is_signed_on_a_head_that_does_not_move(proxy: ProxyNode, key: Sr25519) -> None:
    signed: list[object] = []
    proxy.rewrite = frozen
    writer = Writer(proxy.url, key, on_signed=signed.append, stale_after=0.2)
    writer._link.watch_heads()
    deadline = monotonic() + 10
    while writer._link.still() < 0.3:
        assert monotonic() < deadline

    with pytest.raises(StaleHead, match="no new block"):
        writer.submit(REMARK, b"").result(10)
    writer.close()

    assert signed == []


@pytest.mark.real
def test_two_nodes_that_finalized_different_blocks_get_no_signature(
    host: HostProcess, proxy: ProxyNode, key: Sr25519
) -> None:
    signed: list[object] = []

    def forked(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        other = method == "chain_getBlockHash" and proxy.seen.count("chain_getBlockHash") > 1
        return {**answer, "result": "0x" + "77" * 32} if other else answer

    proxy.rewrite = forked
    writer = Writer([host.url, proxy.url], key, on_signed=signed.append)

    with pytest.raises(EndpointsDisagree):
        writer.submit(REMARK, b"").result(30)
    writer.close()

    assert signed == []


@pytest.mark.real
def test_a_follower_misses_no_block_when_its_connection_drops(
    proxy: ProxyNode, client: ChainClient, bank: Writer
) -> None:
    reader = ChainClient(proxy.url, timeout=5.0)
    follower = reader.follow(reader.head().number)
    first = client.head().number
    seen = []
    for _ in range(4):
        assert isinstance(bank.submit(REMARK, b"").result(30), Included)
        proxy.cut()
        assert isinstance(bank.submit(REMARK, b"").result(30), Included)
        seen.append(follower.next(30.0))
    last = client.head().number
    while seen[-1] is not None and seen[-1].number < last:
        seen.append(follower.next(30.0))
    reader.close()

    assert [head.number for head in seen if head is not None] == list(range(first + 1, last + 1))
    assert all(head is not None and head.hash == client.block(head.number).hash for head in seen)


@pytest.mark.real
def test_finalized_blocks_come_in_order_too(host: HostProcess, client: ChainClient, bank: Writer) -> None:
    follower = client.follow(0, finalized=True)
    bank.submit(REMARK, b"").result(30)
    last = client.head().number

    seen = [follower.next(30.0) for _ in range(last)]

    assert [head.number for head in seen if head is not None] == list(range(1, last + 1))


def test_a_follower_without_a_node_ends_its_wait() -> None:
    reader = ChainClient("ws://127.0.0.1:9", timeout=0.2)

    assert reader.follow(0).next(0.3) is None
    with pytest.raises(ChainUnreachable):
        reader.head()
