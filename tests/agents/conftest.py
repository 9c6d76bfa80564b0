"""A sandbox with the repository's agents in it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from wasm_runtime.pool import Settings, open_pool
from wasm_runtime.result import Execution, Job, Prepared

AGENTS = Path(__file__).parents[2] / "agents"
Ask = Callable[[bytes], Awaitable[Execution]]


def _manifest(name: str) -> dict[str, Any]:
    loaded = json.loads((AGENTS / name / "manifest.json").read_bytes())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def agent(request: pytest.FixtureRequest) -> str:
    """The agent that a module of tests is about: its AGENT_NAME, or text-summary."""
    return str(getattr(request.module, "AGENT_NAME", "text-summary"))


@pytest.fixture(scope="module")
def manifest(agent: str) -> dict[str, Any]:
    """The sealed manifest."""
    return _manifest(agent)


@pytest.fixture
async def ask(tmp_path_factory: pytest.TempPathFactory, agent: str, manifest: dict[str, Any]) -> AsyncIterator[Ask]:
    """Hands raw task bytes to the committed module, within the limits of its manifest."""
    # One directory for all tests: the module is compiled once.
    home = tmp_path_factory.getbasetemp() / "sandbox"
    home.mkdir(exist_ok=True)
    async with open_pool(Settings(home / "cache", home / "key", workers=1, spares=0)) as pool:
        prepared = await pool.prepare((AGENTS / agent / f"{agent}.wasm").read_bytes())
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
