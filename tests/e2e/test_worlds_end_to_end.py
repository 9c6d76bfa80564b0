"""Many tasks at once in one world, checked by somebody who was not there."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e_world import DOCUMENT, Ainur, Said

pytestmark = pytest.mark.real


def submit(world: Ainur, *more: str) -> Said:
    words = ("task", "submit", "--agent", "summarize", "--input", str(DOCUMENT), "--budget", "1", "--deadline", "120s")
    return world(*words, "--wait", *more, timeout=240)


def test_concurrent_tasks_all_settle_and_an_observer_verifies_each(world: Ainur) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: submit(world), range(8)))

    assert [(each.code, each.data["phase"], each.data["outcome"]) for each in done] == [(0, "settled", "paid")] * 8
    assert len({each.data["auction"] for each in done}) == 8
    assert len({each.data["result"]["sha256"] for each in done}) == 1
    with ThreadPoolExecutor(4) as pool:
        verified = list(
            pool.map(lambda each: world("--node", "observer", "auction", "verify", each.data["auction"]), done)
        )
    assert [each.code for each in verified] == [0] * 8
    assert all(check["ok"] for each in verified for check in each.data["checks"])
    assert world("wallet", "audit").data["difference"] == 0


@pytest.mark.slow
def test_fifty_tasks_submitted_at_once_all_settle(ainur: Ainur) -> None:
    assert ainur("devnet", "up", "--nodes", "5", timeout=180).code == 0
    try:
        with ThreadPoolExecutor(50) as pool:
            done = list(pool.map(lambda _: submit(ainur), range(50)))
        assert [(each.code, each.data.get("phase")) for each in done] == [(0, "settled")] * 50
        with ThreadPoolExecutor(4) as pool:
            verify: Callable[[Said], Said] = lambda each: ainur(  # noqa: E731
                "--node", "observer", "auction", "verify", each.data["auction"]
            )
            assert [each.code for each in pool.map(verify, done)] == [0] * 50
        assert ainur("wallet", "audit").data["difference"] == 0
    finally:
        assert ainur("devnet", "down").code == 0


def test_two_worlds_at_once_both_work_and_know_nothing_of_each_other(world: Ainur, ainur: Ainur) -> None:
    assert ainur("devnet", "up", timeout=180).code == 0
    try:
        here, there = submit(world), submit(ainur)

        assert (here.code, there.code) == (0, 0)
        assert world("devnet", "status").data["genesis"] != ainur("devnet", "status").data["genesis"]
        unknown = ainur("auction", "verify", here.data["auction"])
        assert unknown.code == 1
        assert unknown.error == "unknown_auction"
    finally:
        assert ainur("devnet", "down").code == 0
    assert list(ainur.home.iterdir()) == []


def test_a_second_world_on_one_home_is_refused(world: Ainur) -> None:
    said = world("devnet", "up")

    assert (said.code, said.error) == (4, "already_running")


def test_every_node_of_a_world_can_be_asked(world: Ainur) -> None:
    seen = {name: world("--node", name, "status").data for name in ("n1", "n2", "n3", "submitter", "observer")}

    assert {name: status["name"] for name, status in seen.items()} == {name: name for name in seen}
    assert len({status["peer_id"] for status in seen.values()}) == 5
    assert [seen[name]["offers"] for name in ("n1", "submitter", "observer")] == [3, 0, 0]
    assert world("--node", "n9", "status").code in {2, 4}


def test_the_home_of_a_devnet_node_takes_no_second_daemon(world: Ainur) -> None:
    home = Path(world("--node", "n1", "status").data["home"])
    status = world("devnet", "status").data

    said = Ainur(home)("run")

    assert (said.code, said.error) == (4, "already_running")
    assert str(status["pid"]) in said.data["error"]["what"]
    assert sys.executable
