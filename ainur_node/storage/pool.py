"""The connection pool behind the bridge: one bridged call per unit of work, and asyncpg's errors in our words."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import structlog
import trio

from ainur_node.errors import Bug, ConfigError, Transient
from ainur_node.storage.bridge import AioThread, open_aio_thread

T = TypeVar("T")
_log = structlog.get_logger(__name__)

WARM = 4
"""Connections opened at the start and kept: a new one costs a burst tens of milliseconds."""
CONNECT_TIMEOUT = 10.0
STATEMENT_TIMEOUT = 30.0
ACQUIRE_TIMEOUT = 15.0
OLDEST_SERVER = 150000
LOCK_KEY = 0x41494E5552  # "AINUR"

_NO_ROOM = "free space on the database's disk"
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.ConfigurationLimitExceededError)
_BUSY = (
    asyncpg.TooManyConnectionsError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)
_SETUP = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.exceptions.ClientConfigurationError,
)


class Lost(Transient):
    """The connection broke during the call: whether a write was committed is not known."""


def translate(error: Exception) -> Exception:
    """Give the error of ours that stands for `error` of the driver."""
    if isinstance(error, _FULL):
        return Transient(f"the database has no room: {error}", hint=_NO_ROOM)
    if isinstance(error, _SETUP):
        return ConfigError(f"the database refused the node: {error}", hint="check database.url")
    if isinstance(error, _GONE) or _is_closed(error):
        # A server that cannot write its log ahead ends; the words are all that is left of the reason.
        hint = _NO_ROOM if "No space left" in str(error) else "is PostgreSQL running?"
        return Lost(f"the database is gone: {error or type(error).__name__}", hint=hint)
    if isinstance(error, _BUSY):
        return Transient(f"the database could not do it now: {error}", hint="look at the database's log")
    return Bug(f"{type(error).__name__}: {error}")


def _is_closed(error: Exception) -> bool:
    # asyncpg reports a connection that closed under a call with its class for wrong use; only the words differ.
    return (
        isinstance(error, asyncpg.InterfaceError)
        and not isinstance(error, ValueError)
        and re.search("clos|released|terminat", str(error)) is not None
    )


class _Connection(asyncpg.Connection):
    """A connection that keeps no session state, so that giving it back to the pool costs no round trip."""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool on one database. Everything named `_in_loop` runs in the asyncio thread."""

    def __init__(self, aio: AioThread, dsn: str, size: int) -> None:
        self._aio = aio
        self._dsn = dsn
        self._size = size
        self._pool: Any = None
        self._owner: Any = None  # the connection that holds the advisory lock
        self._owned = False
        self._missed = False
        self._relock = asyncio.Lock()
        self.calls = 0
        self.failures = 0

    async def run(self, unit: Callable[[Any], Awaitable[T]]) -> T:
        """Give `unit` a connection and translate what it raises: Transient, Lost, ConfigError or Bug."""
        self.calls += 1
        try:
            return await self._aio.run(self._unit_in_loop, unit)
        except (Transient, Bug, ConfigError):
            self.failures += 1
            raise

    async def fetch(self, sql: str, *args: object) -> list[Any]:
        """Run one statement, give all its rows."""
        return await self.run(lambda connection: connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: object) -> Any:
        """Run one statement, give its first row or None."""
        return await self.run(lambda connection: connection.fetchrow(sql, *args))

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement, give the first column of its first row or None."""
        return await self.run(lambda connection: connection.fetchval(sql, *args))

    async def _unit_in_loop(self, unit: Callable[[Any], Awaitable[T]]) -> T:
        try:
            if self._owned:
                await self._keep_lock_in_loop()
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
                return await unit(connection)
        except (Transient, Bug, ConfigError):
            raise
        except Exception as error:  # reason: nothing of the driver leaves; Bug is raised for the unknown
            raise translate(error) from error

    async def open(self) -> None:
        """Connect; raises Transient when there is no server, ConfigError when it is not usable."""
        await self._aio.run(self._open_in_loop)

    async def _open_in_loop(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                # asyncpg would keep a floor by itself, but then floods the log while the server is gone.
                min_size=0,
                max_size=self._size,
                timeout=CONNECT_TIMEOUT,
                max_inactive_connection_lifetime=0,
                command_timeout=STATEMENT_TIMEOUT,
                connection_class=_Connection,
            )
            await asyncio.gather(*(self._warm_in_loop() for _ in range(min(WARM, self._size))))
        except ConfigError:
            await self._close_in_loop()
            raise
        except ValueError as error:  # what asyncpg says to a url that it cannot take apart
            raise ConfigError("the database's url cannot be read", hint="check database.url") from error
        except Exception as error:  # reason: nothing of the driver leaves; Bug is raised for the unknown
            await self._close_in_loop()
            raise translate(error) from error

    async def _warm_in_loop(self) -> None:
        async with self._pool.acquire() as connection:
            await _check_server(connection)

    async def close(self) -> None:
        """Close every connection, by force after a few seconds; never raises for a server that is gone."""
        await self._aio.run(self._close_in_loop)

    async def _close_in_loop(self) -> None:
        if self._owner is not None:
            self._owner.terminate()
        if self._pool is None:
            return
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_TIMEOUT / 2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._pool.terminate()

    async def lock(self) -> None:
        """Take the database for this process alone; raises Transient when another process has it."""
        await self._aio.run(self._lock_in_loop)

    async def _lock_in_loop(self) -> None:
        try:
            connection = await asyncpg.connect(self._dsn, timeout=CONNECT_TIMEOUT, command_timeout=STATEMENT_TIMEOUT)
            try:
                taken = await connection.fetchval("select pg_try_advisory_lock($1)", LOCK_KEY)
            except BaseException:
                # The server may have granted it the lock: left open, it would keep this node out, too.
                connection.terminate()
                raise
        except Exception as error:  # reason: nothing of the driver leaves; Bug is raised for the unknown
            raise translate(error) from error
        if not taken:
            connection.terminate()
            raise Transient(
                "another node works on this database",
                hint="stop it, or give this node a database of its own (database.url)",
            )
        self._owner, self._owned = connection, True

    async def _keep_lock_in_loop(self) -> None:
        # The lock dies with its connection. No unit of work may run before it is ours again.
        if not self._owner.is_closed():
            return
        async with self._relock:
            if self._owner.is_closed():
                if not self._missed:  # said once, however often somebody asks before the server is back
                    self._missed = True
                    _log.warning("database_lock_lost")
                await self._lock_in_loop()
                self._missed = False
                _log.info("database_lock_regained")

    async def unlock(self) -> None:
        """Give the database free; closing its connection is what frees it."""
        await self._aio.run(self._unlock_in_loop)

    async def _unlock_in_loop(self) -> None:
        self._owned = False
        if self._owner is not None:
            try:
                await self._owner.close(timeout=CONNECT_TIMEOUT / 2)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._owner.terminate()

    def statistics(self) -> dict[str, int]:
        """Counts for `ainur status`."""
        pool = self._pool
        return {
            "database_calls": self.calls,
            "database_failures": self.failures,
            "database_connections": pool.get_size() if pool is not None else 0,
            "database_idle": pool.get_idle_size() if pool is not None else 0,
        }


async def _check_server(connection: Any) -> None:
    version = int(await connection.fetchval("show server_version_num"))
    if version < OLDEST_SERVER:
        raise ConfigError(
            f"PostgreSQL {version // 10000} is too old", hint="PostgreSQL 15 or newer is needed (database.url)"
        )
    encoding = await connection.fetchval("show server_encoding")
    if encoding != "UTF8":
        raise ConfigError(f"the database's encoding is {encoding}", hint="create it with encoding 'UTF8'")


@asynccontextmanager
async def open_database(dsn: str, size: int) -> AsyncIterator[Database]:
    """Open a pool of at most `size` connections in a thread of its own; close both on the way out."""
    async with open_aio_thread() as aio:
        database = Database(aio, dsn, size)
        try:
            await database.open()
            yield database
        finally:
            with trio.CancelScope(shield=True):
                await database.close()
