"""One running world for all end-to-end tests, and the command line on a home of its own."""

import shutil
from collections.abc import Iterator

import pytest
from e2e_world import Ainur, new_home, processes_of


@pytest.fixture
def ainur() -> Iterator[Ainur]:
    """The command line on an empty home."""
    home = new_home()
    yield Ainur(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def world() -> Iterator[Ainur]:
    """The command line on a home whose world is up, shared by all tests that leave it as it is."""
    home = new_home()
    there = Ainur(home)
    try:
        up = there("devnet", "up", timeout=180)
        assert up.code == 0, up
        yield there
        assert there("devnet", "down", timeout=60).code == 0
        assert list(home.iterdir()) == []
        assert processes_of(home) == []
    finally:
        there("devnet", "down", timeout=60)
        shutil.rmtree(home, ignore_errors=True)
