"""What many tests share: one PostgreSQL server for the whole run, and a fresh database for each test that asks."""

import itertools
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.postgres import open_store

_numbers = itertools.count(1)

# A shell starts what it runs in the background with Ctrl-C ignored, and every process we start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One embedded server with a database `ready`, whose schema is up to date, to copy from."""
    home = Path(tempfile.mkdtemp(prefix="ainur-test-pg-"))
    try:
        with EmbeddedPostgres(home / "data", home / "run") as server:
            trio.run(_make_schema, server.create_database("ready"))
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file stay in one process of a parallel run, and those of all worlds in one: they share fixtures."""
    for item in items:
        directory = item.path.parent.name
        group = directory if directory in ("e2e", "fire") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


async def _make_schema(dsn: str) -> None:
    async with open_store(dsn):
        pass


@pytest.fixture
def dsn(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database of its own for one test, with the schema in it."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name, template="ready")
    postgres_server.drop_database(name)
