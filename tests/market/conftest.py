"""A market world on the mock clock for every test that asks."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
import trio
from market_world import MarketWorld, market_world
from structlog.testing import capture_logs
from trio.testing import MockClock


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of printing it."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def world(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MarketWorld]:
    assert trio.lowlevel.current_clock() is autojump_clock, "the test itself must ask for autojump_clock"
    async with market_world(monkeypatch) as made:
        yield made
