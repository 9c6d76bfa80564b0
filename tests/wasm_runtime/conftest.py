"""Pools for the sandbox's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wasm_runtime.pool import Pool, Settings, open_pool


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "cache", tmp_path / "cache.key", workers=1, spares=0)


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    async with open_pool(settings) as opened:
        yield opened
