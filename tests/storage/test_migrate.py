"""The schema: brought up to date once, by whoever comes first, and never backwards."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import trio

from ainur_node.errors import Bug, ConfigError
from ainur_node.storage.embedded import EmbeddedPostgres
from ainur_node.storage.migrate import Migration, migrate, shipped
from ainur_node.storage.pool import Database, open_database
from ainur_node.storage.postgres import open_store

pytestmark = pytest.mark.real

PINNED = {1: "42834ed84a77853df9f1945e6b7acabb09310772bc5ccaa50e48864965b8f23d"}


@pytest.fixture
def empty(postgres_server: EmbeddedPostgres) -> str:
    postgres_server.drop_database("empty")
    return postgres_server.create_database("empty")


@pytest.fixture
async def database(empty: str) -> AsyncIterator[Database]:
    async with open_database(empty, 8) as opened:
        yield opened


def test_a_migration_that_was_released_is_never_edited() -> None:
    assert {each.version: each.sha256 for each in shipped()} == PINNED


async def test_of_eight_starters_one_applies_the_schema(database: Database) -> None:
    applied: list[int] = []

    async def start() -> None:
        applied.append(await database.run(lambda connection: migrate(connection, shipped())))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(start)

    assert sorted(applied) == [0] * 7 + [len(shipped())]


async def test_later_migrations_are_added_to_what_is_there(database: Database) -> None:
    more = [*shipped(), Migration(len(shipped()) + 1, "0099_more", "create table more (n int)")]

    await database.run(lambda connection: migrate(connection, shipped()))

    assert await database.run(lambda connection: migrate(connection, more)) == 1
    assert await database.fetchval("select count(*) from more") == 0


async def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    broken = [*shipped(), Migration(len(shipped()) + 1, "0099_broken", "create table half (n int); select 1/0")]

    with pytest.raises(Bug):
        await database.run(lambda connection: migrate(connection, broken))

    assert await database.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0


async def test_a_newer_database_is_refused_with_advice(database: Database, empty: str) -> None:
    newer = [*shipped(), Migration(len(shipped()) + 1, "0099_future", "select 1")]
    await database.run(lambda connection: migrate(connection, newer))

    with pytest.raises(ConfigError, match="0099_future") as refused:
        async with open_store(empty):
            pass

    assert "newer program" in refused.value.hint


async def test_an_edited_migration_is_noticed(database: Database) -> None:
    await database.run(lambda connection: migrate(connection, shipped()))
    edited = [replace(shipped()[0], sql=shipped()[0].sql + "\n-- a word"), *shipped()[1:]]

    with pytest.raises(Bug, match="changed after"):
        await database.run(lambda connection: migrate(connection, edited))
