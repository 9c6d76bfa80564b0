"""`ainur init`, `run`, `stop`: one node with its own database and chain, killed and started again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from e2e_world import Ainur, processes_of, read_until, wait_until

from ainur_node.supervisor import claim

pytestmark = pytest.mark.real

ANY_PORTS = {"AINUR_MESH__LISTEN": "/ip4/127.0.0.1/tcp/0", "AINUR_CHAIN__PORT": "0"}


@contextmanager
def run(ainur: Ainur) -> Iterator[subprocess.Popen[str]]:
    """A daemon that serves; it is stopped at the latest when the test is over."""
    with ainur.start("run", **ANY_PORTS) as daemon:
        assert daemon.stdout is not None
        try:
            read_until(daemon, "the node runs")
            yield daemon
        finally:
            daemon.terminate()
            daemon.stdout.read()


def test_a_private_world_runs_and_stops_without_a_trace(ainur: Ainur) -> None:
    made = ainur("init")
    assert made.code == 0
    with run(ainur) as daemon:
        status = ainur("status").data
        assert status["genesis"] == made.data["genesis"]
        assert status["peer_id"] == made.data["peer_id"]
        balance = ainur("wallet", "balance").data
        assert int(balance["free"]) == 1_000 * 10**12
        assert ainur("wallet", "fund", "5").code == 0
        assert int(ainur("wallet", "balance").data["free"]) == 1_005 * 10**12

        second = ainur("run", **ANY_PORTS)
        assert (second.code, second.error) == (4, "already_running")
        assert str(daemon.pid) in second.data["error"]["what"]

        assert ainur("stop").code == 0
        assert daemon.wait(20) == 0
    assert processes_of(ainur.home) == []
    assert not (ainur.home / "run" / "node.json").exists()
    assert not (ainur.home / claim.LOCK_FILE).exists()


def test_a_killed_daemon_leaves_no_process_and_its_money_is_there_after_the_next_start(ainur: Ainur) -> None:
    assert ainur("init").code == 0
    with run(ainur) as daemon:
        assert ainur("wallet", "fund", "5").code == 0
        daemon.send_signal(signal.SIGKILL)
        wait_until(lambda: processes_of(ainur.home) == [])

    with run(ainur) as daemon:
        assert int(ainur("wallet", "balance").data["free"]) == 1_005 * 10**12
        assert ainur("wallet", "audit").data["difference"] == 0
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    assert processes_of(ainur.home) == []


def test_a_killed_part_is_started_again(ainur: Ainur) -> None:
    assert ainur("init").code == 0
    with run(ainur) as daemon:
        for name in ("ainur_node.node", "chain_host"):
            victim = next(p for p in processes_of(ainur.home) if name in cmdline(p.pid))
            os.kill(victim.pid, signal.SIGKILL)
            wait_until(lambda victim=victim: answers(ainur, victim.pid))
        assert ainur("wallet", "fund", "1").code == 0
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    assert processes_of(ainur.home) == []


def cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def answers(ainur: Ainur, gone: int) -> bool:
    """Whether a node answers that sees a chain, and the killed process is replaced."""
    said = ainur("status")
    return said.code == 0 and said.data["pid"] != gone and said.data["chain"]["connected"] and chain_moves(ainur)


def chain_moves(ainur: Ainur) -> bool:
    return ainur("chain", "status").code == 0
