"""Blobs on the disk: whole or absent, checked at every read, bounded in number of bytes."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.errors import Bug, Transient
from ainur_node.storage import blobs_local
from ainur_node.storage.blobs_local import LocalBlobs

HELLO = hashlib.sha256(b"hello").digest()


def blobs_in(root: Path, max_bytes: int = 1000) -> LocalBlobs:
    return LocalBlobs(root / "blobs", max_bytes=max_bytes)


def file_of(root: Path, sha256: bytes) -> Path:
    return root / "blobs" / sha256.hex()[:2] / sha256.hex()


async def test_a_blob_is_read_back_by_its_hash(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)

    assert await blobs.put(b"hello") == HELLO

    assert await blobs.get(HELLO) == b"hello"
    assert await blobs.has(HELLO)
    assert await blobs.size(HELLO) == 5
    assert await blobs_in(tmp_path).get(HELLO) == b"hello"


async def test_an_unknown_blob_is_none(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)

    assert await blobs.get(HELLO) is None
    assert not await blobs.has(HELLO)
    assert await blobs.size(HELLO) is None
    assert await blobs.delete(HELLO) is False


async def test_the_empty_blob_is_a_blob(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)

    assert await blobs.get(await blobs.put(b"")) == b""


async def test_putting_twice_stores_once(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(blobs.put, b"hello")

    statistics = blobs.statistics()

    assert (statistics["blobs"], statistics["blob_bytes"]) == (1, 5)
    assert [path.name for path in file_of(tmp_path, HELLO).parent.iterdir()] == [HELLO.hex()]


async def test_a_deleted_blob_gives_its_room_back(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path, max_bytes=5)
    await blobs.put(b"hello")
    with pytest.raises(Transient) as full:
        await blobs.put(b"x")

    assert await blobs.delete(HELLO) is True

    assert "max_blob_mib" in full.value.hint
    assert await blobs.get(await blobs.put(b"x")) == b"x"


async def test_what_is_there_counts_after_a_restart(tmp_path: Path) -> None:
    await blobs_in(tmp_path, max_bytes=8).put(b"hello")
    again = blobs_in(tmp_path, max_bytes=8)

    assert await again.put(b"hello") == HELLO
    with pytest.raises(Transient):
        await again.put(b"four")
    await again.put(b"333")

    assert again.statistics()["blob_bytes"] == 8


async def test_one_blob_has_a_largest_size(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs", max_bytes=100, max_blob=4)

    await blobs.put(b"four")
    with pytest.raises(Bug):
        await blobs.put(b"fives")


@pytest.mark.parametrize("damage", [b"", b"hellO", b"hello and more"])
async def test_a_damaged_blob_is_never_given_out_and_can_be_stored_again(tmp_path: Path, damage: bytes) -> None:
    blobs = blobs_in(tmp_path)
    await blobs.put(b"hello")
    file_of(tmp_path, HELLO).write_bytes(damage)

    assert await blobs.get(HELLO) is None

    assert blobs.statistics()["blobs_corrupted"] == 1
    assert not await blobs.has(HELLO)
    await blobs.put(b"hello")
    assert await blobs.get(HELLO) == b"hello"
    assert blobs.statistics()["blob_bytes"] == 5
    assert blobs.statistics()["blobs"] == 1


async def test_a_blob_damaged_on_disk_is_replaced_when_it_is_put_again(tmp_path: Path) -> None:
    blobs = blobs_in(tmp_path)
    await blobs.put(b"hello")
    file_of(tmp_path, HELLO).write_bytes(b"rot")

    await blobs.put(b"hello")

    assert await blobs.get(HELLO) == b"hello"
    assert blobs.statistics()["blobs"] == 1
    assert blobs.statistics()["blob_bytes"] == 5


async def test_half_written_files_of_a_crash_are_swept_away(tmp_path: Path) -> None:
    await blobs_in(tmp_path).put(b"hello")
    half = file_of(tmp_path, HELLO).with_name("abc.0123.tmp")
    half.write_bytes(b"hel")

    await blobs_in(tmp_path).put(b"other")

    assert not half.exists()


async def test_a_name_that_is_no_hash_is_a_bug(tmp_path: Path) -> None:
    for name in (b"", b"../../etc/passwd", b"x" * 31, b"x" * 33):
        with pytest.raises(Bug):
            await blobs_in(tmp_path).get(name)


async def test_blobs_are_private(tmp_path: Path) -> None:
    await blobs_in(tmp_path).put(b"hello")

    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0
    assert file_of(tmp_path, HELLO).parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
async def test_a_failing_disk_is_transient_and_leaves_no_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    blobs = blobs_in(tmp_path)

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(blobs_local.os, "fsync", fail)
        with pytest.raises(Transient) as refused:
            await blobs.put(b"hello")

    assert ("free space" in refused.value.hint) == (code in {errno.ENOSPC, errno.EDQUOT})
    assert not any(path.is_file() for path in (tmp_path / "blobs").rglob("*"))
    assert await blobs.get(await blobs.put(b"hello")) == b"hello"


FULL = """
    import hashlib, os, sys
    from pathlib import Path
    import trio
    from ainur_node.errors import Transient
    from ainur_node.storage.blobs_local import LocalBlobs

    async def main():
        root = Path(sys.argv[1]) / "blobs"
        blobs = LocalBlobs(root, max_bytes=1 << 30)
        kept = []
        try:
            for number in range(100):
                kept.append(await blobs.put(bytes([number]) * 100_000))
        except Transient as error:
            assert "free space" in error.hint, error.hint
            assert 0 < len(kept) < 11, len(kept)
        else:
            raise SystemExit("the disk never filled up")
        for number, sha in enumerate(kept):
            assert await blobs.get(sha) == bytes([number]) * 100_000
        assert not list(root.rglob("*.tmp"))
        await blobs.delete(kept[0])
        await blobs.put(b"z" * 90_000)
        print("as promised")
    trio.run(main)
"""


@pytest.mark.real
def test_a_disk_that_is_really_full_is_transient(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    mount = f'mount -t tmpfs -o size=1m none "{tmp_path}/disk"'
    inside = ["unshare", "-U", "-r", "-m", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True, check=False).returncode != 0:
        pytest.skip("no private mounts here")

    said = subprocess.run(
        [*inside, f'{mount} && exec "$0" -c "$1" "{tmp_path}/disk"', sys.executable, textwrap.dedent(FULL)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.stdout.strip() == "as promised", said.stderr


WRITER = """
    import itertools, sys
    from pathlib import Path
    import trio
    from ainur_node.storage.blobs_local import LocalBlobs

    async def main():
        blobs = LocalBlobs(Path(sys.argv[1]) / "blobs", max_bytes=1 << 30)
        for number in itertools.count():
            print((await blobs.put(b"%d" % number * 20_000)).hex(), flush=True)
    trio.run(main)
"""


@pytest.mark.real
def test_every_acknowledged_blob_survives_kill_9_of_its_writer(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if len(line) == 65]

    async def look() -> None:
        blobs = blobs_in(tmp_path, max_bytes=1 << 30)
        await blobs.put(b"hello")
        for name in acknowledged:
            assert await blobs.get(bytes.fromhex(name)) is not None
        assert blobs.statistics()["blobs_corrupted"] == 0

    trio.run(look)
    assert not list((tmp_path / "blobs").rglob("*.tmp"))


@settings(max_examples=30, deadline=None)
@given(contents=st.lists(st.binary(max_size=60), max_size=12), cut=st.data())
def test_room_is_accounted_for_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], cut: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("blobs")
    blobs = blobs_in(root, max_bytes=200)

    async def play() -> None:
        kept: dict[bytes, int] = {}
        for data in contents:
            sha = hashlib.sha256(data).digest()
            fits = sha in kept or sum(kept.values()) + len(data) <= 200
            try:
                assert await blobs.put(data) == sha
                kept[sha] = len(data)
                assert fits
            except Transient:
                assert not fits
            if kept and cut.draw(st.booleans()):
                gone = cut.draw(st.sampled_from(sorted(kept)))
                assert await blobs.delete(gone)
                del kept[gone]
            if contents:
                found = blobs.statistics()
                assert (found["blobs"], found["blob_bytes"]) == (len(kept), sum(kept.values()))

    trio.run(play)
