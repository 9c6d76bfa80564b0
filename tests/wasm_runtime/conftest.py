"""Pools for the sandbox's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wasm_runtime.pool import Pool, Settings, open_pool


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "cache", tmp_path / "cache.key", workers=1, spares=0)


@pytest.fixture
async def fresh_pool(settings: Settings) -> AsyncIterator[Pool]:
    """A pool that has compiled nothing yet."""
    async with open_pool(settings) as opened:
        yield opened


@pytest.fixture
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pool]:
    """A pool whose compiled modules are shared by all tests: starting a compiler is the dearest part of most."""
    home = tmp_path_factory.getbasetemp() / "shared-sandbox"
    home.mkdir(exist_ok=True)
    async with open_pool(Settings(home / "cache", home / "cache.key", workers=1, spares=0)) as opened:
        yield opened
