"""A sandbox with the repository's agents in it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from wasm_runtime.pool import Settings, open_pool
from wasm_runtime.result import Execution, Job, Prepared

AGENT = Path(__file__).parents[2] / "agents" / "text-summary"
Ask = Callable[[bytes], Awaitable[Execution]]


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    """The sealed manifest."""
    loaded = json.loads((AGENT / "manifest.json").read_bytes())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture
async def ask(tmp_path_factory: pytest.TempPathFactory, manifest: dict[str, Any]) -> AsyncIterator[Ask]:
    """Hands raw task bytes to the committed module, within the limits of its manifest."""
    # One directory for all tests: the module is compiled once.
    home = tmp_path_factory.getbasetemp() / "sandbox"
    home.mkdir(exist_ok=True)
    async with open_pool(Settings(home / "cache", home / "key", workers=1, spares=0)) as pool:
        prepared = await pool.prepare((AGENT / "text-summary.wasm").read_bytes())
        assert isinstance(prepared, Prepared)
        limits = manifest["limits"]

        async def run(task: bytes) -> Execution:
            return await pool.run(
                Job(
                    module_sha256=prepared.module_sha256,
                    input=task,
                    seed=bytes(32),
                    clock_ms=0,
                    fuel=limits["fuel"],
                    memory_bytes=limits["memory"],
                    output_limit=limits["output"],
                    deadline_ms=30_000,
                )
            )

        yield run
