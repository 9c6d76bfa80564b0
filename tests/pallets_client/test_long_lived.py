"""One connection for ever: ten thousand calls leave nothing behind."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from pallets_client.client import ChainClient
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances
from pallets_client.records import AIN, Included
from pallets_client.testing.host import HostProcess

QUESTIONS = 10_000
PAYMENTS = 200
FEW_OBJECTS = 500
FEW_KIB = 4 * 1024


def rss_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("this system does not tell the size of a process")


@pytest.mark.slow  # ten thousand round trips
@pytest.mark.real
def test_ten_thousand_calls_use_one_connection_and_leave_no_objects(host: HostProcess, key: Sr25519) -> None:
    client, writer = ChainClient(host.url), Writer(host.url, key)

    def ask(count: int) -> None:
        for _ in range(count):
            client.head()

    def pay(count: int) -> None:
        futures = [writer.submit(balances.transfer(sha256(b"to"), AIN // 1000), b"") for _ in range(count)]
        assert all(isinstance(future.result(60), Included) for future in futures)

    ask(500)  # whatever is made once is made now
    pay(PAYMENTS)
    gc.collect()
    objects, memory = len(gc.get_objects()), rss_kib()

    ask(QUESTIONS)
    pay(PAYMENTS)
    gc.collect()
    more_objects, more_memory = len(gc.get_objects()) - objects, rss_kib() - memory
    connections = (client.link.connections, writer.statistics()["connections"])
    connection = client.link._connection
    assert connection is not None
    waiting, handlers = len(connection._waiting), len(connection._handlers)
    client.close()
    writer.close()

    told = f"{QUESTIONS} questions and {PAYMENTS} payments: {more_objects:+} objects, {more_memory:+} KiB"
    print(told)  # noqa: T201 — the numbers are what this test is for
    assert connections == (1, 1)
    assert (waiting, handlers) == (0, 1)
    assert more_objects < FEW_OBJECTS, told
    assert more_memory < FEW_KIB, told
