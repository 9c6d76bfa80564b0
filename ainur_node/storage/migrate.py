"""Numbered SQL files brought into a database once each, in one transaction, under a lock."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ainur_node.errors import Bug, ConfigError

LOCK_KEY = 0x4D494752415445  # "MIGRATE"

_TABLE = """
create table if not exists schema_migrations (
    version integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; its text is pinned by its hash once it was applied."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """The migrations of this program, numbered 1, 2, 3 … without a gap (else Bug)."""
    files = (resources.files(__package__) / "migrations").iterdir()
    found = [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in sorted(files, key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    ]
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise Bug(f"migrations are not numbered 1, 2, 3 …: {[each.name for each in found]}")
    return found


async def migrate(connection: Any, migrations: list[Migration]) -> int:
    """Apply what is missing, all or nothing; return how many were applied.

    Raises ConfigError when the database is newer than this program, Bug when an applied file was changed.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
        await connection.execute(_TABLE)
        rows = await connection.fetch("select version, name, sha256 from schema_migrations order by version")
        if len(rows) > len(migrations):
            raise ConfigError(
                f"the database has migration {rows[-1]['name']}, this program ends at {len(migrations)}",
                hint="run the newer program, or restore the backup that was taken before the upgrade",
            )
        for row, ours in zip(rows, migrations, strict=False):
            if row["sha256"] != ours.sha256:
                raise Bug(f"migration {ours.name} was changed after it had been applied")
        for each in migrations[len(rows) :]:
            await connection.execute(each.sql)
            await connection.execute(
                "insert into schema_migrations (version, name, sha256) values ($1, $2, $3)",
                each.version,
                each.name,
                each.sha256,
            )
        return len(migrations) - len(rows)
