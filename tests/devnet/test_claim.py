"""One daemon per home, and the end of what a killed one left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ainur_node.errors import ConfigError
from ainur_node.supervisor import claim, pids
from ainur_node.supervisor.claim import AlreadyRunning
from ainur_node.supervisor.listening import PortInUse, check_listen, free_ports

HOLDER = """
import sys
from pathlib import Path
from ainur_node.supervisor import claim
taken = claim.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
taken.release()
"""


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        first.stdout.readline()

        with pytest.raises(AlreadyRunning) as refusal:
            claim.take(tmp_path)

        assert str(first.pid) in str(refusal.value)
        assert refusal.value.code == "already-running"
        assert claim.holder(tmp_path) == first.pid
        first.communicate("")
    claim.take(tmp_path).release()
    assert list(tmp_path.iterdir()) == []
    assert claim.holder(tmp_path) is None


def test_a_killed_daemon_gives_its_home_back_and_its_orphans_are_ended(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    orphan = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"], start_new_session=True)
    with first, orphan:
        assert first.stdout is not None
        first.stdout.readline()
        found = pids.identify(orphan.pid)
        assert found is not None
        pids.write(tmp_path / claim.CHILDREN_FILE, [found])
        first.send_signal(signal.SIGKILL)
        first.wait()

        second = claim.take(tmp_path)

        assert orphan.wait(5) == -signal.SIGTERM
        second.release()
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_port_in_use_is_named_with_its_key() -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortInUse, match=str(port)) as refusal:
            check_listen([f"/ip4/127.0.0.1/tcp/{port}"], "mesh.listen")

    assert "mesh.listen" in refusal.value.hint
    check_listen([f"/ip4/127.0.0.1/tcp/{port}", "/ip4/127.0.0.1/tcp/0"], "mesh.listen")


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:1", "/ip4/127.0.0.1/udp/1", "/ip4/127.0.0.1/tcp/x", "/ip4/192.0.2.1/tcp/1"]
)
def test_what_is_no_address_of_this_machine_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        check_listen([text], "mesh.listen")


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(8))) == 8
