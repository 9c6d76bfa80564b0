"""Homes with short paths, and the fake node as the process of every home."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKE_NODE = (sys.executable, str(Path(__file__).with_name("fake_node.py")))


@pytest.fixture
def short_home() -> Iterator[Path]:
    """A directory whose path leaves room for sockets, as a user's home does."""
    home = Path(tempfile.mkdtemp(prefix="ainur-t-"))
    yield home
    shutil.rmtree(home)


@pytest.fixture
def fake_node() -> tuple[str, ...]:
    """What to start instead of a real node."""
    return FAKE_NODE


@pytest.fixture(autouse=True)
def _no_ainur_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AINUR_")]:
        monkeypatch.delenv(name)
