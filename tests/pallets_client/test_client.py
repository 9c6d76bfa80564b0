"""Reads of a chain host, and what is refused from a node that does not play by the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
from proxy_node import ProxyNode

from pallets_client import paging
from pallets_client.client import ChainClient
from pallets_client.connection import MAX_MESSAGE
from pallets_client.errors import ChainMisbehaviour, ChainRefused, ChainUnreachable, UnknownBlock
from pallets_client.hashing import SINK_ACCOUNT
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.pallets.market import DEVELOPMENT
from pallets_client.records import AIN, Included
from pallets_client.testing.host import HostProcess

pytestmark = pytest.mark.real


@pytest.fixture
def wary(proxy: ProxyNode) -> Iterator[ChainClient]:
    """A client behind the proxy, already connected."""
    reader = ChainClient(proxy.url, timeout=2.0)
    reader.head()
    reader.link.runtime()
    yield reader
    reader.close()


def test_the_world_is_read_as_it_was_made(client: ChainClient) -> None:
    assert client.params() == DEVELOPMENT
    assert len(client.network_id()) == 32
    assert client.network_id() != bytes(32)
    assert client.block(0).hash == client.genesis_hash
    assert client.account(bytes(32)).free == 0
    assert client.provider(bytes(32)) is None
    assert client.agents() == []
    assert client.score(bytes(32), bytes(32)) is None


def test_blocks_hang_together_and_name_their_extrinsics(client: ChainClient, bank: Writer, key: Sr25519) -> None:
    outcome = bank.submit(balances.transfer(key.account, AIN), b"").result(30)
    assert isinstance(outcome, Included)

    block = client.block(outcome.block_number)

    assert block == client.block(outcome.block_hash)
    assert block.parent == client.block(outcome.block_number - 1).hash
    assert len(block.extrinsic_hashes) > outcome.index
    assert block.timestamp is not None
    assert block.timestamp > 1_700_000_000_000


def test_old_blocks_answer_with_their_own_state(client: ChainClient, bank: Writer, key: Sr25519) -> None:
    outcome = bank.submit(balances.transfer(key.account, AIN), b"").result(30)
    assert isinstance(outcome, Included)
    before = client.block(outcome.block_number - 1).hash

    assert client.account(key.account).free == 11 * AIN
    assert client.account(key.account, at=before).free == 10 * AIN
    assert client.market_now(at=before) <= client.market_now()


def test_all_money_is_accounted_for(client: ChainClient, key: Sr25519) -> None:
    audit = client.audit()

    assert audit.difference == 0
    assert audit.sink == client.account(SINK_ACCOUNT, at=audit.block).free
    assert audit.issuance == audit.free + audit.sink + sum(audit.held.values())


def test_an_audit_goes_page_by_page(client: ChainClient, monkeypatch: pytest.MonkeyPatch, key: Sr25519) -> None:
    at = client.head().hash
    whole = client.audit(at)

    monkeypatch.setattr(paging, "PAGE", 2)

    assert client.audit(at) == whole


def test_a_fee_is_estimated_before_anything_is_signed(host: HostProcess, client: ChainClient, key: Sr25519) -> None:
    call = balances.transfer(bytes([7] * 32), AIN)
    estimate = client.estimate_fee(call, key)
    writer = Writer(host.url, key)

    outcome = writer.submit(call, b"").result(30)
    writer.close()

    assert isinstance(outcome, Included)
    assert outcome.fee == estimate


def test_new_heads_wake_whoever_waits(client: ChainClient, bank: Writer, key: Sr25519) -> None:
    head = client.head()
    bank.submit(balances.transfer(key.account, AIN), b"")

    found = client.next_head(head.number, 30.0)

    assert found is not None
    assert found.number > head.number


def test_a_block_that_does_not_exist_is_unknown(client: ChainClient) -> None:
    with pytest.raises(UnknownBlock):
        client.block(10**6)
    with pytest.raises(UnknownBlock):
        client.block(bytes(32))
    with pytest.raises(UnknownBlock):
        client.account(bytes(32), at=bytes(32))


def test_nobody_at_the_address_is_said_in_time() -> None:
    with pytest.raises(ChainUnreachable):
        ChainClient("ws://127.0.0.1:9", timeout=1.0).head()


def test_a_silent_node_is_given_up_and_asked_anew(proxy: ProxyNode, wary: ChainClient) -> None:
    wary.link.timeout = 0.3
    proxy.before = lambda method: "swallow" if method == "chain_getHeader" else None
    began = monotonic()
    with pytest.raises(ChainUnreachable):
        wary.head()
    assert monotonic() - began < 3

    proxy.reset()
    wary.link.timeout = 5.0

    assert wary.head().number >= 0


def test_a_lost_connection_is_made_again_by_the_next_question(proxy: ProxyNode, wary: ChainClient) -> None:
    proxy.before = lambda method: "cut" if method == "chain_getHeader" else None
    with pytest.raises(ChainUnreachable):
        wary.head()

    proxy.reset()

    assert wary.head().number >= 0


def _result(value: Any) -> Callable[[str, dict[str, Any]], Any]:
    def rewrite(method: str, answer: dict[str, Any]) -> Any:
        return answer if method in ("chain_getBlockHash", "notification") else {**answer, "result": value}

    return rewrite


HEADER = {
    "parentHash": "0x" + "00" * 32,
    "number": "0x1",
    "stateRoot": "0x" + "00" * 32,
    "extrinsicsRoot": "0x" + "00" * 32,
    "digest": {"logs": []},
}


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        [],
        {},
        {**HEADER, "number": "one"},
        {**HEADER, "number": "-0x1"},
        {**HEADER, "number": "0x1" + "0" * 9},
        {**HEADER, "number": 1},
        {**HEADER, "parentHash": "0x00"},
        {**HEADER, "stateRoot": "00" * 32},
        {**HEADER, "extrinsicsRoot": "0xzz"},
        {**HEADER, "digest": {"logs": ["0x00"] * 65}},
        {**HEADER, "digest": {"logs": [1]}},
        {**HEADER, "digest": None},
    ],
)
def test_a_header_that_is_none_is_misbehaviour(proxy: ProxyNode, wary: ChainClient, header: Any) -> None:
    proxy.rewrite = _result(header)

    with pytest.raises(ChainMisbehaviour):
        wary.head()


@pytest.mark.parametrize(
    "text", ["{", "[]", "7", '"x"', "\x00", '{"id":1', "[" * 5_000, '{"method":"x"}', '{"method":"x","params":1}']
)
def test_what_is_no_answer_ends_the_connection_as_misbehaviour(proxy: ProxyNode, wary: ChainClient, text: str) -> None:
    proxy.rewrite = lambda _, __: text

    with pytest.raises(ChainMisbehaviour):
        wary.head()
    proxy.reset()
    assert wary.head().number >= 0


def test_an_answer_too_large_is_not_taken_in(proxy: ProxyNode, wary: ChainClient) -> None:
    proxy.rewrite = lambda _, __: "x" * (MAX_MESSAGE + 1)

    with pytest.raises(ChainUnreachable):
        wary.head()


@pytest.mark.parametrize(
    "value", ["0x", "0x00", "0x" + "ff" * 3, "0x" + "00" * 79, "0x" + "00" * 81, 7, {}, "zz", True]
)
def test_a_stored_value_of_another_shape_is_misbehaviour(proxy: ProxyNode, wary: ChainClient, value: Any) -> None:
    proxy.rewrite = _result(value)

    with pytest.raises(ChainMisbehaviour):
        wary.account(bytes(32))


def test_a_block_under_another_hash_is_misbehaviour(proxy: ProxyNode, wary: ChainClient) -> None:
    genesis = wary.genesis_hash
    proxy.rewrite = _result({"block": {"header": HEADER, "extrinsics": []}})

    with pytest.raises(ChainMisbehaviour, match="asked for block"):
        wary.block(genesis)


def test_another_chain_at_the_address_is_noticed(proxy: ProxyNode, wary: ChainClient) -> None:
    proxy.before = lambda _: "cut"
    with pytest.raises(ChainUnreachable):
        wary.head()
    proxy.reset()

    def other(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "result": "0x" + "11" * 32} if method == "chain_getBlockHash" else answer

    proxy.rewrite = other

    with pytest.raises(ChainMisbehaviour, match="another chain"):
        wary.head()


@pytest.mark.parametrize(
    "keys", [["0x00"], "nothing", [1], ["0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"] * 2]
)
def test_keys_outside_the_map_end_an_audit(proxy: ProxyNode, wary: ChainClient, keys: Any) -> None:
    def lie(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "result": keys} if method == "state_getKeysPaged" else answer

    proxy.rewrite = lie

    with pytest.raises(ChainMisbehaviour):
        wary.audit()


def test_values_left_out_of_an_audit_are_noticed(proxy: ProxyNode, wary: ChainClient) -> None:
    def lie(method: str, answer: dict[str, Any]) -> dict[str, Any]:
        if method == "state_queryStorageAt":
            answer["result"][0]["changes"].pop()
        return answer

    proxy.rewrite = lie

    with pytest.raises(ChainMisbehaviour):
        wary.audit()


def test_the_nodes_own_refusal_keeps_its_code(wary: ChainClient) -> None:
    with pytest.raises(ChainRefused) as refused:
        wary.link.call("no_such_method")

    assert refused.value.code == -32601
