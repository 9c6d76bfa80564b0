"""Native code on disk is believed with this machine's MAC over it, and never without."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox_modules import ECHO, execute, job, wat

from wasm_runtime.cache import Cache, KeyExposedError, open_key
from wasm_runtime.pool import Settings, open_pool
from wasm_runtime.result import Exit

SHA = hashlib.sha256(ECHO).digest()


def native_file(settings: Settings, sha256: bytes = SHA) -> Path:
    return settings.cache_dir / f"{sha256.hex()}.native"


async def fill(settings: Settings) -> None:
    async with open_pool(settings) as pool:
        assert (await execute(pool, ECHO)).output == b"hello"


async def test_a_restarted_pool_runs_what_was_prepared_before(settings: Settings) -> None:
    await fill(settings)

    async with open_pool(settings) as pool:
        assert await pool.is_prepared(SHA)
        assert (await pool.run(job(SHA))).output == b"hello"
        assert pool.statistics().compiled == 0


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other module", "mac only"])
async def test_a_tampered_entry_is_refused_and_made_again(settings: Settings, damage: str) -> None:
    await fill(settings)
    path = native_file(settings)
    entry = path.read_bytes()
    path.write_bytes(
        {
            "flip": entry[:-1] + bytes([entry[-1] ^ 1]),
            "cut": entry[: len(entry) // 2],
            "empty": b"",
            "other module": bytes(32) + entry[32:],
            "mac only": entry[:32],
        }[damage]
    )

    async with open_pool(settings) as pool:
        assert (await pool.run(job(SHA))).output == b"hello"
        statistics = pool.statistics()

    assert (statistics.cache_refused, statistics.compiled) == (1, 1)
    assert path.read_bytes()[32:] == entry[32:]


async def test_the_entry_of_one_module_is_not_good_for_another(settings: Settings) -> None:
    other = wat("(call $exit (i32.const 3))")
    await fill(settings)
    async with open_pool(settings) as pool:
        assert (await execute(pool, other)).code == 3
    native_file(settings).write_bytes(native_file(settings, hashlib.sha256(other).digest()).read_bytes())

    async with open_pool(settings) as pool:
        assert (await pool.run(job(SHA))).exit is Exit.OK
        assert pool.statistics().cache_refused == 1


async def test_entries_of_another_key_are_worth_nothing(settings: Settings) -> None:
    await fill(settings)
    settings.key_file.unlink()

    async with open_pool(settings) as pool:
        assert (await pool.run(job(SHA))).output == b"hello"
        assert pool.statistics().cache_refused == 1


async def test_native_code_that_the_engine_does_not_load_is_made_again(settings: Settings) -> None:
    await fill(settings)
    # As after an upgrade of the processor: the MAC is right, the code is not for us.
    Cache(settings.cache_dir, open_key(settings.key_file)).store(SHA, ECHO, b"\x7fELF of somebody else" * 100)

    async with open_pool(settings) as pool:
        assert (await pool.run(job(SHA))).output == b"hello"
        assert pool.statistics().compiled == 1


async def test_a_key_that_others_can_read_stops_the_start(settings: Settings) -> None:
    await fill(settings)
    settings.key_file.chmod(0o644)

    with pytest.raises(KeyExposedError):
        async with open_pool(settings):
            raise AssertionError("never")


def test_the_key_is_made_once_and_for_us_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = open_key(path)

    assert open_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(KeyExposedError):
        open_key(path)


def test_a_module_that_was_swapped_on_disk_is_not_compiled(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes(32))
    cache.store(SHA, ECHO, b"native")
    (tmp_path / f"{SHA.hex()}.wasm").write_bytes(b"other")

    assert cache.module(SHA) is None


def test_what_was_used_least_recently_gives_way(tmp_path: Path) -> None:
    cache = Cache(tmp_path, bytes(32), most_bytes=4_000)
    for number in range(10):
        cache.store(bytes([number]) * 32, b"w" * 100, b"n" * 900)
        for path in tmp_path.glob(f"{number:02x}*"):
            os.utime(path, (number, number))

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4_000
    assert cache.native(bytes([9]) * 32) == b"n" * 900
    assert cache.native(bytes([0]) * 32) is None


async def test_nothing_of_the_cache_is_open_to_others(settings: Settings) -> None:
    await fill(replace(settings))

    assert settings.cache_dir.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.cache_dir.iterdir())
    assert not list(settings.cache_dir.glob("*.part"))
