"""The node's adapter keeps the promises of ports.Sandbox on real children."""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest
import trio

from ainur_node import ports
from ainur_node.domain import receipt
from ainur_node.errors import ConfigError, Transient
from ainur_node.sandbox import JailedSandbox, Settings, open_sandbox
from wasm_runtime import result
from wasm_runtime.cache import Cache
from wasm_runtime.limits import engine_id

AGENT = (Path(__file__).parents[2] / "agents/text-summary/text-summary.wasm").read_bytes()
MODULE = hashlib.sha256(AGENT).digest()


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[JailedSandbox]:
    async with open_sandbox(Settings(tmp_path, workers=1, spares=0)) as opened:
        yield opened


def job(**changes: object) -> ports.Job:
    fields: dict[str, object] = {
        "module": MODULE,
        "input": b'{"text":"One sentence."}',
        "seed": bytes(32),
        "clock": 0,
        "fuel": 10**9,
        "memory_kib": 65_536,
        "output_limit": 1 << 18,
        "deadline_ms": 10_000,
    }
    return ports.Job(**{**fields, **changes})  # type: ignore[arg-type]


async def test_a_prepared_agent_runs_and_its_price_is_known(sandbox: JailedSandbox) -> None:
    port: ports.Sandbox = sandbox
    assert await port.prepare(AGENT) == []

    done = await port.run(job())

    assert (done.exit, done.code) == (receipt.Exit.OK, 0)
    assert b'"summary":"One sentence."' in done.output
    assert 0 < done.fuel_used < 10**9
    assert 0 < done.peak_memory_kib <= 65_536
    assert done.host_transcript == hashlib.sha256(b"").digest()
    assert port.engine == engine_id()


async def test_a_bad_module_is_refused_with_codes(sandbox: JailedSandbox) -> None:
    assert [finding.code for finding in await sandbox.prepare(b"nonsense")] == ["malformed"]


async def test_a_refused_task_leaves_its_reason_in_the_log(sandbox: JailedSandbox) -> None:
    await sandbox.prepare(AGENT)

    done = await sandbox.run(job(input=b"{}"))

    assert done.exit is receipt.Exit.NONZERO
    assert b"no text" in done.log


async def test_a_module_that_is_not_here_is_a_matter_of_trying_again(sandbox: JailedSandbox) -> None:
    with pytest.raises(Transient):
        await sandbox.run(job(module=bytes(32)))


@pytest.mark.parametrize("changes", [{"memory_kib": 1 << 30}, {"clock": -1}, {"input": bytes(5 << 20)}, {"seed": b""}])
async def test_a_job_above_all_bounds_does_not_stop_the_node(
    sandbox: JailedSandbox, changes: dict[str, object]
) -> None:
    await sandbox.prepare(AGENT)

    done = await sandbox.run(job(**changes))

    assert done.exit is receipt.Exit.ENGINE
    assert done.log


async def test_a_sandbox_that_cannot_start_is_a_matter_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "modules.key").write_bytes(bytes(32))
    (tmp_path / "modules.key").chmod(0o644)

    with pytest.raises(ConfigError):
        async with open_sandbox(Settings(tmp_path, workers=1)):
            raise AssertionError("never")


def fails_with(number: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("owner", "name", "number", "hint"),
    [
        (Cache, "_write", errno.ENOSPC, "free space"),
        (Cache, "native", errno.EMFILE, "open files"),
        (os, "memfd_create", errno.EMFILE, "open files"),
        (trio.lowlevel, "open_process", errno.EAGAIN, "memory or processes"),
        (Cache, "_write", errno.EIO, "the disk"),
    ],
)
async def test_a_machine_that_is_short_of_something_prepares_later(
    sandbox: JailedSandbox, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int, hint: str
) -> None:
    with monkeypatch.context() as short:
        short.setattr(owner, name, fails_with(number))
        with pytest.raises(Transient, match=os.strerror(number)) as told:
            await sandbox.prepare(AGENT)

    assert hint in told.value.hint
    assert await sandbox.prepare(AGENT) == []


async def test_a_machine_that_is_short_of_something_runs_the_job_later(
    sandbox: JailedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sandbox.prepare(AGENT)

    with monkeypatch.context() as short:
        short.setattr(Cache, "native", fails_with(errno.EMFILE))
        with pytest.raises(Transient, match="open files") as told:
            await sandbox.run(job())

    assert "open files" in told.value.hint
    assert (await sandbox.run(job())).exit is receipt.Exit.OK


async def test_a_machine_that_is_short_of_something_starts_the_sandbox_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "memfd_create", fails_with(errno.EMFILE))

    with pytest.raises(Transient, match="open files") as told:
        async with open_sandbox(Settings(tmp_path, workers=1)):
            raise AssertionError("never")
    assert "open files" in told.value.hint


async def test_a_directory_that_cannot_be_used_is_a_matter_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as told:
        async with open_sandbox(Settings(tmp_path / "file", workers=1)):
            raise AssertionError("never")
    assert "--home" in told.value.hint


def test_exits_have_the_numbers_of_receipts() -> None:
    assert {ending.name: int(ending) for ending in result.Exit} == {e.name: int(e) for e in receipt.Exit}


def test_the_daemon_never_imports_the_engine() -> None:
    code = "import sys, ainur_node.sandbox; sys.exit(any(m.split('.')[0] == 'wasmtime' for m in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
