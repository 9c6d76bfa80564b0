"""What tests do to a running server: ask it, count its processes, kill them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import trio

from ainur_node.storage import leftovers
from ainur_node.storage.pool import open_database


def ask(dsn: str, sql: str) -> object:
    async def talk() -> object:
        async with open_database(dsn, 1) as database:
            return await database.fetchval(sql)

    return trio.run(talk)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def processes(home: Path) -> list[int]:
    return leftovers._servers(home / "data")


def kill_servers(data: Path) -> None:
    for pid in leftovers._servers(data):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not leftovers._servers(data))


def kill_all(home: Path) -> None:
    kill_servers(home / "data")
