"""`ainur demo`, as a newcomer runs it: every number again, and nothing left behind."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_world import Ainur, processes_of, read_until, wait_until

pytestmark = pytest.mark.real


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory for temporary files that nobody else uses, with a path as short as usual."""
    with tempfile.TemporaryDirectory(prefix="tmp-") as directory:
        yield Path(directory)


def test_the_demo_proves_itself_and_leaves_nothing(ainur: Ainur, temporary: Path) -> None:
    said = ainur("demo", timeout=120, TMPDIR=str(temporary), XDG_RUNTIME_DIR=str(temporary))

    assert said.code == 0, said
    found = said.data
    money = {key: int(found[key]) for key in ("ask", "penalty", "second", "paid", "fee", "reserve", "budget")}
    assert found["bids"] >= 3
    assert money["paid"] == min(money["second"], money["reserve"]) - money["penalty"]
    assert money["paid"] >= money["ask"]
    assert money["paid"] + money["fee"] <= money["budget"]
    assert money["reserve"] == money["budget"] * 10_000 // 10_100
    assert len({node["pid"] for node in found["nodes"]}) == 5
    assert len({node["peer_id"] for node in found["nodes"]}) == 5
    assert found["audit"]["difference"] == 0
    assert found["escrow"] == "released"
    assert found["reputation"]["after"] > found["reputation"]["before"]
    gained = int(found["balances"]["after"][found["winner"]]) - int(found["balances"]["before"][found["winner"]])
    assert gained == money["paid"] - int(found["fees"][found["winner"]])
    assert len(found["result_sha256"]) == len(found["transcript"]) == len(found["task"]) == 64
    assert found["seconds"] < 60
    assert list(ainur.home.iterdir()) == []
    assert processes_of(ainur.home) == []
    assert list(temporary.iterdir()) == []
    assert [entry for entry in Path("/tmp").glob("*ainur*") if ainur.home.name in entry.name] == [ainur.home]


def test_a_killed_demo_leaves_no_process(ainur: Ainur) -> None:
    with ainur.start("demo") as demo:
        read_until(demo, "n1 runs")
        assert len(processes_of(ainur.home)) > 7

        demo.send_signal(signal.SIGKILL)

        wait_until(lambda: processes_of(ainur.home) == [])


def test_an_interrupted_demo_cleans_up(ainur: Ainur) -> None:
    with ainur.start("demo") as demo:
        read_until(demo, "the chain runs")

        demo.send_signal(signal.SIGINT)
        assert demo.stdout is not None
        demo.stdout.read()

        assert demo.wait(30) != 0
        assert list(ainur.home.iterdir()) == []
        wait_until(lambda: processes_of(ainur.home) == [])
