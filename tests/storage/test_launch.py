"""As whom the server runs, and that it never outlives the process it belongs to."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_server import ask, kill_servers, processes, wait_until

from ainur_node.errors import ConfigError
from ainur_node.storage import launch
from ainur_node.storage.embedded import EmbeddedPostgres, find_binaries
from ainur_node.storage.launch import choose_place, namespaces_work

pytestmark = pytest.mark.real
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


RUNNER = """
    import os
    import sys
    from pathlib import Path
    from ainur_node.storage.embedded import EmbeddedPostgres
    if sys.argv[2:]:
        # after the imports, because the interpreter itself may lie where only root can go
        user = int(sys.argv[2])
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    server = EmbeddedPostgres(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "run")
    print(server.start(), flush=True)
    print(server.pid, flush=True)
    sys.stdin.read()
    server.stop()
"""


def runner(home: Path, *, uid: int | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUNNER), str(home), *([str(uid)] if uid is not None else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def read_dsn(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("postgresql://"):
            return line.strip()
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


def test_the_server_dies_with_a_killed_daemon_and_the_next_one_takes_over(home: Path) -> None:
    with runner(home) as daemon:
        ask(read_dsn(daemon), "create table kept as select 7 as n")
        assert processes(home)
        daemon.kill()
    server = EmbeddedPostgres(home / "data", home / "run")
    try:
        # at once, while the old server may still be about to end
        assert ask(server.start(), "select n from kept") == 7
        assert len([pid for pid in processes(home) if pid == server.pid]) == 1
    finally:
        server.stop()
    assert processes(home) == []


def test_after_a_killed_daemon_nothing_is_left_running(home: Path) -> None:
    with runner(home) as daemon:
        read_dsn(daemon)
        daemon.kill()

    wait_until(lambda: not processes(home))


@as_root
def test_an_ordinary_user_runs_it_as_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    if not launch._as_user(nobody, nobody).can_reach(find_binaries(None) / "postgres"):
        pytest.skip("another user cannot reach the programs here")
    home = Path(tempfile.mkdtemp(prefix="ainur-nobody-"))
    try:
        os.chown(home, nobody, nobody)
        with runner(home, uid=nobody) as daemon:
            dsn = read_dsn(daemon)
            assert (home / "data").stat().st_uid == nobody
            assert ask(dsn, "select 1") == 1
            assert daemon.stdin is not None
            daemon.stdin.close()
            assert daemon.wait(30) == 0
        assert processes(home) == []
    finally:
        shutil.rmtree(home)


@as_root
def test_root_runs_it_in_a_user_namespace_as_itself(server: EmbeddedPostgres, home: Path) -> None:
    if not namespaces_work():
        pytest.skip("user namespaces are forbidden here")
    server.start()

    status = Path(f"/proc/{server.pid}/status").read_text()
    assert "Uid:\t0\t0\t0\t0" in status
    assert Path(f"/proc/{server.pid}/uid_map").read_text().split() == ["1000", "0", "1"]
    assert (home / "data").stat().st_uid == 0


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the databases of unprivileged users lie while user namespaces are forbidden."""
    base = Path(tempfile.mkdtemp(prefix="ainur-away-"))
    base.chmod(0o755)
    away = base / "state"

    monkeypatch.setattr(launch, "namespaces_work", lambda: False)
    monkeypatch.setattr(launch, "AWAY", away)
    yield away
    shutil.rmtree(base)


@as_root
def test_root_without_namespaces_runs_it_as_an_unprivileged_user_in_a_directory_of_its_own(
    home: Path, server: EmbeddedPostgres, without_namespaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.chmod(0o700)
    place = choose_place(home / "data", home / "run")
    assert place.identity.owner is not None
    user = place.identity.owner[0]
    if not place.identity.can_reach(find_binaries(None) / "postgres"):
        pytest.skip("another user cannot reach the programs here")

    dsn = server.start()

    assert user != 0
    assert place.data.stat().st_uid == user
    assert place.data.is_relative_to(without_namespaces)
    assert place.sockets.stat().st_mode & 0o777 == 0o700
    assert f"Uid:\t{user}\t" in Path(f"/proc/{server.pid}/status").read_text()
    assert ask(dsn, "select 1") == 1
    assert home.stat().st_mode & 0o777 == 0o700
    kill_servers(place.data)
    monkeypatch.setattr(launch, "namespaces_work", lambda: True)  # whoever owns the data goes on running it
    assert ask(server.start(), "select 1") == 1
    assert f"Uid:\t{user}\t" in Path(f"/proc/{server.pid}/status").read_text()
    server.remove()
    assert list(home.iterdir()) == list(without_namespaces.iterdir()) == []


@as_root
def test_data_that_another_user_owns_is_run_by_that_user(
    home: Path, server: EmbeddedPostgres, without_namespaces: Path
) -> None:
    nobody = pwd.getpwnam("nobody")
    open_home = without_namespaces / "home"
    open_home.mkdir(parents=True)
    for directory in (without_namespaces, open_home):
        directory.chmod(0o755)
    (open_home / "data").mkdir(mode=0o700)
    os.chown(open_home / "data", nobody.pw_uid, nobody.pw_gid)
    place = choose_place(open_home / "data", open_home / "run")
    if not place.identity.can_reach(find_binaries(None) / "postgres"):
        pytest.skip("another user cannot reach the programs here")

    with EmbeddedPostgres(open_home / "data", open_home / "run") as other:
        assert ask(other.dsn(), "select 1") == 1
        assert f"Uid:\t{nobody.pw_uid}\t" in Path(f"/proc/{other.pid}/status").read_text()


@as_root
def test_root_without_any_way_gets_advice(
    home: Path, server: EmbeddedPostgres, without_namespaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "UNPRIVILEGED", ("no-such-user",))

    with pytest.raises(ConfigError) as refused:
        server.start()

    assert "database.url" in refused.value.hint
    assert not (home / "data").exists()


@as_root
def test_programs_that_the_other_user_cannot_reach_are_named(
    home: Path, without_namespaces: Path, server: EmbeddedPostgres
) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for name in ("postgres", "initdb"):
        (closed / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n")
        (closed / name).chmod(0o755)

    with pytest.raises(ConfigError, match="cannot reach"):
        EmbeddedPostgres(home / "data", home / "run", pg_bin=closed).start()


def test_removing_a_server_leaves_nothing(home: Path, server: EmbeddedPostgres) -> None:
    server.start()

    server.remove()

    assert list(home.iterdir()) == []
