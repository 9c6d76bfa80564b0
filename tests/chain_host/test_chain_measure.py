"""The rates that the host measures of itself are of blocks that a follower agrees with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chain_host.errors import WorldError
from chain_host.measure import measure, read_extrinsics
from tests.chain_host.signing import remark, signer, transfer
from tests.chain_host.speed import small_world


def test_pool_blocks_and_follower_are_measured_apart_on_a_copy(tmp_path: Path, cache: Path):
    _world, signing, _empty = small_world(tmp_path / "w", cache)
    signed = [signing.sign(signer(i % 4), i // 4, transfer(signer(200 + i).public, 10**10)) for i in range(40)]
    before = (tmp_path / "w" / "chain.sqlite").read_bytes()

    found = measure(tmp_path / "w", [*signed, b"\x10\x84\xff\xff\xff", signing.sign(signer(0), 99, remark(b""))])

    assert found["agree"]
    assert found["offered"] == 42
    assert (found["pool"]["extrinsics"], found["block"]["extrinsics"], found["follower"]["extrinsics"]) == (41, 40, 40)
    assert all(found[part]["per_second"] > 0 for part in ("pool", "block", "follower"))
    assert (tmp_path / "w" / "chain.sqlite").read_bytes() == before


@pytest.mark.real
def test_the_command_takes_a_file_of_extrinsics(tmp_path: Path, cache: Path):
    _world, signing, _empty = small_world(tmp_path / "w", cache)
    file = tmp_path / "extrinsics"
    file.write_text("".join(f"0x{signing.sign(signer(0), nonce, remark(b'')).hex()}\n" for nonce in range(5)))
    command = [sys.executable, "-m", "chain_host", "measure", "--data", str(tmp_path / "w"), "--cache", str(cache)]

    done = subprocess.run([*command, "--extrinsics", str(file)], capture_output=True, check=True)

    assert json.loads(done.stdout)["block"]["extrinsics"] == 5


def test_what_is_no_list_of_extrinsics_is_refused(tmp_path: Path):
    with pytest.raises(WorldError):
        read_extrinsics(tmp_path / "nothing")
    (tmp_path / "odd").write_text("0xzz")
    with pytest.raises(WorldError):
        read_extrinsics(tmp_path / "odd")
    with pytest.raises(WorldError):
        measure(tmp_path, [])
