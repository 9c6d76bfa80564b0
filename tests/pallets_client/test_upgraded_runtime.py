"""A runtime upgrade under way: what was signed for the old runtime is signed again, and still happens once."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from proxy_node import ProxyNode

from pallets_client import flights
from pallets_client.client import ChainClient
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Expired, Included, Outcome, Signed
from pallets_client.testing.host import HostProcess

pytestmark = pytest.mark.real
SUBMIT = "author_submitExtrinsic"


class Upgrading:
    """A proxy that speaks of another spec version than the node behind it, until it is told not to."""

    def __init__(self, proxy: ProxyNode) -> None:
        self.proxy = proxy
        self.later = 1
        proxy.rewrite = self._rewrite

    def _rewrite(self, method: str, answer: dict[str, Any]) -> dict[str, Any]:
        result = answer.get("result")
        if method in ("state_getRuntimeVersion",) and isinstance(result, dict) and self.later:
            return {**answer, "result": {**result, "specVersion": result["specVersion"] + self.later}}
        return answer


class Book:
    """What a writer signed, and what became of each for good."""

    def __init__(self) -> None:
        self.signed: list[Signed] = []
        self.final: dict[bytes, Outcome] = {}
        self.first = Event()

    def sign(self, signed: Signed) -> None:
        self.signed.append(signed)
        self.first.set()

    def end(self, signed: Signed, outcome: Outcome) -> None:
        self.final[signed.hash] = outcome


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def writer(proxy: ProxyNode, key: Sr25519, book: Book, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    monkeypatch.setattr(flights, "STALL", 0.3)
    made = Writer(proxy.url, key, on_signed=book.sign, on_final=book.end)
    yield made
    made.close()


def test_what_was_signed_for_the_wrong_runtime_is_refused_and_signed_again(
    proxy: ProxyNode, writer: Writer, client: ChainClient, key: Sr25519, book: Book
) -> None:
    upgrading = Upgrading(proxy)
    proxy.after = lambda method: setattr(upgrading, "later", 0) if method == SUBMIT else None
    to = sha256(b"to" + key.account)

    outcome = writer.submit(balances.transfer(to, AIN), b"one").result(60)

    assert isinstance(outcome, Included)
    assert client.account(to).free == AIN
    assert [signed.nonce for signed in book.signed] == [0, 0]
    assert book.signed[0].spec == book.signed[1].spec + 1


def test_what_flies_when_the_runtime_changes_is_signed_again_with_its_nonce_and_happens_once(
    proxy: ProxyNode, writer: Writer, client: ChainClient, key: Sr25519, book: Book
) -> None:
    upgrading = Upgrading(proxy)
    proxy.before = lambda method: "swallow" if method == SUBMIT else None
    writer._link.timeout = 0.5
    to = sha256(b"to" + key.account)
    future = writer.submit(balances.transfer(to, AIN), b"one")
    assert book.first.wait(30)

    upgrading.later = 0
    proxy.reset()
    outcome = future.result(60)

    assert isinstance(outcome, Included)
    assert client.account(to).free == AIN
    assert client.account(key.account).nonce == 1
    assert {signed.nonce for signed in book.signed} == {0}
    assert {signed.ref for signed in book.signed} == {b"one"}


def test_an_upgrade_that_is_announced_has_everything_signed_again_before_anybody_refuses_it(
    proxy: ProxyNode, writer: Writer, client: ChainClient, key: Sr25519, book: Book
) -> None:
    upgrading = Upgrading(proxy)
    proxy.before = lambda method: "swallow" if method == SUBMIT else None
    writer._link.timeout = 0.5
    to = sha256(b"to" + key.account)
    future = writer.submit(balances.transfer(to, AIN), b"one")
    assert book.first.wait(30)
    version = client.link.call("state_getRuntimeVersion")

    upgrading.later = 0
    proxy.notify("state_subscribeRuntimeVersion", version)
    proxy.reset()
    outcome = future.result(60)

    assert isinstance(outcome, Included)
    assert client.account(to).free == AIN
    assert book.signed[-1].spec == version["specVersion"]
    ended = [book.final.get(signed.hash) for signed in book.signed]
    assert sum(isinstance(end, Included) for end in ended) == 1
    assert all(isinstance(end, Included | Expired) for end in ended)


def test_a_later_writer_ends_what_was_signed_for_a_runtime_that_is_gone(
    host: HostProcess, proxy: ProxyNode, client: ChainClient, key: Sr25519, book: Book
) -> None:
    Upgrading(proxy)

    def crash(signed: Signed) -> None:
        book.sign(signed)
        raise OSError("killed")

    dead = Writer(proxy.url, key, on_signed=crash)
    with pytest.raises(OSError, match="killed"):
        dead.submit(balances.transfer(sha256(b"to"), AIN), b"one").result(30)
    dead.close()

    later = Writer(host.url, key, on_final=book.end)
    outcome = later.resume(book.signed[0]).result(60)
    later.close()

    assert isinstance(outcome, Expired)
    assert isinstance(book.final[book.signed[0].hash], Expired)
