"""Homes in bad places: full disks, lost databases, wrong clocks, other users, long paths; nothing is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from e2e_world import Ainur, Said, new_home, processes_of, read_until, wait_until
from rough_places import (
    LONG,
    NOBODY,
    SUBMIT,
    Shell,
    SmallDisk,
    directory_of,
    may_mount,
    ordinary_user,
    purse,
    settled,
    stretched,
    told,
)

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

Note = Callable[..., None]
BLOBS_KIB = 8 << 10
DATABASE_KIB = 96 << 10
AIN = 10**12
BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
ANY_PORTS = {"AINUR_MESH__LISTEN": "/ip4/127.0.0.1/tcp/0", "AINUR_CHAIN__PORT": "0"}


def pay(ainur: Ainur, *more: str) -> Said:
    """A task from submission to payment."""
    return ainur(*SUBMIT, "--wait", *more, timeout=240)


# --- a world whose nodes run out of room ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town() -> Iterator[Ainur]:
    """A world in a home with spaces and other letters in its name, reached by a link."""
    base = new_home()
    (base / 'ein Haus für 旅人\'s "Zeug"').mkdir()
    (base / "link").symlink_to('ein Haus für 旅人\'s "Zeug"')
    ainur = Ainur(base / "link")
    try:
        up = ainur("devnet", "up", timeout=240)
        assert up.code == 0, up
        yield ainur
    finally:
        down = ainur("devnet", "down", timeout=60)
        shutil.rmtree(base, ignore_errors=True)
    assert down.code == 0
    assert processes_of(base) == []


def test_a_home_with_spaces_and_letters_behind_a_link(town: Ainur, note: Note) -> None:
    said = pay(town)

    note("homes", case="spaces, UTF-8, a link", ends=said.data.get("phase"), code=said.code)
    assert settled(said)


def fresh(directory: Path, name: str) -> tuple[str, str]:
    """The option for a document that no node has seen: bytes that are there already need no room."""
    (directory / name).write_text(f"The {name} of today. It is about disks. They are full.\n")
    return "--input", str(directory / name)


def test_no_room_for_the_submitters_blobs(town: Ainur, tmp_path: Path, note: Note) -> None:
    may_mount()
    before = purse(town, "submitter")
    with SmallDisk(Path(town("--node", "submitter", "status").data["home"]) / "blobs", BLOBS_KIB) as disk:
        disk.fill()
        refused = town(*SUBMIT, *fresh(tmp_path, "first"))
        assert told(refused) == (3, "unavailable")
        assert "free space" in refused.data["error"]["hint"]
        assert purse(town, "submitter") == before
        assert town("status").code == 0

        disk.clear()
        said = pay(town, *fresh(tmp_path, "first"))

    ends = f"refused, then {said.data.get('phase')}"
    note("homes", case="no room for the submitter's blobs", ends=ends, code=refused.code)
    assert settled(said)
    assert town("wallet", "audit").data["difference"] == 0


def test_no_room_for_the_winners_blobs(town: Ainur, tmp_path: Path, note: Note) -> None:
    may_mount()
    with SmallDisk(Path(town("--node", "n1", "status").data["home"]) / "blobs", BLOBS_KIB) as disk:
        disk.fill()
        said = pay(town, *fresh(tmp_path, "second"), "--deadline", "15s")
        full = town("--node", "n1", "status").code
        disk.clear()
        again = pay(town, *fresh(tmp_path, "third"))

    ends = f"{said.data.get('phase')}, then {again.data.get('phase')}"
    note("homes", case="no room for the winner's blobs", ends=ends, code=said.code)
    assert full == 0
    assert said.data["phase"] in {"settled", "refunded"}
    assert settled(again)
    assert town("wallet", "audit").data["difference"] == 0


# --- a node of its own, whose database is hurt ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def private() -> Iterator[Ainur]:
    """A home with a private world, not running."""
    home = new_home()
    ainur = Ainur(home)
    made = ainur("init", timeout=120)
    assert made.code == 0, made
    yield ainur
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running(ainur: Ainur) -> Iterator[None]:
    """Its node, stopped at the end without a trace."""
    with ainur.start("run", **ANY_PORTS) as daemon:
        try:
            read_until(daemon, "the node runs")
            yield
        finally:
            daemon.terminate()
            assert daemon.stdout is not None
            daemon.stdout.read()
    assert daemon.returncode == 0
    assert processes_of(ainur.home) == []


def free(ainur: Ainur) -> int:
    """What the node owns, as the chain says."""
    return int(ainur("wallet", "balance").data["free"])


def pay_bob(ainur: Ainur, *more: str) -> Said:
    """A transfer: the node stores what it signs before it sends it."""
    return ainur("wallet", "transfer", BOB, "1", *more)


def test_what_a_killed_node_left_lying_about(private: Ainur, note: Note) -> None:
    home = private.home
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    stale = {"pid": os.getpid(), "rpc": str(home / "run" / "rpc.sock"), "peer_id": "12D3KooWx", "addresses": []}
    stale |= {"account": "ab" * 32, "genesis": "9" * 64, "chain_url": "ws://x", "name": "x", "started": 1}
    (home / "run" / "node.json").write_text(json.dumps(stale))
    (home / "run" / "rpc.sock").write_text("not a socket any more")
    (home / "daemon.lock").write_text(f"{os.getpid()}\n")
    (home / "daemon.children").write_text(f"{os.getpid()} 1\n999999 5\ngarbage\n")
    (home / "database.lock").write_text("")
    assert private("status").code == 3

    with running(private):
        assert private("wallet", "fund", "1").code == 0

    note("homes", case="stale pid, lock and socket files", ends="runs", code=0)


def test_a_database_that_is_killed_and_taken_away(private: Ainur, note: Note) -> None:
    with running(private):
        before = free(private)
        (private.home / "database").rename(private.home / "elsewhere")
        server = int((private.home / "elsewhere" / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGKILL)
        refused = pay_bob(private)
        assert told(refused) == (3, "unavailable")
        assert free(private) == before  # the chain is asked, not the database
        assert private("status").code == 0
        assert not (private.home / "database").exists()

        (private.home / "elsewhere").rename(private.home / "database")
        wait_until(lambda: pay_bob(private).code == 0, 60)
        assert before - 2 * AIN < free(private) < before - AIN
        assert private("wallet", "audit").data["difference"] == 0

    note("homes", case="database killed and taken away", ends="refused, then works", code=refused.code)


def test_a_database_without_room(private: Ainur, note: Note) -> None:
    may_mount()
    with SmallDisk(private.home / "database", DATABASE_KIB) as disk, running(private):
        before = free(private)
        disk.fill()
        paid, refused = 0, pay_bob(private, "--key", "row-0")
        while refused.code == 0:
            paid += 1
            assert paid < 200, "the disk is full, and the database takes more and more"
            refused = pay_bob(private, "--key", f"row-{paid}")
        assert told(refused) == (3, "unavailable")
        assert private("status").code == 0
        # The order that found no room may be under way: it says so, and typed again it happens once.
        assert f"--key row-{paid}" in refused.data["error"]["hint"]
        assert before - (paid + 2) * AIN < free(private) <= before - paid * AIN

        disk.clear()
        wait_until(lambda: pay_bob(private, "--key", f"row-{paid}").code == 0, 60)
        assert before - (paid + 2) * AIN < free(private) < before - (paid + 1) * AIN
        assert private("wallet", "audit").data["difference"] == 0

    note("homes", case=f"database without room for row {paid + 1}", ends="refused, then works", code=refused.code)


# --- where a home lies, and whose it is -------------------------------------------------------------------------------


@contextmanager
def world_in(shell: Shell, home: str, note: Note, case: str) -> Iterator[Said]:
    """A world whose home is written like that; it leaves nothing."""
    up = shell("--home", home, "devnet", "up")
    try:
        assert up.code == 0, up
        said = shell("--home", home, *SUBMIT, "--wait")
        note("homes", case=case, ends=said.data.get("phase"), code=said.code)
        assert settled(said)
        yield up
    finally:
        assert shell("--home", home, "devnet", "down").code == 0
    assert list((shell.cwd / home).iterdir()) == []


def test_two_worlds_at_once_one_far_down_one_just_here(note: Note) -> None:
    with directory_of(os.geteuid()) as base:
        far = stretched(base / "far", LONG)
        (base / "here").mkdir()
        shell, beside = Shell(), Shell(cwd=base / "here")
        assert len(str(far)) == LONG
        with world_in(shell, str(far), note, f"a path of {LONG} characters") as one:
            with world_in(beside, "my home", note, "two worlds at once, a relative home") as other:
                assert one.data["genesis"] != other.data["genesis"]
                assert shell("--home", str(far), "wallet", "audit").data["difference"] == 0
        assert processes_of(base) == []


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Shell]:
    """The command line of somebody who is not root."""
    with ordinary_user() as shell:
        yield shell


def test_an_ordinary_user_whose_home_is_far_down(ordinary: Shell, note: Note) -> None:
    with directory_of(NOBODY) as base:
        home = stretched(base, LONG)
        subprocess.run([*ordinary.prefix, "mkdir", "-p", str(home)], check=True)
        said = replace(ordinary, cwd=home, environment={"HOME": str(home)})("demo")
        left = list(home.iterdir())

        case = f"demo of an ordinary user, HOME of {len(str(home))} characters"
        note("homes", case=case, ends=said.data.get("escrow"), code=said.code)
        assert (said.code, said.data["escrow"], said.data["audit"]["difference"]) == (0, "released", 0), said
        assert left == []
        assert processes_of(base) == []


@pytest.mark.parametrize("words", ["init", "wallet new", "run", "devnet up", "demo"])
def test_a_home_that_is_not_ours(words: str, ordinary: Shell, note: Note) -> None:
    with directory_of(os.geteuid()) as base:
        base.chmod(0o555)
        inside = ordinary("--home", str(base), *words.split(), timeout=30)
        below = ordinary("--home", str(base / "home"), *words.split(), timeout=30)
        base.chmod(0o700)
        closed = ordinary("--home", str(base / "home"), *words.split(), timeout=30)

        note("homes", case=f"not writable: {words}", ends=inside.error, code=inside.code)
        assert [told(each)[0] for each in (inside, below, closed)] == [4, 4, 4]
        assert list(base.iterdir()) == []


def test_a_disk_that_is_read_only(note: Note) -> None:
    may_mount()
    with directory_of(0) as base, SmallDisk(base, 1024):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(base)], check=True)
        said = {words: Ainur(base / "home")(*words.split(), timeout=30) for words in ("init", "demo", "devnet up")}

        note("homes", case="read-only disk", ends=said["init"].error, code=said["init"].code)
        assert {told(each)[0] for each in said.values()} == {4}


def test_a_disk_without_room_for_a_world(note: Note) -> None:
    may_mount()
    with directory_of(0) as base, SmallDisk(base, 8 << 10) as disk:
        said = {"devnet up on 8 MB": Ainur(base / "home")("devnet", "up", timeout=120)}
        disk.fill()
        for words in ("init", "wallet new", "devnet up"):
            said[f"{words} without room"] = Ainur(base / "home")(*words.split(), timeout=60)
        disk.clear()

        for case, each in said.items():
            note("homes", case=case, ends=each.error, code=each.code)
        assert {told(each)[0] for each in said.values()} == {3}
        assert [path.name for path in base.rglob("*") if path.is_file()] == []
        assert processes_of(base) == []


def test_clocks_an_hour_off(note: Note) -> None:
    home = new_home()
    ainur = Ainur(home)
    try:
        started_by = "import sys; from ainur_node.devnet import world; from pathlib import Path;"
        started_by += "world.up(Path(sys.argv[1]), node_command=(sys.executable, sys.argv[2]))"
        node = Path(__file__).with_name("shifted_node.py")
        subprocess.run([sys.executable, "-c", started_by, str(home), str(node)], check=True, cwd="/", timeout=240)
        homes = {node["name"]: node["home"] for node in ainur("devnet", "status").data["nodes"]}
        started = {
            name: json.loads((Path(at) / "run" / "node.json").read_text())["started"] for name, at in homes.items()
        }
        said = pay(ainur)
        with ThreadPoolExecutor(3) as pool:
            more = list(pool.map(lambda _: pay(ainur), range(3)))
        verified = ainur("--node", "observer", "auction", "verify", said.data["auction"])

        apart = (started["n1"] - started["n2"]) / 3_600_000
        note("homes", case=f"clocks {apart:.1f} hours apart", ends=said.data.get("phase"), code=said.code)
        assert 1.9 < apart < 2.1
        assert [settled(each) for each in (said, *more)] == [True] * 4
        assert verified.code == 0
        assert ainur("wallet", "audit").data["difference"] == 0
    finally:
        assert ainur("devnet", "down").code == 0
        shutil.rmtree(home, ignore_errors=True)
