"""A fresh chain and store."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from outbox_world import OutboxWorld
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of printing it."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def world() -> OutboxWorld:
    return OutboxWorld()
