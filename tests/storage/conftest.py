"""A home and a server of its own for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ainur_node.storage.embedded import EmbeddedPostgres


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg")


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(home / "data", home / "run")
    yield made
    made.stop()
