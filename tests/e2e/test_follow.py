"""A node that follows: it executes every block of its peers' chain itself, and what it signs gets into that chain."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from e2e_world import Ainur, new_home, processes_of, read_until, wait_until

from pallets_client.link import Link

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(900)]

ANY_PORTS = {"AINUR_MESH__LISTEN": "/ip4/127.0.0.1/tcp/0", "AINUR_CHAIN__PORT": "0"}
START = 180.0


@pytest.fixture
def second() -> Iterator[Ainur]:
    home = new_home()
    yield Ainur(home)
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def run(ainur: Ainur) -> Iterator[None]:
    with ainur.start("run", **ANY_PORTS) as daemon:
        assert daemon.stdout is not None
        try:
            read_until(daemon, "the node runs")
            yield
        finally:
            daemon.terminate()
            daemon.stdout.read()
    assert processes_of(ainur.home) == []


def same_block(author: Ainur, follower: Ainur) -> bool:
    """Whether the newest block of the follower is that block of the author."""
    ours, theirs = (Link(each("chain", "status").data["url"]) for each in (follower, author))
    try:
        head = ours.call("chain_getHeader")
        number = int(head["number"], 16)
        return bool(number > 2 and ours.call("chain_getBlockHash", number) == theirs.call("chain_getBlockHash", number))
    finally:
        ours.close()
        theirs.close()


def chain_host(home: Path) -> int:
    return next(
        each.pid for each in processes_of(home) if b"chain_host" in Path(f"/proc/{each.pid}/cmdline").read_bytes()
    )


def test_a_follower_executes_the_chain_pays_through_it_and_survives_a_kill(ainur: Ainur, second: Ainur) -> None:
    assert ainur("init").code == 0
    with run(ainur):
        address = ainur("status").data["addresses"][0]
        made = second("init", "--name", "second", "--join", address, "--follow", timeout=START)
        assert made.code == 0, made
        assert made.data["genesis"] == ainur("status").data["genesis"]
        with run(second):
            wait_until(lambda: same_block(ainur, second), START)
            assert second("chain", "status").data["url"] != ainur("chain", "status").data["url"]

            assert ainur("wallet", "transfer", second("wallet", "show").data["ss58"], "5").code == 0
            wait_until(lambda: int(second("wallet", "balance").data.get("free", 0)) == 5 * 10**12, START)
            paid = second("wallet", "transfer", ainur("wallet", "show").data["ss58"], "1", timeout=START)
            assert paid.code == 0, paid
            assert second("status").data["counters"]["follow.relayed"] >= 1

            killed = chain_host(second.home)
            os.kill(killed, signal.SIGKILL)
            before = ainur("chain", "status").data["height"]
            wait_until(lambda: second("chain", "status").data.get("height", 0) > before, START)
            assert same_block(ainur, second)
            assert second("status").data["counters"].get("follow.bad_blocks", 0) == 0

        exported = second("chain", "export", "--out", str(second.home / "spec.json"))
        assert exported.code == 0, exported
        spec = json.loads((second.home / "spec.json").read_text("utf-8"))
        assert spec["properties"]["exportedFrom"]["stateRoot"] == exported.data["state_root"]


def test_following_needs_a_peer_and_no_chain(ainur: Ainur) -> None:
    refused = ainur("init", "--follow")

    assert refused.code == 2
    assert "--join" in json.dumps(refused.data)
    assert not (ainur.home / "config.toml").exists()
