"""The committed runtime is whole, packed, and made from the sources beside it."""

import hashlib
import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOB = ROOT / "chain_host" / "runtime" / "ainur_runtime.wasm"


@pytest.fixture
def pack() -> Callable[[bytes], bytes]:
    """The packing step of the build, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("pack_wasm", ROOT / "chain" / "pack_wasm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    packing: Callable[[bytes], bytes] = module.pack
    return packing


def test_the_blob_has_its_committed_hash() -> None:
    committed = BLOB.with_suffix(".wasm.sha256").read_text("utf-8").split()
    assert committed == [hashlib.sha256(BLOB.read_bytes()).hexdigest(), BLOB.name]


def test_the_blob_was_built_from_these_sources() -> None:
    check = subprocess.run([ROOT / "chain" / "inputs.sh", "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_blob_is_packed(pack: Callable[[bytes], bytes]) -> None:
    blob = BLOB.read_bytes()
    assert pack(blob) == blob


@pytest.mark.parametrize("junk", [b"", b"\0asm\2\0\0\0", b"\0asm\1\0\0\0"])
def test_what_no_host_could_run_is_not_packed(pack: Callable[[bytes], bytes], junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a WebAssembly module|sections missing"):
        pack(junk)


def test_names_are_dropped_and_missing_exports_are_told(pack: Callable[[bytes], bytes]) -> None:
    blob = BLOB.read_bytes()
    name = b"\x00\x06\x04name\x00"
    assert pack(blob + name) == blob
    custom = b"\x00\x10\x0fruntime_version" + b"\x00\x0d\x0cruntime_apis"
    with pytest.raises(ValueError, match="exports missing"):
        pack(blob[:8] + custom)


def test_instructions_beyond_the_first_version_are_refused(pack: Callable[[bytes], bytes]) -> None:
    features = b"\x0ftarget_features\x01+\x07simd128"
    with pytest.raises(ValueError, match="simd128"):
        pack(BLOB.read_bytes() + b"\x00" + bytes([len(features)]) + features)
