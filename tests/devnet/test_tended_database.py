"""A database that ends is started again, however often that fails."""

import pytest

from ainur_node.errors import ConfigError, Transient
from ainur_node.supervisor import database
from ainur_node.supervisor.children import LONGEST_DELAY
from ainur_node.supervisor.database import TendedDatabase


class Server:
    """A server that refuses to start as often as it is told; like the real one it is silent after that."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.code: int | None = None
        self.starts = 0

    def poll(self) -> int | None:
        return self.code

    def start(self) -> str:
        self.starts += 1
        if self.refusals:
            raise self.refusals.pop(0)
        return "dsn"

    def stop(self) -> None:
        self.code = None


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(database, "time", made)
    return made


def tend(tended: TendedDatabase, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds * 4)):
        clock.now += 0.25
        tended.tend()


def test_a_server_that_runs_is_left_alone(clock: Clock) -> None:
    server = Server()

    tend(TendedDatabase(server, lambda _: None), clock, 10)

    assert server.starts == 0


def test_a_server_that_was_killed_is_started_again_until_it_runs(clock: Clock) -> None:
    server = Server(Transient("its memory is still in use"), ConfigError("no room"), Transient("not yet"))
    said: list[dict[str, object]] = []
    tended = TendedDatabase(server, said.append)
    server.code = -9

    tend(tended, clock, 30)

    assert server.starts == 4
    assert len(said) == 4
    tend(tended, clock, 30)
    assert server.starts == 4


def test_a_server_that_ends_again_and_again_is_given_longer_pauses(clock: Clock) -> None:
    server = Server()
    tended = TendedDatabase(server, lambda _: None)
    for _ in range(int(LONGEST_DELAY * 10) * 4):
        clock.now += 0.25
        server.code = 1
        tended.tend()

    assert 10 < server.starts < 25
